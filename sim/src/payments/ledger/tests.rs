//! The books: what no sequence of calls may change.

use proptest::prelude::*;

use super::*;
use crate::payments::call::RefundTerms;
use crate::time::Wall;

fn now(s: u64) -> Now {
    Now { mono: Instant::ZERO + Span::s(s), wall: Wall::from_us(i64::try_from(s).unwrap() * 1_000_000) }
}

fn call(operation: Operation) -> Call {
    let (merchant, echo) = ("shop".to_owned(), BTreeMap::new());
    Call { platform: Platform::Alipay, merchant, operation, echo }
}

fn pay(number: &str, fen: i64, code: &str) -> Call {
    let terms = Terms { number: number.into(), amount: Fen(fen), ..Terms::default() };
    call(Operation::Pay { terms, code: code.into() })
}

fn refund(number: &str, refund: Option<&str>, fen: i64) -> Call {
    let order = OrderRef::Number(number.into());
    let number = refund.map(str::to_owned);
    call(Operation::Refund(RefundTerms {
        order,
        number,
        amount: Fen(fen),
        total: None,
        reason: String::new(),
    }))
}

fn open() -> Ledger {
    let mut ledger = Ledger::new(Profile::built_in());
    ledger.add_merchant(House::Alipay, "shop");
    ledger.add_payer("ada", Fen(10_000), Manner::Pays);
    ledger.give_strange_codes_to("ada");
    ledger
}

/// At Alipay a refund's number counts within its trade, and a refund without one is of the whole.
#[test]
fn refunds_are_numbered_within_a_trade() {
    let mut ledger = open();
    for (number, code) in [("T1", "2500000000000001"), ("T2", "2500000000000002")] {
        assert_eq!(ledger.handle_call(now(0), &pay(number, 500, code)).result, Ok(()));
    }
    let mut result = |call: Call| ledger.handle_call(now(1), &call).result;
    assert_eq!(result(refund("T1", None, 499)), Err(Refusal::RefundUnnumbered));
    assert_eq!(result(refund("T1", Some("R1"), 100)), Ok(()));
    assert_eq!(result(refund("T1", Some("R1"), 100)), Ok(()));
    assert_eq!(result(refund("T2", Some("R1"), 200)), Ok(()));
    assert_eq!(result(refund("T2", None, 500)), Err(Refusal::RefundTooMuch));
    assert_eq!(ledger.merchant_balance(House::Alipay, "shop"), Some(Fen(700)));
    let deeds: Vec<String> = ledger.trail().iter().map(|entry| entry.deed.to_string()).collect();
    assert_eq!(
        deeds,
        [
            "made, 5.00",
            "ada paid 5.00",
            "made, 5.00",
            "ada paid 5.00",
            "refund R1: 1.00 went back",
            "refund R1: 2.00 went back",
        ]
    );
}

#[test]
fn a_fork_goes_its_own_way_and_its_digest_says_so() {
    let digest = |ledger: &Ledger| {
        let mut digest = Digest::new(Instant::ZERO);
        ledger.digest(&mut digest);
        digest.finish()
    };
    let mut ledger = open();
    ledger.handle_call(now(0), &pay("T1", 500, "2500000000000001"));
    let mut fork = ledger.clone();
    assert_eq!(digest(&fork), digest(&ledger));
    fork.handle_call(now(0), &refund("T1", Some("R1"), 1));
    assert_ne!(digest(&fork), digest(&ledger));
}

