//! What lockstep costs: a step against a bare ping-pong over the same pipes, and explored runs of the example in C.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use assay_conformance::case::Case;
use assay_conformance::explore::{Space, strike};
use assay_conformance::interrupt::Stop;
use assay_conformance::trial::{Design, Trial};
use assay_conformance::water;
use assay_hil::lockstep::process::Process;
use assay_hil::lockstep::{Limits, Lockstep, Program};
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// How many faults of the exploration one sample strikes, spread over the whole space.
const FAULTS: usize = 64;

/// How often a step and a ping-pong are held against each other, and how many of each at a time.
const ROUNDS: usize = 41;
const CALLS: u32 = 5_000;

/// What the rig says and what a program that does nothing answers.
const TOLD: &str = "{\"t_us\":20000000,\"in\":\"deadline\"}\n";
/// A program that answers every line and does nothing else, so that what is measured is the way there and back.
const IDLE: &str = r#"#include <stdio.h>
int main(void) {
    static char line[8192];
    while (fgets(line, sizeof line, stdin)) { puts("{\"wait_us\":20000000}"); fflush(stdout); }
    return 0;
}
"#;

/// Compiles a program in C, from a file or, for `-`, from this text.
fn compiled(name: &str, from: &Path, text: &str) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut compiler = Command::new("cc");
    compiler.args(["-std=c11", "-O2", "-x", "c", "-o"]).arg(&program).arg(from).stdin(Stdio::piped());
    let mut child = compiler.spawn().ok()?;
    child.stdin.take()?.write_all(text.as_bytes()).ok()?;
    child.wait().ok()?.success().then_some(program)
}

fn program(path: &Path) -> Program {
    let words = vec![path.display().to_string()];
    Program { words, dir: None, limits: Limits::built_in(), restart_in_place: true }
}

/// One bare exchange after the other with a program, without a contract.
struct PingPong {
    child: Child,
    given: ChildStdin,
    said: BufReader<ChildStdout>,
    line: String,
}

impl PingPong {
    fn with(program: &Path) -> Self {
        let mut command = Command::new(program);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let given = child.stdin.take().expect("its input is a pipe");
        let said = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        Self { child, given, said, line: String::new() }
    }

    fn exchange(&mut self) {
        self.given.write_all(TOLD.as_bytes()).expect("it reads");
        self.line.clear();
        self.said.read_line(&mut self.line).expect("it answers");
    }
}

impl Drop for PingPong {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}

/// How long so many calls take.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn timed(calls: u32, mut call: impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..calls).for_each(|_| call());
    start.elapsed()
}

#[expect(
    clippy::print_stdout,
    reason = "the ratio is what this bench is for, and criterion has no place for it"
)]
fn step(c: &mut Criterion) {
    let Some(idle) = compiled("idle", Path::new("-"), IDLE) else { return };
    let program = program(&idle);
    let mut bare = PingPong::with(&idle);
    let mut process = Process::start(&program).expect("what was compiled starts");
    // In turns, so that whatever else the computer does is in both.
    let mut percent: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let bare = timed(CALLS, || bare.exchange());
            let step = timed(CALLS, || drop(process.turn(TOLD, &program.limits).expect("it answers")));
            step.as_nanos() * 100 / bare.as_nanos().max(1)
        })
        .collect();
    percent.sort_unstable();
    println!("a step takes {} % of a bare ping-pong, the median of {ROUNDS} rounds", percent[ROUNDS / 2]);
    let mut group = c.benchmark_group("lockstep");
    group.bench_function("bare ping-pong", |b| b.iter(|| bare.exchange()));
    group.bench_function("step", |b| {
        b.iter(|| process.turn(TOLD, &program.limits).expect("it answers"));
    });
    group.finish();
}

fn exploration(c: &mut Criterion) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lockstep/water_terminal.c");
    let Some(terminal) = compiled("terminal", &source, "") else { return };
    let design = Design::new(PolicyName::Hardened, Seed(1)).with_lockstep(Lockstep::new(program(&terminal)));
    let case = water::cases().into_iter().find(|case| case.id == "water/topup/clean");
    let trial = Trial::new(Case::from(case.expect("the suite has it")), &design).expect("the case is sound");
    let strikes = Space::of(&trial, &Stop::default()).strikes;
    let picked: Vec<_> = strikes.iter().step_by(strikes.len() / FAULTS).take(FAULTS).collect();
    let mut group = c.benchmark_group("lockstep");
    group.sample_size(20);
    group.throughput(Throughput::Elements(FAULTS as u64));
    group.bench_function("single-fault runs of a top-up of the example in C, on one core", |b| {
        b.iter(|| {
            for fault in &picked {
                assert!(strike(&trial, fault, &Stop::default()).violated.is_empty());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, step, exploration);
criterion_main!(benches);
