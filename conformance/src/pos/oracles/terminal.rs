//! The judges of POS terminals: what leaves a terminal against what reaches it, at its own end of every line.
//!
//! They need nothing of the parties around it, and so judge it before a test head and before a real server alike.

use assay_sim::pos::family::Pos;
use assay_sim::pos::frame::{DeviceMessage, MachineNumber, ServerMessage};
use assay_sim::pos::party::Event;
use assay_sim::tape::Entry;
use assay_sim::time::Instant;

use super::terminal_bits::{Bit, Boundary, Calm, Moment};
use super::terminal_clock::CalendarClock;
use super::terminal_notices::Notices;
use super::terminal_records::Records;
use super::terminal_sales::Sales;
use super::terminal_sold::Named;
use super::terminal_talk::Talk;
use crate::finding::{Findings, Oracle, Oracles};
use crate::pos::scene::Scene;
use crate::system::is_claimed;

/// The judges of every terminal of a case, wherever its server is.
pub fn judges() -> Oracles<Pos> {
    vec![Box::new(TerminalBench::default())]
}

/// The judges of all terminals.
#[derive(Default)]
pub struct TerminalBench {
    watches: Vec<Watch>,
}

impl Oracle<Pos> for TerminalBench {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if is_claimed::<Pos>(scene, entry) {
            return;
        }
        self.watches.resize_with(scene.terminals.len(), Watch::default);
        for (place, watch) in self.watches.iter_mut().enumerate() {
            watch.observe(entry, place, scene, findings);
        }
    }

    fn finish(&mut self, at: Instant, scene: &Scene, findings: &mut Findings) {
        for (place, watch) in self.watches.iter_mut().enumerate() {
            watch.pass_time(at, place, scene, findings);
        }
    }
}

/// One terminal and what is known of it.
#[derive(Clone, Debug, Default)]
struct Watch {
    boundary: Boundary,
    calm: Calm,
    ordinal: u64,
    on: bool,
    known: Facts,
}

/// What is known of one terminal.
#[derive(Clone, Debug, Default)]
struct Facts {
    sales: Sales,
    records: Records,
    notices: Notices,
    clock: CalendarClock,
    talk: Talk,
}

impl Watch {
    fn observe(&mut self, entry: &Entry<Event>, place: usize, scene: &Scene, findings: &mut Findings) {
        let mut bits = Vec::new();
        self.boundary.observe(entry, place, scene, &mut bits);
        if bits.is_empty() {
            return;
        }
        self.pass_time(entry.at, place, scene, findings);
        self.ordinal = entry.ordinal;
        for bit in bits {
            if let Bit::Hung(span) = bit {
                self.calm.hang(entry.at, span);
            }
            self.on = matches!(bit, Bit::PowerOn) || self.on && !matches!(bit, Bit::PowerOff);
            let Some(cast) = scene.terminals.get(place) else { return };
            let moment = Moment { at: entry.at, ordinal: entry.ordinal, scene, cast, calm: &self.calm };
            self.known.take(bit, &moment, findings);
        }
    }

    /// Time has passed, up to just before `at`.
    fn pass_time(&mut self, at: Instant, place: usize, scene: &Scene, findings: &mut Findings) {
        let Some(cast) = scene.terminals.get(place) else { return };
        if self.on {
            let moment = Moment { at, ordinal: self.ordinal, scene, cast, calm: &self.calm };
            self.known.pass_time(&moment, findings);
        }
    }
}

/// The machine that a message is for; nothing if it is for whoever hears it.
const fn addressee(message: &ServerMessage) -> Option<MachineNumber> {
    match message {
        ServerMessage::Discover | ServerMessage::Ack { .. } => None,
        ServerMessage::AskClock { machine }
        | ServerMessage::SetClock { machine, .. }
        | ServerMessage::Refused { machine, .. }
        | ServerMessage::Done { machine, .. }
        | ServerMessage::Display { machine, .. }
        | ServerMessage::Delete { machine, .. } => Some(*machine),
    }
}

impl Facts {
    fn pass_time(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let room = self.records.room(self.sales.silent(), moment.scene.profile.store.records_max);
        self.sales.pass_time(moment, room, findings);
        self.records.pass_time(moment, findings);
        self.notices.pass_time(moment, findings);
        self.talk.pass_time(moment, findings);
    }

