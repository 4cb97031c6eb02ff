//! What crosses the server's own boundary: frames on the connections of terminals, lines of the prepayment front.
//!
//! What the server is asked is what leaves a link at its end; what it answers is what it puts on a link.

use std::collections::{BTreeMap, BTreeSet};

use assay_sim::fault::Way;
use assay_sim::tape::{Entry, LineId, Seen};
use assay_sim::time::{Instant, Span};
use assay_sim::water::frame::{FrameStream, RawFrame, Scanned};
use assay_sim::water::party::Event;
use assay_sim::water::payments::PaymentLine;
use assay_sim::wire::{Scan, Wire};

use crate::water::scene::Scene;

/// A connection of a terminal, by its link and its number on it.
pub type Conn = (LineId, u16);

/// A frame at the server's boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// The server hears a sound frame.
    Heard(RawFrame),
    /// The server hears a frame whose CRC is wrong.
    Damaged {
        /// The frame as it reads.
        frame: RawFrame,
        /// Whether it came by itself: nothing unfinished was before it, and nothing has come behind it.
        alone: bool,
    },
    /// The server sends a frame.
    Sent(RawFrame),
}

/// What an entry shows at the server's boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// A frame.
    Frame {
        /// On which connection.
        conn: Conn,
        /// Which.
        what: Crossing,
    },
    /// A line from the prepayment front.
    Asked(PaymentLine),
    /// A line to the prepayment front.
    Told(PaymentLine),
}

/// One way of one connection.
#[derive(Clone, Debug, Default)]
struct Side {
    stream: FrameStream,
    /// How many bytes have come since there was nothing unfinished.
    fresh: usize,
}

/// Finds frames and lines in what passes the server's boundary, connection by connection.
#[derive(Clone, Debug, Default)]
pub struct Ears {
    frames: BTreeMap<(Conn, bool), Side>,
    lines: BTreeMap<(u16, bool), Vec<u8>>,
    /// The earliest time at which an incomplete frame is given up.
    gap_at: Option<Instant>,
}

impl Ears {
    /// What an entry shows.
    pub fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) -> Vec<Noticed> {
        let mut noticed = Vec::new();
        if self.gap_at.is_some_and(|at| at <= entry.at) {
            self.give_up(entry.at, scene, &mut noticed);
        }
        let (line, conn, bytes, heard) = match &entry.what {
            Seen::Heard { line, way: Way::AtoB, conn, bytes } => (*line, *conn, bytes, true),
            Seen::Sent { line, way: Way::BtoA, conn, bytes, .. } => (*line, *conn, bytes, false),
            Seen::Closed { line, way: Way::AtoB, conn, .. } => {
                self.frames.remove(&((*line, *conn), true));
                return noticed;
            }
            _ => return noticed,
        };
        if Some(line) == scene.lan {
            self.hear_line((conn, heard), bytes, scene, &mut noticed);
        } else if scene.terminal_on_gprs(line).is_some() {
            let key = ((line, conn), heard);
            let side = self.frames.entry(key).or_default();
            if side.stream.deadline().is_none() {
                side.fresh = 0;
            }
            side.fresh += bytes.len();
            side.stream.push(&scene.profile.frame, entry.at, bytes);
            side.read(key, scene, &mut noticed);
            self.next_gap();
        }
        noticed
    }

    fn give_up(&mut self, now: Instant, scene: &Scene, noticed: &mut Vec<Noticed>) {
        for (key, side) in &mut self.frames {
            if side.stream.expire(now) {
                side.fresh = 0;
                side.read(*key, scene, noticed);
            }
        }
        self.next_gap();
    }

    fn next_gap(&mut self) {
        self.gap_at = self.frames.values().filter_map(|side| side.stream.deadline()).min();
    }

    fn hear_line(&mut self, key: (u16, bool), bytes: &[u8], scene: &Scene, noticed: &mut Vec<Noticed>) {
        let held = self.lines.entry(key).or_default();
        held.extend_from_slice(bytes);
        let format = &scene.profile.payments.line;
        loop {
            let used = match PaymentLine::scan(format, held) {
                Scan::Frame { frame, used } => {
                    noticed.push(if key.1 { Noticed::Asked(frame) } else { Noticed::Told(frame) });
                    used
                }
                Scan::Junk { used, .. } => used,
                Scan::NeedMore => return,
            };
            held.drain(..used);
        }
    }
}

impl Side {
    fn read(&mut self, (conn, heard): (Conn, bool), scene: &Scene, noticed: &mut Vec<Noticed>) {
        while let Some(scanned) = self.stream.poll(&scene.profile.frame) {
            let what = match scanned {
                Scanned::Frame { frame, .. } if heard => Crossing::Heard(frame),
                Scanned::Frame { frame, .. } => Crossing::Sent(frame),
                Scanned::BadCrc { frame, len, .. } if heard => {
                    Crossing::Damaged { frame, alone: self.fresh == len }
                }
                Scanned::BadCrc { .. } | Scanned::Junk { .. } => continue,
                Scanned::NeedMore => return,
            };
            noticed.push(Noticed::Frame { conn, what });
        }
    }
}

/// Until when a silence can be held against the server.
#[derive(Clone, Debug, Default)]
pub struct Calm {
    /// When a planned fault struck first, power was cut, or input was lost.
    upset_at: Option<Instant>,
    open: BTreeSet<Conn>,
    /// Connections that are gone, and since when nothing more can be expected on them.
    gone: BTreeMap<Conn, Instant>,
}

impl Calm {
    /// Takes note of an entry.
    pub fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) {
        match &entry.what {
            Seen::Struck { .. } | Seen::Power { on: false, .. } | Seen::Overrun { .. } => {
                self.upset_at.get_or_insert(entry.at);
            }
            Seen::Opened { line, way: Way::AtoB, conn } if scene.terminal_on_gprs(*line).is_some() => {
                self.open.insert((*line, *conn));
            }
            Seen::Closed { line, way, conn, .. } => {
                let conn = (*line, *conn);
                // A server that ends a connection of its own accord is excused only where there was one too many.
                let crowded = self.open.len() > scene.profile.server.connections_max;
                match way {
                    Way::AtoB => {
                        self.gone.entry(conn).or_insert(entry.at);
                    }
                    Way::BtoA if crowded => {
                        self.gone.insert(conn, Instant::ZERO);
                    }
                    Way::BtoA => {}
                }
                self.open.remove(&conn);
            }
            _ => {}
        }
    }

    /// Until when a connection and the server were undisturbed, in a run that ended at `end`.
    pub fn until(&self, conn: Conn, end: Instant) -> Instant {
        let gone = self.gone.get(&conn).copied();
        [self.upset_at, gone].into_iter().flatten().fold(end, Instant::min)
    }
}

/// How long the server may take for an answer.
pub fn patience(scene: &Scene) -> Span {
    let profile = &scene.profile;
    profile.server.service + profile.journal.sync * 2 + profile.bench.tolerance
}
