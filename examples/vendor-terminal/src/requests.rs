//! What is asked of the server: one request at a time, and what its answer, its refusal or its silence leads to.

use std::collections::VecDeque;

use assay_sim::digest::Digest;
use assay_sim::time::{Instant, Now};
use assay_sim::water::frame::{
    Answer, MachineNumber, Message, RawFrame, Request, Scanned, WriteResult, word,
};
use assay_sim::water::tariff::Pricing;
use assay_sim::wire::{Scan, Wire};

use crate::Hardware;
use crate::firmware::{AGAIN, ANSWER, Firmware, HEARTBEAT, Mode, NETWORK};

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Life,
    Card,
    /// A result in the 24C02, by its number, or the oldest in RAM.
    Result(Option<u16>),
    Fault,
}

/// The request that is out.
#[derive(Clone, Debug)]
struct Out {
    about: About,
    pricing: Pricing,
    request: Request,
    frame: Vec<u8>,
    refusals: u8,
    on_the_way: bool,
}

/// What waits to be asked, and what is out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    out: Option<Out>,
    /// A heartbeat is due.
    pub(crate) beat: bool,
    /// A part that does not work.
    pub(crate) fault: Option<(&'static str, u16)>,
    /// Results that are in RAM alone.
    pub(crate) results: VecDeque<Vec<u8>>,
    /// Results wait for the next answered heartbeat.
    resting: bool,
    /// Heartbeats that missed since power-on.
    missed: u8,
    complaints: VecDeque<Instant>,
}

impl Requests {
    /// Whether nothing is out.
    pub(crate) fn is_quiet(&self) -> bool {
        self.out.is_none()
    }

    /// What is out did not get through.
    pub(crate) fn not_on_the_way(&mut self) {
        if let Some(out) = &mut self.out {
            out.on_the_way = false;
        }
    }

    pub(crate) fn digest(&self, into: &mut Digest) {
        into.flag(self.beat).flag(self.resting).word(u64::from(self.missed)).flag(self.out.is_some());
        if let Some(Out { about, frame, refusals, on_the_way, .. }) = &self.out {
            let (kind, seq) = match about {
                About::Life => (0, 0),
                About::Card => (1, 0),
                About::Result(seq) => (2, u64::from(seq.unwrap_or_default())),
                About::Fault => (3, 0),
            };
            into.word(kind).word(seq).bytes(frame).word(u64::from(*refusals)).flag(*on_the_way);
        }
        into.text(self.fault.map_or("", |(part, _)| part)).word(self.results.len() as u64);
        for frame in &self.results {
            into.bytes(frame);
        }
        for at in &self.complaints {
            into.age(*at);
        }
    }
}

impl Firmware {
    fn machine(&self) -> MachineNumber {
        self.settings.map_or(MachineNumber::from(0), |settings| settings.machine)
    }

    /// A request as it goes to the server.
    pub(crate) fn framed(&self, pricing: Pricing, request: Request) -> Vec<u8> {
        let form = &self.build.data_sheet.frame;
        Message::Request { pricing, request }.to_frame(form.version, self.machine()).to_bytes(form)
    }

    fn meaning(&self, frame: &[u8]) -> Option<(Pricing, Request)> {
        let Scan::Frame { frame, .. } = RawFrame::scan(&self.build.data_sheet.frame, frame) else {
            return None;
        };
        match Message::of(&frame) {
            Ok(Message::Request { pricing, request }) => Some((pricing, request)),
            _ => None,
        }
    }

    /// Sends the next request, if one waits and nothing is in its way; whether it did.
    pub(crate) fn ask_next(&mut self) -> bool {
        if !self.requests.is_quiet() || !self.modem.as_ref().is_some_and(|modem| modem.is_up()) {
            return false;
        }
        let Some((about, frame)) = self.next_request() else { return false };
        let Some((pricing, request)) = self.meaning(&frame) else { return false };
        self.requests.out = Some(Out { about, pricing, request, frame, refusals: 0, on_the_way: false });
        let by = self.at() + self.times().answer_timeout;
        self.timers.set(ANSWER, by);
        self.hand_over();
        true
    }

