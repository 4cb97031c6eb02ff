//! The frames in what a link carries, from its bytes on the tape.

use std::collections::BTreeMap;

use assay_sim::fault::Way;
use assay_sim::tape::{Entry, LineId, Seen};
use assay_sim::water::frame::{FrameStream, Message, RawFrame, Scanned};
use assay_sim::water::party::Event;

use crate::water::scene::Scene;

/// A frame that passed a terminal's way to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Whose way, by its place in the cast.
    pub terminal: usize,
    /// The way.
    pub way: Way,
    /// Whether it was seen entering the link, or leaving it at the far end.
    pub arrived: bool,
    /// The connection.
    pub conn: u16,
    /// The frame, if its CRC holds.
    pub frame: Result<RawFrame, RawFrame>,
    /// The entry that completed it.
    pub ordinal: u64,
}

impl Passed {
    /// What the frame means, if it is sound and means anything.
    pub fn message(&self) -> Option<Message> {
        self.frame.as_ref().ok().and_then(|frame| Message::of(frame).ok())
    }
}

/// Watches the ways between modems and server, at both ends.
#[derive(Clone, Debug, Default)]
pub struct NetFrames {
    streams: BTreeMap<(LineId, usize, u16, bool), FrameStream>,
}

impl NetFrames {
    /// The frames that an entry completes.
    pub fn observe(&mut self, entry: &Entry<Event>, scene: &Scene) -> Vec<Passed> {
        let (line, way, conn, bytes, arrived) = match &entry.what {
            Seen::Sent { line, way, conn, bytes, .. } => (*line, *way, *conn, bytes, false),
            Seen::Heard { line, way, conn, bytes } => (*line, *way, *conn, bytes, true),
            Seen::Closed { line, .. } => {
                self.streams.retain(|(known, ..), _| known != line);
                return Vec::new();
            }
            _ => return Vec::new(),
        };
        let Some(terminal) = scene.terminal_on_gprs(line) else { return Vec::new() };
        let format = &scene.profile.frame;
        let stream = self.streams.entry((line, way.index(), conn, arrived)).or_default();
        stream.expire(entry.at);
        stream.push(format, entry.at, bytes);
        let mut passed = Vec::new();
        while let Some(scanned) = stream.poll(format) {
            let frame = match scanned {
                Scanned::Frame { frame, .. } => Ok(frame),
                Scanned::BadCrc { frame, .. } => Err(frame),
                Scanned::Junk { .. } | Scanned::NeedMore => continue,
            };
            passed.push(Passed { terminal, way, arrived, conn, frame, ordinal: entry.ordinal });
        }
        passed
    }
}
