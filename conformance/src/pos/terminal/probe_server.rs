//! A server as a case plays it: every datagram is the case's own.

use std::collections::VecDeque;

use assay_sim::pos::frame::text::encode;
use assay_sim::pos::frame::{CodeNumber, Cue, DeviceMessage, Key, Read, SaleTime, Seq, ServerMessage};
use assay_sim::pos::party::{Event, Stimulus};
use assay_sim::pos::plant::server_port;
use assay_sim::probe::ProbeStimulus;
use assay_sim::tape::{Entry, LineId, Seen};
use assay_sim::time::Span;

use crate::pos::Stage;
use crate::pos::oracles::wire::Passed;
use crate::pos::people::shows;
use crate::pos::scene::Scene;
use crate::stage::StageError;

/// How long a terminal may take for what needs no waiting.
pub(super) const SOON: Span = Span::s(2);
/// How an answer is shown that a sale is made, refused, or in progress; and words without a sale.
const MADE: Cue = Cue { secs: 20, beep: 0, voice: 1 };
const NOT_MADE: Cue = Cue { secs: 20, beep: 0, voice: 6 };
const IN_PROGRESS: Cue = Cue { secs: 5, beep: 0, voice: 1 };
const WORDS: Cue = Cue { secs: 20, beep: 1, voice: 0 };

/// What the server does of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Serves {
    /// Nothing.
    Nothing,
    /// It acknowledges short messages.
    Notices,
    /// It acknowledges everything.
    Acknowledges,
    /// It serves every message as a server does, and makes every sale.
    Everything,
}

/// A server in the test head's place, for one terminal.
pub(super) struct ProbeServer<'a> {
    /// The stage that it plays on.
    pub(super) stage: &'a mut Stage,
    /// What it does of its own accord.
    pub(super) serves: Serves,
    place: usize,
    udp: LineId,
    cursor: u64,
    held: VecDeque<DeviceMessage>,
    told: VecDeque<String>,
}