    fn next_request(&mut self) -> Option<(About, Vec<u8>)> {
        let working = !matches!(self.mode, Mode::Starting | Mode::Alone);
        if let Some((pricing, request)) = self.visit.question().filter(|_| working) {
            return Some((About::Card, self.framed(pricing, request)));
        }
        if working && !self.requests.resting {
            if let Some(frame) = self.requests.results.front() {
                return Some((About::Result(None), frame.clone()));
            }
            let busy = self.visit.seq();
            if let Some(kept) = self.memory.kept().iter().find(|kept| Some(kept.seq) != busy) {
                let frame = if kept.proven { kept.frame.clone() } else { self.doubtful(&kept.frame) };
                return Some((About::Result(Some(kept.seq)), frame));
            }
        }
        if std::mem::take(&mut self.requests.beat) {
            return Some((About::Life, self.framed(Pricing::Flat, Request::Heartbeat)));
        }
        let (part, code) = self.requests.fault.take_if(|_| working)?;
        Some((About::Fault, self.framed(Pricing::Flat, Request::FaultReport { part: part.to_owned(), code })))
    }

    /// A result that was never proven: nobody knows what became of the card.
    fn doubtful(&self, frame: &[u8]) -> Vec<u8> {
        match self.meaning(frame) {
            Some((pricing, Request::Upload { card, order, sold, .. })) => {
                self.framed(pricing, Request::Upload { card, order, sold, result: WriteResult::InDoubt })
            }
            _ => frame.to_vec(),
        }
    }

    /// Gives what is out to the modem, unless it has it.
    pub(crate) fn hand_over(&mut self) {
        let at = self.at();
        if let (Some(out), Some(modem)) = (&mut self.requests.out, &mut self.modem)
            && !out.on_the_way
        {
            out.on_the_way = modem.send(at, &out.frame).is_ok();
        }
    }

    fn no_longer_out(&mut self) -> Option<Out> {
        self.timers.stop(ANSWER);
        self.requests.out.take()
    }

    /// Nobody wants to know any more.
    pub(crate) fn drop_question(&mut self) {
        if self.requests.out.as_ref().is_some_and(|out| out.about == About::Card) {
            self.no_longer_out();
        }
    }

    /// A customer has waited long enough for a question to leave.
    pub(crate) fn question_stuck(&mut self) {
        let asking = self.requests.out.as_ref().is_some_and(|out| out.about == About::Card);
        if !asking && self.visit.question().is_some() {
            self.give_up_question();
        }
    }

    pub(crate) fn no_answer(&mut self, hardware: &mut Hardware) {
        let Some(out) = self.no_longer_out() else { return };
        match (out.about, self.mode) {
            (About::Life, Mode::Starting) => {
                self.requests.missed += 1;
                if self.requests.missed >= self.times().boot_misses {
                    self.stay_out("NETWORK");
                } else {
                    self.requests.beat = true;
                }
                return;
            }
            (About::Life, Mode::Alone) => return,
            (About::Life, _) => self.requests.beat = true,
            (About::Card, _) => self.give_up_question(),
            (About::Result(seq), _) => self.put_away(seq, hardware),
            (About::Fault, _) => {}
        }
        let at = self.at();
        if let Some(modem) = &mut self.modem {
            modem.reset_network(at);
        }
    }

    /// A result in RAM that nobody has confirmed goes into the 24C02 if there is a place for it.
    fn put_away(&mut self, seq: Option<u16>, hardware: &mut Hardware) {
        if seq.is_some() {
            return;
        }
        let Some(frame) = self.requests.results.pop_front() else { return };
        let kept = self.with_memory(hardware, |memory, access| {
            let seq = memory.keep(access, &frame)?;
            memory.prove(access, seq)
        });
        if kept.is_err() {
            self.requests.results.push_front(frame);
        }
    }

