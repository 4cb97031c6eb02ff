//! Between modem client and exchange: frames out of bytes, and the pump that keeps everything moving.

use super::board::TerminalParts;
use super::firmware::{Stage, Terminal, timer};
use super::policy::{AnswerMatch, Damaged, Framing, OnBootMiss};
use super::port;
use crate::card::reader::ReaderOutput;
use crate::machine::Output;
use crate::modem::client::{Client, ClientOutput};
use crate::time::Now;
use crate::water::frame::{Message, RawFrame, Scanned, word};

impl Terminal {
    /// No network within the time in which five heartbeats could have missed.
    pub(super) fn network_missed(&mut self) {
        if matches!(self.stage, Stage::Booting { .. }) && self.exchange.is_none() {
            self.init_failed("NETWORK");
        }
    }

    pub(super) fn pump(&mut self, parts: &mut TerminalParts) {
        let wall = crate::time::Wall::default();
        self.pump_with_clock(Now { mono: self.at, wall }, parts);
    }

    pub(super) fn set_clock_from(&mut self, now: Now) {
        if self.frame_gap_over(now) {
            self.frames.expire(now.mono);
        }
    }

    fn frame_gap_over(&self, now: Now) -> bool {
        self.config.policy.framing != Framing::WaitsForRest
            && self.frames.deadline().is_some_and(|at| at <= now.mono)
    }

    /// Moves bytes and results between the parts until none has anything more to say.
    pub(super) fn pump_with_clock(&mut self, now: Now, parts: &mut TerminalParts) {
        self.read_frames(now, parts);
        loop {
            if let Some(output) = self.client.as_mut().and_then(Client::poll_output) {
                self.client_says(output, now, parts);
            } else if let Some(output) = self.reader.poll_output() {
                self.reader_says(output, parts);
            } else {
                let before = self.exchange.is_some();
                self.begin_next();
                if self.exchange.is_some() == before {
                    break;
                }
            }
        }
    }

    fn client_says(&mut self, output: ClientOutput, now: Now, parts: &mut TerminalParts) {
        match output {
            ClientOutput::Transmit(bytes) => self.transmit(port::UART, bytes),
            ClientOutput::PowerKey(high) => self.emit(Output::Level { port: port::PWRKEY, high }),
            ClientOutput::Reset(high) => self.emit(Output::Level { port: port::RESET, high }),
            ClientOutput::Up => self.network_up(),
            ClientOutput::Down { .. } => self.connection_lost(),
            ClientOutput::Sent => self.sent(true, parts),
            ClientOutput::SendFailed { .. } => self.sent(false, parts),
            ClientOutput::Data(bytes) => {
                self.frames.push(&self.config.format, self.at, &bytes);
                self.read_frames(now, parts);
            }
            ClientOutput::Signal(_) | ClientOutput::GaveUp { .. } => {}
        }
    }

    fn network_up(&mut self) {
        let stopped = self.config.policy.boot == OnBootMiss::FiveThenStops && self.stage == Stage::InitFailed;
        if matches!(self.stage, Stage::Booting { .. } | Stage::InitFailed)
            && self.exchange.is_none()
            && !stopped
        {
            self.timers.stop(timer::NETWORK);
            self.heartbeat_due = true;
        }
        self.put_on_wire();
    }

    fn read_frames(&mut self, now: Now, parts: &mut TerminalParts) {
        while let Some(scanned) = self.frames.poll(&self.config.format) {
            match scanned {
                Scanned::Frame { frame, .. } => self.frame(frame, now, parts),
                Scanned::BadCrc { frame, len, used } => {
                    if self.config.policy.damaged == Damaged::Trusts {
                        self.frames.skip(len - used);
                        self.frame(frame, now, parts);
                    } else {
                        self.damaged(&frame, parts);
                    }
                    self.junk();
                }
                Scanned::Junk { .. } => self.junk(),
                Scanned::NeedMore => break,
            }
        }
    }

    fn junk(&mut self) {
        if self.config.policy.framing == Framing::DropsAll {
            self.frames.clear();
        }
    }

    fn damaged(&mut self, frame: &RawFrame, parts: &mut TerminalParts) {
        match self.config.policy.damaged {
            Damaged::AsksAgain => self.ask_again(frame.kind, true),
            Damaged::AsksForEver => self.ask_again(frame.kind, false),
            Damaged::Silent | Damaged::Trusts => {}
        }
        if self.upload_outstanding() {
            self.refused(false, parts);
        }
    }

    fn frame(&mut self, frame: RawFrame, now: Now, parts: &mut TerminalParts) {
        let ours = self.installed.is_some_and(|installed| installed.machine == frame.machine);
        if !ours && self.config.policy.answers != AnswerMatch::AnyMachine {
            return;
        }
        if frame.answer == word::NEGATIVE {
            if self.is_about_outstanding(frame.kind) {
                self.refused(true, parts);
            }
            return;
        }
        if let Ok(Message::Answer { pricing, answer }) = Message::of(&frame) {
            self.answered(pricing, answer, now, parts);
        }
    }

    fn reader_says(&mut self, output: ReaderOutput, parts: &mut TerminalParts) {
        match output {
            ReaderOutput::Field(high) => self.emit(Output::Level { port: port::RF, high }),
            ReaderOutput::Burst(bytes) => self.transmit(port::RF, bytes),
            ReaderOutput::Read(read) => self.card_read(read.ok(), parts),
            ReaderOutput::Written { outcome, .. } => self.block_written(outcome, parts),
        }
    }
}
