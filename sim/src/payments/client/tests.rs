//! The client on its bench with the platforms, at literal times.

use std::collections::BTreeMap;

use crate::fault::{FaultPlan, Way};
use crate::money::Fen;
use crate::payments::acquirer::PayerStimulus;
use crate::payments::bench_profile::BenchProfile;
use crate::payments::family::Payments;
use crate::payments::ledger::{Manner, State};
use crate::payments::party::{Event, Party, Stimulus};
use crate::payments::plant::{Plant, Seating};
use crate::payments::policy::Policy;
use crate::policy::PolicyName;
use crate::pos::panel::{PanelEvent, PanelStimulus};
use crate::seed::Seed;
use crate::tabletop::Tabletop;
use crate::tape::{Keep, Seen};
use crate::time::{Instant, Span};

const CODE: &str = "134567890123456789";

fn plant(name: PolicyName, misbehaviour: &'static str, manner: Manner) -> Plant {
    Plant {
        profile: BenchProfile::built_in().unwrap(),
        policy: Policy::named(name).unwrap(),
        seating: Seating::Whole,
        manner,
        balance: Fen(1_000_000),
        misbehaviour,
        seed: Seed(1),
    }
}

struct Desk(Tabletop<Payments>);

impl Desk {
    fn new(plant: &Plant, plan: &str) -> Self {
        let plan = toml::from_str::<BTreeMap<String, FaultPlan>>(plan).unwrap().remove("strikes").unwrap();
        let mut bench = Tabletop::new(plant.layout().unwrap(), &plan, Keep::All).unwrap();
        bench.switch_on();
        let mut desk = Self(bench);
        desk.until(1);
        desk
    }

    fn misbehaving(misbehaviour: &'static str, manner: Manner) -> Self {
        Self::new(&plant(PolicyName::Hardened, misbehaviour, manner), "strikes = []")
    }

    fn until(&mut self, second: u64) {
        let until = Instant::ZERO + Span::s(second);
        while self.0.step(until) {}
    }

    fn till(&mut self, line: &str) {
        let seat = self.0.seat_named("till").unwrap();
        self.0.stimulate(seat, Stimulus::Till(PanelStimulus(line.to_owned())));
    }

    fn pays(&mut self) {
        let seat = self.0.seat_named("platform").unwrap();
        self.0.stimulate(seat, Stimulus::Payer(PayerStimulus::ScanAndPay));
    }

    /// What the till is told.
    fn words(&self) -> Vec<String> {
        let said = self.0.tape().entries().filter_map(|entry| match &entry.what {
            Seen::Noted { event: Event::Said(PanelEvent(line)), .. } => Some(line.clone()),
            _ => None,
        });
        said.collect()
    }

    /// The calls that are made, each with its second.
    fn calls(&self) -> Vec<(&'static str, u64)> {
        let line = self.0.line_named("pay").unwrap();
        let sent = self.0.tape().entries().filter_map(|entry| match &entry.what {
            Seen::Sent { line: on, way: Way::AtoB, name, .. } if *on == line => {
                Some((*name, entry.at.as_us() / 1_000_000))
            }
            _ => None,
        });
        sent.collect()
    }

    fn platform(&self) -> &crate::payments::Backend {
        let Party::Acquirer(acquirer) = self.0.party(self.0.seat_named("platform").unwrap()) else {
            panic!("no platform")
        };
        acquirer.backend()
    }

    fn states(&self) -> Vec<State> {
        self.platform().ledger().orders().iter().map(|order| order.state).collect()
    }

    fn findings(&self) -> usize {
        self.platform().watch().findings().count()
    }
}

#[test]
fn a_code_is_charged_and_a_repeat_of_the_till_is_not() {
    let mut desk = Desk::misbehaving("", Manner::Pays);
    desk.till(&format!("charge 7 550 {CODE}"));
    desk.until(3);
    desk.till(&format!("charge 7 550 {CODE}"));
    desk.till(&format!("charge 7 551 {CODE}"));
    desk.till("charge x");
    desk.until(200);
    assert_eq!(desk.words(), ["paid 7", "paid 7"]);
    assert_eq!(desk.calls(), [("pay", 1)]);
    assert_eq!((desk.states(), desk.findings()), (vec![State::Paid], 0));
}

#[test]
fn a_password_is_waited_for_with_five_seconds_between_questions() {
    let mut desk = Desk::misbehaving("", Manner::PaysLate { after: Span::s(12) });
    desk.till(&format!("charge 7 550 {CODE}"));
    desk.until(200);
    assert_eq!(desk.words(), ["paid 7"]);
    assert_eq!(desk.calls(), [("pay", 1), ("query", 6), ("query", 11), ("query", 16)]);
    assert_eq!((desk.states(), desk.findings()), (vec![State::Paid], 0));
}

