//! A test head that speaks datagrams to the server in a terminal's place.

use std::cell::{Cell, RefCell};

use assay_sim::fault::Way;
use assay_sim::pos::frame::ServerMessage;
use assay_sim::pos::frame::text::encode;
use assay_sim::pos::party::Stimulus;
use assay_sim::pos::plant::{port, terminal_name};
use assay_sim::probe::ProbeStimulus;
use assay_sim::tape::Seen;
use assay_sim::time::Span;

use crate::pos::Stage;
use crate::stage::StageError;

/// How often a head asks for the end of a sale, ten seconds apart, before it gives up.
const ROUNDS: usize = 4;

/// What a head was told of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Nothing.
    Nothing,
    /// A final 006 or 008.
    End,
}

/// What a wait for the end of a sale has heard last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    Acknowledged,
    InProgress,
    End,
}

/// The head in the place of one terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head(pub(super) usize);

impl Head {
    /// Sends bytes, and waits for nothing.
    pub(super) fn throw(self, stage: &mut Stage, bytes: impl Into<Vec<u8>>) -> Result<(), StageError> {
        let stimulus = Stimulus::Probe(ProbeStimulus::Send(port::NET, bytes.into()));
        stage.stimulate(&terminal_name(self.0), stimulus)
    }

    /// A message of this terminal: the command, a sequence number, its head, and the fields behind it.
    pub(super) fn message(
        self,
        stage: &Stage,
        command: &str,
        seq: &str,
        fields: &str,
    ) -> Result<String, StageError> {
        let cast = stage.terminal(self.0)?;
        let (address, machine) = (cast.address, cast.machine);
        let server = stage.scene().profile.install.server.ip();
        let flag = cast.spec.flag.filter(|_| ["103", "104"].contains(&command)).map(char::from);
        let flag = flag.map(|flag| format!(",{flag}")).unwrap_or_default();
        let scan = stage.scene().profile.frame.scan;
        let serial = if command == "128" { scan.serial } else { cast.spec.tells_serial };
        let serial = if serial { format!(",{}", cast.serial) } else { String::new() };
        Ok(format!("{command},{seq},{address},{server},{machine},{fields}{flag}{serial}"))
    }

    /// Sends such a message, and waits for nothing.
    pub(super) fn tell(
        self,
        stage: &mut Stage,
        command: &str,
        seq: &str,
        fields: &str,
    ) -> Result<(), StageError> {
        let text = self.message(stage, command, seq, fields)?;
        self.throw(stage, encode(&text))
    }

    /// The same from the place of another terminal, as behind an address translator that has forgotten.
    pub(super) fn tell_from(
        self,
        other: Self,
        stage: &mut Stage,
        command: &str,
        seq: &str,
        fields: &str,
    ) -> Result<(), StageError> {
        let text = self.message(stage, command, seq, fields)?;
        other.throw(stage, encode(&text))
    }

    /// Sends a message up to three times until it is acknowledged; whether it was.
    pub(super) fn ask(self, stage: &mut Stage, command: &str, fields: &str) -> Result<bool, StageError> {
        let seq = format!("{:05}", stage.next_number());
        let text = self.message(stage, command, &seq, fields)?;
        let times = &stage.scene().profile.terminal;
        let (within, most) = (times.ack_timeout, times.sends_max);
        for _ in 0..most {
            self.throw(stage, encode(&text))?;
            if self.hears(stage, within, |message| {
                matches!(message, ServerMessage::Ack { seq: heard } if heard.as_bytes() == seq.as_bytes())
            })? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes a sale as a terminal does: again until it is acknowledged and answered, and confirms each answer that
    /// comes.
    pub(super) fn sell(self, stage: &mut Stage, command: &str, fields: &str) -> Result<Word, StageError> {
        let seq = format!("{:05}", stage.next_number());
        let text = encode(&self.message(stage, command, &seq, fields)?);
        let times = &stage.scene().profile.terminal;
        let (ack, most, reply, round) =
            (times.ack_timeout, times.sends_max, times.reply_timeout, times.round);
        for _ in 0..ROUNDS {
            for _ in 0..most {
                self.throw(stage, text.clone())?;
                match self.answer(stage, ack)? {
                    Heard::End => return Ok(Word::End),
                    Heard::Acknowledged | Heard::InProgress => break,
                    Heard::Nothing => {}
                }
            }
            // One answer may say that the payment is in progress.
            for _ in 0..2 {
                if self.answer(stage, reply)? == Heard::End {
                    return Ok(Word::End);
                }
            }
            stage.wait(round - reply)?;
        }
        Ok(Word::Nothing)
    }

    /// Sends a record until it is deleted; whether it was.
    pub(super) fn drain(self, stage: &mut Stage, fields: &str) -> Result<bool, StageError> {
        let seq = format!("{:05}", stage.next_number());
        let text = encode(&self.message(stage, "105", &seq, fields)?);
        let round = stage.scene().profile.terminal.round;
        for _ in 0..ROUNDS {
            self.throw(stage, text.clone())?;
            if self.hears(stage, round, |message| matches!(message, ServerMessage::Delete { .. }))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waits for the end of a sale, and confirms what comes.
    fn answer(self, stage: &mut Stage, within: Span) -> Result<Heard, StageError> {
        let interim_secs = stage.scene().profile.server.interim_secs;
        let heard = Cell::new(Heard::Nothing);
        let key = RefCell::new(String::new());
        self.hears(stage, within, |message| {
            let (what, about) = match message {
                ServerMessage::Ack { .. } => {
                    heard.set(Heard::Acknowledged);
                    return false;
                }
                ServerMessage::Done { key, cue, .. } => {
                    let interim = cue.secs == interim_secs;
                    heard.set(if interim { Heard::InProgress } else { Heard::End });
                    ("008", key)
                }
                ServerMessage::Refused { key, .. } => {
                    heard.set(Heard::End);
                    ("006", key)
                }
                _ => return false,
            };
            *key.borrow_mut() = format!("{what},{}", String::from_utf8_lossy(&about.to_bytes()));
            true
        })?;
        if matches!(heard.get(), Heard::End | Heard::InProgress) {
            self.ask(stage, "109", &key.into_inner())?;
        }
        Ok(heard.get())
    }

    /// Waits for a message that is meant; whether one came.
    pub(super) fn hears(
        self,
        stage: &mut Stage,
        within: Span,
        meant: impl Fn(&ServerMessage) -> bool,
    ) -> Result<bool, StageError> {
        let (udp, format) = (stage.terminal(self.0)?.udp, stage.scene().profile.frame);
        stage.wait_for(within, &|entry| match &entry.what {
            Seen::Heard { line, way: Way::BtoA, bytes, .. } if *line == udp => {
                ServerMessage::parse(bytes, &format).is_ok_and(|message| meant(&message))
            }
            _ => false,
        })
    }
}
