//! All parties on a tabletop: what an order comes to.

use super::family::Paymod;
use super::frame::{OrderNumber, Terms, status};
use super::host::{HostEvent, HostStimulus};
use super::observe::Observed;
use super::party::{Event, Party, Stimulus};
use super::plant::{Carrier, Plant, Seating};
use super::platform::PayerStimulus;
use super::policy::Policy;
use super::profile::Profile;
use super::server::books::Standing;
use super::store::State;
use crate::fault::FaultPlan;
use crate::machine::Torn;
use crate::money::Fen;
use crate::payments::observe::PlatformSeen;
use crate::policy::PolicyName;
use crate::probe::ProbeStimulus;
use crate::seed::Seed;
use crate::tabletop::Tabletop;
use crate::tape::{Keep, LineId, Seen};
use crate::time::{Instant, Span};

const ORDER: u64 = 1_042;

struct Shop {
    table: Tabletop<Paymod>,
}

impl Shop {
    fn new(carrier: Carrier, policy: PolicyName, misbehaviour: &'static str) -> Self {
        let plant = Plant {
            profile: Profile::built_in().unwrap(),
            policy: Policy::named(policy).unwrap(),
            seating: Seating::Whole,
            carrier,
            balance: Fen(1_000_000),
            misbehaviour,
            seed: Seed(7),
        };
        let mut table = Tabletop::new(plant.layout().unwrap(), &FaultPlan::default(), Keep::All).unwrap();
        table.switch_on();
        Self { table }
    }

    fn go(&mut self, span: Span) {
        let until = self.table.now() + span;
        self.table.run_until(until);
    }

    fn host(&mut self, does: HostStimulus) {
        let seat = self.table.seat_named("host").unwrap();
        self.table.stimulate(seat, Stimulus::Host(does));
    }

    fn payer(&mut self, does: PayerStimulus) {
        let seat = self.table.seat_named("platform").unwrap();
        self.table.stimulate(seat, Stimulus::Payer(does));
    }

    fn buys(&mut self, channel: u8) {
        self.go(Span::s(60));
        let terms = Terms { amount: 1_250, channel, relay: 2, pulse_ms: 500 };
        self.host(HostStimulus::Pay(OrderNumber::of(ORDER), terms));
        self.go(Span::s(10));
    }

    fn party(&self, name: &str) -> &Party {
        self.table.party(self.table.seat_named(name).unwrap())
    }

    /// The statuses shown, the order at the server, in the flash, and what the merchant keeps.
    fn ends(&self) -> (Vec<u8>, Standing, State, Fen) {
        let shown = self.table.tape().entries().filter_map(|entry| match &entry.what {
            Seen::Noted { event: Event::Host(HostEvent::Shown { status, .. }), .. } => Some(*status),
            _ => None,
        });
        let order = OrderNumber::of(ORDER);
        let Party::Server(server) = self.party("server") else { panic!("no server") };
        let Party::Module(module) = self.party("module") else { panic!("no module") };
        let Party::Platform(platform) = self.party("platform") else { panic!("no platform") };
        let content = module.content().unwrap();
        let kept =
            PlatformSeen::of(platform.backend()).orders.iter().fold(Fen(0), |sum, one| sum + one.kept());
        let standing = server.books().order(order).unwrap().standing;
        let stored = content.order(order).unwrap();
        let state = if stored.state == State::Settled { stored.standing() } else { stored.state };
        (shown.collect(), standing, state, kept)
    }

    /// When the relay was switched on and off.
    fn pulses(&self) -> Vec<(Instant, bool)> {
        let relay: LineId = self.table.line_named("relay-2").unwrap();
        let levels = self.table.tape().entries().filter_map(|entry| match entry.what {
            Seen::Level { line, high, .. } if line == relay => Some((entry.at, high)),
            _ => None,
        });
        let mut all: Vec<(Instant, bool)> = levels.collect();
        all.dedup_by_key(|(_, high)| *high);
        all.into_iter().skip_while(|(_, high)| !high).collect()
    }
}

const SOLD: [u8; 3] = [status::WAITING_LINK, status::LINK_READY, status::PAID];

#[test]
fn an_order_is_paid_delivered_and_known_everywhere() {
    for carrier in [Carrier::Direct, Carrier::Sim800a] {
        for channel in [1, 2] {
            let mut shop = Shop::new(carrier, PolicyName::Hardened, "");
            shop.buys(channel);
            shop.payer(PayerStimulus::ScanAndPay);
            shop.go(Span::s(60));
            assert_eq!(shop.ends(), (SOLD.to_vec(), Standing::Delivered, State::Delivered, Fen(1_250)));
            let pulses = shop.pulses();
            assert_eq!(pulses.len(), 2, "{carrier:?} {channel}: {pulses:?}");
            let length = pulses[1].0.since(pulses[0].0);
            assert!(length >= Span::ms(500) && length < Span::ms(501), "{length}");
        }
    }
}

