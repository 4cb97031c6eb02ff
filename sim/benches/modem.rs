//! What AT exchanges cost on the tabletop: a test head asks a SIM800A, and sends data of several sizes over it.

use std::hint::black_box;

use assay_sim::fault::FaultPlan;
use assay_sim::policy::PolicyName;
use assay_sim::probe::ProbeStimulus;
use assay_sim::seed::Seed;
use assay_sim::tabletop::Tabletop;
use assay_sim::tape::{Keep, SeatId};
use assay_sim::time::Span;
use assay_sim::water::family::Water;
use assay_sim::water::party::Stimulus;
use assay_sim::water::plant::{Plant, Seating};
use assay_sim::water::policy::Policy;
use assay_sim::water::profile::{BUILT_IN, Profile};
use assay_sim::water::terminal::port::UART;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Longer than any answer takes.
const WHILE: Span = Span::s(1);

/// How many exchanges make one measurement.
const EXCHANGES: u64 = 1_000;

/// A module that is up, with a test head at either end.
struct Desk {
    bench: Tabletop<Water>,
    host: SeatId,
}

impl Desk {
    fn new() -> Self {
        let text = "[fitted]\nmodule = \"sim800a\"\n[sim800a.module]\nauto_on = true\nfinal_gap = \"0 us\"\n\
                    register = { min = \"10 ms\", max = \"20 ms\" }";
        let own = text.parse().expect("the values read");
        let plant = Plant {
            profile: Profile::load(BUILT_IN, &own, 1).expect("the profile has such values"),
            policy: Policy::named(PolicyName::Hardened),
            terminals: 1,
            cards: Vec::new(),
            seating: Seating::ProbeEnds,
            seed: Seed(1),
        };
        let layout = plant.layout().expect("the plant can be laid out");
        let mut bench =
            Tabletop::new(layout, &FaultPlan::default(), Keep::Last(16)).expect("there is no plan");
        bench.switch_on();
        let host = bench.seat_named("terminal-a").expect("the plant has a terminal");
        let mut desk = Self { bench, host };
        desk.ask(b"");
        for _ in 0..15 {
            desk.ask(b"AT\r");
        }
        desk.ask(b"ATE0\r");
        desk
    }

    /// Connected to the server's test head.
    fn connected() -> Self {
        let mut desk = Self::new();
        for line in ["AT+CSTT=\"X\"\r", "AT+CIICR\r", "", "", "", "AT+CIFSR\r"] {
            desk.ask(line.as_bytes());
        }
        desk.ask(b"AT+CIPQSEND=1\r");
        desk.ask(b"AT+CIPSTART=\"TCP\",\"10.0.0.2\",7000\r");
        desk.ask(b"");
        desk
    }

    /// Types these bytes and lets pass what follows.
    fn ask(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let stimulus = ProbeStimulus::Send(UART, bytes.to_vec());
            self.bench.stimulate(self.host, Stimulus::Probe(stimulus));
        }
        let until = self.bench.now() + WHILE;
        self.bench.run_until(until);
    }
}

fn exchanges(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("at-exchanges");
    group.throughput(Throughput::Elements(EXCHANGES));
    for line in ["AT\r", "AT+CSQ\r", "AT+CIPSTATUS\r"] {
        let mut desk = Desk::new();
        group.bench_function(BenchmarkId::from_parameter(line.trim_end()), |bencher| {
            bencher.iter(|| {
                for _ in 0..EXCHANGES {
                    desk.ask(black_box(line.as_bytes()));
                }
            });
        });
    }
    group.finish();
}

fn sends(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("at-sends");
    for len in [1_usize, 64, 1_460] {
        let mut desk = Desk::connected();
        let (line, data) = (format!("AT+CIPSEND={len}\r").into_bytes(), vec![0xA5; len]);
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            bencher.iter(|| {
                desk.ask(black_box(&line));
                desk.ask(black_box(&data));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, exchanges, sends);
criterion_main!(benches);
