//! Sales off line, and the way of their records to the server.

use super::*;

const HEAD: &str = "192.168.1.20,192.168.1.10,00002";

/// Books a sale of 5.50 off line; when success was shown.
fn book(table: &mut Table, card: &str) -> u64 {
    let sent = table.people(&format!("tap {card}"));
    let at = first_at(&sent) + 3 * SECOND;
    let shown = table.pass_until(at);
    let shown = shown.iter().position(|(_, text)| text == "> show OFF LINE 5.50").map(|nth| shown[nth].0);
    shown.unwrap_or_else(|| panic!("{card} is not booked"))
}

fn off_line(policy: TerminalPolicy) -> Table {
    Table::ready(policy, Mode::Fixed(Fen(550)))
}

fn record(seq: u32, address: u32, time: &str, total: u32) -> String {
    format!("105,{seq:05},{HEAD},8888888888,5.50,{time},0,{address:08},{total}")
}

#[test]
fn a_white_listed_card_is_booked_before_success_is_shown() {
    let mut table = off_line(TerminalPolicy::hardened());
    while table.board.poll_step().is_some() {}
    let sent = table.people("tap 8888888888");
    table.pass_until(first_at(&sent) + 3 * SECOND - 1);
    while table.board.poll_step().is_some() {}
    let shown = table.pass_until(first_at(&sent) + 3 * SECOND);
    assert_eq!(texts(&shown), ["> show OFF LINE 5.50", "> say 1"]);
    let marked = table.board.poll_step().unwrap();
    assert!(marked.at.as_us() < first_at(&shown));
    let content = table.content();
    let records: Vec<_> =
        content.records.iter().map(|sale| (sale.card, sale.amount, sale.time.to_string())).collect();
    assert_eq!(records, [(card(WHITE), Fen(550), "2024-02-29 12:00:00".to_owned())]);
    assert_eq!(content.pending, None);
    assert_eq!(table.events.last().unwrap(), "booked record 00000001: 8888888888 5.50 2024-02-29 12:00:00");
}

#[test]
fn a_record_is_uploaded_every_ten_seconds_until_it_is_deleted_and_then_the_next() {
    let mut table = off_line(TerminalPolicy::hardened());
    let shown = book(&mut table, WHITE);
    let first = "2024-02-29 12:00:00";
    // Booked at 3 s; the round begins ten seconds later, is three sends long, and the next is ten seconds away.
    for round in [0, 10 * SECOND] {
        let at = shown + 10 * SECOND + round;
        let seq = if round == 0 { 2 } else { 3 };
        for send in 0..3 {
            assert_eq!(table.sent_at(at + send * SECOND), [record(seq, 1, first, 1)]);
        }
    }
    table.people("tap 7777777777");
    table.pass_until(table.at.as_us() + 3 * SECOND);
    table.pass_until(shown + 30 * SECOND - 1);
    assert_eq!(table.sent_at(shown + 30 * SECOND), [record(5, 1, first, 2)]);
    table.hear("001,00005");
    assert_eq!(table.sent_at(shown + 40 * SECOND), [record(6, 1, first, 2)]);
    let next = table.hear("011,00002,8888888888,5.50,2024-02-29 12:00:00,00000001");
    assert_eq!(texts(&next).len(), 1);
    assert!(
        texts(&next)[0].starts_with("105,00007,") && texts(&next)[0].ends_with(",0,00000002,1"),
        "{next:?}"
    );
    assert_eq!(table.content().records.len(), 1);
    // The same 011 again deletes nothing.
    assert_eq!(table.hear("011,00002,8888888888,5.50,2024-02-29 12:00:00,00000001"), []);
    let time = table.content().records[0].time;
    assert_eq!(table.hear(&format!("011,00002,7777777777,5.50,{time},00000002")), []);
    assert_eq!(table.content().records, []);
    assert_eq!(table.pass_until(shown + 100 * SECOND), []);
}

