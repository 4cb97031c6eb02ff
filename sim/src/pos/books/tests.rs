//! Every rule with literal messages, and a model over drawn histories.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::pos::frame::{DeviceMessage, FrameFormat, ScanForm};

const FORMAT: FrameFormat =
    FrameFormat { datagram_max: 1_024, seq_max: 16, scan: ScanForm { flag: true, serial: true } };
const HEAD: &str = "00009,192.168.1.20,192.168.1.10,00002";
const NOON: &str = "2024-02-29 12:00:00";

fn message(text: &str) -> DeviceMessage {
    DeviceMessage::parse(text.as_bytes(), &FORMAT).unwrap()
}

fn pay(card: &str, amount: &str, at: &str) -> DeviceMessage {
    message(&format!("103,{HEAD},{card},{amount},{at},S1"))
}

fn record(card: &str, amount: &str, at: &str, mode: u8, address: u32) -> DeviceMessage {
    message(&format!("105,{HEAD},{card},{amount},{at},{mode},{address:08},1,S1"))
}

fn card(text: &str) -> CardNumber {
    CardNumber::parse(text.as_bytes()).unwrap()
}

const RICH: &str = "8888888888";
const POOR: &str = "0000000001";

fn books() -> Books {
    let account = |balance, counts, standing| Account { balance: Fen(balance), counts, standing };
    Books::with_accounts([
        (card(RICH), account(10_000, 3, Standing::Good)),
        (card(POOR), account(549, 0, Standing::Good)),
        (card("0000000002"), account(10_000, 3, Standing::Lost)),
        (card("0000000003"), account(10_000, 3, Standing::Expired)),
    ])
}

/// Has a message decided and entered; what it came to.
fn sell(books: &mut Books, message: &DeviceMessage) -> State {
    let request = SaleRequest::of(message).unwrap();
    match books.sale(&request, 77) {
        Decision::Enter(record) => {
            books.apply(&record);
            let SaleRequest::Sound(id) = request else { panic!("nothing is entered of what is unsound") };
            books.known(&id).unwrap().state
        }
        Decision::Known(state) => state,
        Decision::Never(why) => State::Refused(why),
    }
}

fn store(books: &mut Books, message: &DeviceMessage) -> bool {
    match books.stored(message).unwrap() {
        Stored::Enter(record) => {
            books.apply(&record);
            true
        }
        Stored::Known => false,
    }
}

fn balance(books: &Books, of: &str) -> i64 {
    books.account(card(of)).unwrap().balance.0
}

#[test]
fn a_sale_is_charged_once_however_often_it_is_told() {
    let mut books = books();
    let first = pay(RICH, "5.50", NOON);
    for _ in 0..3 {
        assert_eq!(sell(&mut books, &first), State::Charged);
    }
    assert_eq!(balance(&books, RICH), 9_450);
    // Neither the sequence number nor the field of unknown meaning makes another sale of it; a second later does.
    let again = message(&format!("103,55555,10.0.0.1,10.0.0.2,00002,{RICH},5.50,{NOON},2,S1"));
    assert_eq!(sell(&mut books, &again), State::Charged);
    assert_eq!(balance(&books, RICH), 9_450);
    assert_eq!(sell(&mut books, &pay(RICH, "5.50", "2024-02-29 12:00:01")), State::Charged);
    assert_eq!(balance(&books, RICH), 8_900);
    assert_eq!(books.unconfirmed().count(), 2);
}

#[test]
fn devices_of_one_number_are_told_apart_by_their_serials() {
    let mut books = books();
    for tail in [",S1", ",S2", ""] {
        let text = format!("103,{HEAD},{RICH},5.50,{NOON}{tail}");
        assert_eq!(sell(&mut books, &message(&text)), State::Charged);
    }
    assert_eq!(balance(&books, RICH), 10_000 - 3 * 550);
}

#[test]
fn who_cannot_pay_is_refused_with_the_reason_and_for_good() {
    let mut books = books();
    let refused = [
        (POOR, Refusal::TooLittle),
        ("0000000002", Refusal::LostCard),
        ("0000000003", Refusal::ExpiredCard),
        ("7777777777", Refusal::UnknownCard),
        ("77777", Refusal::UnknownCard),
    ];
    for (of, why) in refused {
        assert_eq!(sell(&mut books, &pay(of, "5.50", NOON)), State::Refused(why), "{of}");
    }
    assert_eq!(sell(&mut books, &pay(POOR, "5.49", NOON)), State::Charged);
    // Money that comes later does not turn a refusal round: the customer was told.
    let rich = Account { balance: Fen(9_999), ..Account::default() };
    books.apply(&BookRecord::Account { card: card(POOR), account: rich });
    assert_eq!(sell(&mut books, &pay(POOR, "5.50", NOON)), State::Refused(Refusal::TooLittle));
    assert_eq!(balance(&books, POOR), 9_999);
}

