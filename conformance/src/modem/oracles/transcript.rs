//! Compares what a modem says, and what it hands to the network, with what the case announced.
//!
//! Source: MDM-A1, MDM-A2, MDM-A3, MDM-A4, MDM-A5, MDM-A6, MDM-A7, MDM-A8.

use assay_sim::fault::Way;
use assay_sim::modem::client::Fitted;
use assay_sim::modem::m6311::ReceivedMark;
use assay_sim::tape::{Entry, Seen};
use assay_sim::water::family::Water;
use assay_sim::water::party::Event;
use assay_sim::water::profile::Profile;

use crate::finding::{Findings, Oracle, Violation};
use crate::modem::expect::{Channel, DUE, Expectation, Given};
use crate::water::scene::Scene;

/// What has come of something announced.
struct Window {
    expected: Expectation,
    got: Vec<u8>,
    evidence: Vec<u64>,
}

/// Holds each announced transcript against the tape.
///
/// Why: a fault beyond the case's own may spoil any answer, and a modem that cannot be brought to where the case
/// begins shows nothing of what the case is about; so either ends the judging.
pub struct Transcript {
    /// How many faults are the case's own.
    own: usize,
    deaf: bool,
    windows: Vec<Window>,
    /// What the case stands on, and what the modem has said to it.
    given: Option<(Given, Vec<u8>)>,
}

impl Transcript {
    /// A judge of a case with so many faults of its own.
    pub fn new(own: usize) -> Self {
        Self { own, deaf: false, windows: Vec::new(), given: None }
    }

    fn hear(&mut self, channel: Channel, bytes: &[u8], ordinal: u64) {
        for window in self.windows.iter_mut().filter(|window| window.expected.channel == channel) {
            window.got.extend_from_slice(bytes);
            window.evidence.push(ordinal);
        }
    }

    fn remark(&mut self, text: &str, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if text == DUE {
            self.deaf |= self.given.take().is_some_and(|(given, said)| !given.pattern.matches(&said));
            for window in self.windows.drain(..) {
                judge(window, entry, scene, findings);
            }
        } else if let Some(given) = Given::read(text) {
            self.given = Some((given, Vec::new()));
        } else if let Some(expected) = Expectation::read(text) {
            self.windows.push(Window { expected, got: Vec::new(), evidence: vec![entry.ordinal] });
        }
    }
}

impl Oracle<Water> for Transcript {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if self.deaf {
            return;
        }
        match &entry.what {
            Seen::Struck { strike } if *strike >= self.own => {
                self.deaf = true;
                self.windows.clear();
            }
            Seen::Case(text) => self.remark(text, entry, scene, findings),
            Seen::Heard { line, way: Way::BtoA, bytes, .. }
                if scene.terminals.iter().any(|cast| cast.uart == *line) =>
            {
                if let Some((_, said)) = &mut self.given {
                    said.extend_from_slice(bytes);
                }
                self.hear(Channel::Modem, bytes, entry.ordinal);
                self.hear(Channel::Blocks, bytes, entry.ordinal);
            }
            Seen::Heard { line, way: Way::AtoB, bytes, .. } if scene.terminal_on_gprs(*line).is_some() => {
                self.hear(Channel::Server, bytes, entry.ordinal);
            }
            _ => {}
        }
    }
}

fn judge(window: Window, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
    let Window { expected, got, evidence } = window;
    let holds = match (expected.channel, &expected.unasked) {
        (Channel::Blocks, _) => {
            blocks(&got, marks(&scene.profile)).is_some_and(|data| expected.pattern.matches(&data))
        }
        (_, None) => expected.pattern.matches(&got),
        (_, Some(unasked)) => expected.pattern.matches_with(unasked, &got),
    };
    findings.judge(expected.requirement, holds, || {
        let who = match expected.channel {
            Channel::Modem => "the modem says",
            Channel::Blocks => "the modem delivers in announced blocks",
            Channel::Server => "the server gets",
        };
        Violation {
            requirement: expected.requirement,
            expected: match &expected.unasked {
                None => format!("{who} `{}`", expected.pattern),
                Some(unasked) => format!(
                    "{who} `{}` with `{}` once, at one of the bars",
                    expected.pattern,
                    unasked.escape_ascii()
                ),
            },
            actual: format!("`{}`", got.escape_ascii()),
            at: entry.at,
            evidence: evidence.into_iter().chain([entry.ordinal]).collect(),
        }
    });
}

/// What stands before and behind the count that announces received data.
type Marks = (&'static [u8], &'static [u8]);

fn marks(profile: &Profile) -> Marks {
    match (profile.fitted.module, profile.modem.dialect.received_mark) {
        (Fitted::Sim800a, _) => (b"\r\n+IPD,", b":"),
        (Fitted::M6311, ReceivedMark::Plus) => (b"\r\n+IPDATA: ", b"\r\n"),
        (Fitted::M6311, ReceivedMark::Angle) => (b"\r\n<IPDATA: ", b">\r\n"),
    }
}

/// What announced blocks hold, if there is nothing but such blocks.
fn blocks(said: &[u8], (before, after): Marks) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    let mut rest = said;
    while !rest.is_empty() {
        let counted = rest.strip_prefix(before)?;
        let digits = counted.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let count: usize = std::str::from_utf8(&counted[..digits]).ok()?.parse().ok()?;
        let block = counted[digits..].strip_prefix(after)?;
        data.extend_from_slice(block.get(..count)?);
        rest = &block[count..];
    }
    Some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_announced_with_their_count_and_nothing_stands_between_them() {
        let mut profile = Profile::built_in().unwrap();
        let plus = |said: &[u8]| blocks(said, marks(&Profile::built_in().unwrap()));
        assert_eq!(plus(b"\r\n+IPDATA: 2\r\nab\r\n+IPDATA: 1\r\n\n"), Some(b"ab\n".to_vec()));
        assert_eq!(plus(b""), Some(Vec::new()));
        assert_eq!(plus(b"\r\n+IPDATA: 3\r\nab"), None);
        assert_eq!(plus(b"\r\n+IPDATA: 1\r\nab"), None);
        assert_eq!(plus(b"\r\n<IPDATA: 2>\r\nab"), None);
        assert_eq!(plus(b"ab"), None);
        profile.modem.dialect.received_mark = ReceivedMark::Angle;
        assert_eq!(blocks(b"\r\n<IPDATA: 2>\r\nab", marks(&profile)), Some(b"ab".to_vec()));
        profile.fitted.module = Fitted::Sim800a;
        assert_eq!(blocks(b"\r\n+IPD,2:ab\r\n+IPD,1:c", marks(&profile)), Some(b"abc".to_vec()));
        assert_eq!(blocks(b"\r\n+IPD,2:ab\r\n", marks(&profile)), None);
    }
}
