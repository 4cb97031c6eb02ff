//! Hopeless programs: each fails with what is wrong with it, and a whole suite of them ends.

use assay_conformance::explore::Space;
use assay_conformance::interrupt::Stop;
use assay_conformance::record::{Subject, case_record};
use assay_conformance::rig_bench::Bench;
use assay_conformance::trial::{Design, Trial, Watch};
use assay_hil::lockstep::{Limits, Lockstep, Program};
use assay_reports::Verdict;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::time::Span;

use super::seat::{SHORT, case, cases, design, program, run};

fn shell(script: &str) -> Program {
    let program = program(&["sh", "-c", script]);
    Program { limits: Limits { turn: Span::ms(500), ..program.limits }, ..program }
}

/// The verdict on a program in a case, and why.
fn judged(design: &Design, id: &str) -> (Verdict, String) {
    let case = case(id);
    let run = run(case, design);
    let subject = Subject { id: id.to_owned(), case: &case, design, bench: "tabletop", replay: None };
    let record = case_record(&subject, &case.fault_plan().expect("the case is sound"), &run);
    (record.verdict, record.why.unwrap_or_default())
}

const LOOKS_AT_THE_CLOCK: &str = r#"while read -r line; do
    printf '{"out":"text","line":"%s"}\n{"wait_us":null}\n' "$(date +%s.%N)"
done"#;

#[test]
fn each_hopeless_program_fails_with_its_reason() {
    for (script, why) in [
        ("exit 3", "it ended, or closed its output, while it was to go on; its last words: `exit status: 3`"),
        ("exec sleep 1000", "it hung: a turn did not end within 500 ms of real time"),
        (r#"exec yes '{"out":"text","line":"x"}'"#, "it flooded: more than 256 outputs in one turn"),
        // Whether these are heard in a turn or before the first is up to the scheduler.
        ("exec cat /dev/zero", "a line of it is longer than 4096 bytes | it spoke out of turn"),
        ("exec yes junk", "`junk`"),
        (
            r#"while read -r line; do echo '{"wait_us":0}'; done"#,
            "it lets no time pass: more than 2000 turns in one second",
        ),
        (
            r#"read -r line; printf '{"out":"nv_write","addr":255,"hex":"0000"}\n{"wait_us":null}\n'"#,
            "it said `nv_write of 2 bytes at 255`, but the storage has bytes 0 to 255",
        ),
        (
            r#"read -r line; printf '{"out":"tx","port":"uart","hex":"00"}\n{"wait_us":null}\n'"#,
            "it said `uart`, but the seat has the ports `tcp`, `voice` and `display`",
        ),
    ] {
        let (verdict, said) = judged(&design(shell(script), 1), "water/topup/clean");
        assert_eq!(verdict, Verdict::Fail, "{script}");
        let named = why.split(" | ").any(|why| said.contains(why));
        assert!(said.contains("breaks the lockstep contract: ") && named, "{script}\n{said}");
    }
}

#[test]
fn a_program_that_cannot_be_started_is_no_fault_of_a_device() {
    let (verdict, why) = judged(&design(program(&["/no/such/program"]), 1), "water/topup/clean");
    assert_eq!(verdict, Verdict::Broken);
    assert!(why.contains("the program cannot be started"), "{why}");
}

#[test]
fn a_program_that_looks_at_a_clock_is_named() {
    let lockstep = Lockstep::new(shell(LOOKS_AT_THE_CLOCK)).twinned();
    let design = Design::new(PolicyName::Hardened, Seed(1)).with_lockstep(lockstep);
    let (verdict, why) = judged(&design, "water/topup/clean");
    assert_eq!(verdict, Verdict::Fail);
    assert!(why.contains("it is not deterministic: two processes were given the same lines"), "{why}");
}

#[test]
fn a_silent_program_ends_every_case_and_is_not_explored() {
    let program = shell("exec sleep 1000");
    let limits = Limits { turn: Span::ms(20), ..program.limits };
    let design = design(Program { limits, ..program }, 1);
    for case in cases() {
        let trial = Trial::new(case, &design).expect("the case is sound");
        let run = trial.run_on(&Bench::Tabletop, &trial.own, SHORT, &Stop::default(), Watch::PLAIN);
        assert_eq!(run.broken, None, "{}", case.id);
        assert!(run.breach().is_some_and(|breach| breach.contains("it hung")), "{}", case.id);
    }
    let trial = Trial::new(case("water/topup/clean"), &design).expect("the case is sound");
    let space = Space::of(&trial, &Stop::default());
    assert!(space.golden.breach().is_some());
}
