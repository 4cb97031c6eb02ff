//! What a terminal's boundary shows, bit by bit.

use super::terminal_wire_ear::{Ear, Heard};
use crate::water::scene::{Scene, TerminalCast};
use assay_sim::card::tag::CardEvent;
use assay_sim::fault::{Fault, Mishap, Way};
use assay_sim::tape::{Entry, Seen, SupplyId};
use assay_sim::time::{Instant, Span};
use assay_sim::water::frame::{RawFrame, word};
use assay_sim::water::observe::Observed;
use assay_sim::water::party::Event;
use assay_sim::wire::{Scan, Wire};

use super::terminal_wire_talk::{Bit, Panel, Service, Talk};

/// Finds the bits of one terminal in the tape.
#[derive(Clone, Debug, Default)]
pub struct Boundary {
    ear: Ear,
    heard: Vec<Heard>,
    strip: bool,
    mcu: bool,
    dialling: bool,
    texts: [Vec<u8>; 2],
    ready: [Vec<u8>; 2],
    /// Whether a connection may stand of which nothing has been seen.
    begun_before: bool,
}

impl Boundary {
    /// Of a recording that begins while the terminal is at work.
    pub fn of_recording() -> Self {
        Self { strip: true, mcu: true, begun_before: true, ..Self::default() }
    }

    /// When silence alone will next mean something.
    pub fn due(&self, scene: &Scene) -> Option<Instant> {
        self.ear.due(&scene.profile)
    }

    /// What silence up to `at` meant; the frames are left for [`Self::next_heard`].
    pub fn silence(&mut self, at: Instant, scene: &Scene) {
        self.ear.silence(at, &scene.profile, &mut self.heard);
    }

    /// What an entry meant; what was heard on the line is left for [`Self::next_heard`].
    pub fn observe(
        &mut self,
        entry: &Entry<Event>,
        (scene, cast): (&Scene, &TerminalCast),
        talk: &Talk,
        bits: &mut Vec<Bit>,
    ) {
        match &entry.what {
            Seen::Sent { line, way: Way::AtoB, name, bytes, .. } if *line == cast.uart => {
                self.said(name, bytes, scene, talk, bits);
            }
            Seen::Heard { line, way: Way::BtoA, bytes, .. } if *line == cast.uart => {
                self.ear.push(entry.at, bytes, &scene.profile, &mut self.heard);
            }
            Seen::Sent { line, way: Way::AtoB, bytes, .. } if *line == cast.voice => {
                self.told(Panel::Voice, bytes, bits);
            }
            Seen::Sent { line, way: Way::AtoB, bytes, .. } if *line == cast.display => {
                self.told(Panel::Display, bytes, bits);
            }
            Seen::Heard { line, way: Way::BtoA, bytes, .. } if *line == cast.voice => {
                self.panel_answered(Panel::Voice, bytes, bits);
            }
            Seen::Heard { line, way: Way::BtoA, bytes, .. } if *line == cast.display => {
                self.panel_answered(Panel::Display, bytes, bits);
            }
            Seen::Sent { line, .. } | Seen::Heard { line, .. } | Seen::Level { line, .. }
                if *line == cast.rf =>
            {
                bits.push(Bit::Field);
            }
            Seen::Level { line, high: false, .. } if *line == cast.reset || *line == cast.pwrkey => {
                self.gives_up(talk, bits);
                bits.push(Bit::Stirs);
            }
            Seen::Plug { line, seat, present } if *line == cast.rf => {
                let card = scene.cards.iter().position(|card| card.seat == *seat);
                bits.push(card.filter(|_| *present).map_or(Bit::CardOut, Bit::CardIn));
            }
            Seen::Noted { seat, event: Event::Card(event) } => {
                let (block, value) = match event {
                    CardEvent::Programmed { block, new, .. } => (*block, *new),
                    CardEvent::Torn { block, left, .. } => (*block, *left),
                    CardEvent::Rejected { .. } => return,
                };
                if let Some(card) = scene.cards.iter().position(|card| card.seat == *seat) {
                    bits.push(Bit::CardChanged { card, block, value });
                }
            }
            Seen::Noted { seat, event: Event::Observed(Observed::Chip { image, .. }) }
                if *seat == cast.terminal =>
            {
                bits.push(Bit::Chip(image.clone()));
            }
            Seen::Power { supply, on } => self.power(*supply, *on, cast, bits),
            Seen::Struck { strike } => struck(*strike, (scene, cast), bits),
            Seen::Overrun { seat } if *seat == cast.terminal => bits.push(Bit::Hung(Span::ZERO)),
            _ => {}
        }
    }

    /// The next thing heard on the line, as it stands in the talk.
    pub fn next_heard(&mut self, (scene, cast): (&Scene, &TerminalCast), talk: &Talk) -> Option<Bit> {
        while !self.heard.is_empty() {
            let bit = match self.heard.remove(0) {
                Heard::Line(line) => self.line(&line, scene, talk),
                _ if talk.service == Service::Off || !talk.up => None,
                Heard::Frame { frame, .. } if frame.answer == word::NEGATIVE => {
                    let machine = talk.open.as_ref().map_or(cast.machine, |open| open.frame.machine);
                    (frame.machine == machine).then_some(Bit::Refused(frame))
                }
                Heard::Frame { frame, behind_impossible } if frame.answer == word::POSITIVE => {
                    let fits = talk.fits(&frame);
                    Some(Bit::Answered { frame, fits, behind_impossible })
                }
                Heard::Frame { .. } => None,
                Heard::Damaged { frame, kind_hit } => Some(Bit::Damaged { frame, kind_hit }),
                Heard::Blurred => Some(Bit::Blurred),
            };
            if matches!(bit, Some(Bit::Up | Bit::Down { .. })) {
                self.ear.forget_frames();
            }
            if bit.is_some() {
                return bit;
            }
        }
        None
    }

