//! How fast payments go through the POS system while the judge of money looks on: what one costs as terminals and
//! payments become more. An element is a payment that was acknowledged to its end: 103, 001, 008, 109, 001. The time is
//! that which the processor gives to it, so that what others do on the machine is not counted.

use std::collections::VecDeque;
use std::time::Duration;

use assay_conformance::finding::{Findings, Oracle as _};
use assay_conformance::pos::oracles::money::Money;
use assay_conformance::pos::scene::Scene;
use assay_conformance::system::Sut;
use assay_sim::bench::{Jumps, Paced};
use assay_sim::card::number::CardNumber;
use assay_sim::fault::FaultPlan;
use assay_sim::money::Fen;
use assay_sim::policy::PolicyName;
use assay_sim::pos::observe::{Ledger, Observed};
use assay_sim::pos::panel::PanelStimulus;
use assay_sim::pos::party::{Event, Party, Stimulus};
use assay_sim::pos::plant::{CardSpec, Plant, Seating, TerminalSpec, port};
use assay_sim::pos::policy::Policy;
use assay_sim::pos::profile::{BUILT_IN, Profile};
use assay_sim::pos::terminal::installed::Mode;
use assay_sim::probe::ProbeStimulus;
use assay_sim::seed::Seed;
use assay_sim::tape::{Keep, Seen};
use assay_sim::time::{Instant, Span};
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group,
    criterion_main,
};
use rustix::time::{ClockId, clock_gettime};

const CARD: &str = "8888888888";
const STARTED_WITH: i64 = 1_000_000_000;
const CARDS: &[CardSpec] = &[CardSpec::good(CARD, STARTED_WITH, 0)];
const SPECS: &[TerminalSpec] = &[TerminalSpec { mode: Mode::Fixed(Fen(1)), ..TerminalSpec::ORDINARY }];

/// Small parts, so that ten thousand terminals have room: nothing is booked off line here.
const SMALL: &str = "
    store = { sector_len = 512, records_max = 5 }
    flash = { sector_len = 512 }
";
/// How long people wait at a terminal before the next tap: longer than a card rests.
const PAUSE: Span = Span::s(4);
/// How many payments are under way at a time, where there are so many terminals.
const AT_ONCE: usize = 100;
/// How much of the tape is kept for each payment under way: more than one step adds, after which the judge has seen it.
const KEPT_EACH: usize = 2;
/// When every terminal has started.
const STARTED: Instant = Instant::from_us(10_000_000);

/// Terminals, or test heads in their places, before a server; and who looks on.
#[derive(Clone)]
struct Fleet {
    bench: assay_sim::tabletop::Tabletop<assay_sim::pos::family::Pos>,
    scene: Scene,
    money: Money,
    findings: Findings,
    /// The next entry to look at.
    next: u64,
    tills: Vec<Till>,
    /// Whose turn it is.
    turn: usize,
    /// Terminals whose next tap is due, and when.
    taps: VecDeque<(Instant, usize)>,
    /// Payments that are still to begin.
    left: u64,
    acknowledged: u64,
}

/// One terminal's payment under way.
#[derive(Clone, Default)]
struct Till {
    /// Whether a payment is under way.
    busy: bool,
    sales: u64,
    seq: u64,
    /// The confirmation's sequence number, once it was sent.
    confirmed: Option<[u8; 5]>,
    /// The last 103 and 109, of which the next differ in a few digits: what a test head sends costs a bench little.
    payment: Vec<u8>,
    confirmation: Vec<u8>,
}

fn write_digits(into: &mut [u8], mut number: u64) {
    for digit in into.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
}

impl Fleet {
    fn new(seating: Seating, terminals: usize, at_once: usize) -> Self {
        let overrides = toml::from_str(SMALL).expect("the overrides read");
        let plant = Plant {
            profile: Profile::load(BUILT_IN, &overrides, 1).expect("the profile reads"),
            policy: Policy::named(PolicyName::Hardened).expect("there is a reference"),
            terminals,
            specs: SPECS,
            cards: CARDS,
            seating,
            seed: Seed(1),
        };
        let layout = plant.layout().expect("there are ports for all");
        let table = assay_sim::tabletop::Tabletop::new(
            layout,
            &FaultPlan::default(),
            Keep::Last(32 + KEPT_EACH * at_once),
        );
        let mut bench = Paced { table: table.expect("an empty plan fits"), pace: Jumps };
        let scene = Scene::new(&plant, Sut::Server, 0, &bench).expect("the plant is on the bench");
        bench.table.switch_on();
        bench.table.run_until(STARTED);
        Self {
            next: bench.table.tape().len(),
            bench: bench.table,
            scene,
            money: Money::default(),
            findings: Findings::default(),
            tills: vec![Till::default(); terminals],
            turn: 0,
            taps: VecDeque::new(),
            left: 0,
            acknowledged: 0,
        }
    }

