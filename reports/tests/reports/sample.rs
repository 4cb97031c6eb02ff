//! A small record by hand.

use assay_reports::{
    CaseRecord, CauseRecord, Disturbance, EdgeRecord, Effect, EvidenceLine, ExampleRecord, Exhibit,
    ExplorationRecord, FaultCellRecord, FaultRowRecord, KillRecord, KindRecord, LedgerLine, Level,
    LinkRecord, MarginsRecord, Medium, MutantRecord, OverheadRecord, ProductRecord, ReplayedRecord,
    RequirementOutcome, RigRecord, RunRecord, SoakRecord, StaleWaiverRecord, SupplyRecord, TRACE_SCHEMA,
    TimerRecord, TraceEntry, TraceHead, TraceKind, TraceRecord, ValueRecord, Verdict, ViolationRecord,
    Witness,
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

pub(crate) fn margins() -> MarginsRecord {
    let edge = |effect, disturbance, governed_by: &[&str]| EdgeRecord {
        case: "water/topup/clean".into(),
        course: "gprs-a>".into(),
        message: "order-request".into(),
        disturbance,
        effect,
        requirements: if effect == Effect::Verdict { vec!["WAT-B1".into()] } else { vec![] },
        governed_by: governed_by.iter().map(|name| (*name).to_owned()).collect(),
    };
    let value = |name: &str, declared: &str, count, alone: &[&str]| ValueRecord {
        name: name.into(),
        declared: declared.into(),
        count,
        alone: alone.iter().map(|how| (*how).to_owned()).collect(),
    };
    MarginsRecord {
        system: "water".into(),
        policy: "hardened".into(),
        cases: vec!["water/topup/clean".into()],
        runs: 1_714,
        late_max_us: 409_600_000,
        lost_max: 8,
        complete: true,
        values: vec![
            value("terminal.answer_timeout", "20 s", false, &[]),
            value("terminal.sends_max", "3", true, &["one less"]),
        ],
        edges: vec![
            edge(
                Effect::Ledgers,
                Disturbance::Late { holds_us: 14_400_000, flips_us: 14_600_000 },
                &["terminal.answer_timeout"],
            ),
            edge(Effect::Verdict, Disturbance::Lost { flips: 4 }, &[]),
        ],
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

/// The exploration with a map.
pub(crate) fn mapped_exploration() -> ExplorationRecord {
    let cell = |kind: &str, total, struck, failed| FaultCellRecord {
        kind: kind.into(),
        total,
        struck,
        failed,
        unclear: 0,
        violated: vec!["WAT-I1".into()],
    };
    let row = |site: &str, cells| FaultRowRecord { site: site.into(), sites: 12, cells };
    let map = vec![
        row("uart-a> AT+IPSEND", vec![cell("lost answer", 4, 4, 0), cell("power cut", 12, 12, 3)]),
        row("terminal-a eeprom-byte@104", vec![cell("power cut", 3, 0, 0)]),
    ];
    ExplorationRecord { map, ..exploration() }
}

/// How many bytes the packets of [`trace`] take in a capture: two of 48.
pub(crate) const PACKETS: usize = 96;

/// A message on the only link.
pub(crate) fn sent(ordinal: u64, text: &str) -> TraceEntry {
    TraceEntry {
        ordinal,
        at_us: ordinal * 1_250,
        kind: TraceKind::Sent,
        link: Some(0),
        back: false,
        conn: 0,
        party: None,
        supply: None,
        on: false,
        name: Some(text.into()),
        hex: Some("4154".into()),
        claim: false,
        text: text.into(),
        exhibits: Vec::new(),
    }
}

/// A timer of the first party that runs out.
fn timer(name: &str, from: u64, until: u64) -> TimerRecord {
    TimerRecord { party: 0, name: name.into(), from_us: from * 1_000, until_us: until * 1_000, out: true }
}

/// A trace of five entries with this text in every place.
pub(crate) fn trace(text: &str) -> TraceRecord {
    let memory = Exhibit::Memory { hex: "00FF10".into(), torn: vec![1] };
    let line = LedgerLine { key: text.into(), amount: text.into(), note: text.into() };
    let ledger = Exhibit::Ledger { of: text.into(), lines: vec![line] };
    let plain = |ordinal, kind| TraceEntry { kind, link: None, hex: None, name: None, ..sent(ordinal, text) };
    TraceRecord {
        head: TraceHead {
            schema: TRACE_SCHEMA.into(),
            parties: vec![text.into(), format!("not {text}")],
            links: vec![LinkRecord {
                name: text.into(),
                kind: Medium::Serial,
                ends: [Some(0), Some(1)],
                listens: None,
            }],
            supplies: vec![SupplyRecord { name: text.into(), feeds: vec![0] }],
            timers: vec![timer(text, 0, 4)],
        },
        entries: vec![
            sent(0, text),
            TraceEntry { kind: TraceKind::Heard, name: None, ..sent(1, text) },
            plain(2, TraceKind::Fault),
            TraceEntry { supply: Some(0), ..plain(3, TraceKind::Power) },
            TraceEntry { party: Some(1), exhibits: vec![memory, ledger], ..plain(4, TraceKind::Noted) },
        ],
    }
}

/// 10,000 cases, one of them with a tape of 100,000 entries.
pub(crate) fn large() -> (RunRecord, TraceRecord) {
    let mut record = record();
    record.cases = (0..9_999)
        .map(|number| CaseRecord {
            seed: number,
            requirements: vec![outcome(&format!("WAT-I{}", number % 40), Verdict::Pass, 3)],
            ..case(&format!("water/topup/number-{number}"), Verdict::Pass)
        })
        .collect();
    let mut failed = failed_case();
    failed.trace = Some("replay/failed.trace.jsonl".into());
    record.cases.push(failed);
    let entry = |at: u64| match at % 2 {
        0 => sent(at, &format!("message type 02 \"0012345678%{at}%1%12.5\"")),
        _ => TraceEntry { kind: TraceKind::Heard, ..sent(at, "arrives  41 54") },
    };
    let mut trace = trace("uart-a");
    trace.head.parties = vec!["terminal-a".into(), "modem-a".into()];
    trace.entries = (0..100_000).map(entry).collect();
    trace.head.timers = vec![timer("answer", 1_470, 1_490)];
    (record, trace)
}

pub(crate) fn certified() -> RunRecord {
    let mut record = RunRecord::new("0.1.0", "2024-01-02", ["assay", "certify", "--rig", "till.toml"], 7);
    let mut failed = failed_case();
    failed.replayed = Some(replayed());
    record.cases = vec![case("water/topup/plain", Verdict::Pass), failed];
    record.exploration = vec![exploration()];
    record.rig = Some(rig());
    record
}