impl<'a> ProbeServer<'a> {
    /// Takes the server's seat.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub(super) fn new(stage: &'a mut Stage, serves: Serves) -> Result<Self, StageError> {
        let udp = stage.terminal(0)?.udp;
        Ok(Self { stage, serves, place: 0, udp, cursor: 0, held: VecDeque::new(), told: VecDeque::new() })
    }

    /// Takes the seat, acknowledges short messages, and waits for the terminal's 101.
    ///
    /// Errors: those of waiting.
    pub(super) fn in_service(stage: &'a mut Stage) -> Result<Self, StageError> {
        let mut server = Self::new(stage, Serves::Notices)?;
        server.power_on()?;
        Ok(server)
    }

    /// Waits for a 101.
    ///
    /// Errors: those of waiting.
    pub(super) fn power_on(&mut self) -> Result<bool, StageError> {
        let within = self.stage.scene().profile.bench.ready_within;
        let told = self.message(within, &|message| matches!(message, DeviceMessage::PowerOn { .. }))?;
        self.serve(Span::ms(500))?;
        Ok(told.is_some())
    }

    /// Switches the terminal off for a while, and waits until it is back.
    ///
    /// Errors: those of waiting.
    pub(super) fn restart(&mut self, off: Span) -> Result<(), StageError> {
        self.stage.cut("mcu-a", assay_sim::machine::Torn::default())?;
        self.serve(off)?;
        self.held.clear();
        self.stage.restore("mcu-a")?;
        self.power_on().map(|_| ())
    }

    /// Serves for a while.
    ///
    /// Errors: those of waiting.
    pub(super) fn serve(&mut self, span: Span) -> Result<(), StageError> {
        let until = self.stage.now() + span;
        while self.next_news(until.since(self.stage.now()))? {}
        Ok(())
    }

    /// A person does something.
    ///
    /// Errors: those of waiting.
    pub(super) fn act(&mut self, line: &str) -> Result<(), StageError> {
        self.stage.act(self.place, line)?;
        self.serve(Span::ms(100))
    }

    /// Somebody types an amount and taps a card; the message that leaves.
    ///
    /// Errors: those of waiting.
    pub(super) fn pay(&mut self, amount: &str, card: &str) -> Result<Option<DeviceMessage>, StageError> {
        self.forget();
        self.act(&format!("keys {amount}"))?;
        self.act(&format!("tap {card}"))?;
        self.sale(SOON)
    }

    /// Somebody types an amount and shows a code; the message that leaves.
    ///
    /// Errors: those of waiting.
    pub(super) fn scan(&mut self, amount: &str, code: &str) -> Result<Option<DeviceMessage>, StageError> {
        self.forget();
        self.act(&format!("keys {amount}"))?;
        self.act(&format!("scan {code}"))?;
        self.sale(SOON)
    }

    /// The next message of a sale within a span.
    ///
    /// Errors: those of waiting.
    pub(super) fn sale(&mut self, within: Span) -> Result<Option<DeviceMessage>, StageError> {
        self.message(within, &is_sale)
    }

    /// The next record within a span.
    ///
    /// Errors: those of waiting.
    pub(super) fn record(&mut self, within: Span) -> Result<Option<DeviceMessage>, StageError> {
        self.message(within, &|message| matches!(message, DeviceMessage::Record { .. }))
    }

    /// The next such message within a span; others before it are dropped.
    ///
    /// Errors: those of waiting.
    pub(super) fn message(
        &mut self,
        within: Span,
        wanted: &dyn Fn(&DeviceMessage) -> bool,
    ) -> Result<Option<DeviceMessage>, StageError> {
        let until = self.stage.now() + within;
        loop {
            while let Some(message) = self.held.pop_front() {
                if wanted(&message) {
                    return Ok(Some(message));
                }
            }
            if !self.next_news(until.since(self.stage.now()))? {
                return Ok(None);
            }
        }
    }

    /// Whether people are shown a text that begins so within a span.
    ///
    /// Errors: those of waiting.
    pub(super) fn shown(&mut self, beginning: &str, within: Span) -> Result<bool, StageError> {
        let until = self.stage.now() + within;
        loop {
            while let Some(text) = self.told.pop_front() {
                if text.starts_with(beginning) {
                    return Ok(true);
                }
            }
            if !self.next_news(until.since(self.stage.now()))? {
                return Ok(false);
            }
        }
    }

    /// Forgets what has come and was shown.
    pub(super) fn forget(&mut self) {
        self.held.clear();
        self.told.clear();
    }

    /// Sends bytes as they are.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), StageError> {
        let stimulus = ProbeStimulus::Send(server_port(self.place), bytes.to_vec());
        self.stage.stimulate("server", Stimulus::Probe(stimulus))
    }

    /// Sends a text in GBK.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub(super) fn send_text(&mut self, text: &str) -> Result<(), StageError> {
        self.send(&encode(text))
    }

    /// Sends a message.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub(super) fn say(&mut self, message: &ServerMessage) -> Result<(), StageError> {
        self.send(&message.to_bytes())
    }

    /// 001.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub(super) fn acknowledge(&mut self, message: &DeviceMessage) -> Result<(), StageError> {
        match seq(message) {
            Some(seq) => self.say(&ServerMessage::Ack { seq }),
            None => Ok(()),
        }
    }

    /// 008: the sale is made.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub(super) fn make(&mut self, sale: &DeviceMessage) -> Result<(), StageError> {
        done(sale, MADE).map_or(Ok(()), |message| self.say(&message))
    }

    /// 008: the sale is in progress.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub(super) fn in_progress(&mut self, sale: &DeviceMessage) -> Result<(), StageError> {
        done(sale, IN_PROGRESS).map_or(Ok(()), |message| self.say(&message))
    }

    /// 006.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub(super) fn refuse(&mut self, sale: &DeviceMessage) -> Result<(), StageError> {
        let Some((key, head)) = key(sale).zip(sale.head()) else { return Ok(()) };
        let text = b"NO\\n{LOST CARD}".to_vec();
        self.say(&ServerMessage::Refused { machine: head.machine, key, text, cue: NOT_MADE })
    }

    /// 011, as it must be.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub(super) fn delete(&mut self, record: &DeviceMessage) -> Result<(), StageError> {
        deletion(record).map_or(Ok(()), |message| self.say(&message))
    }

    /// Waits for something that concerns the server, and takes it in; whether anything came in time.
    fn next_news(&mut self, within: Span) -> Result<bool, StageError> {
        let (udp, panel) = (self.udp, self.stage.terminal(self.place)?.panel);
        let concerns = |entry: &Entry<Event>| {
            matches!(&entry.what, Seen::Heard { line, way: Scene::UP, .. } if *line == udp)
                || shows(entry, panel).is_some()
        };
        let came = self.stage.wait_for(within, &concerns)?;
        let mut heard = Vec::new();
        for entry in self.stage.tape().since(self.cursor) {
            self.cursor = entry.ordinal + 1;
            if let Some(text) = shows(entry, panel) {
                self.told.push_back(text.to_owned());
            } else if let Some(passed) = Passed::of(entry, self.stage.scene()) {
                heard.extend(passed.device_at_server().cloned());
            }
        }
        for message in heard {
            self.hear(&message)?;
            self.held.push_back(message);
        }
        Ok(came)
    }

    fn hear(&mut self, message: &DeviceMessage) -> Result<(), StageError> {
        let of_money = is_sale(message) || matches!(message, DeviceMessage::Record { .. });
        if self.serves >= Serves::Acknowledges || (self.serves == Serves::Notices && !of_money) {
            self.acknowledge(message)?;
        }
        if self.serves < Serves::Everything {
            return Ok(());
        }
        match message {
            DeviceMessage::Pay { .. } | DeviceMessage::Count { .. } => self.make(message),
            DeviceMessage::Scan { .. } => {
                self.in_progress(message)?;
                self.make(message)
            }
            DeviceMessage::Record { .. } => self.delete(message),
            DeviceMessage::Tap { head, .. } | DeviceMessage::Keys { head, .. } => {
                let text = b"WELCOME".to_vec();
                self.say(&ServerMessage::Display { machine: head.machine, text, cue: WORDS })
            }
            DeviceMessage::Present { .. }
            | DeviceMessage::Door { .. }
            | DeviceMessage::PowerOn { .. }
            | DeviceMessage::Confirm { .. } => Ok(()),
        }
    }
}

