//! The free channel: bytes that go through in order, and are lost at a reconnect by one message at the most each way.

use std::collections::VecDeque;

use super::firmware::{Firmware, Lent};
use super::policy::Channel;
use crate::digest::Digest;
use crate::paymod::frame::{HostMessage, host_error};
use crate::time::Instant;

/// What is on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Channels {
    /// From the host to the server.
    pub(super) up: VecDeque<u8>,
    /// From the server to the host.
    down: VecDeque<u8>,
    /// What the host was given and has not acknowledged, and when it is given again.
    given: Option<(u8, Vec<u8>, Instant)>,
}

impl Channels {
    pub(super) fn each_deadline(&self, tell: &mut dyn FnMut(&'static str, Instant)) {
        if let Some((_, _, at)) = &self.given {
            tell("timer:data", *at);
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        for queue in [&self.up, &self.down] {
            let (front, back) = queue.as_slices();
            into.bytes(&[front, back].concat());
        }
        if let Some((sequence, bytes, at)) = &self.given {
            into.word(u64::from(*sequence)).bytes(bytes).instant(*at);
        }
    }
}

fn through(lent: &Lent<'_>, mut bytes: Vec<u8>) -> Vec<u8> {
    if lent.setup.policy.channel == Channel::TextOnly {
        bytes.retain(|byte| byte.is_ascii_graphic() || *byte == b' ');
    }
    bytes
}

impl Firmware {
    /// The host has bytes for the channel. What there is no room for is refused, and comes again.
    pub(super) fn host_data(&mut self, lent: &Lent<'_>, sequence: u8, bytes: Vec<u8>) {
        let again = self.line.last_data.as_ref().is_some_and(|last| *last == (sequence, bytes.clone()));
        if !again {
            if self.channels.up.len() + bytes.len() > lent.setup.config.data_held_max {
                return self.refuse(lent, sequence, host_error::BUSY);
            }
            self.line.last_data = Some((sequence, bytes.clone()));
            self.channels.up.extend(through(lent, bytes));
        }
        self.tell_host(lent, &HostMessage::DataAck, sequence);
    }

    pub(super) fn host_took_data(&mut self, sequence: u8) {
        if self.channels.given.as_ref().is_some_and(|(given, _, _)| *given == sequence) {
            self.channels.given = None;
        }
    }

    /// The server has bytes for the channel; whether there is room for them.
    pub(super) fn server_data(&mut self, lent: &Lent<'_>, bytes: Vec<u8>) -> bool {
        let room = self.channels.down.len() + bytes.len() <= lent.setup.config.data_held_max;
        if room {
            self.channels.down.extend(through(lent, bytes));
        }
        room
    }

    pub(super) fn channel_due(&mut self, lent: &Lent<'_>) {
        let now = lent.now.mono;
        if let Some((sequence, bytes, _)) = self.channels.given.take_if(|given| given.2 <= now) {
            self.give(lent, sequence, bytes);
        }
    }

    /// Gives the host what has come for it.
    pub(super) fn pump_channel(&mut self, lent: &Lent<'_>) {
        if self.channels.given.is_some() || self.channels.down.is_empty() {
            return;
        }
        let len = self.channels.down.len().min(lent.setup.config.data_max);
        let bytes = self.channels.down.drain(..len).collect();
        let sequence = self.line.next_sequence();
        self.give(lent, sequence, bytes);
    }

    fn give(&mut self, lent: &Lent<'_>, sequence: u8, bytes: Vec<u8>) {
        self.tell_host(lent, &HostMessage::Data(bytes.clone()), sequence);
        self.channels.given = Some((sequence, bytes, lent.at() + lent.setup.config.data_again));
    }
}