    fn take(&mut self, bit: Bit, moment: &Moment<'_>, findings: &mut Findings) {
        match bit {
            Bit::PowerOn => {
                self.sales.power_on(moment.at);
                self.records.power_on(moment.at);
                self.clock.power_on(moment);
                self.notices.forget();
                self.talk.forget();
            }
            Bit::PowerOff => {
                self.sales.power_off(moment);
                self.records.power_off(moment);
                self.clock.power_off(moment);
                self.notices.forget();
                self.talk.forget();
            }
            Bit::Hung(_) => {
                self.sales.doubt();
                self.clock.hang(moment);
            }
            Bit::Overrun => {
                self.sales.doubt();
                self.records.doubt();
                self.clock.doubt(moment.at);
                self.notices.forget();
                self.talk.forget();
            }
            Bit::ClockStepped => self.clock.doubt(moment.at),
            Bit::Sends(message, bytes) => self.sends(&message, bytes, moment, findings),
            Bit::Hears(message) => self.hears(&message, moment),
            Bit::HearsJunk(_, first) => {
                self.talk.hears_junk();
                self.notices.hears_junk(&first, moment.at);
            }
            Bit::Asked(line) => {
                self.talk.asked(moment);
                self.sales.asked(&line, moment, findings);
            }
            Bit::Tells(line) => self.tells(&line, moment, findings),
        }
    }

    fn sends(
        &mut self,
        message: &DeviceMessage,
        bytes: Vec<u8>,
        moment: &Moment<'_>,
        findings: &mut Findings,
    ) {
        self.talk.acts(moment, findings);
        match message {
            DeviceMessage::Pay { .. } | DeviceMessage::Count { .. } | DeviceMessage::Scan { .. } => {
                if let Some(named) = Named::of(message) {
                    self.sales.sends(named, bytes, moment, findings);
                }
            }
            DeviceMessage::Record { .. } => {
                self.records.sends(message, bytes, &mut self.sales, moment, findings);
            }
            DeviceMessage::PowerOn { .. } => {
                self.clock.sends(message, &bytes, moment, findings);
                self.notices.sends(message, bytes, moment, findings);
            }
            DeviceMessage::Tap { .. } | DeviceMessage::Keys { .. } => {
                self.sales.asks(moment.at);
                self.notices.sends(message, bytes, moment, findings);
            }
            DeviceMessage::Present { .. } | DeviceMessage::Door { .. } | DeviceMessage::Confirm { .. } => {
                self.notices.sends(message, bytes, moment, findings);
            }
        }
    }

    fn hears(&mut self, message: &ServerMessage, moment: &Moment<'_>) {
        if addressee(message).is_some_and(|machine| machine != moment.cast.machine) {
            return;
        }
        self.talk.hears(message, &self.sales, moment);
        self.notices.hears(message, self.sales.is_spoilt(message), moment);
        match message {
            ServerMessage::Ack { seq } => {
                self.sales.acknowledged(seq, moment);
                self.records.acknowledged(seq, moment.at);
                self.notices.acknowledged(seq, moment);
            }
            ServerMessage::SetClock { at, .. } => self.clock.set(at, moment),
            ServerMessage::Refused { .. } | ServerMessage::Done { .. } => {
                self.sales.answered(message, moment);
            }
            ServerMessage::Delete { .. } => self.records.deleted(message, moment),
            ServerMessage::Discover | ServerMessage::AskClock { .. } | ServerMessage::Display { .. } => {}
        }
    }

    /// A line leaves for people. The words of a device of this contract are in docs/pos.md.
    fn tells(&mut self, line: &[u8], moment: &Moment<'_>, findings: &mut Findings) {
        self.talk.acts(moment, findings);
        self.talk.tells(line, moment, findings);
        let room = self.records.room(self.sales.silent(), moment.scene.profile.store.records_max);
        match line.strip_prefix(b"show ") {
            Some(b"NETWORK FAULT") => self.sales.tells_fault(moment, room, findings),
            Some(b"MEMORY FULL") => self.sales.tells_full(moment, room, findings),
            Some(shown) if shown.starts_with(b"OFF LINE ") => {
                let amount = String::from_utf8_lossy(&shown[b"OFF LINE ".len()..]).into_owned();
                if let Some(named) = self.sales.tells_booked(&amount, moment, room, findings) {
                    self.records.booked(named, room, moment);
                }
            }
            _ => {}
        }
    }
}