    /// The same, when each terminal has paid once: what there is to be set up for a terminal is set up.
    fn used(seating: Seating, terminals: usize, at_once: usize) -> Self {
        let mut fleet = Self::new(seating, terminals, at_once);
        fleet.pay(terminals as u64, AT_ONCE.min(at_once));
        fleet
    }

    /// Makes so many payments, at most so many at a time, at all terminals in turn: the next begins as soon as one is
    /// acknowledged.
    fn pay(&mut self, payments: u64, at_once: usize) {
        self.left = payments;
        let end = self.acknowledged + payments;
        for _ in 0..at_once.min(self.tills.len()) {
            self.begin();
        }
        while self.acknowledged < end {
            let tap = self.taps.front().map(|(at, _)| *at);
            if !self.bench.step(tap.unwrap_or(Instant::from_us(u64::MAX))) {
                let (_, place) = self.taps.pop_front().expect("a bench with payments under way goes on");
                self.tap(place);
            }
            self.look();
        }
    }

    fn begin(&mut self) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        while std::mem::replace(&mut self.tills[self.turn].busy, true) {
            self.turn = (self.turn + 1) % self.tills.len();
        }
        let place = self.turn;
        self.turn = (place + 1) % self.tills.len();
        if self.scene.seating == Seating::ProbeTerminals {
            self.send_payment(place);
        } else {
            self.taps.push_back((self.bench.now() + PAUSE, place));
        }
    }

    fn tap(&mut self, place: usize) {
        let panel = self.scene.terminals[place].panel;
        self.bench.stimulate(panel, Stimulus::Panel(PanelStimulus(format!("tap {CARD}"))));
    }

    fn send_payment(&mut self, place: usize) {
        let (cast, till) = (&self.scene.terminals[place], &mut self.tills[place]);
        let second = till.sales;
        till.sales += 1;
        if second % 86_400 == 0 || till.payment.is_empty() {
            let date = 3 + second / 86_400;
            till.payment = format!(
                "103,00000,{},10.0.0.2,{},{CARD},0.01,2024-01-{date:02} 00:00:00,{}",
                cast.address, cast.machine, cast.serial
            )
            .into_bytes();
        }
        let end = till.payment.len() - cast.serial.len() - 1;
        write_digits(&mut till.payment[4..9], till.seq);
        write_digits(&mut till.payment[end - 8..end - 6], second / 3_600 % 24);
        write_digits(&mut till.payment[end - 5..end - 3], second / 60 % 60);
        write_digits(&mut till.payment[end - 2..end], second % 60);
        till.seq = (till.seq + 1) % 100_000;
        let datagram = till.payment.clone();
        self.send(place, datagram);
    }

    fn send_confirmation(&mut self, place: usize) {
        let (cast, till) = (&self.scene.terminals[place], &mut self.tills[place]);
        if till.confirmation.is_empty() {
            till.confirmation =
                format!("109,00000,{},10.0.0.2,{},008,{CARD},{}", cast.address, cast.machine, cast.serial)
                    .into_bytes();
        }
        write_digits(&mut till.confirmation[4..9], till.seq);
        till.seq = (till.seq + 1) % 100_000;
        let datagram = till.confirmation.clone();
        self.send(place, datagram);
    }

    fn send(&mut self, place: usize, bytes: Vec<u8>) {
        let seat = self.scene.terminals[place].terminal;
        self.bench.stimulate(seat, Stimulus::Probe(ProbeStimulus::Send(port::NET, bytes)));
    }

    /// Shows the judge what is new, and has test heads do what terminals would.
    fn look(&mut self) {
        let (mut confirm, mut over) = (None, None);
        for entry in self.bench.tape().since(self.next) {
            self.next = entry.ordinal + 1;
            self.money.observe(entry, &self.scene, &mut self.findings);
            match &entry.what {
                Seen::Heard { line, way: Scene::DOWN, bytes, .. } => {
                    let Some(place) = self.scene.terminal_on_udp(*line) else { continue };
                    let till = &mut self.tills[place];
                    if bytes.starts_with(b"008,") && self.scene.seating == Seating::ProbeTerminals {
                        confirm = Some(place);
                    } else if till.confirmed.as_ref().is_some_and(|seq| bytes[4..] == seq[..]) {
                        till.confirmed = None;
                        over = Some(place);
                    }
                }
                Seen::Sent { line, way: Scene::UP, name: "109", bytes, .. } => {
                    let Some(place) = self.scene.terminal_on_udp(*line) else { continue };
                    self.tills[place].confirmed = bytes[4..9].try_into().ok();
                }
                _ => {}
            }
        }
        if let Some(place) = confirm {
            self.send_confirmation(place);
        }
        if let Some(place) = over {
            self.acknowledged += 1;
            self.tills[place].busy = false;
            self.begin();
        }
    }

    /// Holds that every payment was charged once, as the books and the judge say.
    fn check(&mut self, payments: u64) {
        let server = self.scene.server;
        let Party::Server(board) = self.bench.party(server) else { panic!("the server sits elsewhere") };
        let ledger = Ledger::of(board.books());
        let card = CardNumber::parse(CARD.as_bytes()).expect("it has ten digits");
        let spent =
            ledger.accounts.iter().find(|(known, _)| *known == card).map(|(_, account)| account.balance);
        assert_eq!(spent, Some(Fen(STARTED_WITH - payments.cast_signed())));
        assert_eq!(ledger.unconfirmed, []);
        self.bench.note(server, Event::Observed(Observed::Ledger(Box::new(ledger))));
        self.look();
        // Test heads show nothing to people, which the judge cannot know.
        if self.scene.seating == Seating::Whole {
            assert!(self.findings.violations.is_empty(), "{:?}", self.findings.violations.first());
        }
        assert!(self.findings.judged.contains_key("POS-I1"));
    }
}

