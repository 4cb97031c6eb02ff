//! How fast orders go through the scan-to-pay system on a tabletop: made, paid, delivered and settled, with the link
//! sealed and the platforms' ledger called directly. An element is one order.

use std::hint::black_box;

use assay_sim::fault::FaultPlan;
use assay_sim::money::Fen;
use assay_sim::paymod::family::Paymod;
use assay_sim::paymod::frame::{OrderNumber, Terms};
use assay_sim::paymod::host::HostStimulus;
use assay_sim::paymod::party::{Party, Stimulus};
use assay_sim::paymod::plant::{Carrier, Plant, Seating};
use assay_sim::paymod::platform::PayerStimulus;
use assay_sim::paymod::policy::Policy;
use assay_sim::paymod::profile::{BUILT_IN, Profile};
use assay_sim::paymod::server::books::Standing;
use assay_sim::policy::PolicyName;
use assay_sim::seed::Seed;
use assay_sim::tabletop::Tabletop;
use assay_sim::tape::{Keep, SeatId};
use assay_sim::time::Span;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// How many orders are open at a time.
const AT_ONCE: u64 = 8;
/// How many orders one measurement makes.
const ORDERS: u64 = 2_000;

/// A vending machine with its module, logged in.
#[derive(Clone)]
struct Shop {
    table: Tabletop<Paymod>,
    host: SeatId,
    platform: SeatId,
    server: SeatId,
}

impl Shop {
    fn new(cipher: &str) -> Self {
        let sealed = format!("[module]\ncipher = \"{cipher}\"\n[server]\ncipher = \"{cipher}\"\n");
        let plant = Plant {
            profile: Profile::load(BUILT_IN, &sealed.parse().expect("it is a table"), 1).expect("it reads"),
            policy: Policy::named(PolicyName::Hardened).expect("there is a reference"),
            seating: Seating::Whole,
            carrier: Carrier::Direct,
            balance: Fen(1_000_000_000),
            misbehaviour: "",
            seed: Seed(1),
        };
        let layout = plant.layout().expect("the installation is sound");
        let table = Tabletop::new(layout, &FaultPlan::default(), Keep::Last(0)).expect("there is no fault");
        let seat = |name| table.seat_named(name).expect("it is there");
        let (host, platform, server) = (seat("host"), seat("platform"), seat("server"));
        let mut shop = Self { table, host, platform, server };
        shop.table.switch_on();
        shop.go(Span::s(5));
        shop
    }

    fn go(&mut self, span: Span) {
        let until = self.table.now() + span;
        self.table.run_until(until);
    }

    /// Makes so many orders, some at a time, each paid when its link is there.
    fn sell(&mut self, orders: u64) {
        for first in (0..orders).step_by(usize::try_from(AT_ONCE).unwrap_or(1)) {
            for nth in first..first + AT_ONCE {
                let relay = u8::try_from(nth % 4 + 1).unwrap_or(1);
                let terms = Terms { amount: 1_250, channel: 1, relay, pulse_ms: 50 };
                let order = HostStimulus::Pay(OrderNumber::of(nth + 1), terms);
                self.table.stimulate(self.host, Stimulus::Host(order));
            }
            self.go(Span::s(8));
            for _ in 0..AT_ONCE {
                self.table.stimulate(self.platform, Stimulus::Payer(PayerStimulus::ScanAndPay));
            }
            self.go(Span::s(12));
        }
    }

    /// How many orders have come to their end.
    fn delivered(&self) -> u64 {
        let Party::Server(server) = self.table.party(self.server) else { return 0 };
        server.books().orders().filter(|(_, entry)| entry.standing == Standing::Delivered).count() as u64
    }
}

fn orders(c: &mut Criterion) {
    let mut group = c.benchmark_group("scan to pay, an order");
    group.sample_size(10);
    group.throughput(Throughput::Elements(ORDERS));
    for cipher in ["cbc", "gcm"] {
        let shop = Shop::new(cipher);
        let mut tried = shop.clone();
        tried.sell(ORDERS);
        assert_eq!(tried.delivered(), ORDERS, "every order is paid and delivered");
        group.bench_function(cipher, |b| {
            b.iter_batched_ref(|| shop.clone(), |shop| black_box(shop).sell(ORDERS), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, orders);
criterion_main!(benches);