/// Whether a message is that of a sale.
pub(super) const fn is_sale(message: &DeviceMessage) -> bool {
    matches!(message, DeviceMessage::Pay { .. } | DeviceMessage::Count { .. } | DeviceMessage::Scan { .. })
}

/// A message's sequence number, if it is to be acknowledged.
fn seq(message: &DeviceMessage) -> Option<Seq> {
    message.head().map(|head| head.seq.clone())
}

/// What an answer to a sale names.
fn key(sale: &DeviceMessage) -> Option<Key> {
    match sale {
        DeviceMessage::Pay { card, .. } | DeviceMessage::Count { card, .. } => {
            card.clone().ok().map(Key::Card)
        }
        DeviceMessage::Scan { number, .. } => Some(Key::Code(*number)),
        _ => None,
    }
}

/// 008 to a sale.
pub(super) fn done(sale: &DeviceMessage, cue: Cue) -> Option<ServerMessage> {
    let amount = match sale {
        DeviceMessage::Pay { amount, .. } | DeviceMessage::Scan { amount, .. } => amount.clone(),
        _ => Ok(assay_sim::money::Fen(0)),
    };
    let machine = sale.head()?.machine;
    let text = if cue == IN_PROGRESS { b"{WAIT}\\n".to_vec() } else { b"OK\\n{94.50}".to_vec() };
    Some(ServerMessage::Done { machine, key: key(sale)?, amount, text, cue })
}

/// 008 that makes a sale.
pub(super) fn made(sale: &DeviceMessage) -> Option<ServerMessage> {
    done(sale, MADE)
}

/// 011 to a record.
pub(super) fn deletion(record: &DeviceMessage) -> Option<ServerMessage> {
    let DeviceMessage::Record { head, card, amount, at, address, .. } = record else { return None };
    let card = card.as_ref().map_or_else(Clone::clone, |card| card.digits().as_slice().into());
    let amount = amount.as_ref().map_or_else(Clone::clone, |amount| amount.to_string().into_bytes().into());
    let at = at.as_ref().map_or(SaleTime::IMPOSSIBLE.into(), |at| at.to_string().into_bytes().into());
    Some(ServerMessage::Delete { machine: head.machine, card, amount, at, address: *address })
}

/// The time of a sale.
pub(super) fn time(sale: &DeviceMessage) -> Option<Read<SaleTime>> {
    match sale {
        DeviceMessage::Pay { at, .. }
        | DeviceMessage::Count { at, .. }
        | DeviceMessage::Scan { at, .. }
        | DeviceMessage::Record { at, .. } => Some(at.clone()),
        _ => None,
    }
}

/// Another number of a payment by code.
pub(super) const fn other_code(number: CodeNumber) -> CodeNumber {
    CodeNumber::new(number.get() + 1)
}
