//! A small record by hand.

use assay_reports::{
    CaseRecord, CauseRecord, EvidenceLine, ExampleRecord, ExplorationRecord, KillRecord, KindRecord, Level,
    MutantRecord, OverheadRecord, ProductRecord, ReplayedRecord, RequirementOutcome, RigRecord, RunRecord,
    SoakRecord, StaleWaiverRecord, Verdict, ViolationRecord, Witness,
};

pub(crate) fn case(id: &str, verdict: Verdict) -> CaseRecord {
    CaseRecord {
        id: id.into(),
        title: "A top-up is credited once, whatever the network does.".into(),
        system: "water".into(),
        bench: "tabletop".into(),
        policy: "published".into(),
        mutant: None,
        seed: 42,
        verdict,
        why: None,
        requirements: vec![outcome("WAT-I1", verdict, 3)],
        violations: vec![],
        plan: vec![],
        replay: None,
        tape_digest: "9f86d081884c7d65".into(),
        tape_entries: 1_214,
        virtual_us: 83_456_789,
        sites_not_reached: vec![],
        replayed: None,
        trace: None,
    }
}

pub(crate) fn outcome(id: &str, verdict: Verdict, judged: u64) -> RequirementOutcome {
    let text = "An order is credited at most once, across terminals, cuts, losses and repeats.".into();
    RequirementOutcome { id: id.into(), level: Level::Must, text, verdict, judged }
}

pub(crate) fn violation() -> ViolationRecord {
    let line = |ordinal, at_us, place: &str, witness, text: &str| EvidenceLine {
        ordinal,
        at_us,
        place: place.into(),
        witness,
        text: text.into(),
    };
    ViolationRecord {
        requirement: "WAT-I1".into(),
        level: Level::Must,
        text: "An order is credited at most once, across terminals, cuts, losses and repeats.".into(),
        expected: "order 1042: 12.50 t credited once".into(),
        actual: "order 1042: 12.50 t credited twice, 12.50 t too much".into(),
        at_us: 83_400_000,
        evidence: vec![
            line(97, 9_120_000, "card 7, block 4", Witness::Boundary, "00000000 becomes 000004e2"),
            line(1_180, 83_399_000, "terminal-a", Witness::Claim, "shows 充值成功\r\n\x1b[2J"),
            line(
                1_181,
                83_400_000,
                "card 7, block 4",
                Witness::Boundary,
                "000004e2 becomes 000009c4, although the server had closed the order before the terminal asked for \
                 the card's orders again",
            ),
        ],
    }
}

pub(crate) fn failed_case() -> CaseRecord {
    let mut case = case("water/topup/answer-lost", Verdict::Fail);
    case.requirements.push(outcome("WAT-C7", Verdict::Inconclusive, 0));
    case.violations.push(violation());
    case.plan = vec![
        "Drop the first answer to an order request on its way from the server to terminal-a.".into(),
        "Cut the power of strip a while byte 3 of the cached upload is written, with nothing of it programmed, \
         and put it on again after 2 s."
            .into(),
    ];
    case.replay =
        Some("assay replay assay-report/plans/water-topup-answer-lost-42.json --bench tabletop".into());
    case.sites_not_reached = vec!["terminal-a, EEPROM write, address 0x0120, 2nd".into()];
    case
}

pub(crate) fn exploration() -> ExplorationRecord {
    let kind = |kind: &str, sites, total, violations| KindRecord {
        kind: kind.into(),
        sites,
        total,
        values: total,
        violations,
    };
    let cause = |requirement: &str, cause: &str, count| CauseRecord {
        requirement: requirement.into(),
        cause: cause.into(),
        count,
        example: ExampleRecord {
            seed: 42,
            violation: ViolationRecord { requirement: requirement.into(), evidence: vec![], ..violation() },
            plan: vec!["Drop the answer to the result upload.".into()],
            replay: Some("assay replay assay-report/plans/explore-7.json".into()),
            tape_digest: "ab".into(),
            trace: None,
        },
    };
    ExplorationRecord {
        bench: "tabletop".to_owned(),
        system: "water".into(),
        policy: "published".into(),
        case: "water/topup/plain".into(),
        faults_a_run: 1,
        sites: 311,
        faults_total: 2_418,
        faults_struck: 2_418,
        faults_merged: 0,
        by_kind: vec![kind("power cut", 120, 1_630, 1_204), kind("lost answer", 191, 788, 1)],
        by_place: Vec::new(),
        map: Vec::new(),
        causes: vec![
            cause("WAT-I1", "the upload is repeated after the order was closed", 1_204),
            cause("WAT-I3", "the cache is not drained", 1),
        ],
        complete: true,
        verdict: Verdict::Fail,
        why: None,
    }
}

pub(crate) fn mutants() -> Vec<MutantRecord> {
    let kill =
        |case: &str, requirement: &str| KillRecord { case: case.into(), requirement: requirement.into() };
    vec![
        MutantRecord {
            name: "caches-after-send".into(),
            what: "writes the upload to the cache only after it was sent".into(),
            killed: true,
            by: vec![
                kill("water/cache/power-cut", "WAT-C1"),
                kill("water/cache/power-cut", "WAT-C4"),
                kill("water/topup/answer-lost", "WAT-I3"),
            ],
        },
        MutantRecord {
            name: "forgets-repeats".into(),
            what: "credits a repeated answer again".into(),
            killed: true,
            by: vec![kill("water/topup/answer-lost", "WAT-I1")],
        },
        MutantRecord {
            name: "never-resets".into(),
            what: "leaves the modem as it is after a missed answer".into(),
            killed: false,
            by: vec![],
        },
    ]
}

pub(crate) fn record() -> RunRecord {
    let mut record = RunRecord::new("0.1.0", "2024-01-02", ["assay", "run", "--system", "water"], 42);
    let mut skipped = case("water/tiered/remainder", Verdict::Skipped);
    skipped.why = Some("the statement excludes tiered prices".into());
    skipped.requirements.clear();
    record.cases = vec![case("water/topup/plain", Verdict::Pass), skipped, failed_case()];
    record
}

pub(crate) fn stale_waiver() -> StaleWaiverRecord {
    StaleWaiverRecord {
        case: "water/topup/plain".into(),
        bench: "world".into(),
        reason: "modem firmware is being mended".into(),
        until: "2023-12-31".into(),
    }
}

pub(crate) fn rig() -> RigRecord {
    RigRecord {
        file: "till.toml".into(),
        product: Some(ProductRecord {
            name: "Till server".into(),
            version: "2.1".into(),
            build: "sha256:00ff".into(),
            family: "pos".into(),
            role: "server".into(),
            profile: "built-in".into(),
        }),
        self_check: vec!["the clock wakes within 90 µs of a deadline".into(), "`server` is at work".into()],
        power: vec!["power of `server` (relay) cut 31 times, gone within 12 ms".into()],
        overhead: Some(OverheadRecord { transmissions: 15_221, median_us: 80, p99_us: 240, worst_us: 1_290 }),
        lacks: vec!["POS-I1 was not judged; it needs the server's ledger".into()],
        soak: Some(SoakRecord {
            asked_us: 60_000_000,
            first_seed: 7,
            rounds: [(Verdict::Pass, 40)].into(),
            faults_drawn: 81,
            faults_struck: 80,
        }),
    }
}

pub(crate) fn replayed() -> ReplayedRecord {
    ReplayedRecord { runs: 3, again: [("WAT-I1".to_owned(), 2)].into() }
}
