//! What a terminal hears on the line from its modem: lines, announced blocks, and the frames in them.

use assay_sim::modem::label::{inline_count, received_count};
use assay_sim::time::Instant;
use assay_sim::water::frame::{FrameFormat, FrameStream, Kind, RawFrame, Scanned, crc16_xmodem};
use assay_sim::water::profile::Profile;
use assay_sim::wire::Wire;

/// Something heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A line of the modem's own.
    Line(Vec<u8>),
    /// A sound frame.
    Frame {
        /// The frame.
        frame: RawFrame,
        /// Whether bytes that cannot be a frame's came less than a frame's gap before it.
        behind_impossible: bool,
    },
    /// A frame whose CRC is wrong.
    Damaged {
        /// The frame as it reads.
        frame: RawFrame,
        /// Whether the type byte was hit, so that nobody can know the type.
        kind_hit: bool,
    },
    /// Bytes of which nobody can say how a sound receiver sees them: a silence among them lies at the limit, or the
    /// block that carried them was interrupted.
    Blurred,
}

/// The ear.
#[derive(Clone, Debug, Default)]
pub struct Ear {
    /// How many bytes of an announced block are to come.
    block: Option<usize>,
    text: Vec<u8>,
    last_at: Instant,
    frames: FrameStream,
    gave_up_at: Option<Instant>,
    blurred: bool,
    /// The last payload bytes.
    recent: Vec<u8>,
    impossible_at: Option<Instant>,
}

/// Longer lines are cut.
const LINE_MAX: usize = 1_024;

/// A silence is at the limit when it is within this share of it.
const GAP_SHARE: u64 = 10;

const CRC_SIZE: usize = 2;

impl Ear {
    /// A connection begins or ends: what was held of it means nothing any more.
    pub fn forget_frames(&mut self) {
        self.frames.clear();
        self.blurred = false;
        self.gave_up_at = None;
        self.recent.clear();
        self.impossible_at = None;
    }

    /// When silence alone will next mean something.
    pub fn due(&self, profile: &Profile) -> Option<Instant> {
        let block = self.block.map(|_| self.last_at + profile.host.gap);
        [block, self.frames.deadline()].into_iter().flatten().min()
    }

    /// Silence up to `at`, which is when [`Self::due`] said.
    pub fn silence(&mut self, at: Instant, profile: &Profile, heard: &mut Vec<Heard>) {
        if self.block.is_some() && self.last_at + profile.host.gap <= at {
            self.block = None;
            self.blur(heard);
            let data = std::mem::take(&mut self.text);
            self.payload(at, &data, &profile.frame, heard);
        }
        if self.frames.expire(at) {
            self.gave_up_at = Some(at);
            self.frames_found(at, &profile.frame, heard);
        }
    }

