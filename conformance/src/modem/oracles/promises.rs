//! What a host does within a time that the case announced: come back into service, or stay in it.
//!
//! Source: MDM-H1, MDM-H2, MDM-H3.

use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Instant;
use assay_sim::water::family::Water;
use assay_sim::water::frame::{Answer, FrameStream, Message, Request, Scanned};
use assay_sim::water::party::Event;

use super::conversation::{Conversation, Turn, name_of};
use crate::finding::{Findings, Oracle, Violation};
use crate::modem::expect::{Deed, Promise};
use crate::water::scene::Scene;

/// A promise that is still to be kept, or still kept.
struct Standing {
    promise: Promise,
    from: Instant,
    ordinal: u64,
    /// The heartbeat that has been sent since, and awaits its answer.
    heartbeat: Option<u64>,
}

/// Watches that a host does what was announced, and nothing that was excluded.
pub struct Promises {
    conversation: Conversation,
    received: FrameStream,
    standing: Vec<Standing>,
}

/// Whether a command is one of those with which a host begins to connect anew.
fn connects_anew(line: &[u8]) -> bool {
    matches!(name_of(line), b"AT+IPSTART" | b"AT+IPCLOSE" | b"AT+CIPSTART" | b"AT+CIPCLOSE" | b"AT+CIPSHUT")
}

/// What a turn amounts to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Heartbeat,
    Answered,
    Attempt,
}

impl Promises {
    /// A judge of the terminal at this place of the cast.
    pub fn new(terminal: usize) -> Self {
        Self {
            conversation: Conversation::new(terminal),
            received: FrameStream::default(),
            standing: Vec::new(),
        }
    }

    fn acts(&mut self, turn: &Turn, entry: &Entry<Event>, scene: &Scene) -> Vec<Act> {
        let format = &scene.profile.frame;
        match turn {
            Turn::Pulled => vec![Act::Attempt],
            Turn::Command(line) if connects_anew(line) => vec![Act::Attempt],
            Turn::Data(data) => {
                let mut stream = FrameStream::default();
                stream.push(format, entry.at, data);
                let sent = messages(&mut stream, scene);
                let beats = |message: &Message| {
                    matches!(message, Message::Request { request: Request::Heartbeat, .. })
                };
                sent.iter().filter(|message| beats(message)).map(|_| Act::Heartbeat).collect()
            }
            Turn::Block(bytes) => {
                self.received.expire(entry.at);
                self.received.push(format, entry.at, bytes);
                let came = messages(&mut self.received, scene);
                let beats = |message: &Message| {
                    matches!(message, Message::Answer { answer: Answer::Heartbeat { .. }, .. })
                };
                came.iter().filter(|message| beats(message)).map(|_| Act::Answered).collect()
            }
            Turn::Power(_) => {
                self.received.clear();
                Vec::new()
            }
            Turn::Begun | Turn::Command(_) | Turn::Line(_) | Turn::Prompt => Vec::new(),
        }
    }

    /// Judges what an act decides.
    fn weigh(&mut self, act: Act, entry: &Entry<Event>, findings: &mut Findings) {
        self.standing.retain_mut(|standing| {
            let holds = match (standing.promise.deed, act) {
                (Deed::NewAttempt, Act::Attempt) => true,
                (Deed::Contentment, Act::Attempt | Act::Heartbeat) => false,
                (Deed::AnsweredHeartbeat, Act::Heartbeat) => {
                    standing.heartbeat = Some(entry.ordinal);
                    return true;
                }
                (Deed::AnsweredHeartbeat, Act::Answered) if standing.heartbeat.is_some() => true,
                _ => return true,
            };
            let actual = match act {
                Act::Attempt => "it connects anew",
                Act::Heartbeat => "it sends its heartbeat again",
                Act::Answered => "its heartbeat is answered",
            };
            judge(standing, holds, actual, entry.at, Some(entry.ordinal), findings);
            false
        });
    }

    /// Judges what time has decided.
    fn due(&mut self, at: Instant, findings: &mut Findings) {
        self.standing.retain(|standing| {
            if at < standing.from + standing.promise.within {
                return true;
            }
            let holds = standing.promise.deed == Deed::Contentment;
            judge(standing, holds, "none came in that time", at, standing.heartbeat, findings);
            false
        });
    }
}

impl Oracle<Water> for Promises {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        // What happens at the very end of the time still counts.
        self.due(Instant::from_us(entry.at.as_us().saturating_sub(1)), findings);
        if let Seen::Case(text) = &entry.what
            && let Some(promise) = Promise::read(text)
        {
            let ordinal = entry.ordinal;
            self.standing.push(Standing { promise, from: entry.at, ordinal, heartbeat: None });
        }
        for turn in self.conversation.observe(entry, scene) {
            for act in self.acts(&turn, entry, scene) {
                self.weigh(act, entry, findings);
            }
        }
    }

    fn finish(&mut self, at: Instant, _scene: &Scene, findings: &mut Findings) {
        self.due(at, findings);
    }
}

fn judge(
    standing: &Standing,
    holds: bool,
    actual: &str,
    at: Instant,
    shown_by: Option<u64>,
    findings: &mut Findings,
) {
    let Promise { requirement, deed, within } = standing.promise;
    findings.judge(requirement, holds, || Violation {
        requirement,
        expected: format!("the host shows {} within {within} from {}", deed.as_str(), standing.from),
        actual: actual.to_owned(),
        at,
        evidence: [Some(standing.ordinal), shown_by].into_iter().flatten().collect(),
    });
}

fn messages(stream: &mut FrameStream, scene: &Scene) -> Vec<Message> {
    let mut messages = Vec::new();
    while let Some(scanned) = stream.poll(&scene.profile.frame) {
        match scanned {
            Scanned::Frame { frame, .. } => messages.extend(Message::of(&frame)),
            Scanned::BadCrc { .. } | Scanned::Junk { .. } => {}
            Scanned::NeedMore => break,
        }
    }
    messages
}
