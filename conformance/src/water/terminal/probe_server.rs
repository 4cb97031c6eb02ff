//! A server as a case plays it: every byte is the case's own.

use std::collections::VecDeque;

use assay_sim::fault::Way;
use assay_sim::machine::{Close, Torn};
use assay_sim::probe::ProbeStimulus;
use assay_sim::tape::{Entry, LineId, Seen};
use assay_sim::time::Span;
use assay_sim::water::frame::{FrameStream, Kind, RawFrame, Scanned, word};
use assay_sim::water::party::{Event, Stimulus};
use assay_sim::water::plant::server_port;
use assay_sim::wire::Wire;

use crate::stage::StageError;
use crate::water::Stage;

/// How long a terminal may take for what needs no waiting.
pub(super) const SOON: Span = Span::s(10);

/// A server in the test head's place, for one terminal.
pub(super) struct ProbeServer<'a> {
    /// The stage that it plays on.
    pub(super) stage: &'a mut Stage,
    place: usize,
    lines: Lines,
    conn: Option<u16>,
    frames: FrameStream,
    cursor: u64,
    heartbeats: bool,
    held: VecDeque<RawFrame>,
    told: VecDeque<String>,
}

#[derive(Clone, Copy)]
struct Lines {
    gprs: LineId,
    display: LineId,
}

impl Lines {
    fn concern(self, entry: &Entry<Event>) -> bool {
        match &entry.what {
            Seen::Heard { line, way: Way::AtoB, .. }
            | Seen::Opened { line, way: Way::AtoB, .. }
            | Seen::Closed { line, .. } => *line == self.gprs,
            Seen::Sent { line, way: Way::AtoB, .. } => *line == self.display,
            _ => false,
        }
    }
}

/// What an entry means to the server.
enum News {
    Opened(u16),
    Closed(u16),
    Heard(u16, Vec<u8>),
    Told(String),
}

