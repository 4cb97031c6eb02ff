//! What benches cost: the same small work on a bare event loop, on the tabletop, in the world and on bare turmoil.
//!
//! The work: so many clients, each with a connection to one server, send it six bytes once a second and get four back.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::convert::Infallible;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use assay_sim::bench::Bench;
use assay_sim::digest::Digest;
use assay_sim::fault::FaultPlan;
use assay_sim::link::StreamConfig;
use assay_sim::machine::{Board, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use assay_sim::seed::Seed;
use assay_sim::tabletop::{Family, Layout, Listener, Scanner, Tabletop, Unit};
use assay_sim::tape::{Fingerprint, Keep};
use assay_sim::time::{Instant, Now, Span, Wall};
use assay_sim::world::{TICK, World};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ADDRESS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 7);
const ASK: &[u8] = b"hello\n";
const ANSWER: &[u8] = b"aye\n";
const PERIOD: Span = Span::s(1);

/// A client that asks once a second, or the server that answers.
#[derive(Clone, Debug, Default)]
struct Party {
    is_client: bool,
    on: bool,
    next: Option<Instant>,
    out: VecDeque<Stamped<Output<Nothing>>>,
}

/// There is nothing to say.
#[derive(Clone, Debug)]
struct Nothing(Infallible);

impl Fingerprint for Nothing {
    fn fingerprint(&self, _add: &mut dyn FnMut(&[u8])) {
        match self.0 {}
    }
}

impl Machine for Party {
    type Stimulus = Infallible;
    type Event = Nothing;