#[test]
fn an_order_that_nobody_pays_is_undone_and_watched() {
    let mut desk = Desk::misbehaving("", Manner::Nothing);
    desk.till(&format!("charge 7 550 {CODE}"));
    desk.until(300);
    assert_eq!(desk.words(), ["failed 7 undone"]);
    let mut count = BTreeMap::new();
    for (name, _) in desk.calls() {
        *count.entry(name).or_insert(0) += 1;
    }
    assert_eq!(count, BTreeMap::from([("pay", 1), ("query", 11), ("cancel", 1)]));
    assert_eq!((desk.states(), desk.findings()), (vec![State::Reversed], 0));
}

#[test]
fn no_answer_is_no_failure_and_a_first_program_thinks_it_is() {
    let lost = "[[misbehave]]\ncall = 'pay'\nwith = { does = 'no-answer', effect = true }";
    let mut desk = Desk::misbehaving(lost, Manner::Pays);
    desk.till(&format!("charge 7 550 {CODE}"));
    desk.until(100);
    assert_eq!((desk.words(), desk.states()), (vec!["paid 7".to_owned()], vec![State::Paid]));
    let naive = plant(PolicyName::Published, lost, Manner::Pays);
    let mut desk = Desk::new(&naive, "strikes = []");
    desk.till(&format!("charge 7 550 {CODE}"));
    desk.until(100);
    assert_eq!(desk.words(), ["failed 7 AUTH_CODE_ERROR"]);
    assert_eq!(desk.states(), [State::Paid, State::Failed]);
}

#[test]
fn money_that_comes_after_the_order_was_undone_goes_back() {
    let late = "[[misbehave]]\ncall = 'cancel'\nwith = { does = 'late-success', after = '40 s' }";
    let mut desk = Desk::misbehaving(late, Manner::Nothing);
    desk.till(&format!("charge 7 550 {CODE}"));
    desk.until(300);
    assert_eq!(desk.words(), ["failed 7 undone", "failed 7 refunded"]);
    let orders = desk.platform().ledger().orders();
    assert_eq!((orders[0].state, orders[0].refunded), (State::Paid, Fen(550)));
}

#[test]
fn a_scanned_order_is_told_of_once_and_notified_until_it_is_taken() {
    let twice = "[[misbehave]]\ncall = 'notification'\nwith = { does = 'wrong-signature' }\n\
                 [[misbehave]]\ncall = 'notification'\nnth = 2\nwith = { does = 'twice', after = '2 s' }";
    let mut desk = Desk::misbehaving(twice, Manner::Pays);
    desk.till("offer 8 990");
    desk.until(2);
    assert!(desk.words()[0].starts_with("show 8 weixin://wxpay/bizpayurl?pr="), "{:?}", desk.words());
    desk.pays();
    desk.until(60);
    assert_eq!(desk.words()[1..], ["paid 8"]);
    assert_eq!(desk.states(), [State::Paid]);
    assert_eq!(desk.findings(), 0);
    assert_eq!(desk.platform().plan().unreached().count(), 0);
}

#[test]
fn an_order_that_nobody_scans_is_closed_after_five_minutes_and_no_sooner() {
    let mut desk = Desk::misbehaving("", Manner::Pays);
    desk.till("offer 8 990");
    desk.until(3);
    desk.till("cancel 8");
    desk.until(400);
    assert_eq!(desk.words()[1..], ["failed 8 closed"]);
    let close = desk.calls().into_iter().find(|(name, _)| *name == "close");
    assert_eq!(close, Some(("close", 301)));
    assert_eq!((desk.states(), desk.findings()), (vec![State::Closed], 0));
}

#[test]
fn a_client_that_is_killed_at_any_step_of_a_charge_tells_the_truth_of_it() {
    for (site, moment) in [
        ("client journal-append@1 #1", "after"),
        ("client journal-sync@1 #1", "after"),
        ("client journal-synced@1 #1", "after"),
        ("pay> pay #1", "before"),
        ("pay> pay #1", "after"),
        ("pay< answer #1", "after"),
        ("client journal-synced@1 #2", "after"),
    ] {
        for torn in ["old", "new", "neither"] {
            let fault =
                format!("{{ mishap = \"crash\", party = \"client\", torn = \"{torn}\", off = \"5 s\" }}");
            let strike = format!("[[strikes]]\nsite = \"{site}\"\nmoment = \"{moment}\"\nfault = {fault}\n");
            let mut desk = Desk::new(&plant(PolicyName::Hardened, "", Manner::Pays), &strike);
            desk.till(&format!("charge 7 550 {CODE}"));
            desk.until(90);
            desk.till(&format!("charge 7 550 {CODE}"));
            desk.until(300);
            assert!(desk.0.not_reached().is_empty(), "{site} {torn}");
            let (words, states) = (desk.words(), desk.states());
            let last = words.last().map(String::as_str).unwrap_or_default();
            let paid = states == [State::Paid];
            let told = if paid { last == "paid 7" } else { last.starts_with("failed 7 ") };
            assert!(told, "{site} {torn}: {last}, {states:?}");
            // What never left the client is not charged; what did is.
            assert!(paid || site.starts_with("client ") || moment == "before", "{site} {torn}: {states:?}");
            assert_eq!(desk.findings(), 0, "{site} {torn}");
        }
    }
}