/// Processor time of the thread.
struct ProcessorTime;

impl Measurement for ProcessorTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::try_from(time).expect("time is not below nothing")
    }

    fn end(&self, start: Duration) -> Duration {
        self.start().saturating_sub(start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, time: &Duration) -> f64 {
        WallTime.to_f64(time)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// One point of the curve by terminals: payments of an installation that goes on from one sample to the next.
fn ongoing(
    group: &mut BenchmarkGroup<'_, ProcessorTime>,
    name: BenchmarkId,
    fleet: &mut Fleet,
    (payments, at_once): (u64, usize),
) {
    group.throughput(Throughput::Elements(payments));
    group.bench_function(name, |b| b.iter(|| fleet.pay(payments, at_once)));
}

/// One point of a curve that begins anew with each sample.
fn point(
    group: &mut BenchmarkGroup<'_, ProcessorTime>,
    name: BenchmarkId,
    fleet: &Fleet,
    (payments, at_once): (u64, usize),
) {
    group.throughput(Throughput::Elements(payments));
    group.bench_function(name, |b| {
        b.iter_batched_ref(|| fleet.clone(), |fleet| fleet.pay(payments, at_once), BatchSize::PerIteration);
    });
}

fn curve(c: &mut Criterion<ProcessorTime>, name: &str, seating: Seating, most: [u64; 2]) {
    let mut checked = Fleet::new(seating, 10, AT_ONCE);
    checked.pay(1_000, AT_ONCE);
    checked.check(1_000);
    let mut group = c.benchmark_group(name);
    group.sample_size(10).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_secs(1));
    for (at_once, name) in [
        (10, "10000 payments, 10 at a time, terminals"),
        (AT_ONCE, "10000 payments, terminals"),
        (usize::MAX, "10000 payments, as many at a time as terminals"),
    ] {
        for terminals in [1, 10, 100, 1_000, 10_000] {
            let at_once = at_once.min(terminals);
            let mut fleet = Fleet::used(seating, terminals, at_once);
            ongoing(&mut group, BenchmarkId::new(name, terminals), &mut fleet, (most[0], at_once));
        }
    }
    let name = BenchmarkId::new("the first payment at each, terminals", 10_000);
    point(&mut group, name, &Fleet::new(seating, 10_000, AT_ONCE), (10_000, AT_ONCE));
    let fleet = Fleet::used(seating, 100, AT_ONCE);
    for payments in [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(|payments| *payments <= most[1]) {
        point(&mut group, BenchmarkId::new("100 terminals, payments", payments), &fleet, (payments, AT_ONCE));
    }
    group.finish();
}

/// The server alone, before test heads.
fn server(c: &mut Criterion<ProcessorTime>) {
    curve(c, "pos server", Seating::ProbeTerminals, [10_000, 1_000_000]);
}

/// Terminals and the server.
fn system(c: &mut Criterion<ProcessorTime>) {
    curve(c, "pos system", Seating::Whole, [10_000, 100_000]);
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ProcessorTime);
    targets = server, system
}
criterion_main!(benches);