#[test]
fn what_is_no_amount_or_no_time_is_no_sale_and_leaves_nothing() {
    let mut books = books();
    let before = books.clone();
    for amount in ["-5.50", "5.5", "5.500", "", "5.50e2", "inf"] {
        let state = sell(&mut books, &pay(RICH, amount, NOON));
        assert_eq!(state, State::Refused(Refusal::BadAmount), "{amount}");
    }
    let state = sell(&mut books, &pay(RICH, "5.50", "2023-02-29 12:00:00"));
    assert_eq!(state, State::Refused(Refusal::BadTime));
    assert_eq!(books, before);
}

#[test]
fn a_balance_that_suffices_for_one_of_two_pays_one() {
    let mut books = books();
    books.apply(&BookRecord::Account {
        card: card(POOR),
        account: Account { balance: Fen(550), ..Account::default() },
    });
    let states = ["S1", "S2"]
        .map(|serial| sell(&mut books, &message(&format!("103,{HEAD},{POOR},5.50,{NOON},{serial}"))));
    assert_eq!(states, [State::Charged, State::Refused(Refusal::TooLittle)]);
    assert_eq!(balance(&books, POOR), 0);
}

#[test]
fn counts_are_taken_one_by_one() {
    let mut books = books();
    let count = |at: u32| message(&format!("104,{HEAD},{RICH},2024-02-29 12:00:{at:02},S1"));
    for at in [0, 1, 1, 2] {
        assert_eq!(sell(&mut books, &count(at)), State::Charged);
    }
    assert_eq!(sell(&mut books, &count(3)), State::Refused(Refusal::NoCounts));
    assert_eq!(books.account(card(RICH)).unwrap().counts, 0);
    assert_eq!(balance(&books, RICH), 10_000);
}

#[test]
fn a_record_and_its_payment_are_one_sale_whichever_comes_first() {
    let (payment, stored) = (pay(RICH, "5.50", NOON), record(RICH, "5.50", NOON, 0, 7));
    let mut books_one = books();
    sell(&mut books_one, &payment);
    assert!(store(&mut books_one, &stored) && !store(&mut books_one, &stored));
    let mut other = books();
    assert!(store(&mut other, &stored) && !store(&mut other, &stored));
    assert_eq!(sell(&mut other, &payment), State::Charged);
    assert_eq!([balance(&books_one, RICH), balance(&other, RICH)], [9_450; 2]);
    // What is on record needs no other confirmation.
    assert_eq!(books_one.unconfirmed().count() + other.unconfirmed().count(), 0);
}

#[test]
fn a_refused_sale_that_was_booked_all_the_same_is_charged_into_overdraft_and_flagged() {
    let mut books = books();
    assert_eq!(sell(&mut books, &pay(POOR, "5.50", NOON)), State::Refused(Refusal::TooLittle));
    assert!(store(&mut books, &record(POOR, "5.50", NOON, 0, 7)));
    assert!(!store(&mut books, &record(POOR, "5.50", NOON, 0, 7)));
    assert_eq!(balance(&books, POOR), -1);
    let flags: Vec<Option<Flag>> = books.sales().map(|(_, sale)| sale.flag).collect();
    assert_eq!(flags, [Some(Flag::Overdrawn)]);
    for (of, flag) in [("0000000002", Flag::BadStanding), ("7777777777", Flag::UnknownCard)] {
        assert!(store(&mut books, &record(of, "1.00", NOON, 0, 8)));
        assert!(books.sales().any(|(_, sale)| sale.flag == Some(flag)), "{of}");
    }
    assert_eq!(balance(&books, "7777777777"), -100);
}

#[test]
fn a_count_on_record_is_the_count_that_was_paid_whatever_amount_it_names() {
    let mut books = books();
    assert_eq!(sell(&mut books, &message(&format!("104,{HEAD},{RICH},{NOON},S1"))), State::Charged);
    assert!(store(&mut books, &record(RICH, "9.99", NOON, 1, 7)));
    assert_eq!((books.account(card(RICH)).unwrap().counts, balance(&books, RICH)), (2, 10_000));
}

