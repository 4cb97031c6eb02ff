//! Whether a server finds every sound frame in what it hears, and waits for nothing that cannot come.
//!
//! Sound frames are looked for here at every byte of what was heard, without the project's own stream reader, so that
//! a fault of that reader is seen too.
//!
//! Source: WAT-F4, WAT-F5.

use assay_sim::water::family::Water;
use std::collections::BTreeMap;

use assay_sim::fault::Way;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::{Instant, Span};
use assay_sim::water::frame::{
    FrameFormat, MachineForm, MachineNumber, Message, RawFrame, crc16_xmodem, word,
};
use assay_sim::water::party::Event;

use super::server_ears::{Calm, Conn, Crossing, Ears, Noticed, patience};
use crate::finding::{Findings, Oracle, Violation};
use crate::water::scene::Scene;

/// Compares the requests in what was heard with the answers, connection by connection.
#[derive(Default)]
pub struct ServerFrames {
    ears: Ears,
    calm: Calm,
    conns: BTreeMap<Conn, Talk>,
}

#[derive(Default)]
struct Talk {
    bytes: Vec<u8>,
    /// Where each arrival starts, when it came, and its entry.
    arrivals: Vec<(usize, Instant, u64)>,
    answers: Vec<(Instant, RawFrame, u64)>,
}

/// A request in what was heard.
struct Request {
    start: usize,
    end: usize,
    frame: RawFrame,
}

/// What came before a request and is not done with when the request comes.
struct Prefix {
    /// It holds a header that may have been waited for beyond the request.
    possible: bool,
    /// It holds a header that cannot be one.
    impossible: bool,
}

impl Oracle<Water> for ServerFrames {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, _: &mut Findings) {
        self.calm.observe(entry, scene);
        if let Seen::Heard { line, way: Way::AtoB, conn, bytes } = &entry.what
            && scene.terminal_on_gprs(*line).is_some()
        {
            let talk = self.conns.entry((*line, *conn)).or_default();
            talk.arrivals.push((talk.bytes.len(), entry.at, entry.ordinal));
            talk.bytes.extend_from_slice(bytes);
        }
        for noticed in self.ears.observe(entry, scene) {
            if let Noticed::Frame { conn, what: Crossing::Sent(frame) } = noticed
                && frame.answer == word::POSITIVE
            {
                self.conns.entry(conn).or_default().answers.push((entry.at, frame, entry.ordinal));
            }
        }
    }

    fn finish(&mut self, at: Instant, scene: &Scene, findings: &mut Findings) {
        for (conn, talk) in &self.conns {
            talk.judge(self.calm.until(*conn, at), scene, findings);
        }
    }
}

impl Talk {
    fn judge(&self, calm_until: Instant, scene: &Scene, findings: &mut Findings) {
        let format = &scene.profile.frame;
        let (requests, broken) = self.requests(format);
        let mut taken = vec![false; self.answers.len()];
        let mut next = 0;
        let mut done_to = 0;
        for request in &requests {
            let prefix = self.prefix(done_to, request, format);
            let heard = self.heard_at(request.end - 1);
            let found = (next..self.answers.len()).find(|at| {
                let (sent, answer, _) = &self.answers[*at];
                *sent >= heard && fits(&request.frame, answer)
            });
            let from =
                if prefix.possible { self.burst_end(request.end, format) + format.frame_gap } else { heard };
            let deadline = from + patience(scene);
            let in_time = found.is_some_and(|at| self.answers[at].0 <= deadline);
            if let Some(at) = found.filter(|_| in_time) {
                taken[at] = true;
                next = at + 1;
                done_to = request.end;
            }
            let requirement = if prefix.impossible && !prefix.possible { "WAT-F5" } else { "WAT-F4" };
            if in_time || deadline <= calm_until {
                findings.judge(requirement, in_time, || Violation {
                    requirement,
                    expected: format!(
                        "an answer to the request of type {:02X} until {deadline}",
                        request.frame.kind
                    ),
                    actual: "it is not answered".to_owned(),
                    at: deadline,
                    evidence: vec![self.ordinal(request.start), self.ordinal(request.end - 1)],
                });
            }
        }
        self.judge_broken(&broken, &taken, calm_until, scene, findings);
    }

    /// The two halves of a frame with too long a silence between them are no frame.
    fn judge_broken(
        &self,
        broken: &[Request],
        taken: &[bool],
        calm_until: Instant,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        for request in broken {
            let heard = self.heard_at(request.end - 1);
            if heard + patience(scene) > calm_until {
                continue;
            }
            let excess = (0..self.answers.len()).find(|at| {
                let (sent, answer, _) = &self.answers[*at];
                !taken[*at] && *sent >= heard && fits(&request.frame, answer)
            });
            findings.judge("WAT-F4", excess.is_none(), || Violation {
                requirement: "WAT-F4",
                expected: format!(
                    "halves of a frame more than {} apart are junk",
                    scene.profile.frame.frame_gap
                ),
                actual: "they are answered as one".to_owned(),
                at: excess.map_or(heard, |at| self.answers[at].0),
                evidence: excess.map(|at| self.answers[at].2).into_iter().collect(),
            });
        }
    }

    fn arrival(&self, offset: usize) -> usize {
        self.arrivals.partition_point(|(start, ..)| *start <= offset).saturating_sub(1)
    }