    fn handle_input(&mut self, now: Now, input: Input<'_, Infallible>) {
        let at = now.mono;
        let mut put = |what| self.out.push_back(Stamped { at, what });
        match input {
            Input::PowerOn => {
                self.on = true;
                if self.is_client {
                    put(Output::Open { port: Port(1), to: ADDRESS });
                }
            }
            Input::Opened { .. } if self.is_client => self.next = Some(at + PERIOD),
            Input::Deadline => {
                put(Output::Transmit { port: Port(1), bytes: ASK.to_vec() });
                self.next = Some(at + PERIOD);
            }
            Input::Received { port, .. } if !self.is_client => {
                put(Output::Transmit { port, bytes: ANSWER.to_vec() });
            }
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<Nothing>>> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    fn digest(&self, _now: Instant, into: &mut Digest) {
        into.flag(self.on).deadline(self.next);
    }
}

impl Board for Party {
    fn cut(&mut self, _at: Instant, _torn: Torn) {
        *self = Self { is_client: self.is_client, ..Self::default() };
    }

    fn is_on(&self) -> bool {
        self.on
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        None
    }
}

/// Each transmission as it is.
#[derive(Clone, Debug, Default)]
struct Whole(usize);

impl Scanner for Whole {
    fn push(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn poll(&mut self) -> Option<Unit> {
        let len = std::mem::take(&mut self.0);
        (len > 0).then_some(Unit { len, name: "message" })
    }

    fn flush(&mut self) -> Option<Unit> {
        self.poll()
    }
}

#[derive(Clone, Copy, Debug)]
struct Talk;

impl Family for Talk {
    type Party = Party;
    type Stimulus = Infallible;
    type Event = Nothing;
    type Scanner = Whole;

    fn suffering(_what: &str) -> Option<Infallible> {
        None
    }

    fn meaning(_name: &str, _bytes: &[u8]) -> Option<String> {
        None
    }

    fn event_words(event: &Nothing) -> String {
        match event.0 {}
    }
}

fn layout(clients: u16) -> Layout<Talk> {
    let mut layout = Layout::new(Wall::from_us(0), Span::ms(20), 16);
    let server = layout.seat("server", Party::default());
    layout.supply("server", &[server]);
    for number in 0..clients {
        let client = layout.seat(format!("client-{number}"), Party { is_client: true, ..Party::default() });
        layout.supply(format!("client-{number}"), &[client]);
        let listener = Listener { seat: server, address: ADDRESS, first: Port(100 + number), ports: 1 };
        let path = StreamConfig {
            latency_min: Span::ms(20),
            latency_max: Span::ms(20),
            connect_timeout: Span::s(5),
            user_timeout: Span::s(60),
        };
        let scanners = [Whole::default(), Whole::default()];
        layout.stream(format!("path-{number}"), ((client, Port(1)), 1), listener, path, Seed(1), scanners);
    }
    layout
}

fn on_tabletop(layout: Layout<Talk>, span: Span) -> u64 {
    let mut bench = Tabletop::new(layout, &FaultPlan::default(), Keep::Last(64)).expect("an empty plan fits");
    bench.switch_on();
    bench.run_until(Instant::ZERO + span);
    bench.tape().len()
}

fn in_world(layout: Layout<Talk>, span: Span) -> u64 {
    let mut world =
        World::new(layout, &FaultPlan::default(), Keep::Last(64), Seed(1)).expect("an empty plan fits");
    world.switch_on();
    while world.step(Instant::ZERO + span).expect("a world goes on") {}
    world.tape().len()
}

/// Turmoil as its own examples use it: one host a client, a step of a millisecond.
fn on_bare_turmoil(clients: u16, span: Span) -> u64 {
    let mut sim = turmoil::Builder::new()
        .rng_seed(1)
        .epoch(std::time::SystemTime::UNIX_EPOCH)
        .tick_duration(Duration::from_millis(1))
        .min_message_latency(Duration::from_millis(20))
        .max_message_latency(Duration::from_millis(20))
        .simulation_duration(Duration::MAX)
        .build();
    sim.host("server", || async {
        let listener = turmoil::net::TcpListener::bind(("0.0.0.0", 7)).await?;
        loop {
            let (mut stream, _) = listener.accept().await?;
            tokio::task::spawn_local(async move {
                let mut ask = [0; ASK.len()];
                while stream.read_exact(&mut ask).await.is_ok() && stream.write_all(ANSWER).await.is_ok() {}
            });
        }
    });
    for number in 0..clients {
        sim.host(format!("client-{number}"), || async {
            let mut stream = turmoil::net::TcpStream::connect(("server", 7)).await?;
            let mut answer = [0; ANSWER.len()];
            loop {
                tokio::time::sleep(Duration::from_micros(PERIOD.as_us())).await;
                stream.write_all(ASK).await?;
                stream.read_exact(&mut answer).await?;
            }
        });
    }
    let steps = span.as_ms();
    for _ in 0..steps {
        sim.step().expect("no host fails");
    }
    steps
}

/// What the same work costs with nothing around it: a queue of who is next.
fn on_event_loop(clients: u16, span: Span) -> u64 {
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum What {
        Ask,
        Asked,
        Answered,
    }
    let mut queue: BinaryHeap<Reverse<(Instant, u16, What)>> =
        (0..clients).map(|client| Reverse((Instant::ZERO + PERIOD, client, What::Ask))).collect();
    let (mut bytes, end) = (0, Instant::ZERO + span);
    while let Some(Reverse((at, client, what))) = queue.pop().filter(|Reverse((at, ..))| *at <= end) {
        match what {
            What::Ask => {
                bytes += black_box(ASK.to_vec()).len() as u64;
                queue.push(Reverse((at + Span::ms(20), client, What::Asked)));
                queue.push(Reverse((at + PERIOD, client, What::Ask)));
            }
            What::Asked => {
                bytes += black_box(ANSWER.to_vec()).len() as u64;
                queue.push(Reverse((at + Span::ms(20), client, What::Answered)));
            }
            What::Answered => {}
        }
    }
    bytes
}

/// The same work of fifty clients for two seconds, on everything.
fn same_work(c: &mut Criterion) {
    const CLIENTS: u16 = 50;
    let span = Span::s(2);
    let mut group = c.benchmark_group("50 clients, 2 seconds");
    group.sample_size(10);
    let layout = layout(CLIENTS);
    group.bench_function("bare event loop", |b| b.iter(|| on_event_loop(black_box(CLIENTS), span)));
    group.bench_function("tabletop", |b| b.iter(|| on_tabletop(layout.clone(), span)));
    group.bench_function("world", |b| b.iter(|| in_world(layout.clone(), span)));
    group.bench_function("bare turmoil, one host each, 1 ms", |b| {
        b.iter(|| on_bare_turmoil(black_box(CLIENTS), span));
    });
    group.finish();
}

/// What a world costs a host and step; one element is one of these.
fn host_steps(c: &mut Criterion) {
    let span = Span::s(10);
    let mut group = c.benchmark_group("world, a host and step");
    group.sample_size(10);
    for clients in [1_u16, 3, 7] {
        let hosts = u64::from(clients) + 1;
        group.throughput(Throughput::Elements(hosts * (span.as_us() / TICK.as_us())));
        let layout = layout(clients);
        group.bench_with_input(BenchmarkId::new("hosts", hosts), &layout, |b, layout| {
            b.iter(|| in_world(layout.clone(), span));
        });
    }
    group.finish();
}

criterion_group!(benches, same_work, host_steps);
criterion_main!(benches);
