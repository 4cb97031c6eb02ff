//! Waits between tries to connect that grow, and never a tight loop.
//!
//! Source: MDM-H2.

use std::collections::VecDeque;

use assay_sim::modem::client::ClientConfig;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::{Instant, Span};
use assay_sim::water::family::Water;
use assay_sim::water::party::Event;

use super::conversation::{Conversation, Turn, name_of};
use crate::finding::{Findings, Oracle, Violation};
use crate::water::scene::Scene;

/// Watches when a host tries to connect.
pub struct Reconnects {
    conversation: Conversation,
    /// How many faults are the case's own.
    own: usize,
    /// Whether waits can be compared: a fault beyond the case's own may lengthen any of them.
    comparable: bool,
    /// Tries since data last came over a connection.
    tries: VecDeque<(Instant, u64)>,
    /// Commands refused since then.
    refusals: VecDeque<(Instant, u64)>,
    /// A start command without its outcome.
    starting: bool,
    /// When and where the last try failed.
    failed: Option<(Instant, u64)>,
    /// The wait after the failure before.
    waited: Option<Span>,
}

impl Reconnects {
    /// A judge of the terminal at this place of the cast, in a case with so many faults of its own.
    pub fn new(terminal: usize, own: usize) -> Self {
        Self {
            conversation: Conversation::new(terminal),
            own,
            comparable: true,
            tries: VecDeque::new(),
            refusals: VecDeque::new(),
            starting: false,
            failed: None,
            waited: None,
        }
    }

    fn tried(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        let window = scene.profile.host.backoff_max;
        note(&mut self.tries, entry, window);
        let most = tries_most(&scene.profile.host);
        findings.judge("MDM-H2", self.tries.len() <= most, || Violation {
            requirement: "MDM-H2",
            expected: format!("at most {most} tries to connect in {window} without any data"),
            actual: format!("{} tries", self.tries.len()),
            at: entry.at,
            evidence: self.tries.iter().map(|(_, ordinal)| *ordinal).collect(),
        });
        self.starting = true;
    }

    /// The modem refuses a command. Whatever is tried again on the way to a connection is tried in waits that grow,
    /// too: each try leaves room for a few refusals, and so do they together.
    fn refused(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        let host = &scene.profile.host;
        let window = host.backoff_max;
        note(&mut self.refusals, entry, window);
        // Registration is asked for again and again, in a pause each.
        let most = tries_most(host) * host.step_tries as usize * 2 + host.register_tries as usize;
        findings.judge("MDM-H2", self.refusals.len() <= most, || Violation {
            requirement: "MDM-H2",
            expected: format!("at most {most} refused commands in {window} without any data"),
            actual: format!("{} of them", self.refusals.len()),
            at: entry.at,
            evidence: self.refusals.iter().map(|(_, ordinal)| *ordinal).collect(),
        });
        if self.refusals.len() > most {
            // A loop is found out once for each time that it goes beyond its bound.
            self.refusals.clear();
        }
    }

    /// The host does something: the wait after a failed try is over.
    fn acted(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        let Some((failed_at, ordinal)) = self.failed.take() else { return };
        let wait = entry.at.since(failed_at);
        let Some(before) = self.waited.replace(wait) else { return };
        let longest = scene.profile.host.backoff_max;
        let slack = scene.profile.bench.tolerance.min(longest.shortened(2));
        findings.judge("MDM-H2", wait > before || wait + slack >= longest, || Violation {
            requirement: "MDM-H2",
            expected: format!("a longer wait than the {before} after the failure before, up to {longest}"),
            actual: format!("the host waits {wait}"),
            at: entry.at,
            evidence: vec![ordinal, entry.ordinal],
        });
    }

    fn said(&mut self, line: &[u8], entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if line == b"ERROR" || line.starts_with(b"+CME ERROR:") {
            self.refused(entry, scene, findings);
        }
        let failed = match line {
            b"CONNECT FAIL" | b"COMMAND TIMEOUT" | b"ERROR" => true,
            _ => line.starts_with(b"+CME ERROR:"),
        };
        if self.starting && failed && self.comparable {
            self.starting = false;
            self.failed = Some((entry.at, entry.ordinal));
        }
        if line == b"CONNECT OK" {
            self.succeeded();
        }
    }

    fn forget(&mut self) {
        self.tries.clear();
        self.refusals.clear();
    }

    fn succeeded(&mut self) {
        self.starting = false;
        self.failed = None;
        self.waited = None;
    }
}

/// Notes one more within the window that ends with it.
fn note(all: &mut VecDeque<(Instant, u64)>, entry: &Entry<Event>, window: Span) {
    while all.front().is_some_and(|(at, _)| entry.at.since(*at) >= window) {
        all.pop_front();
    }
    all.push_back((entry.at, entry.ordinal));
}

/// Waits that double from the shortest to the longest leave room for so many tries, and one more.
fn tries_most(host: &ClientConfig) -> usize {
    let doublings = (host.backoff_max.as_us() / host.backoff_min.as_us().max(1)).max(1).ilog2();
    2 + doublings as usize
}

impl Oracle<Water> for Reconnects {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if let Seen::Struck { strike } = &entry.what
            && *strike >= self.own
        {
            self.comparable = false;
            self.succeeded();
        }
        for turn in self.conversation.observe(entry, scene) {
            match turn {
                Turn::Begun | Turn::Pulled => {
                    self.starting = false;
                    self.acted(entry, scene, findings);
                }
                Turn::Command(line) if matches!(name_of(&line), b"AT+IPSTART" | b"AT+CIPSTART") => {
                    self.tried(entry, scene, findings);
                }
                Turn::Line(line) => self.said(&line, entry, scene, findings),
                Turn::Block(_) => {
                    self.succeeded();
                    self.forget();
                }
                Turn::Power(_) => {
                    self.succeeded();
                    self.forget();
                }
                Turn::Command(_) | Turn::Data(_) | Turn::Prompt => {}
            }
        }
    }
}