    pub(crate) fn take_frames(&mut self, now: Now, hardware: &mut Hardware) {
        let build = std::sync::Arc::clone(&self.build);
        while let Some(scanned) = self.frames.poll(&build.data_sheet.frame) {
            match scanned {
                Scanned::Frame { frame, .. } => self.frame_came(&frame, now, hardware),
                Scanned::BadCrc { frame, .. } => {
                    self.complain(frame.kind);
                    // A spoilt answer to a result counts as one that refused it; the server says it again by itself.
                    if self.requests.out.as_ref().is_some_and(|out| matches!(out.about, About::Result(_))) {
                        self.refused(false, hardware);
                    }
                }
                Scanned::Junk { .. } => {}
                Scanned::NeedMore => break,
            }
        }
    }

    /// Says that something came that was damaged, not too often.
    fn complain(&mut self, kind: u8) {
        let (at, times) = (self.at(), self.times());
        let (window, most) = (times.negatives_window, times.negatives_max);
        self.requests.complaints.retain(|then| at.since(*then) < window);
        if self.requests.complaints.len() >= most {
            return;
        }
        let form = &self.build.data_sheet.frame;
        let (version, machine) = (form.version, self.machine());
        let bytes =
            RawFrame { answer: word::NEGATIVE, kind, version, machine, content: Vec::new() }.to_bytes(form);
        if self.modem.as_mut().is_some_and(|modem| modem.send(at, &bytes).is_ok()) {
            self.requests.complaints.push_back(at);
        }
    }

    fn frame_came(&mut self, frame: &RawFrame, now: Now, hardware: &mut Hardware) {
        let Some(out) = &self.requests.out else { return };
        if frame.machine != self.machine() {
            return;
        }
        let asked = Message::Request { pricing: out.pricing, request: out.request.clone() };
        match Message::of(frame) {
            Ok(Message::Negative { kind }) if kind == asked.kind() => self.refused(true, hardware),
            Ok(Message::Answer { pricing, answer })
                if pricing == out.pricing && fits(&out.request, &answer) =>
            {
                self.answered(answer, now, hardware);
            }
            _ => {}
        }
    }

    /// The server could not read what is out.
    fn refused(&mut self, again: bool, hardware: &mut Hardware) {
        let most = self.times().sends_max;
        let Some(out) = &mut self.requests.out else { return };
        out.refusals = out.refusals.saturating_add(1);
        if out.refusals < most {
            if again {
                out.on_the_way = false;
                self.hand_over();
            }
            return;
        }
        match out.about {
            // It has missed when its time is over.
            About::Life => {}
            About::Card => {
                self.no_longer_out();
                self.give_up_question();
            }
            About::Result(seq) => {
                self.no_longer_out();
                self.requests.resting = true;
                self.put_away(seq, hardware);
            }
            About::Fault => drop(self.no_longer_out()),
        }
    }

    fn answered(&mut self, answer: Answer, now: Now, hardware: &mut Hardware) {
        let Some(out) = self.no_longer_out() else { return };
        match answer {
            Answer::Heartbeat { at } => {
                let off = at.as_us() - now.wall.as_us();
                if (off - hardware.clock_off).unsigned_abs() >= 1_000_000 {
                    hardware.clock_off = off;
                }
                self.requests.resting = false;
                let next = self.at() + self.period();
                self.timers.set(HEARTBEAT, next);
                if matches!(self.mode, Mode::Starting | Mode::Alone) {
                    self.timers.stop(AGAIN);
                    self.timers.stop(NETWORK);
                    self.try_parts();
                }
            }
            Answer::OrderRequest { offer, base, .. } => self.offered(offer, base),
            Answer::Upload { .. } => match out.about {
                About::Result(Some(seq)) => {
                    // If the memory has fallen silent the result is sent again at the next boot, which does no harm.
                    let _settled = self.with_memory(hardware, |memory, access| memory.settle(access, seq));
                }
                _ => drop(self.requests.results.pop_front()),
            },
            _ => {}
        }
    }
}

/// Whether an answer is about what was asked.
fn fits(request: &Request, answer: &Answer) -> bool {
    match (request, answer) {
        (Request::OrderRequest { card, .. }, Answer::OrderRequest { card: other, .. }) => card == other,
        (Request::Upload { order, .. }, Answer::Upload { order: other, .. }) => order == other,
        _ => request.kind() == answer.kind(),
    }
}
