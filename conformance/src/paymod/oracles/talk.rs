//! What crosses the boundaries, read: frames of the host's line, messages of the link, calls to the platforms.

use std::collections::BTreeMap;

use assay_sim::fault::Way;
use assay_sim::paymod::frame::{Body, HostFrame, HostMessage, Packet};
use assay_sim::paymod::party::Event;
use assay_sim::paymod::platform_line::{CallLine, Word};
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::{Instant, Span};
use assay_sim::wire::{Scan, Wire};

use crate::paymod::scene::Scene;

/// Something that crossed a boundary.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// The module has got a frame of its host; nothing if it means nothing.
    ToModule(u8, Option<HostMessage>),
    /// The module has got a frame whose check is wrong.
    BadToModule,
    /// A frame to the module was cut short, and a silence has passed.
    CutToModule,
    /// The module has sent its host a frame.
    FromModule(u8, HostMessage),
    /// A message has left the module's side of the link, on this connection.
    Asked(u16, Body),
    /// The server has got a message; nothing if it does not open.
    ToServer(u16, Packet, Option<Body>),
    /// The server has sent a message.
    FromServer(u16, Body),
    /// The module has got a message; nothing if it does not open.
    Answered(u16, Packet, Option<Body>),
    /// A call has left the server, on this connection.
    Call(u16, CallLine),
    /// The server has got the platform's answer.
    Word(u16, Word),
}

/// Reads what crosses the boundaries.
#[derive(Clone, Debug, Default)]
pub(super) struct Talk {
    to_module: Vec<u8>,
    /// When the last byte of a frame to the module came that is not whole.
    begun: Option<Instant>,
    links: BTreeMap<(usize, u16), Vec<u8>>,
}

impl Talk {
    /// What an entry of the tape says.
    pub(super) fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) -> Vec<Said> {
        let mut said = Vec::new();
        self.silence(entry.at, scene, &mut said);
        match &entry.what {
            Seen::Heard { line, way: Scene::UP, bytes, .. } if *line == scene.uart => {
                self.to_module.extend_from_slice(bytes);
                self.frames(entry.at, &mut said);
            }
            Seen::Sent { line, way: Scene::DOWN, bytes, .. } if *line == scene.uart => {
                if let Scan::Frame { frame, .. } = HostFrame::scan(&(), bytes)
                    && let Ok(message) = HostMessage::of(&frame)
                {
                    said.push(Said::FromModule(frame.sequence, message));
                }
            }
            Seen::Sent { line, way, conn, bytes, .. } if *line == scene.link => {
                if let Scan::Frame { frame, .. } = Packet::scan(&(), bytes)
                    && let Some(body) = scene.opened(&frame)
                {
                    let up = *way == Scene::UP;
                    said.push(if up { Said::Asked(*conn, body) } else { Said::FromServer(*conn, body) });
                }
            }
            Seen::Heard { line, way, conn, bytes } if *line == scene.link => {
                self.packets(*way, *conn, bytes, scene, &mut said);
            }
            Seen::Sent { line, way: Scene::UP, conn, bytes, .. } if *line == scene.pay => {
                let line = String::from_utf8_lossy(bytes);
                said.extend(CallLine::read(line.trim_end()).map(|call| Said::Call(*conn, call)));
            }
            Seen::Heard { line, way: Scene::DOWN, conn, bytes } if *line == scene.pay => {
                let line = String::from_utf8_lossy(bytes);
                said.push(Said::Word(*conn, Word::read(line.trim_end())));
            }
            Seen::Power { supply, on: false } if *supply == scene.power => {
                self.to_module.clear();
                self.begun = None;
            }
            _ => {}
        }
        said
    }

    /// A frame that is not whole is dropped when the line has been silent for long enough.
    fn silence(&mut self, now: Instant, scene: &Scene, said: &mut Vec<Said>) {
        let gap = scene.profile.module.byte_gap;
        // Near the edge either is right.
        if self.begun.is_some_and(|begun| now > begun + gap + Span::ms(10)) {
            self.begun = None;
            self.to_module.clear();
            said.push(Said::CutToModule);
        }
    }

    fn frames(&mut self, now: Instant, said: &mut Vec<Said>) {
        while !self.to_module.is_empty() {
            match HostFrame::scan(&(), &self.to_module) {
                Scan::NeedMore => break,
                Scan::Frame { frame, used } => {
                    self.to_module.drain(..used);
                    said.push(Said::ToModule(frame.sequence, HostMessage::of(&frame).ok()));
                }
                Scan::Junk { used, why } => {
                    self.to_module.drain(..used.min(self.to_module.len()));
                    if why == HostFrame::BAD_CHECK {
                        said.push(Said::BadToModule);
                    }
                }
            }
        }
        self.begun = (!self.to_module.is_empty()).then_some(now);
    }

    fn packets(&mut self, way: Way, conn: u16, bytes: &[u8], scene: &Scene, said: &mut Vec<Said>) {
        let held = self.links.entry((way.index(), conn)).or_default();
        held.extend_from_slice(bytes);
        while !held.is_empty() {
            match Packet::scan(&(), held) {
                Scan::NeedMore => break,
                Scan::Junk { used, .. } => drop(held.drain(..used.min(held.len()))),
                Scan::Frame { frame, used } => {
                    held.drain(..used);
                    let body = scene.opened(&frame);
                    said.push(if way == Scene::UP {
                        Said::ToServer(conn, frame, body)
                    } else {
                        Said::Answered(conn, frame, body)
                    });
                }
            }
        }
    }
}

/// For how long a module's timing says nothing: it has no power, has just got it, or was stopped.
#[derive(Clone, Debug, Default)]
pub(super) struct Blind {
    off: bool,
    /// When it began to be able to act, last.
    pub(super) since: Instant,
    until: Instant,
}

impl Blind {
    pub(super) fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) {
        match &entry.what {
            Seen::Power { supply, on } if *supply == scene.power => {
                self.off = !on;
                self.since = entry.at;
            }
            Seen::Struck { strike } => {
                if let Some(span) = scene.hang_of(*strike, "module") {
                    self.until = self.until.max(entry.at + span + Span::s(1));
                    self.since = self.until;
                }
            }
            Seen::Overrun { seat } if *seat == scene.module => self.since = entry.at,
            _ => {}
        }
    }

    /// Whether what should have happened since then can be judged now.
    pub(super) fn sees(&self, since: Instant, now: Instant) -> bool {
        !self.off && self.since <= since && self.until <= now
    }
}