    /// Bytes arrive; [`Self::silence`] came first.
    pub fn push(&mut self, at: Instant, bytes: &[u8], profile: &Profile, heard: &mut Vec<Heard>) {
        self.last_at = at;
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            let Some(left) = self.block else {
                rest = after;
                self.character(*byte, profile, heard);
                continue;
            };
            let (taken, after) = rest.split_at(left.min(rest.len()));
            self.text.extend_from_slice(taken);
            rest = after;
            self.block = (taken.len() < left).then(|| left - taken.len());
            if self.block.is_none() {
                let data = std::mem::take(&mut self.text);
                self.payload(at, &data, &profile.frame, heard);
            }
        }
    }

    fn character(&mut self, byte: u8, profile: &Profile, heard: &mut Vec<Heard>) {
        match byte {
            b'\n' => self.line(profile, heard),
            b'\r' => {}
            _ if self.text.len() < LINE_MAX => self.text.push(byte),
            _ => {}
        }
        if self.text == b"> " {
            self.text.clear();
        }
        if byte == b':'
            && let Some(count) = inline_count(&self.text)
            && (1..=profile.host.message_max).contains(&count)
        {
            self.text.clear();
            self.block = Some(count);
        }
    }

    fn line(&mut self, profile: &Profile, heard: &mut Vec<Heard>) {
        let line = std::mem::take(&mut self.text);
        if line.is_empty() {
            return;
        }
        match received_count(&line).filter(|count| (1..=profile.host.message_max).contains(count)) {
            Some(count) => self.block = Some(count),
            None => heard.push(Heard::Line(line)),
        }
    }

    fn payload(&mut self, at: Instant, data: &[u8], format: &FrameFormat, heard: &mut Vec<Heard>) {
        let slack = format.frame_gap.shortened(GAP_SHARE);
        let nearly = self.frames.deadline().is_some_and(|gap_ends| gap_ends.since(at) <= slack);
        let just = self.gave_up_at.is_some_and(|then| at.since(then) <= slack);
        if nearly || just {
            self.blur(heard);
        }
        self.remember(at, data, format);
        self.frames.push(format, at, data);
        self.frames_found(at, format, heard);
    }

    fn blur(&mut self, heard: &mut Vec<Heard>) {
        self.blurred = true;
        heard.push(Heard::Blurred);
    }

    /// Keeps the bytes, and notes a header among them that promises what no frame can hold.
    fn remember(&mut self, at: Instant, data: &[u8], format: &FrameFormat) {
        let need = format.content_at();
        let first_new = self.recent.len().saturating_sub(need - 1);
        self.recent.extend_from_slice(data);
        if self.recent[first_new..].windows(need).any(|bytes| is_impossible(bytes, format)) {
            self.impossible_at = Some(at);
        }
        let keep = self.recent.len().min(2 * RawFrame::len_max(format));
        self.recent.drain(..self.recent.len() - keep);
    }

    fn frames_found(&mut self, at: Instant, format: &FrameFormat, heard: &mut Vec<Heard>) {
        while let Some(scanned) = self.frames.poll(format) {
            let found = match scanned {
                Scanned::Frame { frame, .. } => {
                    let behind = self.impossible_at.is_some_and(|then| at.since(then) < format.frame_gap);
                    Heard::Frame { frame, behind_impossible: behind }
                }
                Scanned::BadCrc { frame, .. } => {
                    let kind_hit = self.kind_hit(&frame, format);
                    Heard::Damaged { frame, kind_hit }
                }
                Scanned::Junk { .. } | Scanned::NeedMore => continue,
            };
            heard.push(if self.blurred { Heard::Blurred } else { found });
        }
        if self.frames.deadline().is_none() {
            self.blurred = false;
        }
    }

    /// Whether another type byte would make the frame sound, or the one read does not exist.
    fn kind_hit(&self, frame: &RawFrame, format: &FrameFormat) -> bool {
        const KIND_AT: usize = 3;
        let mut body = frame.to_bytes(format);
        body.truncate(body.len() - CRC_SIZE);
        let Some(start) = self.recent.windows(body.len()).rposition(|bytes| bytes == body) else {
            return true;
        };
        let Some(crc) = self.recent.get(start + body.len()..start + body.len() + CRC_SIZE) else {
            return true;
        };
        let sound_as = |kind: u8| {
            let mut other = body.clone();
            other[KIND_AT] = kind;
            crc16_xmodem(&other).to_be_bytes() == *crc
        };
        Kind::split(frame.kind).is_none() || (0..=u8::MAX).any(sound_as)
    }
}

