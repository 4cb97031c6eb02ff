//! Payments that are answered, late, or not at all.

use super::*;

const PAY: &str = "103,00001,192.168.1.20,192.168.1.10,00002,8888888888,5.50,2024-02-29 12:00:00";
const PAID: &str = "008,00002,8888888888,5.50,OK\\n{94.50},20,0,1";

/// Types 5.50 and taps; when the message left.
fn tap(table: &mut Table, card: &str) -> (u64, String) {
    assert_eq!(texts(&table.people("keys 5.5")), ["> show AMOUNT 5.50", "> beep 1"]);
    let mut sent = table.people(&format!("tap {card}"));
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.remove(0)
}

#[test]
fn a_payment_is_durable_before_it_is_sent_and_over_before_it_is_shown() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Money);
    let before = table.at;
    let (at, sent) = tap(&mut table, WHITE);
    assert_eq!(sent, PAY);
    assert!(at > before.as_us());
    let steps: Vec<_> = std::iter::from_fn(|| table.board.poll_step()).collect();
    let last = steps.last().map(|step| step.at.as_us()).unwrap();
    assert!(last < at, "the last byte is begun at {last}, the message leaves at {at}");
    assert_eq!(table.content().pending.map(|sale| (sale.amount, sale.seq)), Some((Fen(550), 1)));
    assert_eq!(table.hear("001,00001"), []);
    let shown = table.hear(PAID);
    let head = "109,00002,192.168.1.20,192.168.1.10,00002";
    let confirmed = format!("{head},008,8888888888");
    assert_eq!(texts(&shown), ["> show OK\\n94.50", "> say 1", confirmed.as_str()]);
    let marks: Vec<_> = std::iter::from_fn(|| table.board.poll_step()).map(|step| step.at.as_us()).collect();
    assert!(marks.len() == 2 && marks[0] < first_at(&shown) && first_at(&shown) < marks[1], "{marks:?}");
    assert_eq!(table.content().pending, None);
    assert_eq!(
        table.events,
        ["began 8888888888 5.50 2024-02-29 12:00:00", "paid 8888888888 5.50 2024-02-29 12:00:00"]
    );
    // The server's repeat is confirmed again, and shown to nobody.
    assert_eq!(texts(&table.hear(PAID)), [confirmed.replace("00002,192", "00003,192")]);
}

#[test]
fn a_message_without_001_is_sent_three_times_a_second_apart_and_then_given_up() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Money);
    let (at, sent) = tap(&mut table, OTHER);
    assert_eq!(table.sent_at(at + SECOND), [sent.as_str()]);
    assert_eq!(table.sent_at(at + 2 * SECOND), [sent.as_str()]);
    assert_eq!(table.sent_at(at + 3 * SECOND), ["> show NETWORK FAULT", "> beep 3", "> say 6"]);
    assert_eq!(table.pass_until(at + 60 * SECOND), []);
    let content = table.content();
    assert_eq!((content.pending, content.records), (None, vec![]));
    assert_eq!(table.events.last().unwrap(), "gave up 0000000002 5.50 2024-02-29 12:00:00");
}

#[test]
fn an_acknowledgement_ends_the_repeats_whichever_send_it_answers() {
    for late in [0, SECOND - 1, SECOND, 2 * SECOND, 3 * SECOND - 1] {
        let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Money);
        let (at, _) = tap(&mut table, OTHER);
        table.pass_until(at + late);
        let since = table.at.as_us();
        assert_eq!(table.hear("001,00001"), []);
        assert_eq!(table.sent_at(since + 5 * SECOND), ["> show NETWORK FAULT", "> beep 3", "> say 6"]);
    }
    // What acknowledges something else ends nothing.
    for other in ["001,00002", "001,1", "001,+0001", "001,x"] {
        let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Money);
        let (at, sent) = tap(&mut table, OTHER);
        assert_eq!(table.hear(other), []);
        assert_eq!(table.sent_at(at + SECOND), [sent.as_str()]);
    }
}