/// The oldest orders go, with all that hangs on them; money that has moved stays where it is.
#[test]
fn a_full_ledger_forgets_the_oldest_eighth() {
    let small = toml::toml! {
        backend = { orders_max = 16 }
        payers = { password_free_a_day = 10000 }
    };
    let mut ledger = Ledger::new(Profile::load(&small).unwrap());
    ledger.add_merchant(House::Alipay, "shop");
    ledger.add_payer("ada", Fen(10_000), Manner::Pays);
    ledger.give_strange_codes_to("ada");
    let mut made = 0;
    let mut pays = |ledger: &mut Ledger| {
        made += 1;
        let (number, code) = (format!("T{made}"), format!("25{made:014}"));
        ledger.handle_call(now(made), &pay(&number, 10, &code)).result
    };
    for _ in 0..16 {
        assert_eq!(pays(&mut ledger), Ok(()));
    }
    let asked = |ledger: &mut Ledger, number: &str| {
        ledger.handle_call(now(99), &call(Operation::Query(OrderRef::Number(number.into())))).result
    };
    assert_eq!(ledger.handle_call(now(50), &refund("T1", Some("R1"), 4)).result, Ok(()));
    assert_eq!(
        (ledger.orders().len(), ledger.first_order(), asked(&mut ledger, "T1")),
        (16, OrderId(0), Ok(()))
    );
    assert_eq!(pays(&mut ledger), Ok(()));
    assert_eq!((ledger.orders().len(), ledger.first_order(), ledger.refunds().len()), (15, OrderId(2), 0));
    for (number, known) in [("T1", false), ("T2", false), ("T3", true), ("T17", true)] {
        let expected = if known { Ok(()) } else { Err(Refusal::NoSuchOrder) };
        assert_eq!(asked(&mut ledger, number), expected, "{number}");
    }
    assert!(ledger.trail().iter().all(|entry| entry.order >= OrderId(2)));
    for _ in 0..900 {
        assert_eq!(pays(&mut ledger), Ok(()));
    }
    assert!(ledger.orders().len() <= 16 && ledger.trail().len() <= 16 * 4, "{}", ledger.trail().len());
    assert_eq!(ledger.total(), Fen(10_000));
}

#[test]
fn money_of_an_order_goes_back_fifty_times_and_no_more() {
    let mut ledger = open();
    ledger.handle_call(now(0), &pay("T1", 500, "2500000000000001"));
    for count in 1..=51 {
        let result = ledger.handle_call(now(1), &refund("T1", Some(&format!("R{count}")), 1)).result;
        assert_eq!(result, if count <= 50 { Ok(()) } else { Err(Refusal::RefundTooMuch) }, "{count}");
    }
    // One that was made is still told of.
    assert_eq!(ledger.handle_call(now(2), &refund("T1", Some("R50"), 1)).result, Ok(()));
}

proptest! {
    /// Whatever is called in whatever order: no money is made or lost, nothing goes back that was not paid, and the
    /// trail adds up to the balances.
    #[test]
    fn money_is_neither_made_nor_lost(
        steps in prop::collection::vec((0_u8..7, 0_usize..3, 1_i64..700, 0_u64..40), 1..60)
    ) {
        let mut ledger = open();
        let total = ledger.total();
        let (mut time, mut code) = (0, 2_500_000_000_000_000_u64);
        for (what, number, fen, wait) in steps {
            time += wait;
            code += 1;
            let number = ["T1", "T2", "T3"][number];
            let order = OrderRef::Number(number.into());
            let call = match what {
                0 => pay(number, fen, &code.to_string()),
                1 => call(Operation::Precreate(Terms { number: number.into(), amount: Fen(fen), ..Terms::default() })),
                2 => call(Operation::Cancel(order)),
                3 => call(Operation::Close(order)),
                4 => refund(number, Some(["R1", "R2"][usize::from(fen % 2 == 0)]), fen),
                5 => {
                    if let Some(id) = ledger.find(House::Alipay, "shop", &order) {
                        ledger.plan_late_success(now(time), id, Span::s(30));
                    }
                    call(Operation::Query(order))
                }
                _ => {
                    if let Some(id) = ledger.find(House::Alipay, "shop", &order) {
                        ledger.handle_scan(now(time), id, "ada");
                        ledger.handle_proceed(now(time), id);
                    }
                    call(Operation::Query(order))
                }
            };
            ledger.handle_call(now(time), &call);
            prop_assert_eq!(ledger.total(), total);
        }
        let booked = ledger.trail().iter().fold(0, |sum, entry| match &entry.deed {
            Deed::Paid(_, amount) | Deed::PaidLate(_, amount) => sum + amount.0,
            Deed::Refunded(_, amount) => sum - amount.0,
            _ => sum,
        });
        prop_assert_eq!(ledger.merchant_balance(House::Alipay, "shop"), Some(Fen(booked)));
        for order in ledger.orders() {
            prop_assert!(order.refunded <= order.terms.amount && order.refunded >= Fen(0));
        }
    }
}
