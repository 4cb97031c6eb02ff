//! Judges short messages: POS-A2 of 101, 102, 106 and 109, POS-A4, POS-D1.

use std::collections::VecDeque;

use assay_sim::pos::frame::{Confirmed, DeviceMessage, Seq, ServerMessage};
use assay_sim::time::{Instant, Span};

use super::terminal_bits::Moment;
use crate::finding::Findings;

/// A message that waits for `001`.
#[derive(Clone, Debug)]
struct Notice {
    bytes: Vec<u8>,
    seq: Seq,
    last: (Instant, u64),
    sends: u8,
    acked: Option<Instant>,
    /// What it asked for has come, or it was one too many.
    excused: bool,
    question: bool,
    /// That it ended with its 001 was judged.
    counted: bool,
}

/// A 109 that must come.
#[derive(Clone, Debug)]
struct Owed {
    what: Confirmed,
    key: Box<[u8]>,
    since: Instant,
    ordinal: u64,
    /// It was damaged, and may be left without: it will come again.
    spoilt: bool,
}

/// The short messages of one terminal.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    notices: Vec<Notice>,
    owed: VecDeque<Owed>,
    /// Discoveries that were not answered yet.
    discovered: VecDeque<(Instant, u64)>,
    /// Each `001` that came while the terminal hung: it may name what leaves only later.
    waiting: Vec<Seq>,
    /// An answer came that does not read, and may be confirmed all the same: when.
    unreadable: Option<Instant>,
}

/// The name of an answer.
const fn name(what: Confirmed) -> &'static str {
    match what {
        Confirmed::Refused => "006",
        Confirmed::Done => "008",
        Confirmed::Display => "009",
    }
}

impl Notices {
    /// Power has gone or come, or input was lost: nothing is owed any more.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// A datagram came that is no message.
    pub fn hears_junk(&mut self, first: &[u8], at: Instant) {
        if matches!(first.get(..3), Some(b"006" | b"008" | b"009")) {
            self.unreadable = Some(at);
        }
    }

    /// Something from the server has come that is for this machine.
    pub fn hears(&mut self, message: &ServerMessage, spoilt: bool, moment: &Moment<'_>) {
        let (what, key) = match message {
            ServerMessage::Refused { key, .. } => (Confirmed::Refused, key.to_bytes()),
            ServerMessage::Done { key, .. } => (Confirmed::Done, key.to_bytes()),
            ServerMessage::Display { machine, .. } => {
                self.excuse_questions();
                (Confirmed::Display, machine.to_string().into_bytes().into())
            }
            ServerMessage::Discover => {
                self.discovered.push_back((moment.at, moment.ordinal));
                return;
            }
            _ => return,
        };
        self.owed.push_back(Owed { what, key, since: moment.at, ordinal: moment.ordinal, spoilt });
    }

    /// What was asked for has come, and need not be asked for again.
    fn excuse_questions(&mut self) {
        for notice in self.notices.iter_mut().filter(|notice| notice.question) {
            notice.excused = true;
        }
    }

    /// 001 has come.
    pub fn acknowledged(&mut self, seq: &Seq, moment: &Moment<'_>) {
        if !moment.calm.is_steady(moment.at, moment.at, Span::ZERO) {
            self.waiting.push(seq.clone());
        }
        let named = |notice: &&mut Notice| notice.seq == *seq && notice.acked.is_none();
        if let Some(notice) = self.notices.iter_mut().rev().find(named) {
            notice.acked = Some(moment.at);
        }
    }

    /// A message leaves that is none of a sale.
    pub fn sends(
        &mut self,
        message: &DeviceMessage,
        bytes: Vec<u8>,
        moment: &Moment<'_>,
        findings: &mut Findings,
    ) {
        let Some(head) = message.head() else { return self.presents(message, moment, findings) };
        if let Some(at) = self.notices.iter().position(|notice| notice.bytes == bytes) {
            return self.repeats(at, moment, findings);
        }
        if let DeviceMessage::Confirm { what, key, .. } = message {
            self.confirms(*what, key, moment, findings);
        }
        let open = self.notices.iter_mut().filter(|notice| notice.is_open(moment));
        let most = moment.scene.profile.terminal.notices_max;
        let open: Vec<_> = open.collect();
        // Of more than it has room for, the oldest is given up.
        let too_many = (open.len() + 1).saturating_sub(most);
        open.into_iter().take(too_many).for_each(|notice| notice.excused = true);
        let question = matches!(message, DeviceMessage::Tap { .. } | DeviceMessage::Keys { .. });
        let waited = self.waiting.iter().position(|seq| *seq == head.seq);
        let acked = waited.map(|at| self.waiting.swap_remove(at)).map(|_| moment.at);
        self.notices.push(Notice {
            bytes,
            seq: head.seq.clone(),
            last: (moment.at, moment.ordinal),
            sends: 1,
            acked,
            excused: false,
            question,
            counted: false,
        });
    }