#[test]
fn an_overdue_sale_is_pending_and_repeated_every_ten_seconds_as_it_was() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Money);
    let (_, sent) = tap(&mut table, WHITE);
    table.hear("001,00001");
    let acked = table.at.as_us();
    assert_eq!(table.sent_at(acked + 5 * SECOND), ["> show NETWORK FAULT", "> beep 3", "> say 6"]);
    assert_eq!(table.content().records, []);
    // Another card waits, another amount as well.
    table.people("keys 5.50");
    assert_eq!(texts(&table.people("tap 0000000002")), ["> show PLEASE WAIT", "> beep 2"]);
    table.people("keys 5.51");
    assert_eq!(texts(&table.people("tap 8888888888")), ["> show PLEASE WAIT", "> beep 2"]);
    let mut round = acked + 15 * SECOND;
    for _ in 0..3 {
        assert_eq!(table.sent_at(round), [sent.as_str()]);
        assert_eq!(table.sent_at(round + SECOND), [sent.as_str()]);
        assert_eq!(table.sent_at(round + 2 * SECOND), [sent.as_str()]);
        round += 10 * SECOND;
    }
    // The same card and amount continue it at once.
    table.pass_until(round - 5 * SECOND);
    assert_eq!(tap(&mut table, WHITE).1, sent);
    let round = table.at.as_us();
    // Acknowledged, but not answered: the round goes on to its end.
    table.hear("001,00001");
    assert_eq!(table.sent_at(round + 10 * SECOND), [sent.as_str()]);
    table.hear(PAID);
    assert_eq!(table.content().pending, None);
    table.pass_until(round + 60 * SECOND);
    let (_, next) = tap(&mut table, WHITE);
    assert!(next.ends_with("8888888888,5.50,2024-02-29 12:01:40"), "{next}");
}

#[test]
fn a_pending_sale_survives_power_loss_with_its_number_and_time() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Money);
    let (at, sent) = tap(&mut table, WHITE);
    table.pass_until(at + 1_500_000);
    let found = table.restart(Span::s(100));
    // Its sequence number is not given to another message.
    let head = "192.168.1.20,192.168.1.10,00002";
    assert_eq!(texts(&found), ["> ready", &format!("101,00000,{head},2024-02-29 12:01:41")]);
    let at = table.settle();
    assert_eq!(texts(&table.pass_until(at)), [sent.as_str()]);
    table.hear("001,00000");
    assert_eq!(texts(&table.people("keys #7")), [format!("106,00002,{head},7")]);
    table.hear("001,00002");
    // Nobody answers: it is repeated, and neither booked nor given up, whatever the card.
    let round = at + SECOND;
    assert_eq!(texts(&table.pass_until(round + 2 * SECOND)), [sent.as_str(), sent.as_str()]);
    assert_eq!(texts(&table.pass_until(at + 60 * SECOND)).len(), 16);
    assert_eq!((table.content().records.len(), table.content().pending.is_some()), (0, true));
    // A refusal ends it, too.
    let refused = table.hear("006,00002,8888888888,NO,20,0,6");
    assert_eq!(texts(&refused)[..2], ["> show NO", "> say 6"]);
    assert_eq!(table.content().pending, None);
}

#[test]
fn in_progress_is_no_success_and_is_waited_behind_for_ninety_seconds() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Fixed(Fen(550)));
    let sent = table.people("scan 28,7 6");
    let head = "192.168.1.20,192.168.1.10,00002";
    let scan = format!("128,00001,{head},00001,5.50,2024-02-29 12:00:00,0,28,7 6,1234567890");
    assert_eq!(texts(&sent), [scan.as_str()]);
    table.hear("001,00001");
    let interim = table.hear("008,00002,00001,5.50,{WAIT},5,0,1");
    assert_eq!(texts(&interim), ["> show WAIT", "> say 1", &format!("109,00002,{head},008,00001")]);
    table.hear("001,00002");
    assert_eq!(table.content().pending.map(|sale| sale.code), Some(b"28,7 6".to_vec()));
    let since = table.at.as_us();
    assert_eq!(table.sent_at(since + 90 * SECOND), ["> show NETWORK FAULT", "> beep 3", "> say 6"]);
    assert_eq!(table.sent_at(since + 100 * SECOND), [scan.as_str()]);
    let paid = table.hear("008,00002,00001,5.50,OK,20,0,1");
    assert_eq!(texts(&paid), ["> show OK", "> say 1", &format!("109,00003,{head},008,00001")]);
    assert_eq!(table.content().pending, None);
    // Each scan has a number of its own, across power loss as well.
    table.restart(Span::s(1));
    assert!(texts(&table.people("scan 9"))[0].contains(",00002,5.50,"));
}