    fn heard_at(&self, offset: usize) -> Instant {
        self.arrivals.get(self.arrival(offset)).map_or(Instant::ZERO, |(_, at, _)| *at)
    }

    fn ordinal(&self, offset: usize) -> u64 {
        self.arrivals.get(self.arrival(offset)).map_or(0, |(.., ordinal)| *ordinal)
    }

    /// The longest silence between two bytes of a stretch.
    fn longest_gap(&self, start: usize, end: usize) -> Span {
        let arrivals = &self.arrivals[self.arrival(start)..=self.arrival(end - 1)];
        arrivals.windows(2).map(|pair| pair[1].1 - pair[0].1).max().unwrap_or_default()
    }

    /// Where the stretch without a long silence starts that holds this byte.
    fn burst_start(&self, offset: usize, format: &FrameFormat) -> usize {
        let mut at = self.arrival(offset);
        while at > 0 && self.arrivals[at].1 < self.arrivals[at - 1].1 + format.frame_gap {
            at -= 1;
        }
        self.arrivals[at].0
    }

    /// When the last byte came before the next long silence.
    fn burst_end(&self, offset: usize, format: &FrameFormat) -> Instant {
        let mut at = self.arrival(offset.saturating_sub(1));
        while at + 1 < self.arrivals.len() && self.arrivals[at + 1].1 < self.arrivals[at].1 + format.frame_gap
        {
            at += 1;
        }
        self.arrivals[at].1
    }

    /// Every request that is whole, and every one whose halves are too far apart.
    fn requests(&self, format: &FrameFormat) -> (Vec<Request>, Vec<Request>) {
        let (mut whole, mut broken) = (Vec::new(), Vec::new());
        let mut start = 0;
        while start < self.bytes.len() {
            let Some((end, frame)) =
                sound(format, &self.bytes[start..]).map(|(len, frame)| (start + len, frame))
            else {
                start += 1;
                continue;
            };
            let gap = self.longest_gap(start, end);
            let request = matches!(Message::of(&frame), Ok(Message::Request { .. }));
            let here = Request { start, end, frame };
            // A silence close to the limit is left to the server.
            if gap.as_us() * 10 < format.frame_gap.as_us() * 9 {
                start = end;
                if request {
                    whole.push(here);
                }
            } else {
                start += 1;
                if request && gap.as_us() * 2 > format.frame_gap.as_us() * 3 {
                    broken.push(here);
                }
            }
        }
        (whole, broken)
    }

    fn prefix(&self, done_to: usize, request: &Request, format: &FrameFormat) -> Prefix {
        let from = done_to.max(self.burst_start(request.start, format));
        let mut prefix = Prefix { possible: false, impossible: false };
        for start in from..request.start {
            match header(format, &self.bytes[start..]) {
                Header::Possible(len) => prefix.possible |= start + len > request.end,
                Header::Impossible => prefix.impossible = true,
                Header::None => {}
            }
        }
        prefix
    }
}

/// Whether an answer can be the one to a request; its price table is judged elsewhere.
fn fits(request: &RawFrame, answer: &RawFrame) -> bool {
    request.kind & 0x0F == answer.kind & 0x0F && request.machine == answer.machine
}

enum Header {
    None,
    /// A frame of so many bytes may begin here.
    Possible(usize),
    /// Its length is out of the question, or its machine number is no number.
    Impossible,
}

fn header(format: &FrameFormat, bytes: &[u8]) -> Header {
    let (machine_at, content_at) = (format.machine_at(), format.content_at());
    let starts = bytes.len() >= machine_at && bytes[..2] == format.header && bytes[4] == format.version;
    if !starts {
        return Header::None;
    }
    let length = bytes[5..machine_at].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    if length < content_at || length > content_at + format.content_max {
        return Header::Impossible;
    }
    let machine = &bytes[machine_at..content_at.min(bytes.len())];
    let digits = match format.machine {
        MachineForm::Bcd => machine.iter().all(|byte| byte >> 4 < 10 && byte & 0x0F < 10),
        MachineForm::Ascii => machine.iter().all(u8::is_ascii_digit),
        MachineForm::U32 => true,
    };
    if digits { Header::Possible(length + 2) } else { Header::Impossible }
}

/// The sound frame at the front of some bytes.
fn sound(format: &FrameFormat, bytes: &[u8]) -> Option<(usize, RawFrame)> {
    let Header::Possible(len) = header(format, bytes) else { return None };
    let (body, crc) = bytes.get(..len)?.split_at(len - 2);
    if crc16_xmodem(body).to_be_bytes() != *crc {
        return None;
    }
    let (head, content) = body.split_at(format.content_at());
    let machine = machine(format, &head[format.machine_at()..])?;
    let (answer, kind, version) = (head[2], head[3], head[4]);
    Some((len, RawFrame { answer, kind, version, machine, content: content.to_vec() }))
}

fn machine(format: &FrameFormat, field: &[u8]) -> Option<MachineNumber> {
    match format.machine {
        MachineForm::Bcd => MachineNumber::parse_bcd(field.try_into().ok()?).ok(),
        MachineForm::Ascii => MachineNumber::parse(field).ok(),
        MachineForm::U32 => Some(u32::from_be_bytes(field.try_into().ok()?).into()),
    }
}