#[test]
fn a_record_that_makes_no_sense_is_set_aside_once_and_never_charged() {
    let mut books = books();
    for (amount, at) in [("5.50", "2024-02-30 12:00:00"), ("-5.50", NOON), ("", NOON)] {
        assert!(store(&mut books, &record(RICH, amount, at, 0, 7)));
        assert!(!store(&mut books, &record(RICH, amount, at, 0, 7)));
    }
    assert_eq!(books.set_aside().len(), 3);
    assert_eq!((balance(&books, RICH), books.sales().count()), (10_000, 0));
}

#[test]
fn a_code_is_charged_when_the_platform_has_said_so_and_asked_for_once() {
    let mut books = books();
    let scan = message(&format!("128,{HEAD},00001,5.50,{NOON},2,a,b,S1"));
    assert_eq!(sell(&mut books, &scan), State::Asked);
    let Some(SaleRequest::Sound(id)) = SaleRequest::of(&scan) else { panic!("it is sound") };
    assert_eq!(id.sold, Sold::Code(CodeNumber::new(1), Box::from(&b"a,b"[..]), Fen(550)));
    assert_eq!((sell(&mut books, &scan), books.ordered(77)), (State::Asked, Some(&id)));
    let declined = books.clone().with(&BookRecord::Answered { order: 77, paid: false });
    assert_eq!(declined.known(&id).unwrap().state, State::Refused(Refusal::Declined));
    books.apply(&BookRecord::Answered { order: 77, paid: true });
    // A second word of the platform, whatever it is, changes nothing.
    books.apply(&BookRecord::Answered { order: 77, paid: false });
    assert_eq!(sell(&mut books, &scan), State::Charged);
    books.apply(&BookRecord::Confirmed { id });
    assert_eq!(books.unconfirmed().count(), 0);
}

/// One thing that happens to the books: which sale, told how.
#[derive(Clone, Debug)]
struct Told {
    card: usize,
    fen: i64,
    second: u32,
    on_record: bool,
}

fn told() -> impl Strategy<Value = Told> {
    (0..3_usize, 1..400_i64, 0..4_u32, any::<bool>()).prop_map(|(card, fen, second, on_record)| Told {
        card,
        fen,
        second,
        on_record,
    })
}

proptest! {
    /// Whatever is told, in whatever order and however often: every sale is charged at most once, each that is on
    /// record just once, nothing else changes an account, and a replay comes to the same.
    #[test]
    fn accounts_are_what_the_sales_say(history in vec(told(), 1..60)) {
        const CARDS: [&str; 3] = [RICH, POOR, "0000000002"];
        let start = books();
        let (mut now, mut journal) = (start.clone(), Vec::new());
        for Told { card, fen, second, on_record } in &history {
            let (amount, at) = (Fen(*fen).to_string(), format!("2024-02-29 12:00:{second:02}"));
            let entered = if *on_record {
                match now.stored(&record(CARDS[*card], &amount, &at, 0, *second)).unwrap() {
                    Stored::Enter(record) => Some(record),
                    Stored::Known => None,
                }
            } else {
                let request = SaleRequest::of(&pay(CARDS[*card], &amount, &at)).unwrap();
                match now.sale(&request, 1) {
                    Decision::Enter(record) => Some(record),
                    _ => None,
                }
            };
            if let Some(record) = entered {
                now.apply(&record);
                journal.push(record);
            }
        }
        for of in CARDS {
            let charged: i64 = now
                .sales()
                .filter(|(_, sale)| sale.state == State::Charged)
                .filter_map(|(id, _)| match id.sold {
                    Sold::Money(by, amount) if by == card(of) => Some(amount.0),
                    _ => None,
                })
                .sum();
            prop_assert_eq!(balance(&now, of), balance(&start, of) - charged);
        }
        for Told { card: of, fen, second, on_record } in &history {
            let at = SaleTime::of(format!("2024-02-29 12:00:{second:02}").as_bytes()).unwrap();
            let sold = Sold::Money(card(CARDS[*of]), Fen(*fen));
            let id = SaleId { device: Device::Serial(b"S1"[..].into()), at, sold };
            let sale = now.known(&id).unwrap();
            prop_assert!(!on_record || sale.state == State::Charged && sale.record.is_some());
        }
        let replayed = journal.iter().fold(start, |books, record| books.with(record));
        prop_assert_eq!(replayed, now);
    }
}