#[test]
fn answers_to_something_else_are_confirmed_and_end_nothing() {
    for other in [
        "008,00002,8888888887,5.50,OK,20,0,1",
        "006,00002,8888888887,NO,20,0,6",
        "008,00002,00001,5.50,OK,20,0,1",
    ] {
        let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Money);
        let (at, sent) = tap(&mut table, WHITE);
        let confirmed = table.hear(other);
        assert!(texts(&confirmed).iter().any(|text| text.starts_with("109,00002,")), "{other}");
        assert!(table.content().pending.is_some());
        let repeated = table.pass_until(at + SECOND);
        assert!(texts(&repeated).contains(&sent.as_str()), "{other}: {repeated:?}");
    }
    // What is for another machine is not even confirmed, and neither is what was damaged: it has to come again.
    for other in [
        "008,00003,8888888888,5.50,OK,20,0,1",
        "008,00002,8888888888,5.51,OK,20,0,1",
        "008,00002,8888888888,5.5,OK,20,0,1",
    ] {
        let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Money);
        tap(&mut table, WHITE);
        assert_eq!(table.hear(other), [], "{other}");
        assert!(table.content().pending.is_some());
    }
}

#[test]
fn a_charge_that_comes_late_is_shown_once_and_confirmed_each_time() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Money);
    let (at, _) = tap(&mut table, OTHER);
    table.pass_until(at + 4 * SECOND);
    let late = "008,00002,0000000002,5.50,OK,20,0,1";
    let mut restarted = table.clone();
    for table in [&mut table, &mut restarted] {
        if table.at.as_us() > at + 3 * SECOND {
            table.restart(Span::ms(1));
        }
        let shown = table.hear(late);
        assert_eq!(texts(&shown)[..2], ["> show CHARGED LATE 0000000002 5.50", "> beep 1"]);
        assert!(texts(&shown)[2].ends_with(",008,0000000002"));
        assert_eq!(table.events.last().unwrap(), "charged late: 0000000002 5.50");
        assert_eq!(texts(&table.hear(late)).len(), 1);
        table.restart(Span::ms(1));
        assert_eq!(texts(&table.hear(late)).len(), 1);
    }
}

#[test]
fn a_charge_that_follows_a_refusal_is_shown_once_also_after_power_loss() {
    // A copy of the message was damaged on its way and refused; the message itself came later.
    let (refused, paid) = ("006,00002,00001,NO,20,0,6", "008,00002,00001,5.50,OK,20,0,1");
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Fixed(Fen(550)));
    table.people("scan 287");
    assert_eq!(texts(&table.hear(refused))[..2], ["> show NO", "> say 6"]);
    let (mut restarted, mut silent) = (table.clone(), table.clone());
    restarted.restart(Span::ms(1));
    for table in [&mut table, &mut restarted] {
        let shown = table.hear(paid);
        assert_eq!(texts(&shown)[..2], ["> show CHARGED LATE 0000000000 5.50", "> beep 1"]);
        assert!(texts(&shown)[2].ends_with(",008,00001"));
        for repeated in [paid, refused] {
            assert_eq!(texts(&table.hear(repeated)).len(), 1);
        }
        table.restart(Span::ms(1));
        assert_eq!(texts(&table.hear(paid)).len(), 1);
    }
    // The refusal comes again, and is shown once.
    assert_eq!(texts(&silent.hear(refused)).len(), 1);
}

#[test]
fn an_answer_whose_amount_is_nobodys_is_left_without_confirmation_until_it_comes_whole() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Money);
    let (at, _) = tap(&mut table, OTHER);
    table.pass_until(at + 4 * SECOND);
    for damaged in ["008,00002,0000000002,5.x0,OK,20,0,1", "008,00002,0000000002,5.10,OK,20,0,1"] {
        assert_eq!(table.hear(damaged), []);
    }
    let shown = table.hear("008,00002,0000000002,5.50,OK,20,0,1");
    assert_eq!(texts(&shown)[0], "> show CHARGED LATE 0000000002 5.50");
}

