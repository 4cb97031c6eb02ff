//! The ledger's rules with literal volumes. Flat water costs 3.50 a tonne here: 4375 fen are 12.50 t, 350 fen 1 t.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::water::frame::{Offer, UploadState, WriteResult};
use crate::water::server::policy::{
    AfterClose, Doubt, OfferOrder, Remainder, Repeats, ServerPolicy, TierChoice, UnknownSold,
};
use crate::water::tariff::tests::profile_tariff;

const HARDENED: ServerPolicy = ServerPolicy::hardened();
const LIMITS: (usize, Fen) = (4, Fen(1_000_000));

fn card(digit: u8) -> CardNumber {
    CardNumber::parse(&[b'0' + digit; 10]).unwrap()
}

fn number(order: u128) -> OrderNumber {
    OrderNumber::new(order).unwrap()
}

/// A ledger under one policy, with everything about card 1 unless said otherwise.
#[derive(Clone)]
struct Desk {
    policy: ServerPolicy,
    ledger: Ledger,
    records: Vec<LedgerRecord>,
}

impl Desk {
    fn new(policy: ServerPolicy) -> Self {
        Self { policy, ledger: Ledger::default(), records: Vec::new() }
    }

    fn pay_as(&mut self, holder: u8, order: u128, pricing: Pricing, fen: i64) -> Result<u32, Refusal> {
        let payment = Prepayment { card: card(holder), order: number(order), pricing, paid: Fen(fen) };
        let tariff = profile_tariff();
        let volume = self.ledger.prepay(&self.policy, &tariff, LIMITS, &payment, &mut self.records)?;
        assert!(self.policy != HARDENED || self.ledger.totals().balanced());
        Ok(volume.0)
    }

    fn pay(&mut self, order: u128, fen: i64) -> u32 {
        self.pay_as(1, order, Pricing::Flat, fen).unwrap()
    }

    /// What a card that shows `sold` gets: state, order, volume, base.
    fn show(&mut self, sold: u32) -> (u8, u128, u32, u32) {
        self.show_as(Pricing::Flat, sold)
    }

    fn show_as(&mut self, pricing: Pricing, sold: u32) -> (u8, u128, u32, u32) {
        let ruling = self.ledger.request(&self.policy, card(1), pricing, Volume(sold), &mut self.records);
        let (offer, base) = ruling.says;
        match offer {
            Offer::None => (0, 0, 0, base.0),
            Offer::Paid { order, volume } => (1, order.value(), volume.0, base.0),
            Offer::Done { order, volume } => (2, order.value(), volume.0, base.0),
            Offer::Refused => (3, 0, 0, base.0),
        }
    }

    fn upload(&mut self, order: u128, result: WriteResult, sold: u32) -> UploadState {
        let what = (result, Volume(sold));
        self.ledger.upload(&self.policy, card(1), number(order), what, &mut self.records).says
    }

    fn state(&self, order: u128) -> OrderState {
        self.ledger.order(number(order)).unwrap().state
    }

    fn totals(&self) -> (u64, u64, u64, u64) {
        let Totals { paid, closed, open, in_doubt } = self.ledger.totals();
        (paid, closed, open, in_doubt)
    }
}

#[test]
fn an_order_is_offered_credited_and_closed_once() {
    let mut desk = Desk::new(HARDENED);
    assert_eq!(desk.show(0), (0, 0, 0, 0));
    assert_eq!(desk.pay(7, 4_375), 1_250);
    assert_eq!(desk.totals(), (1_250, 0, 1_250, 0));
    assert_eq!(desk.show(0), (1, 7, 1_250, 0));
    assert_eq!(desk.show(0), (1, 7, 1_250, 0));
    assert_eq!(desk.upload(7, WriteResult::Written, 1_250), UploadState::Closed);
    assert_eq!(desk.totals(), (1_250, 1_250, 0, 0));
    let once = desk.ledger.clone();
    for result in [WriteResult::Written, WriteResult::Failed, WriteResult::InDoubt] {
        assert_eq!(desk.upload(7, result, 1_250), UploadState::Closed);
        assert_eq!(desk.upload(7, result, 99), UploadState::Closed);
    }
    assert_eq!(desk.ledger, once);
    assert_eq!(desk.show(1_250), (0, 0, 0, 1_250));
    assert_eq!(desk.records.iter().map(LedgerRecord::kind).collect::<Vec<_>>(), [1, 2, 4]);
}