#[test]
fn only_an_011_that_names_all_of_the_record_deletes_it() {
    let mut table = off_line(TerminalPolicy::hardened());
    let shown = book(&mut table, WHITE);
    let right = "011,00002,8888888888,5.50,2024-02-29 12:00:00,00000001";
    // Nothing was sent yet.
    table.hear(right);
    assert_eq!(table.content().records.len(), 1);
    table.pass_until(shown + 10 * SECOND);
    for wrong in [
        "011,00003,8888888888,5.50,2024-02-29 12:00:00,00000001",
        "011,00002,8888888887,5.50,2024-02-29 12:00:00,00000001",
        "011,00002,8888888888,5.51,2024-02-29 12:00:00,00000001",
        "011,00002,8888888888,5.50,2024-02-29 12:00:01,00000001",
        "011,00002,8888888888,5.50,9999-99-99 99:99:99,00000001",
        "011,00002,8888888888,5.50,2024-02-29 12:00:00,00000002",
        "011,00002,8888888888,5.50,2024-02-29 12:00:00,1",
        "001,00001",
    ] {
        table.hear(wrong);
        assert_eq!(table.content().records.len(), 1, "{wrong}");
    }
    table.hear(right);
    assert_eq!(table.content().records, []);
}

#[test]
fn a_record_with_an_impossible_time_is_deleted_by_the_sentinel_alone() {
    let policy = TerminalPolicy { lost_clock: LostClock::ReadsNought, ..TerminalPolicy::hardened() };
    let mut table = off_line(policy);
    table.restart(Span::s(3_601));
    table.hear("001,00000");
    let shown = book(&mut table, WHITE);
    let nought = "2000-00-00 00:00:00";
    assert_eq!(table.sent_at(shown + 10 * SECOND), [record(2, 1, nought, 1)]);
    table.hear(&format!("011,00002,8888888888,5.50,{nought},00000001"));
    assert_eq!(table.content().records.len(), 1);
    table.hear("011,00002,8888888888,5.50,9999-99-99 99:99:99,00000001");
    assert_eq!(table.content().records, []);
}

#[test]
fn records_survive_power_loss_and_are_uploaded_at_power_on() {
    let mut table = off_line(TerminalPolicy::hardened());
    book(&mut table, WHITE);
    let found = table.restart(Span::s(50));
    let first = record(1, 1, "2024-02-29 12:00:00", 1);
    let power_on = format!("101,00000,{HEAD},2024-02-29 12:00:53");
    assert_eq!(texts(&found), ["> ready", power_on.as_str(), first.as_str()]);
    table.hear("011,00002,8888888888,5.50,2024-02-29 12:00:00,00000001");
    assert_eq!(texts(&table.restart(Span::s(1))).len(), 2);
    // The white list has survived as well.
    table.pass_until(table.at.as_us() + 9 * SECOND);
    book(&mut table, WHITE);
}

#[test]
fn a_full_store_refuses_and_overwrites_nothing() {
    let mut table = off_line(TerminalPolicy::hardened());
    for _ in 0..5 {
        book(&mut table, WHITE);
        table.pass_until(table.at.as_us() + 9 * SECOND);
    }
    let before = table.content().records;
    let sent = table.people("tap 7777777777");
    let at = sent.iter().find(|(_, text)| text.starts_with("103,")).unwrap().0;
    let refused = table.pass_until(at + 3 * SECOND);
    let refused = texts(&refused).into_iter().filter(|text| text.starts_with('>')).collect::<Vec<_>>();
    assert_eq!(refused, ["> show MEMORY FULL", "> beep 3", "> say 6"]);
    assert_eq!((before.len(), table.content().records), (5, before));
    assert_eq!(table.content().pending, None);
}

#[test]
fn nobody_else_and_no_code_is_booked() {
    let mut table = off_line(TerminalPolicy::hardened());
    for line in ["tap 0000000002", "scan 287"] {
        let sent = table.people(line);
        let shown = table.pass_until(first_at(&sent) + 3 * SECOND);
        assert!(texts(&shown).contains(&"> show NETWORK FAULT"), "{line}");
    }
    assert_eq!(table.content().records, []);
}

#[test]
fn a_late_answer_to_a_booked_sale_is_confirmed_and_not_shown_again() {
    let mut table = off_line(TerminalPolicy::hardened());
    book(&mut table, WHITE);
    let late = table.hear("008,00002,8888888888,5.50,OK,20,0,1");
    assert_eq!(texts(&late), [format!("109,00002,{HEAD},008,8888888888")]);
    assert_eq!(table.events.last().unwrap(), "charged late: 8888888888 5.50");
    assert_eq!(table.content().records.len(), 1, "its record still goes up");
}