#[test]
fn a_card_that_was_refused_rests_as_long_before_power_loss_as_after() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Fixed(Fen(550)));
    table.people("tap 8888888888");
    table.hear("001,00001");
    let answered = table.at.as_us();
    table.hear("006,00002,8888888888,NO,20,0,6");
    let mut restarted = table.clone();
    restarted.restart(Span::ms(1));
    for table in [&mut table, &mut restarted] {
        table.pass_until(answered + 3 * SECOND - 1);
        assert_eq!(texts(&table.people("tap 8888888888")), ["> show PLEASE WAIT", "> beep 2"]);
        table.pass_until(answered + 3 * SECOND + 10_000);
        assert!(texts(&table.people("tap 8888888888"))[0].starts_with("103,"));
    }
}

#[test]
fn a_card_rests_three_seconds_after_its_last_answer_and_eight_after_none() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Fixed(Fen(550)));
    table.people("tap 8888888888");
    table.hear("001,00001");
    let answered = table.at.as_us();
    table.hear(PAID);
    table.hear("001,00002");
    table.pass_until(answered + 3 * SECOND - 1);
    assert_eq!(texts(&table.people("tap 8888888888")), ["> show PLEASE WAIT", "> beep 2"]);
    // Another card need not wait.
    let other = table.clone().people("tap 0000000002");
    assert!(texts(&other)[0].starts_with("103,"));
    table.pass_until(answered + 3 * SECOND + 200);
    let sent = table.people("tap 8888888888");
    assert!(texts(&sent)[0].starts_with("103,"), "{sent:?}");
    let given_up = first_at(&sent) + 3 * SECOND;
    table.pass_until(given_up + 8 * SECOND - 1);
    assert_eq!(texts(&table.people("tap 8888888888")), ["> show PLEASE WAIT", "> beep 2"]);
    table.pass_until(given_up + 8 * SECOND + 200);
    assert!(texts(&table.people("tap 8888888888"))[0].starts_with("103,"));
}

#[test]
fn counts_are_taken_without_an_amount_and_new_devices_say_who_they_are() {
    let mut new = config(TerminalPolicy::hardened());
    (new.tells_serial, new.flag) = (true, Some(b'2'));
    let mut table = Table::new(new, Mode::Count);
    let head = "192.168.1.20,192.168.1.10,00002";
    assert!(texts(&table.power_on())[1].ends_with(",2024-02-29 12:00:00,1234567890"));
    table.hear("001,00000");
    let sent = table.people("tap 8888888888");
    assert_eq!(texts(&sent), [format!("104,00001,{head},8888888888,2024-02-29 12:00:00,2,1234567890")]);
    let shown = table.hear("008,00002,8888888888,0.00,LEFT {1},20,0,1");
    assert_eq!(texts(&shown)[..2], ["> show LEFT 1", "> say 1"]);
    assert!(texts(&shown)[2].ends_with(",008,8888888888,1234567890"));
}

#[test]
fn sales_are_stamped_in_order_whatever_the_clock_does() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Fixed(Fen(550)));
    let mut cards = (1..=9).map(|nth| format!("{nth:010}"));
    let mut time = |table: &mut Table| {
        let card = cards.next().unwrap();
        let sent = table.people(&format!("tap {card}"));
        table.hear(&format!("006,00002,{card},NO,20,0,6"));
        sent[0].1.rsplit(',').next().unwrap().to_owned()
    };
    assert_eq!(time(&mut table), "2024-02-29 12:00:00");
    assert_eq!(time(&mut table), "2024-02-29 12:00:01");
    assert_eq!(time(&mut table), "2024-02-29 12:00:02");
    table.hear("003,00002,2024-02-28 23:59:59");
    assert_eq!(time(&mut table), "2024-02-29 12:00:03");
    table.restart(Span::s(3_600));
    assert_eq!(time(&mut table), "2024-02-29 12:00:04");
    // The clock has lost its time.
    table.restart(Span::s(3_601));
    assert_eq!(time(&mut table), "2024-02-29 12:00:05");
    table.hear("003,00002,2024-03-01 00:00:00");
    assert_eq!(time(&mut table), "2024-03-01 00:00:00");
}