#[test]
fn a_lost_upload_is_made_good_by_what_the_card_shows() {
    let mut desk = Desk::new(HARDENED);
    desk.pay(7, 4_375);
    assert_eq!(desk.show(0), (1, 7, 1_250, 0));
    assert_eq!(desk.show(1_250), (2, 7, 1_250, 0));
    assert_eq!(desk.show(1_250), (0, 0, 0, 1_250));
    // With another order waiting, that one is offered instead.
    desk.pay(8, 350);
    desk.pay(9, 700);
    assert_eq!(desk.show(1_250), (1, 8, 100, 1_250));
    assert_eq!(desk.show(1_350), (1, 9, 200, 1_350));
    assert_eq!(desk.totals(), (1_550, 1_350, 200, 0));
}

#[test]
fn a_sold_volume_that_nothing_explains_is_refused_and_changes_nothing_but_the_alarm() {
    let mut desk = Desk::new(HARDENED);
    desk.pay(7, 4_375);
    // The order is paid but was never offered, so the card cannot have it.
    assert_eq!(desk.show(1_250), (3, 0, 0, 0));
    assert_eq!(desk.show(0), (1, 7, 1_250, 0));
    for sold in [1, 1_249, 1_251, 2_500, u32::MAX] {
        assert_eq!(desk.show(sold), (3, 0, 0, 0));
        assert_eq!(desk.ledger.card(card(1)).unwrap().alarm, Some(Volume(sold)));
        assert_eq!(desk.state(7), OrderState::Offered);
    }
    let noted = desk.records.len();
    assert_eq!(desk.show(u32::MAX), (3, 0, 0, 0));
    assert_eq!(desk.records.len(), noted);
}

#[test]
fn an_unknown_card_gets_nothing_and_leaves_nothing() {
    let mut desk = Desk::new(HARDENED);
    assert_eq!(desk.show(0), (0, 0, 0, 0));
    assert_eq!(desk.show(5), (3, 0, 0, 0));
    assert_eq!(desk.upload(7, WriteResult::Written, 5), UploadState::SetAside);
    assert_eq!((desk.ledger, desk.records), (Ledger::default(), vec![]));
}

#[test]
fn an_upload_for_another_card_is_set_aside() {
    let mut desk = Desk::new(HARDENED);
    desk.pay_as(2, 7, Pricing::Flat, 350).unwrap();
    assert_eq!(desk.upload(7, WriteResult::Written, 100), UploadState::SetAside);
    assert_eq!(desk.state(7), OrderState::Paid);
}

#[test]
fn a_doubt_is_listed_and_decided_by_the_card() {
    let mut desk = Desk::new(HARDENED);
    desk.pay(7, 4_375);
    desk.show(0);
    assert_eq!(desk.upload(7, WriteResult::InDoubt, 1_250), UploadState::Open);
    assert_eq!(desk.totals(), (1_250, 0, 0, 1_250));
    assert_eq!(desk.ledger.doubts().map(|(order, _)| order.value()).collect::<Vec<_>>(), [7]);
    let in_doubt = desk.clone();
    // A late word that nothing was credited does not take the doubt away; the card does, either way.
    assert_eq!(desk.upload(7, WriteResult::Failed, 0), UploadState::Open);
    assert_eq!(desk.ledger, in_doubt.ledger);
    assert_eq!(desk.show(0), (1, 7, 1_250, 0));
    assert_eq!(desk.totals(), (1_250, 0, 1_250, 0));
    assert_eq!(desk.ledger.doubts().count(), 0);
    let mut credited = in_doubt;
    assert_eq!(credited.show(1_250), (2, 7, 1_250, 0));
    assert_eq!(credited.totals(), (1_250, 1_250, 0, 0));
}

#[test]
fn each_pricing_gets_its_own_orders_and_one_is_out_at_a_time() {
    let mut desk = Desk::new(HARDENED);
    desk.pay_as(1, 7, Pricing::Tiered, 300).unwrap();
    desk.pay_as(1, 8, Pricing::Flat, 350).unwrap();
    assert_eq!(desk.show_as(Pricing::Flat, 0), (0, 0, 0, 0));
    assert_eq!(desk.show_as(Pricing::Tiered, 0), (1, 7, 100, 0));
    assert_eq!(desk.show_as(Pricing::Flat, 0), (0, 0, 0, 0));
    assert_eq!(desk.show_as(Pricing::Tiered, 100), (2, 7, 100, 0));
    assert_eq!(desk.show_as(Pricing::Flat, 100), (1, 8, 100, 100));
}

