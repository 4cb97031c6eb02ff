//! Whether the free channel carries every byte in order, and loses no more than one message at a reconnect.
//!
//! Source: PAY-T1.

use std::collections::VecDeque;

use assay_sim::paymod::family::Paymod;
use assay_sim::paymod::frame::HostMessage;
use assay_sim::paymod::host::HostEvent;
use assay_sim::paymod::party::Event;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Instant;

use super::talk::{Said, Talk};
use crate::finding::{Findings, Oracle, Violation};
use crate::paymod::SETTLED;
use crate::paymod::scene::Scene;

/// One way of the channel.
#[derive(Default)]
struct Pipe {
    /// What went in and has not come out.
    inside: VecDeque<u8>,
    /// How many bytes were passed over.
    lost: usize,
    /// Whether something came out that is not next.
    wrong: bool,
    carried: usize,
}

impl Pipe {
    fn put(&mut self, bytes: &[u8]) {
        self.inside.extend(bytes);
    }

    /// What comes out is what is next, or what is next behind something that was lost.
    fn take(&mut self, bytes: &[u8]) {
        let inside: Vec<u8> = self.inside.iter().copied().collect();
        match inside.windows(bytes.len().max(1)).position(|window| window == bytes) {
            Some(at) => {
                self.lost += at;
                self.carried += bytes.len();
                self.inside.drain(..at + bytes.len());
            }
            None => self.wrong = true,
        }
    }
}

/// The judge of the channel.
#[derive(Default)]
pub struct Channel {
    talk: Talk,
    up: Pipe,
    down: Pipe,
    /// What the host has offered last, and what the module has taken last.
    offered: Option<(u8, Vec<u8>)>,
    taken: Option<(u8, Vec<u8>)>,
    /// How many bytes may be lost each way: a message at each reconnect, and all that is held with a party's memory.
    bound: usize,
    settled: bool,
}

impl Oracle<Paymod> for Channel {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, _: &mut Findings) {
        let config = &scene.profile.module;
        for said in self.talk.observe(entry, scene) {
            match said {
                Said::ToModule(sequence, Some(HostMessage::Data(bytes))) => {
                    self.offered = Some((sequence, bytes));
                }
                Said::FromModule(sequence, HostMessage::DataAck) => {
                    // What is refused comes again, and so does what was taken and not heard to be.
                    let taken = self.offered.take_if(|offered| offered.0 == sequence);
                    if taken.is_some() && taken != self.taken {
                        self.up.put(taken.as_ref().map_or(&[], |(_, bytes)| bytes));
                        self.taken = taken;
                    }
                }
                _ => {}
            }
        }
        match &entry.what {
            Seen::Heard { line, way: Scene::DOWN, bytes, .. } if *line == scene.channel => {
                self.up.take(bytes);
            }
            Seen::Heard { line, way: Scene::UP, bytes, .. } if *line == scene.channel => self.down.put(bytes),
            Seen::Noted { event: Event::Host(HostEvent::Data(bytes)), .. } => self.down.take(bytes),
            Seen::Closed { line, .. } if *line == scene.link => self.bound += config.data_max,
            Seen::Power { on: false, .. } | Seen::Struck { .. } => self.bound += 2 * config.data_held_max,
            Seen::Case(words) if words == SETTLED => self.settled = true,
            _ => {}
        }
    }

    fn finish(&mut self, at: Instant, _: &Scene, findings: &mut Findings) {
        for (way, pipe) in [("to the server", &self.up), ("to the host", &self.down)] {
            let through = pipe.carried + pipe.lost + pipe.inside.len();
            if through == 0 || !self.settled {
                continue;
            }
            let bound = self.bound;
            let lost = pipe.lost + pipe.inside.len();
            let holds = !pipe.wrong && lost <= bound;
            let wrong = if pipe.wrong { ", and others came out of order or came twice" } else { "" };
            findings.judge("PAY-T1", holds, || Violation {
                requirement: "PAY-T1",
                expected: format!("{through} bytes {way}, in order, at most {bound} of them lost"),
                actual: format!("{lost} of them are lost{wrong}"),
                at,
                evidence: Vec::new(),
            });
        }
    }
}
