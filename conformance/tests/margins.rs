//! Margins are found where the profile puts them.

use std::path::Path;

use assay_conformance::interrupt::Stop;
use assay_conformance::margins::{MarginsPlan, margins};
use assay_conformance::run::Heading;
use assay_conformance::suite;
use assay_conformance::system::System;
use assay_conformance::trial::Design;
use assay_reports::{Disturbance, EdgeRecord, Effect, MarginsRecord};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;

const CASE: &str = "pos/payment/clean";

fn found(name: &str, overrides: &str) -> MarginsRecord {
    let mut design = Design::new(PolicyName::Hardened, Seed(0));
    design.profile.overrides = overrides.parse().expect("TOML");
    let cases = suite::cases().into_iter().filter(|case| case.id == CASE).collect();
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let heading = Heading { started: "2026-01-01".to_owned(), command: vec!["assay".to_owned()], seed: 0 };
    let plan = MarginsPlan { system: System::Pos, cases, design, out, heading };
    let mut record = margins(&plan, &Stop::default()).expect("a report");
    record.margins.remove(0)
}

fn edge<'a>(found: &'a MarginsRecord, at: &str, effect: Effect, late: bool) -> &'a EdgeRecord {
    let here = |edge: &&EdgeRecord| {
        format!("{} {}", edge.course, edge.message) == at
            && edge.effect == effect
            && matches!(edge.disturbance, Disturbance::Late { .. }) == late
    };
    found
        .edges
        .iter()
        .find(here)
        .unwrap_or_else(|| panic!("no edge of {at} for {effect:?} in {:#?}", found.edges))
}

#[test]
fn an_edge_lies_where_its_timer_is_and_moves_with_it() {
    let found_as_built = found("margins-as-built", "");
    assert!(found_as_built.complete && found_as_built.runs > 100);
    // The terminal waits 5 s for the answer after the acknowledgement; the answer itself takes up to 60 ms.
    for (found, timeout_us) in [
        (&found_as_built, 5_000_000),
        (&found("margins-slower", "[terminal]\nreply_timeout = \"7 s\""), 7_000_000),
    ] {
        let shown = edge(found, "udp-a< 008", Effect::Shown, true);
        let Disturbance::Late { holds_us, flips_us } = shown.disturbance else { unreachable!() };
        assert!(holds_us < flips_us && flips_us <= timeout_us + timeout_us / 50, "{shown:?}");
        assert!(holds_us >= timeout_us - timeout_us / 20, "{shown:?}");
        assert!(shown.governed_by.contains(&"terminal.reply_timeout".to_owned()), "{shown:?}");
        assert!(!shown.governed_by.contains(&"server.reconnect".to_owned()), "{shown:?}");
    }
}

#[test]
fn losses_are_survived_up_to_the_count_of_the_profile() {
    for (sends, overrides) in [(3, ""), (4, "[terminal]\nsends_max = 4")] {
        let found = found(&format!("margins-sends-{sends}"), overrides);
        let shown = edge(&found, "udp-a> 103", Effect::Shown, false);
        assert_eq!(shown.disturbance, Disturbance::Lost { flips: sends }, "{shown:?}");
        assert!(shown.governed_by.contains(&"terminal.sends_max".to_owned()), "{shown:?}");
    }
}