#[test]
fn payments_are_idempotent_and_keep_the_remainder() {
    let mut desk = Desk::new(HARDENED);
    assert_eq!(desk.pay(7, 352), 100);
    assert_eq!(desk.pay(7, 352), 100);
    assert_eq!(desk.ledger.card(card(1)).unwrap().credit, Fen(2));
    // 2 fen are left, and 2 more buy another hundredth.
    assert_eq!(desk.pay(8, 2), 1);
    assert_eq!(desk.ledger.card(card(1)).unwrap().credit, Fen(0));
    assert_eq!(desk.totals(), (101, 0, 101, 0));
    let refused = |holder, order, pricing, fen| desk.clone().pay_as(holder, order, pricing, fen).unwrap_err();
    assert_eq!(refused(1, 7, Pricing::Flat, 353), Refusal::OrderTaken);
    assert_eq!(refused(2, 7, Pricing::Flat, 352), Refusal::OrderTaken);
    assert_eq!(refused(1, 7, Pricing::Tiered, 352), Refusal::OrderTaken);
    assert_eq!(refused(1, 9, Pricing::Flat, 3), Refusal::TooSmall);
    assert_eq!(refused(1, 9, Pricing::Flat, 0), Refusal::TooSmall);
    assert_eq!(refused(1, 9, Pricing::Flat, -350), Refusal::TooSmall);
    assert_eq!(refused(1, 9, Pricing::Flat, 1_000_001), Refusal::TooMuch);
    assert_eq!(desk.clone().pay(9, 1_000_000), 285_714);
    desk.pay(9, 350);
    desk.pay(10, 350);
    assert_eq!(desk.pay_as(1, 11, Pricing::Flat, 350), Err(Refusal::TooManyOpen));
}

#[test]
fn the_tier_follows_all_that_the_card_bought() {
    let mut desk = Desk::new(HARDENED);
    // 14 t at 3.00, then 1 t at 3.00 and 1 t at 4.50, whether the first is on the card yet or not.
    assert_eq!(desk.pay_as(1, 7, Pricing::Tiered, 4_200), Ok(1_400));
    assert_eq!(desk.pay_as(1, 8, Pricing::Tiered, 750), Ok(200));
    assert_eq!(desk.pay_as(2, 9, Pricing::Tiered, 750), Ok(250));
}

#[test]
fn each_bad_choice_does_what_its_name_says() {
    let paid_and_shown = |policy| {
        let mut desk = Desk::new(policy);
        desk.pay(7, 350);
        desk.show(0);
        desk
    };
    let mut desk = paid_and_shown(ServerPolicy::published());
    assert_eq!(desk.show(100), (1, 7, 100, 100));
    assert_eq!(desk.upload(7, WriteResult::Written, 200), UploadState::Closed);
    assert_eq!(desk.show(200), (0, 0, 0, 200));

    let mut desk = paid_and_shown(ServerPolicy { repeats: Repeats::CloseAgain, ..HARDENED });
    desk.upload(7, WriteResult::Written, 100);
    desk.upload(7, WriteResult::Written, 100);
    assert_eq!(desk.totals(), (100, 200, 0, 0));
    assert!(!desk.ledger.totals().balanced());

    let mut desk = paid_and_shown(ServerPolicy { after_close: AfterClose::Reopens, ..HARDENED });
    desk.upload(7, WriteResult::Written, 100);
    assert_eq!(desk.upload(7, WriteResult::Failed, 0), UploadState::Open);
    assert_eq!(desk.show(100), (1, 7, 100, 100));

    let mut desk = paid_and_shown(ServerPolicy { offer: OfferOrder::NewestFirst, ..HARDENED });
    desk.pay(8, 700);
    assert_eq!(desk.show(0), (1, 8, 200, 0));

    let mut desk = paid_and_shown(ServerPolicy { offer: OfferOrder::SkipsOpen, ..HARDENED });
    assert_eq!(desk.show(0), (0, 0, 0, 0));
    desk.pay(8, 700);
    assert_eq!(desk.show(0), (1, 8, 200, 0));

    let mut desk = paid_and_shown(ServerPolicy { doubt: Doubt::Closes, ..HARDENED });
    assert_eq!(desk.upload(7, WriteResult::InDoubt, 0), UploadState::Closed);

    let mut desk = paid_and_shown(ServerPolicy { unknown_sold: UnknownSold::OffersAnyway, ..HARDENED });
    assert_eq!(desk.show(55), (1, 7, 100, 55));

    let mut desk = Desk::new(ServerPolicy { tier: TierChoice::AlwaysFlat, ..HARDENED });
    assert_eq!(desk.pay_as(1, 7, Pricing::Tiered, 300), Ok(85));

    let mut desk = Desk::new(ServerPolicy { remainder: Remainder::Dropped, ..HARDENED });
    assert_eq!(desk.pay(7, 352), 100);
    assert_eq!(desk.ledger.card(card(1)).unwrap().credit, Fen(0));
}

