//! The self test, and what goes to voice and display.

use super::announce::Announcement;
use super::firmware::{Stage, Terminal, TerminalEvent, timer};
use super::policy::{SelfTest, Telling};
use super::port;
use crate::digest::Digest;
use crate::machine::Port;
use crate::modem::client::Client;

/// What +CSQ says when reception is not known.
const SIGNAL_UNKNOWN: u8 = 99;

/// What a peripheral is asked in the self test, and what it answers.
pub(crate) const PING: &[u8] = b"?\n";
const READY: &[u8] = b"READY\n";

/// Which peripherals have answered the self test, and the beginning of a line that may be an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct PartsHeard {
    voice: (bool, Vec<u8>),
    display: (bool, Vec<u8>),
}

impl PartsHeard {
    pub(super) fn digest(&self, into: &mut Digest) {
        for (heard, held) in [&self.voice, &self.display] {
            into.flag(*heard).bytes(held);
        }
    }
}

impl Terminal {
    /// Asks every part whether it is there.
    pub(super) fn start_self_test(&mut self) {
        self.stage = Stage::Testing;
        self.parts_heard = PartsHeard::default();
        if self.config.policy.self_test != SelfTest::SkipsVoice {
            self.transmit(port::VOICE, PING.to_vec());
        } else {
            self.parts_heard.voice.0 = true;
        }
        self.transmit(port::DISPLAY, PING.to_vec());
        self.timers.set(timer::PARTS, self.at + self.config.times.part_timeout);
    }

    /// Tests again after a failure. Reception is asked for on the way to a connection only, so where it was too weak
    /// the test waits for a new one.
    pub(super) fn test_again(&mut self) {
        self.timers.set(timer::RETRY, self.at + self.config.times.boot_retry);
        let free = self.exchange.is_none();
        let weak = self.signal_is_weak();
        match &mut self.client {
            Some(client) if weak && free && client.is_up() => client.renew(self.at),
            _ => self.start_self_test(),
        }
    }

    /// Takes what the voice module or the display sends.
    pub(super) fn hear_part(&mut self, port: Port, bytes: &[u8]) {
        let (heard, held) = match port {
            port::VOICE => &mut self.parts_heard.voice,
            port::DISPLAY => &mut self.parts_heard.display,
            _ => return,
        };
        held.extend_from_slice(bytes);
        if held.ends_with(READY) {
            *heard = true;
        }
        if held.ends_with(b"\n") || held.len() > READY.len() * 4 {
            held.clear();
        }
        if self.stage == Stage::Testing && self.parts_heard.voice.0 && self.parts_heard.display.0 {
            self.timers.stop(timer::PARTS);
            self.finish_self_test();
        }
    }

    pub(super) fn parts_missed(&mut self) {
        if self.stage == Stage::Testing {
            self.finish_self_test();
        }
    }

    /// Whether the modem told too little reception, or none.
    pub(super) fn signal_is_weak(&self) -> bool {
        let signal = self.client.as_ref().and_then(Client::signal);
        !signal.is_some_and(|signal| signal != SIGNAL_UNKNOWN && signal >= self.config.times.signal_min)
    }

    fn finish_self_test(&mut self) {
        // Storage was read, with its CRC, on the way here; a chip that failed has led to the error handler.
        let failed = [
            ("storage", self.installed.is_none()),
            ("voice", !self.parts_heard.voice.0),
            ("display", !self.parts_heard.display.0),
            ("signal", self.signal_is_weak()),
        ];
        let failed = failed.iter().zip(1..).find(|((_, failed), _)| *failed);
        match failed {
            None => {
                self.stage = Stage::Ready;
                self.timers.stop(timer::RETRY);
                self.announce(Announcement::SelfTestPassed);
                self.note(TerminalEvent::Ready);
            }
            Some(((part, _), code)) => {
                self.stage = Stage::TestFailed;
                self.note(TerminalEvent::PartFailed(part));
                let named = self.config.policy.self_test != SelfTest::NamesNothing;
                self.announce(Announcement::PartFailed(if named { part } else { "DEVICE" }));
                self.fault_due = Some((part, code));
                self.timers.set(timer::RETRY, self.at + self.config.times.boot_retry);
            }
        }
    }

    /// Speaks and shows a text.
    pub(super) fn announce(&mut self, what: Announcement) {
        let telling = self.config.policy.telling;
        let mut text = match telling {
            Telling::WithoutVolume => what.without_volume(),
            Telling::SpeaksAndShows | Telling::ShowsOnly => what.to_string(),
        }
        .into_bytes();
        text.push(b'\n');
        if telling != Telling::ShowsOnly {
            self.transmit(port::VOICE, text.clone());
        }
        self.transmit(port::DISPLAY, text);
    }
}