    /// Something that a party says to its modem.
    fn said(&mut self, name: &str, bytes: &[u8], scene: &Scene, talk: &Talk, bits: &mut Vec<Bit>) {
        if let Scan::Frame { frame, used } = RawFrame::scan(&scene.profile.frame, bytes) {
            bits.push(match frame.answer {
                word::NEGATIVE => Bit::Refuses(frame),
                _ => Bit::Asks { frame, bytes: bytes[..used].to_vec() },
            });
            return;
        }
        match name {
            "AT+IPSEND" | "AT+CIPSEND" => {
                if std::mem::take(&mut self.begun_before) && !talk.up {
                    bits.push(Bit::Up);
                }
                bits.push(Bit::Sends);
            }
            "AT+IPSTART" | "AT+CIPSTART" => {
                self.begun_before = false;
                self.gives_up(talk, bits);
                self.dialling = true;
                bits.push(Bit::Dials(bytes.to_vec()));
            }
            _ => {
                self.gives_up(talk, bits);
                bits.push(Bit::Stirs);
            }
        }
    }

    fn gives_up(&mut self, talk: &Talk, bits: &mut Vec<Bit>) {
        if talk.up && !bits.iter().any(|bit| matches!(bit, Bit::Down { .. })) {
            self.ear.forget_frames();
            // A modem that does not take what it is sent is cause enough.
            bits.push(Bit::Down { own: !talk.sending });
        }
    }

    /// A line of the modem's own.
    fn line(&mut self, line: &[u8], scene: &Scene, talk: &Talk) -> Option<Bit> {
        let host = &scene.profile.host;
        match line {
            b"CONNECT OK" => {
                let up = std::mem::take(&mut self.dialling);
                up.then_some(Bit::Up)
            }
            b"CONNECT FAIL" | b"ALREADY CONNECT" | b"COMMAND TIMEOUT" => {
                self.dialling = false;
                None
            }
            b"SEND OK" => talk.sending.then_some(Bit::SendEnds),
            b"CONNECTION CLOSED" | b"CLOSED" | b"SEND FAIL" | b"ERROR" => {
                talk.up.then_some(Bit::Down { own: false })
            }
            _ if line == host.pdp_lost.as_bytes() => talk.up.then_some(Bit::Down { own: false }),
            _ if host.boot_lines.iter().any(|text| text.as_bytes() == line) => {
                talk.up.then_some(Bit::Down { own: false })
            }
            _ => {
                let values = line.strip_prefix(b"+CSQ: ")?;
                let digits: Vec<u8> = values.iter().copied().take_while(u8::is_ascii_digit).collect();
                std::str::from_utf8(&digits).ok()?.parse().ok().map(Bit::Signal)
            }
        }
    }

    fn told(&mut self, panel: Panel, bytes: &[u8], bits: &mut Vec<Bit>) {
        let text = &mut self.texts[panel as usize];
        text.extend_from_slice(bytes);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            bits.push(match &line[..end] {
                b"?" => Bit::Pings(panel),
                words => Bit::Tells(panel, String::from_utf8_lossy(words).into_owned()),
            });
        }
    }

    fn panel_answered(&mut self, panel: Panel, bytes: &[u8], bits: &mut Vec<Bit>) {
        let held = &mut self.ready[panel as usize];
        held.extend_from_slice(bytes);
        while let Some(end) = held.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = held.drain(..=end).collect();
            if &line[..end] == b"READY" {
                bits.push(Bit::Present(panel));
            }
        }
    }

    fn power(&mut self, supply: SupplyId, on: bool, cast: &TerminalCast, bits: &mut Vec<Bit>) {
        let was_on = self.strip && self.mcu;
        let supplies = &cast.supplies;
        match supply {
            _ if supply == supplies.strip => self.strip = on,
            _ if supply == supplies.mcu => self.mcu = on,
            _ if supply == supplies.voice => bits.push(Bit::PanelPower(Panel::Voice, on)),
            _ if supply == supplies.display => bits.push(Bit::PanelPower(Panel::Display, on)),
            _ => {}
        }
        let is_on = self.strip && self.mcu;
        if is_on != was_on {
            self.ear = Ear::default();
            self.heard.clear();
            self.texts = Default::default();
            self.ready = Default::default();
            self.dialling = false;
            bits.push(if is_on { Bit::PowerOn } else { Bit::PowerOff });
        }
    }
}

fn struck(strike: usize, (scene, cast): (&Scene, &TerminalCast), bits: &mut Vec<Bit>) {
    if let Some(strike) = scene.plan.strikes.get(strike)
        && let Fault::Mishap(Mishap::Hang { party, span }) = &strike.fault
        && *party == format!("terminal-{}", cast.letter)
    {
        bits.push(Bit::Hung(*span));
    }
}