/// One thing that can happen to an order of 1.00 t on a card that the ledger has at 5.00 t.
type Happening = (&'static str, fn(&mut Desk) -> String);

const HAPPENINGS: [Happening; 7] = [
    ("shows 5.00", |desk| format!("{:?}", desk.show(500))),
    ("shows 6.00", |desk| format!("{:?}", desk.show(600))),
    ("shows 7.00", |desk| format!("{:?}", desk.show(700))),
    ("1 at 6.00", |desk| format!("{:?}", desk.upload(7, WriteResult::Written, 600))),
    ("1 at 5.00", |desk| format!("{:?}", desk.upload(7, WriteResult::Written, 500))),
    ("0 at 5.00", |desk| format!("{:?}", desk.upload(7, WriteResult::Failed, 500))),
    ("2 at 6.00", |desk| format!("{:?}", desk.upload(7, WriteResult::InDoubt, 600))),
];

#[test]
fn every_state_answers_everything_that_can_happen() {
    let mut paid = Desk::new(HARDENED);
    paid.pay(6, 1_750);
    paid.show(0);
    paid.show(500);
    paid.pay(7, 350);
    let mut offered = paid.clone();
    offered.show(500);
    let mut in_doubt = offered.clone();
    in_doubt.upload(7, WriteResult::InDoubt, 600);
    let mut closed = offered.clone();
    closed.upload(7, WriteResult::Written, 600);
    let mut table = String::new();
    for desk in [paid, offered, in_doubt, closed] {
        for (name, happen) in HAPPENINGS {
            let mut after = desk.clone();
            let answer = happen(&mut after);
            let last = after.ledger.card(card(1)).unwrap().last;
            let (from, to) = (format!("{:?}", desk.state(7)), format!("{:?}", after.state(7)));
            writeln!(table, "{from:8} {name:10} -> {to:8} last {last} answers {answer}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

fn policies() -> impl Strategy<Value = ServerPolicy> {
    prop_oneof![
        3 => Just(HARDENED),
        1 => Just(ServerPolicy::published()),
        1 => Just(ServerPolicy { doubt: Doubt::Closes, ..HARDENED }),
        1 => Just(ServerPolicy { after_close: AfterClose::Reopens, ..HARDENED }),
        1 => Just(ServerPolicy { repeats: Repeats::CloseAgain, ..HARDENED }),
        1 => Just(ServerPolicy { offer: OfferOrder::SkipsOpen, ..HARDENED }),
    ]
}

proptest! {
    #[test]
    fn replaying_the_records_gives_the_ledger_and_the_sound_ones_balance(
        policy in policies(),
        steps in proptest::collection::vec((0_u8..6, 1_u128..6, 0_u32..9), 1..60),
    ) {
        let mut desk = Desk::new(policy);
        for (what, order, amount) in steps {
            match what {
                0 => drop(desk.pay_as(1, order, Pricing::Flat, i64::from(amount) * 175)),
                1 => drop(desk.show(amount * 50)),
                2 => drop(desk.upload(order, WriteResult::Written, amount * 50)),
                3 => drop(desk.upload(order, WriteResult::Failed, amount * 50)),
                4 => drop(desk.upload(order, WriteResult::InDoubt, amount * 50)),
                _ => {
                    let last = desk.ledger.card(card(1)).map_or(0, |account| account.last.0);
                    desk.show(last);
                }
            }
            if policy == HARDENED {
                prop_assert!(desk.ledger.totals().balanced());
                let closed: Volume = desk
                    .ledger
                    .orders()
                    .filter(|(_, order)| order.state == OrderState::Closed)
                    .map(|(_, order)| order.volume)
                    .sum();
                let last = desk.ledger.card(card(1)).map_or(Volume::ZERO, |account| account.last);
                prop_assert_eq!(last, closed);
                let out = desk.ledger.orders().filter(|(_, order)| {
                    matches!(order.state, OrderState::Offered | OrderState::InDoubt)
                });
                prop_assert!(out.count() <= 1);
            }
        }
        let mut replayed = Ledger::default();
        desk.records.iter().for_each(|record| replayed.apply(record));
        prop_assert_eq!(replayed, desk.ledger);
    }
}
