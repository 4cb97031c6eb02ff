//! Which cases a SIM800A and its host have in common with an M6311 and its host.

use crate::water::{Case, Setup};

/// A SIM800A is fitted.
pub(super) const FITTED: &str = "[fitted]\nmodule = \"sim800a\"";

/// Each case of both dialects, its id on a SIM800A, and the values that it needs there.
const SIBLINGS: [(&str, &str, &str); 43] = [
    ("modem/boot/after-power", "modem/boot-sim800a/after-power", FITTED),
    ("modem/boot/by-key", "modem/boot-sim800a/by-key", FITTED),
    ("modem/boot/by-reset", "modem/boot-sim800a/by-reset", FITTED),
    ("modem/boot/cut-mid-command", "modem/boot-sim800a/cut-mid-command", FITTED),
    ("modem/boot/uncalled", "modem/boot-sim800a/uncalled", FITTED),
    ("modem/host/always-refused", "modem/host-sim800a/always-refused", FITTED),
    ("modem/host/boot-and-heartbeat", "modem/host-sim800a/boot-and-heartbeat", FITTED),
    ("modem/host/brown-out", "modem/host-sim800a/brown-out", FITTED),
    ("modem/host/closed-anywhere", "modem/host-sim800a/closed-anywhere", FITTED),
    ("modem/host/closed-at-any-byte", "modem/host-sim800a/closed-at-any-byte", FITTED),
    ("modem/host/closed-at-once", "modem/host-sim800a/closed-at-once", FITTED),
    ("modem/host/context-lost", "modem/host-sim800a/context-lost", FITTED),
    ("modem/host/data-before-frames", "modem/host-sim800a/data-before-frames", FITTED),
    ("modem/host/data-before-send-ok", "modem/host-sim800a/data-before-send-ok", FITTED),
    ("modem/host/data-on-its-own", "modem/host-sim800a/data-on-its-own", FITTED),
    ("modem/host/echo-never-off", "modem/host-sim800a/echo-never-off", FITTED),
    ("modem/host/garbled", "modem/host-sim800a/garbled", FITTED),
    ("modem/host/half-open", "modem/host-sim800a/half-open", FITTED),
    ("modem/host/heartbeats-unanswered", "modem/host-sim800a/heartbeats-unanswered", FITTED),
    ("modem/host/no-answer", "modem/host-sim800a/no-answer", FITTED),
    ("modem/host/reads-in-bytes", "modem/host-sim800a/reads-in-bytes", FITTED),
    ("modem/host/reads-split-and-joined", "modem/host-sim800a/reads-split-and-joined", FITTED),
    ("modem/host/reboot-at-any-byte", "modem/host-sim800a/reboot-at-any-byte", FITTED),
    ("modem/host/refused", "modem/host-sim800a/refused", FITTED),
    ("modem/host/reports-anywhere", "modem/host-sim800a/reports-anywhere", FITTED),
    ("modem/host/server-away", "modem/host-sim800a/server-away", FITTED),
    ("modem/host/slow-answers", "modem/host-sim800a/slow-answers", FITTED),
    ("modem/line/chained-and-repeated", "modem/line-sim800a/chained-and-repeated", FITTED),
    ("modem/line/data-in-pieces", "modem/line-sim800a/data-in-pieces", FITTED),
    ("modem/line/ends-and-echo", "modem/line-sim800a/ends-and-echo", FITTED),
    ("modem/line/forms-of-results", "modem/line-sim800a/forms-of-results", FITTED),
    (
        "modem/line/lf-before-data",
        "modem/line-sim800a/lf-before-data",
        "[fitted]\nmodule = \"sim800a\"\n[sim800a.module]\nprompt = { min = \"400 ms\", max = \"600 ms\" }",
    ),
    ("modem/line/split-and-joined", "modem/line-sim800a/split-and-joined", FITTED),
    ("modem/line/too-early", "modem/line-sim800a/too-early", FITTED),
    ("modem/line/too-long-or-unknown", "modem/line-sim800a/too-long-or-unknown", FITTED),
    ("modem/transparent/characters-in-time", "modem/transparent-sim800a/characters-in-time", FITTED),
    ("modem/transparent/other-pluses", "modem/transparent-sim800a/other-pluses", FITTED),
    ("modem/transparent/silence-after", "modem/transparent-sim800a/silence-after", FITTED),
    ("modem/transparent/silence-before", "modem/transparent-sim800a/silence-before", FITTED),
    ("modem/unasked/around-commands", "modem/unasked-sim800a/around-commands", FITTED),
    ("modem/unasked/around-data", "modem/unasked-sim800a/around-data", FITTED),
    ("modem/unasked/in-transparent-mode", "modem/unasked-sim800a/in-transparent-mode", FITTED),
    ("modem/unasked/received-at-a-prompt", "modem/unasked-sim800a/received-at-a-prompt", FITTED),
];

/// The same cases on a SIM800A, as far as they are listed.
pub(super) fn of(cases: &[Case]) -> Vec<Case> {
    SIBLINGS
        .iter()
        .filter_map(|(id, sibling, profile)| {
            let case = cases.iter().find(|case| case.id == *id)?;
            let shows: &[&str] = if case.shows.contains(&"MDM-A8") { &["MDM-A5"] } else { case.shows };
            let setup = Setup { profile, ..case.setup };
            Some(Case { id: sibling, shows, setup, ..*case })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sibling_has_its_case() {
        let cases = crate::modem::cases();
        for (id, sibling, _) in SIBLINGS {
            assert!(cases.iter().any(|case| case.id == id), "{id}");
            assert!(cases.iter().any(|case| case.id == sibling), "{sibling}");
        }
    }
}
