//! What terminals send.

use crate::machine::Port;
use crate::time::Instant;
use crate::water::frame::{Answer, Kind, Message, RawFrame, Scanned};
use crate::water::server::connection::{Connection, Peer, TerminalPeer};
use crate::water::server::event::{ServerEvent, Unusable};
use crate::water::server::firmware::{Lent, MessageServer};
use crate::water::server::policy::{Damaged, Framing, NegativeBound, NegativeType};
use crate::water::tariff::Pricing;
use crate::wire::Wire;

impl MessageServer {
    /// Gives up incomplete frames whose time has come.
    pub(super) fn give_up_frames(&mut self, lent: &mut Lent<'_>) {
        let now = lent.now.mono;
        if lent.setup.policy.framing == Framing::WaitsForRest {
            return;
        }
        let due = |connection: &mut Connection| match &mut connection.peer {
            Peer::Terminal(terminal) => terminal.stream.expire(now),
            Peer::Payments(_) => false,
        };
        let ports: Vec<Port> =
            self.connections.iter_mut().filter_map(|(port, open)| due(open).then_some(*port)).collect();
        for port in ports {
            self.read_frames(lent, port);
        }
    }

    /// Reads what is there, frame by frame.
    pub(super) fn read_frames(&mut self, lent: &mut Lent<'_>, port: Port) {
        let mut junk = 0;
        while let Some(terminal) = self.terminal(port)
            && let Some(scanned) = terminal.stream.poll(&lent.setup.frame)
        {
            match scanned {
                Scanned::Frame { frame, .. } => self.on_frame(lent, port, &frame),
                Scanned::BadCrc { frame, len, used } => self.on_damaged(lent, port, &frame, len - used),
                Scanned::Junk { used, .. } => {
                    junk += used;
                    if lent.setup.policy.framing == Framing::DropsAll
                        && let Some(terminal) = self.terminal(port)
                    {
                        terminal.stream.clear();
                    }
                }
                Scanned::NeedMore => break,
            }
        }
        if junk > 0 {
            self.note(lent.now.mono, ServerEvent::Junk { port, len: junk });
        }
    }

    fn terminal(&mut self, port: Port) -> Option<&mut TerminalPeer> {
        match &mut self.connections.get_mut(&port)?.peer {
            Peer::Terminal(terminal) => Some(terminal),
            Peer::Payments(_) => None,
        }
    }

    /// A frame whose CRC is wrong; `rest` is how many of its bytes are still to be scanned.
    ///
    /// Source: WAT-F1, WAT-F2.
    fn on_damaged(&mut self, lent: &mut Lent<'_>, port: Port, frame: &RawFrame, rest: usize) {
        let (now, config, policy) = (lent.now.mono, &lent.setup.config, &lent.setup.policy);
        self.note(now, ServerEvent::Unusable { port, why: Unusable::Crc });
        match policy.damaged {
            Damaged::Silent => return,
            Damaged::ActsAnyway => {
                if let Some(terminal) = self.terminal(port) {
                    terminal.stream.skip(rest);
                }
                return self.on_frame(lent, port, frame);
            }
            Damaged::AnswersNegative => {}
        }
        if !self.has_room(lent, port) {
            return;
        }
        let kind = match policy.negative_type {
            NegativeType::AsRead => frame.kind,
            NegativeType::Zero => Kind::Heartbeat.byte(Pricing::Flat),
        };
        let sent = policy.negative_bound == NegativeBound::Unbounded
            || self.terminal(port).is_some_and(|terminal| {
                terminal.may_answer_negative(now, config.negatives_max, config.negatives_window)
            });
        self.note(now, ServerEvent::Negative { port, kind, sent });
        if sent {
            let negative = Message::Negative { kind }.to_frame(lent.setup.frame.version, frame.machine);
            self.queue_answer(lent, port, negative.to_bytes(&lent.setup.frame), false, Instant::ZERO);
        }
    }

    fn on_frame(&mut self, lent: &mut Lent<'_>, port: Port, frame: &RawFrame) {
        let now = lent.now.mono;
        let unusable = match Message::of(frame) {
            Ok(Message::Request { pricing, request }) => {
                if self.has_room(lent, port) {
                    if let Some(terminal) = self.terminal(port) {
                        terminal.last_answer = None;
                    }
                    let (answer, not_before) = self.answer(lent, frame.machine, pricing, request);
                    self.send_answer(lent, port, frame, pricing, answer, not_before);
                }
                return;
            }
            Ok(Message::Negative { .. }) => return self.on_negative(lent, port),
            Ok(Message::Answer { .. }) => Unusable::Answer,
            Err(error) => Unusable::Content(error),
        };
        self.note(now, ServerEvent::Unusable { port, why: unusable });
    }

    fn send_answer(
        &mut self,
        lent: &Lent<'_>,
        port: Port,
        request: &RawFrame,
        pricing: Pricing,
        answer: Answer,
        not_before: Instant,
    ) {
        let message = Message::Answer { pricing, answer };
        let frame = message.to_frame(lent.setup.frame.version, request.machine);
        self.queue_answer(lent, port, frame.to_bytes(&lent.setup.frame), true, not_before);
    }

    /// The terminal read the last answer damaged and wants it again.
    fn on_negative(&mut self, lent: &Lent<'_>, port: Port) {
        let last = self.terminal(port).and_then(|terminal| terminal.last_answer.clone());
        self.note(lent.now.mono, ServerEvent::AskedAgain { port, repeated: last.is_some() });
        if let Some(bytes) = last
            && self.has_room(lent, port)
        {
            self.queue_answer(lent, port, bytes, true, Instant::ZERO);
        }
    }
}
