//! One command at a time.
//!
//! Source: MDM-H4.

use assay_sim::modem::client::ClientConfig;
use assay_sim::tape::Entry;
use assay_sim::time::{Instant, Span};
use assay_sim::water::family::Water;
use assay_sim::water::party::Event;

use super::conversation::{Conversation, Turn, name_of};
use crate::finding::{Findings, Oracle, Violation};
use crate::water::scene::Scene;

/// A command whose final result has not come.
struct Running {
    name: Vec<u8>,
    /// Before this time no other command may begin.
    until: Instant,
    ordinal: u64,
}

/// Watches that a host begins no command before the last one's final result or the end of its time.
///
/// Why: a result counts however it reads to some dialect, so that no host is blamed for knowing one more.
pub struct Pace {
    conversation: Conversation,
    running: Option<Running>,
}

impl Pace {
    /// A judge of the terminal at this place of the cast.
    pub fn new(terminal: usize) -> Self {
        Self { conversation: Conversation::new(terminal), running: None }
    }

    fn begun(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        let running = self.running.take();
        let early = running.filter(|running| entry.at < running.until);
        findings.judge("MDM-H4", early.is_none(), || {
            let (name, ordinal) = early.map_or((Vec::new(), 0), |early| (early.name, early.ordinal));
            Violation {
                requirement: "MDM-H4",
                expected: format!(
                    "no command before the final result of `{}`, or the end of its time",
                    name.escape_ascii()
                ),
                actual: "another command begins".to_owned(),
                at: entry.at,
                evidence: vec![ordinal, entry.ordinal],
            }
        });
        self.runs(b"", scene.profile.host.command_limit, entry, scene);
    }

    fn runs(&mut self, line: &[u8], limit: Span, entry: &Entry<Event>, scene: &Scene) {
        // A short time-out would vanish in the tolerance, so half of it is judged in any case.
        let slack = scene.profile.bench.tolerance.min(limit.shortened(2));
        let until = entry.at + (limit - slack);
        self.running = Some(Running { name: name_of(line).to_vec(), until, ordinal: entry.ordinal });
    }

    fn data(&mut self, entry: &Entry<Event>, scene: &Scene) {
        // Data that comes too late for its prompt is the rest of a send already given up.
        let Some(running) = &mut self.running else { return };
        if entry.at < running.until {
            let limit = scene.profile.host.send_limit;
            running.until = entry.at + (limit - scene.profile.bench.tolerance.min(limit.shortened(2)));
        }
    }

    fn said(&mut self, line: &[u8], scene: &Scene) {
        let Some(running) = &self.running else { return };
        if is_final(line, &running.name, &scene.profile.host) {
            self.running = None;
        }
    }
}

impl Oracle<Water> for Pace {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        for turn in self.conversation.observe(entry, scene) {
            match turn {
                Turn::Begun => self.begun(entry, scene, findings),
                Turn::Command(line) => self.runs(&line, limit_of(&line, &scene.profile.host), entry, scene),
                Turn::Data(_) => self.data(entry, scene),
                Turn::Line(line) => self.said(&line, scene),
                Turn::Pulled | Turn::Power(_) => self.running = None,
                Turn::Prompt | Turn::Block(_) => {}
            }
        }
    }
}

/// How long a host allows a command.
fn limit_of(line: &[u8], host: &ClientConfig) -> Span {
    match name_of(line) {
        b"AT" => host.probe_period.min(host.resync_limit),
        b"AT+CGATT" | b"AT+CGACT" | b"AT+CIICR" | b"AT+CIPSHUT" => host.attach_limit,
        b"AT+IPSEND" | b"AT+CIPSEND" => host.prompt_limit,
        _ => host.command_limit,
    }
}

/// Whether a line ends a command.
fn is_final(line: &[u8], command: &[u8], host: &ClientConfig) -> bool {
    // A host may know a link by its number.
    let line = match line {
        [b'0'..=b'9', b',', rest @ ..] => rest.strip_prefix(b" ").unwrap_or(rest),
        _ => line,
    };
    match line {
        // These two have their own words in the place of OK.
        b"OK" => !matches!(command, b"AT+CIPSHUT" | b"AT+CIFSR"),
        b"ERROR" | b"SEND OK" | b"SEND FAIL" => true,
        b"SHUT OK" => command == b"AT+CIPSHUT",
        b"CLOSE OK" => command == b"AT+CIPCLOSE",
        b"CONNECT" | b"CONNECT OK" | b"CONNECT FAIL" | b"ALREADY CONNECT" | b"COMMAND TIMEOUT" => {
            matches!(command, b"AT+IPSTART" | b"AT+CIPSTART")
        }
        b"CONNECTION CLOSED" => command == b"AT+IPSEND",
        b"CLOSED" => command == b"AT+CIPSEND",
        _ if command == b"AT+CIFSR" && is_address(line) => true,
        _ => line.starts_with(b"+CME ERROR:") || host.boot_lines.iter().any(|boot| boot.as_bytes() == line),
    }
}

fn is_address(line: &[u8]) -> bool {
    line.iter().filter(|byte| **byte == b'.').count() == 3
        && line.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_sim::water::profile::Profile;

    #[test]
    fn results_end_their_commands_and_reports_do_not() {
        let host = Profile::built_in().unwrap().host;
        for (line, command, ends) in [
            ("OK", "AT+CSQ", true),
            ("+CME ERROR: 3", "AT+CSQ", true),
            ("RDY", "AT+CSQ", true),
            ("+CSQ: 18,0", "AT+CSQ", false),
            ("CONNECTION CLOSED", "AT+CSQ", false),
            ("CONNECTION CLOSED", "AT+IPSEND", true),
            ("0, SEND OK", "AT+IPSEND", true),
            ("CONNECT OK", "AT+IPSTART", true),
            ("CONNECT OK", "AT+CSQ", false),
            ("OKAY", "AT", false),
            ("SHUT OK", "AT+CIPSHUT", true),
            ("OK", "AT+CIPSHUT", false),
            ("SHUT OK", "AT+CSQ", false),
            ("10.0.0.7", "AT+CIFSR", true),
            ("10.0.0.7", "AT+CSQ", false),
            ("OK", "AT+CIFSR", false),
            ("CLOSED", "AT+CIPSEND", true),
            ("CLOSED", "AT+CIPSTART", false),
        ] {
            assert_eq!(is_final(line.as_bytes(), command.as_bytes(), &host), ends, "{line}");
        }
    }

    #[test]
    fn each_command_has_its_time() {
        let host = Profile::built_in().unwrap().host;
        let limit = |line: &str| limit_of(line.as_bytes(), &host);
        assert_eq!(limit("AT"), Span::s(1));
        assert_eq!(limit("AT+CSQ"), Span::s(5));
        assert_eq!(limit("AT+CGACT=1,1"), Span::s(30));
        assert_eq!(limit("AT+IPSEND=20"), Span::s(10));
    }
}
