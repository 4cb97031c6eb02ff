//! The line to the host: frames are found, checked, acted on and answered.

use super::config::ModuleEvent;
use super::firmware::{Firmware, Lent};
use super::policy::{BadFrame, Check, CutFrame};
use crate::digest::Digest;
use crate::paymod::frame::{HostFrame, HostMessage, NotAHostMessage, host_error};
use crate::time::Instant;
use crate::wire::{Scan, Wire};

/// What is known of the line.
#[derive(Clone, Debug, Default)]
pub(super) struct HostLine {
    held: Vec<u8>,
    /// When a frame that has begun is given up.
    gap: Option<Instant>,
    /// The sequence of the next frame that is sent unasked.
    sequence: u8,
    /// The last bytes for the free channel, by which a repeat is known.
    pub(super) last_data: Option<(u8, Vec<u8>)>,
}

impl HostLine {
    pub(super) const fn gap_due(&self) -> Option<Instant> {
        self.gap
    }

    pub(super) const fn next_sequence(&mut self) -> u8 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.bytes(&self.held).deadline(self.gap).word(u64::from(self.sequence));
        if let Some((sequence, bytes)) = &self.last_data {
            into.word(u64::from(*sequence)).bytes(bytes);
        }
    }
}

impl Firmware {
    pub(super) fn hear_host(&mut self, lent: &mut Lent<'_>, bytes: &[u8]) {
        self.line.held.extend_from_slice(bytes);
        let mut told = false;
        loop {
            if self.line.held.is_empty() {
                break;
            }
            match HostFrame::scan(&(), &self.line.held) {
                Scan::NeedMore => break,
                Scan::Frame { frame, used } => {
                    self.line.held.drain(..used);
                    self.host_says(lent, &frame);
                }
                Scan::Junk { used, why } => {
                    let trusted = (why == HostFrame::BAD_CHECK && lent.setup.policy.frames == Check::Ignored)
                        .then(|| HostFrame::unchecked(&self.line.held))
                        .flatten();
                    if let Some((frame, used)) = trusted {
                        self.line.held.drain(..used);
                        self.host_says(lent, &frame);
                        continue;
                    }
                    self.line.held.drain(..used);
                    if why == HostFrame::BAD_CHECK && !told {
                        told = true;
                        self.note(lent, ModuleEvent::BadFrame);
                        self.refuse(lent, 0, host_error::CHECK);
                    }
                }
            }
        }
        let waits = !self.line.held.is_empty() && lent.setup.policy.cut_frame == CutFrame::Dropped;
        self.line.gap = waits.then(|| lent.now.mono + lent.setup.config.byte_gap);
    }

    /// A frame whose rest does not come is dropped.
    pub(super) fn host_line_due(&mut self, lent: &Lent<'_>) {
        if self.line.gap.is_some_and(|at| at <= lent.now.mono) {
            self.line.gap = None;
            self.line.held.clear();
        }
    }

    fn host_says(&mut self, lent: &mut Lent<'_>, frame: &HostFrame) {
        let sequence = frame.sequence;
        match HostMessage::of(frame) {
            Ok(HostMessage::Pay { order, terms }) => self.host_pays(lent, sequence, order, terms),
            Ok(HostMessage::Query { order }) => self.host_queries(lent, sequence, order),
            Ok(HostMessage::Cancel { order }) => self.host_cancels(lent, sequence, order),
            Ok(HostMessage::StatusAck { order, status }) => self.status_acked(lent, order, status),
            Ok(HostMessage::Data(bytes)) => self.host_data(lent, sequence, bytes),
            Ok(HostMessage::DataAck) => self.host_took_data(sequence),
            // What only a module says.
            Ok(_) => self.refuse(lent, sequence, host_error::COMMAND),
            Err(NotAHostMessage::Command(_)) => self.refuse(lent, sequence, host_error::COMMAND),
            Err(NotAHostMessage::Field(_)) => self.refuse(lent, sequence, host_error::FIELD),
        }
    }

    pub(super) fn refuse(&mut self, lent: &Lent<'_>, sequence: u8, code: u8) {
        if lent.setup.policy.bad_frame == BadFrame::Answered {
            self.tell_host(lent, &HostMessage::Error { code }, sequence);
        }
    }
}