/// Whether these bytes, as many as stand before a content, begin a frame that cannot be.
fn is_impossible(bytes: &[u8], format: &FrameFormat) -> bool {
    use assay_sim::water::frame::MachineForm;
    let length = bytes[5..format.machine_at()].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let machine = &bytes[format.machine_at()..];
    let digits = match format.machine {
        MachineForm::Bcd => machine.iter().all(|byte| byte >> 4 <= 9 && byte & 0x0F <= 9),
        MachineForm::Ascii => machine.iter().all(u8::is_ascii_digit),
        MachineForm::U32 => true,
    };
    bytes[..2] == format.header && bytes[4] == format.version && (length > format.length_max() || !digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_sim::time::Span;

    /// The heartbeat of terminal 2018010925.
    const HEARTBEAT: &[u8] = b"\xAA\x55\x00\x00\x01\x00\x0C\x20\x18\x01\x09\x25\x62\x2A";

    fn block(payload: &[u8]) -> Vec<u8> {
        [format!("\r\n+IPDATA: {}\r\n", payload.len()).as_bytes(), payload].concat()
    }

    fn listen(pieces: &[(u64, Vec<u8>)]) -> Vec<Heard> {
        let profile = Profile::built_in().unwrap();
        let (mut ear, mut heard) = (Ear::default(), Vec::new());
        for (ms, bytes) in pieces {
            let at = Instant::ZERO + Span::ms(*ms);
            while let Some(due) = ear.due(&profile).filter(|due| *due <= at) {
                ear.silence(due, &profile, &mut heard);
            }
            ear.push(at, bytes, &profile, &mut heard);
        }
        heard
    }

    fn frames(heard: &[Heard]) -> usize {
        heard.iter().filter(|heard| matches!(heard, Heard::Frame { .. })).count()
    }

    #[test]
    fn lines_and_blocks_are_told_apart_however_they_are_cut() {
        let bytes = [b"\r\nSEND OK\r\n".to_vec(), block(HEARTBEAT), b"\r\n> \r\nOK\r\n".to_vec()].concat();
        let whole = listen(&[(0, bytes.clone())]);
        assert_eq!(whole.len(), 3);
        assert_eq!(whole[0], Heard::Line(b"SEND OK".to_vec()));
        assert!(matches!(&whole[1], Heard::Frame { behind_impossible: false, .. }));
        let single: Vec<_> = bytes.iter().map(|byte| (0, vec![*byte])).collect();
        assert_eq!(listen(&single), whole);
    }

    #[test]
    fn a_frame_in_two_blocks_counts_unless_the_silence_is_too_long_or_at_the_limit() {
        let (head, tail) = HEARTBEAT.split_at(6);
        let after = |ms| listen(&[(0, block(head)), (ms, block(tail))]);
        assert_eq!(frames(&after(440)), 1);
        assert_eq!(frames(&after(460)), 0);
        assert!(after(460).contains(&Heard::Blurred));
        assert!(after(540).contains(&Heard::Blurred));
        assert_eq!(after(560), []);
    }

    #[test]
    fn an_interrupted_block_is_blurred() {
        let bytes = block(HEARTBEAT);
        let (head, tail) = bytes.split_at(bytes.len() - 4);
        assert_eq!(frames(&listen(&[(0, head.to_vec()), (40, tail.to_vec())])), 1);
        let cut = listen(&[(0, head.to_vec()), (60, tail.to_vec())]);
        assert_eq!((frames(&cut), &cut[0]), (0, &Heard::Blurred));
    }

    #[test]
    fn a_hit_on_the_type_is_told_from_a_hit_elsewhere() {
        let damaged = |at: usize| {
            let mut bytes = HEARTBEAT.to_vec();
            bytes[at] ^= 4;
            match &listen(&[(0, block(&bytes))])[..] {
                [Heard::Damaged { kind_hit, .. }] => *kind_hit,
                other => panic!("{other:?}"),
            }
        };
        assert!(damaged(3));
        assert!(!damaged(2));
        assert!(!damaged(13));
    }

    #[test]
    fn what_follows_an_impossible_header_is_marked() {
        let marked = |junk: &[u8]| {
            let heard = listen(&[(0, block(&[junk, HEARTBEAT].concat()))]);
            heard.iter().any(|heard| matches!(heard, Heard::Frame { behind_impossible: true, .. }))
        };
        assert!(marked(b"\xAA\x55\x11\x01\x01\x00\x4D\x20\x18\x01\x09\x25"));
        assert!(marked(b"\xAA\x55\x11\x01\x01\x00\x20\x20\x1A\x01\x09\x25"));
        assert!(!marked(b"\xAA\x55\x11\x01\x02\x00\x4D\x20\x18\x01\x09\x25"));
    }
}