impl<'a> ProbeServer<'a> {
    /// Takes the server's seat; heartbeats are not answered yet.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub(super) fn new(stage: &'a mut Stage, place: usize) -> Result<Self, StageError> {
        let cast = stage.scene().terminals.get(place);
        let cast = cast.ok_or_else(|| StageError::NoSuch(format!("terminal {}", place + 1)))?;
        let lines = Lines { gprs: cast.gprs, display: cast.display };
        Ok(Self {
            stage,
            place,
            lines,
            conn: None,
            frames: FrameStream::default(),
            cursor: 0,
            heartbeats: false,
            held: VecDeque::new(),
            told: VecDeque::new(),
        })
    }

    /// Takes the seat and answers heartbeats until the terminal is in service; `None` if it does not come to that.
    ///
    /// Errors: those of waiting.
    pub(super) fn in_service(stage: &'a mut Stage) -> Result<Option<Self>, StageError> {
        let mut server = Self::new(stage, 0)?;
        server.heartbeats = true;
        let within = server.stage.scene().profile.bench.ready_within;
        let told = server.told(within)?;
        Ok(told.map(|_| server))
    }

    /// Answers heartbeats from now on, or leaves them unanswered.
    pub(super) fn answer_heartbeats(&mut self, answer: bool) {
        self.heartbeats = answer;
    }

    /// Serves for a while.
    ///
    /// Errors: those of waiting.
    pub(super) fn serve(&mut self, span: Span) -> Result<(), StageError> {
        let until = self.stage.now() + span;
        while self.next_news(until.since(self.stage.now()))? {}
        Ok(())
    }

    /// The next message of this kind that comes within a span; others before it are dropped.
    ///
    /// Errors: those of waiting.
    pub(super) fn message(&mut self, kind: Kind, within: Span) -> Result<Option<RawFrame>, StageError> {
        let until = self.stage.now() + within;
        loop {
            while let Some(frame) = self.held.pop_front() {
                let is_wanted = Kind::split(frame.kind).is_some_and(|(_, of)| of == kind);
                if frame.answer == word::MESSAGE && is_wanted {
                    return Ok(Some(frame));
                }
            }
            if !self.next_news(until.since(self.stage.now()))? {
                return Ok(None);
            }
        }
    }

    /// The next text on the display within a span.
    ///
    /// Errors: those of waiting.
    pub(super) fn told(&mut self, within: Span) -> Result<Option<String>, StageError> {
        let until = self.stage.now() + within;
        loop {
            if let Some(text) = self.told.pop_front() {
                return Ok(Some(text));
            }
            if !self.next_news(until.since(self.stage.now()))? {
                return Ok(None);
            }
        }
    }

    /// Forgets what has come and was not asked for.
    pub(super) fn forget(&mut self) {
        self.held.clear();
        self.told.clear();
    }

    /// Puts a card in and waits for the order request.
    ///
    /// Errors: those of waiting.
    pub(super) fn card_in(&mut self, card: usize) -> Result<Option<RawFrame>, StageError> {
        self.forget();
        self.stage.present(card, self.place)?;
        self.message(Kind::OrderRequest, SOON)
    }

    /// Takes the card out, and lets the terminal note it.
    ///
    /// Errors: those of waiting.
    pub(super) fn card_out(&mut self) -> Result<(), StageError> {
        self.serve(Span::s(2))?;
        self.stage.remove(self.place, Torn::default())?;
        self.serve(Span::s(2))
    }

    /// Sends bytes as they are.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), StageError> {
        let Some(conn) = self.conn else { return Ok(()) };
        let stimulus = ProbeStimulus::Send(server_port(self.place, conn), bytes.to_vec());
        self.stage.stimulate("server", Stimulus::Probe(stimulus))
    }

    /// Ends the connection.
    pub(super) fn close(&mut self) -> Result<(), StageError> {
        let Some(conn) = self.conn.take() else { return Ok(()) };
        let stimulus = ProbeStimulus::Close(server_port(self.place, conn), Close::Fin);
        self.stage.stimulate("server", Stimulus::Probe(stimulus))
    }

    /// The bytes of a frame.
    pub(super) fn bytes(&self, frame: &RawFrame) -> Vec<u8> {
        frame.to_bytes(&self.stage.scene().profile.frame)
    }

    /// The bytes of the answer with this content to a message.
    pub(super) fn answer(&self, request: &RawFrame, content: &str) -> Vec<u8> {
        self.bytes(&answer(request, content))
    }

    /// The bytes of a negative answer to a message.
    pub(super) fn negative(&self, request: &RawFrame) -> Vec<u8> {
        self.bytes(&RawFrame { answer: word::NEGATIVE, content: Vec::new(), ..request.clone() })
    }

    /// Waits for something that concerns the server, and takes it in; whether anything came in time.
    fn next_news(&mut self, within: Span) -> Result<bool, StageError> {
        let lines = self.lines;
        let came = self.stage.wait_for(within, &|entry| lines.concern(entry))?;
        let news: Vec<(u64, Option<News>)> =
            self.stage.tape().since(self.cursor).map(|entry| (entry.ordinal, news(entry, lines))).collect();
        for (ordinal, news) in news {
            self.cursor = ordinal + 1;
            match news {
                Some(News::Opened(conn)) => {
                    self.conn = Some(conn);
                    self.frames.clear();
                }
                Some(News::Closed(conn)) => self.conn = self.conn.filter(|known| *known != conn),
                Some(News::Heard(conn, bytes)) if self.conn == Some(conn) => self.hear(&bytes)?,
                Some(News::Told(text)) => self.told.push_back(text),
                Some(News::Heard(..)) | None => {}
            }
        }
        Ok(came)
    }

    fn hear(&mut self, bytes: &[u8]) -> Result<(), StageError> {
        let format = self.stage.scene().profile.frame;
        let now = self.stage.now();
        self.frames.expire(now);
        self.frames.push(&format, now, bytes);
        while let Some(scanned) = self.frames.poll(&format) {
            let Scanned::Frame { frame, .. } = scanned else { continue };
            let heartbeat = frame.answer == word::MESSAGE && frame.kind == Kind::Heartbeat as u8;
            if heartbeat && self.heartbeats {
                let answer = self.answer(&frame, &self.date());
                self.send(&answer)?;
            }
            self.held.push_back(frame);
        }
        Ok(())
    }

    /// The time as a heartbeat's answer tells it.
    pub(super) fn date(&self) -> String {
        let epoch = self.stage.scene().profile.bench.epoch().unwrap_or_default();
        let since = i64::try_from(self.stage.now().as_us()).unwrap_or(0);
        epoch.stepped(since).digits()
    }
}

fn news(entry: &Entry<Event>, lines: Lines) -> Option<News> {
    if !lines.concern(entry) {
        return None;
    }
    match &entry.what {
        Seen::Opened { conn, .. } => Some(News::Opened(*conn)),
        Seen::Closed { conn, .. } => Some(News::Closed(*conn)),
        Seen::Heard { conn, bytes, .. } => Some(News::Heard(*conn, bytes.clone())),
        Seen::Sent { bytes, .. } => {
            let text = String::from_utf8_lossy(bytes).trim_end().to_owned();
            (text != "?").then_some(News::Told(text))
        }
        _ => None,
    }
}

/// The answer with this content to a message.
pub(super) fn answer(request: &RawFrame, content: &str) -> RawFrame {
    RawFrame { answer: word::POSITIVE, content: content.as_bytes().to_vec(), ..request.clone() }
}

/// The fields of a message's content.
pub(super) fn field(frame: &RawFrame, at: usize) -> String {
    let field = frame.content.split(|byte| *byte == b'%').nth(at).unwrap_or_default();
    String::from_utf8_lossy(field).into_owned()
}

/// The same bytes with the lowest bit of one of them inverted.
pub(super) fn damaged(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
    }
    bytes
}

/// The content of an offer of an order of 2.5 t that counts on what the request says.
pub(super) fn offer(request: &RawFrame, order: u64) -> String {
    format!("{}%{order}%1%2.5%{}", field(request, 0), field(request, 1))
}

/// The content that says that there is no order.
pub(super) fn no_order(request: &RawFrame) -> String {
    format!("{}%0%0%0%{}", field(request, 0), field(request, 1))
}

/// The content that closes the order of an upload.
pub(super) fn closed(upload: &RawFrame) -> String {
    format!("{}%2", field(upload, 1))
}