    fn repeats(&mut self, at: usize, moment: &Moment<'_>, findings: &mut Findings) {
        let times = &moment.scene.profile.terminal;
        let notice = &mut self.notices[at];
        let crossed = notice.acked.is_some_and(|at| moment.is_past(at));
        let steady = moment.calm.is_steady(notice.last.0, moment.at, moment.grace());
        let over = notice.sends >= times.sends_max || crossed;
        let early = moment.is_early(notice.last.0, times.ack_timeout);
        findings.judge("POS-A2", !(early || over && steady), || {
            let expected =
                format!("{} sends at most, {} apart, ended by 001", times.sends_max, times.ack_timeout);
            let since = moment.at - notice.last.0;
            let actual =
                format!("{} left as send {} after {since}", notice.bytes.escape_ascii(), notice.sends + 1);
            moment.violation("POS-A2", expected, actual, &[notice.last.1])
        });
        notice.sends = notice.sends.saturating_add(1);
        notice.last = (moment.at, moment.ordinal);
    }

    fn confirms(&mut self, what: Confirmed, key: &[u8], moment: &Moment<'_>, findings: &mut Findings) {
        let named = |owed: &&Owed| owed.what == what && *owed.key == *key;
        let sound = self.owed.iter().position(|owed| named(&owed) && !owed.spoilt);
        let owed = sound.or_else(|| self.owed.iter().position(|owed| named(&owed)));
        if owed.is_none() && self.unreadable.is_some_and(|at| !moment.is_past(at)) {
            return;
        }
        findings.judge("POS-A4", owed.is_some(), || {
            let actual = format!("a 109 to {} {} more than came", name(what), key.escape_ascii());
            moment.violation("POS-A4", "one 109 for each time that an answer is received", actual, &[])
        });
        owed.and_then(|at| self.owed.remove(at));
    }

    /// 100.
    fn presents(&mut self, message: &DeviceMessage, moment: &Moment<'_>, findings: &mut Findings) {
        let asked = self.discovered.pop_front();
        let server = &moment.scene.profile.install.server;
        // A terminal that words it as a door controller does is none that the server finds.
        let right = matches!(message, DeviceMessage::Present { addresses, port, serial, .. }
            if addresses[0] == Ok(moment.cast.address)
                && addresses[3] == Ok(*server.ip())
                && *port == server.port()
                && **serial == *moment.cast.serial.as_bytes());
        findings.judge("POS-D1", asked.is_some() && right, || {
            let expected =
                "one 100 to each 000, with the device's own address and serial, and the server's address";
            moment.violation("POS-D1", expected, format!("{message:?}"), &[])
        });
    }

    /// Time has passed: what must have come by now?
    pub fn pass_time(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let times = &moment.scene.profile.terminal;
        for notice in &mut self.notices {
            if !notice.counted && notice.acked.is_some_and(|at| moment.is_overdue(at, times.ack_timeout)) {
                notice.counted = true;
                moment.met("POS-A2", findings);
            }
            let again = notice.sends < times.sends_max && notice.acked.is_none() && !notice.excused;
            if again && moment.is_overdue(notice.last.0, times.ack_timeout) {
                notice.excused = true;
                findings.judge("POS-A2", false, || {
                    let expected = format!("a message without 001 is sent {} times in all", times.sends_max);
                    let actual = format!("{} left {} times", notice.bytes.escape_ascii(), notice.sends);
                    moment.violation("POS-A2", expected, actual, &[notice.last.1])
                });
            }
        }
        while self.owed.front().is_some_and(|owed| moment.is_past(owed.since))
            && let Some(owed) = self.owed.pop_front()
        {
            if owed.spoilt {
                continue;
            }
            findings.judge("POS-A4", false, || {
                let expected = "each 006, 008 and 009 is confirmed with a 109 that names it";
                let actual = format!("no 109 to {} {}", name(owed.what), owed.key.escape_ascii());
                moment.violation("POS-A4", expected, actual, &[owed.ordinal])
            });
        }
        while self.discovered.front().is_some_and(|(at, _)| moment.is_past(*at))
            && let Some((_, ordinal)) = self.discovered.pop_front()
        {
            findings.judge("POS-D1", false, || {
                moment.violation("POS-D1", "a discovery is answered with a 100", "it was not", &[ordinal])
            });
        }
    }
}

impl Notice {
    /// Whether the terminal still keeps it.
    fn is_open(&self, moment: &Moment<'_>) -> bool {
        let times = &moment.scene.profile.terminal;
        let over = self.sends >= times.sends_max && self.last.0 + times.ack_timeout <= moment.at;
        let span: Span = times.ack_timeout * u64::from(times.sends_max);
        self.acked.is_none() && !self.excused && !over && !moment.is_overdue(self.last.0, span)
    }
}