#[test]
fn an_order_that_nobody_pays_is_closed_when_the_platform_says_so() {
    for channel in [1, 2] {
        let mut shop = Shop::new(Carrier::Direct, PolicyName::Hardened, "");
        shop.buys(channel);
        shop.go(Span::s(200));
        let (seen, standing, state, kept) = shop.ends();
        assert_eq!((standing, state, kept), (Standing::Closed, State::Closed, Fen(0)));
        assert_eq!(seen[..2], [status::WAITING_LINK, status::LINK_READY]);
        assert_eq!(seen.last(), Some(&status::CLOSED));
        assert_eq!(shop.pulses(), vec![]);
    }
}

#[test]
fn a_pulse_that_power_cuts_short_is_in_doubt_and_the_money_goes_back() {
    let mut shop = Shop::new(Carrier::Direct, PolicyName::Hardened, "");
    shop.buys(1);
    shop.payer(PayerStimulus::ScanAndPay);
    while shop.pulses().is_empty() {
        shop.go(Span::ms(10));
    }
    let supply = shop.table.supply_named("module").unwrap();
    shop.table.cut(supply, Torn::Neither);
    shop.go(Span::s(5));
    shop.table.restore(supply);
    shop.go(Span::s(60));
    let (shown, standing, state, kept) = shop.ends();
    assert_eq!((standing, state, kept), (Standing::Refunded, State::Refunded, Fen(0)));
    assert_eq!(shown[2..], [status::PAID, status::DOUBT, status::REFUNDED]);
    assert_eq!(shop.pulses().len(), 2);
}

#[test]
fn a_design_that_stores_no_beginning_delivers_twice() {
    let mut shop = Shop::new(Carrier::Direct, PolicyName::Published, "");
    shop.buys(1);
    shop.payer(PayerStimulus::ScanAndPay);
    while shop.pulses().is_empty() {
        shop.go(Span::ms(10));
    }
    let supply = shop.table.supply_named("module").unwrap();
    shop.table.cut(supply, Torn::Neither);
    shop.go(Span::s(5));
    shop.table.restore(supply);
    shop.go(Span::s(60));
    assert_eq!(shop.pulses().len(), 4);
}

#[test]
fn a_cancelled_order_that_is_paid_late_is_refunded() {
    let plan = "[[misbehave]]\ncall = 'cancel'\nwith = { does = 'late-success', after = '5 s' }";
    let mut shop = Shop::new(Carrier::Direct, PolicyName::Hardened, plan);
    shop.buys(2);
    shop.payer(PayerStimulus::Scan);
    shop.host(HostStimulus::Cancel(OrderNumber::of(ORDER)));
    shop.go(Span::s(120));
    let (_, standing, state, kept) = shop.ends();
    assert_eq!((standing, state, kept), (Standing::Refunded, State::Refunded, Fen(0)));
}

#[test]
fn the_free_channel_carries_every_byte_both_ways() {
    let mut shop = Shop::new(Carrier::Direct, PolicyName::Hardened, "");
    shop.go(Span::s(10));
    let all: Vec<u8> = (0..=u8::MAX).collect();
    for half in all.chunks(128) {
        shop.host(HostStimulus::Data(half.to_vec()));
    }
    let centre = shop.table.seat_named("centre").unwrap();
    shop.table.stimulate(centre, Stimulus::Probe(ProbeStimulus::Send(crate::machine::Port(0), all.clone())));
    shop.go(Span::s(30));
    let channel = shop.table.line_named("channel").unwrap();
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for entry in shop.table.tape().entries() {
        match &entry.what {
            Seen::Heard { line, way: crate::fault::Way::BtoA, bytes, .. } if *line == channel => {
                up.extend_from_slice(bytes);
            }
            Seen::Noted { event: Event::Host(HostEvent::Data(bytes)), .. } => down.extend_from_slice(bytes),
            _ => {}
        }
    }
    assert_eq!((up, down), (all.clone(), all));
}

#[test]
fn what_is_observed_says_what_there_is() {
    let mut shop = Shop::new(Carrier::Direct, PolicyName::Hardened, "");
    shop.buys(1);
    let Party::Server(server) = shop.party("server") else { panic!("no server") };
    let Party::Module(module) = shop.party("module") else { panic!("no module") };
    let order = OrderNumber::of(ORDER);
    let books = Observed::books(server.books()).to_string();
    assert_eq!(books, format!("books: {order} 12.50 booked 0: created, offered;"));
    let flash = Observed::flash(&module.content().unwrap()).to_string();
    assert_eq!(flash, format!("flash: {order} 12.50 awaiting-payment;"));
}
