//! Everything that is no sale.

use super::*;

const HEAD: &str = "192.168.1.20,192.168.1.10,00002";

#[test]
fn power_on_is_told_three_times_and_discovery_is_answered_once() {
    let mut table = Table::new(config(TerminalPolicy::hardened()), Mode::Ordinary);
    let first = table.power_on();
    let power_on = format!("101,00000,{HEAD},2024-02-29 12:00:00");
    assert_eq!(texts(&first), ["> ready", power_on.as_str()]);
    let at = first_at(&first);
    assert_eq!(table.sent_at(at + SECOND), [power_on.as_str()]);
    assert_eq!(table.sent_at(at + 2 * SECOND), [power_on.as_str()]);
    assert_eq!(table.pass_until(at + 60 * SECOND), []);
    let present = table.hear("000");
    let fields = "192.168.1.20,255.255.255.0,192.168.1.1,192.168.1.10,39192,1234567890";
    assert_eq!(texts(&present), [format!("100,00001,{fields}")]);
    assert_eq!(table.pass_until(at + 120 * SECOND), []);
    assert!(texts(&table.hear("002,00002"))[0].starts_with("101,00002,"));
    assert_eq!(table.hear("002,00003"), []);
}

#[test]
fn the_clock_is_set_and_impossible_dates_are_ignored() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Ordinary);
    let mut reads = |text: &str| {
        table.hear(text);
        let told = table.hear("002,00002");
        told[0].1.rsplit(',').next().unwrap().to_owned()
    };
    for (text, expected) in [
        ("003,00002,2023-02-29 00:00:00", "2024-02-29 12:00:00"),
        ("003,00002,2024-13-01 00:00:00", "2024-02-29 12:00:00"),
        ("003,00002,9999-99-99 99:99:99", "2024-02-29 12:00:00"),
        ("003,00003,2025-01-31 08:00:00", "2024-02-29 12:00:00"),
        ("003,00002,2025-01-31", "2024-02-29 12:00:00"),
        ("003,00002,2025-01-31 08:00:00", "2025-01-31 08:00:00"),
        ("003,00002,2028-02-29 23:59:59", "2028-02-29 23:59:59"),
    ] {
        assert_eq!(reads(text), expected, "{text}");
    }
}

#[test]
fn a_card_shown_is_answered_with_words_or_a_fault_after_five_seconds() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Ordinary);
    let sent = table.people("tap 8888888888");
    assert_eq!(texts(&sent), [format!("102,00001,{HEAD},8888888888")]);
    table.hear("001,00001");
    let mut unanswered = table.clone();
    let acked = unanswered.at.as_us();
    assert_eq!(unanswered.sent_at(acked + 5 * SECOND), ["> show NETWORK FAULT", "> beep 3", "> say 6"]);
    // A trail byte that looks like a backslash, a brace: text.
    let shown = table.hear("009,00002,余额\\n{12.30}乗n亄亇,20,1,0");
    let confirmed = format!("109,00002,{HEAD},009,00002");
    assert_eq!(texts(&shown), ["> show 余额\\n12.30乗n亄亇", "> beep 1", confirmed.as_str()]);
    table.hear("001,00002");
    assert_eq!(table.pass_until(60 * SECOND), []);
    // The words may come before the 001, or without any.
    for acknowledged in [true, false] {
        let mut early = Table::ready(TerminalPolicy::hardened(), Mode::Ordinary);
        let at = first_at(&early.people("tap 8888888888"));
        early.hear("009,00002,A,20,0,0");
        early.hear("001,00002");
        if acknowledged {
            early.hear("001,00001");
        }
        let sent = early.pass_until(at + 60 * SECOND);
        assert!(texts(&sent).iter().all(|text| !text.starts_with('>')), "{sent:?}");
    }
    let mut unacknowledged = Table::ready(TerminalPolicy::hardened(), Mode::Ordinary);
    let at = first_at(&unacknowledged.people("tap 8888888888"));
    assert_eq!(unacknowledged.pass_until(at + 3 * SECOND - 1).len(), 2);
    assert_eq!(unacknowledged.sent_at(at + 3 * SECOND), ["> show NETWORK FAULT", "> beep 3", "> say 6"]);
}

#[test]
fn each_answer_is_confirmed_and_each_confirmation_is_repeated_without_001() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Ordinary);
    let confirmations = ["009,00002,A,20,0,0", "009,00002,A,20,0,0", "006,00002,8888888888,NO,20,0,6"];
    let mut sent = Vec::new();
    for text in confirmations {
        sent.extend(table.hear(text).into_iter().filter(|(_, text)| text.starts_with("109,")));
    }
    let expected = [
        "00001,192.168.1.20,192.168.1.10,00002,009,00002",
        "00002,192.168.1.20,192.168.1.10,00002,009,00002",
        "00003,192.168.1.20,192.168.1.10,00002,006,8888888888",
    ];
    assert_eq!(texts(&sent), expected.map(|rest| format!("109,{rest}")));
    table.hear("001,00002");
    let repeated = table.pass_until(10 * SECOND);
    assert_eq!(repeated.len(), 4, "{repeated:?}");
    assert!(repeated.iter().all(|(_, text)| !text.starts_with("109,00002,")));
}

#[test]
fn keys_are_amounts_or_told_and_nonsense_is_refused() {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Money);
    assert_eq!(texts(&table.people("keys #12*#")), [format!("106,00001,{HEAD},12*#")]);
    table.hear("001,00001");
    for (line, expected) in [
        ("keys 5.555", "> show BAD AMOUNT"),
        ("keys 0", "> show BAD AMOUNT"),
        ("keys 10000", "> show BAD AMOUNT"),
        ("keys #", "> error no such keys"),
        ("keys #1,2", "> error no such keys"),
        ("tap 8888888888", "> show ENTER AMOUNT"),
        ("tap 888888888", "> show UNREADABLE"),
        ("tap", "> show UNREADABLE"),
        ("scan 287", "> show ENTER AMOUNT"),
        ("scan ", "> show UNREADABLE"),
        ("dance", "> error no such line"),
        ("", "> error no such line"),
    ] {
        assert_eq!(texts(&table.people(line))[0], expected, "{line}");
    }
    let long = "scan ".to_owned() + &"7".repeat(1_100);
    assert_eq!(texts(&table.people(&long)), ["> error line too long"]);
    table.people("keys 5");
    assert_eq!(texts(&table.people(&("scan ".to_owned() + &"7".repeat(1_000))))[0], "> show UNREADABLE");
    // Bytes in pieces of any size make the same lines.
    let mut pieces = Vec::new();
    for byte in b"keys 5.50\ntap 8888888888\n" {
        pieces.extend(table.give(Input::Received { port: port::PANEL, bytes: &[*byte] }));
    }
    assert!(texts(&pieces).last().unwrap().starts_with("103,"), "{pieces:?}");
}

#[test]
fn a_terminal_without_an_installation_says_so_and_does_nothing() {
    let blank = Chip::new(*chip(Mode::Money).config());
    let board = TerminalBoard::new(config(TerminalPolicy::hardened()), blank);
    let mut table = Table { board, at: Instant::ZERO, events: Vec::new() };
    assert_eq!(texts(&table.power_on()), ["> show MEMORY FAULT", "> beep 3", "> say 6"]);
    assert_eq!((table.people("tap 8888888888"), table.hear("000")), (vec![], vec![]));
    assert_eq!(table.pass_until(60 * SECOND), []);
}

#[test]
fn the_digest_covers_what_decides_the_future() {
    let table = || Table::ready(TerminalPolicy::hardened(), Mode::Ordinary);
    let mut digests = vec![table().digest()];
    assert_eq!(digests[0], table().digest());
    for line in ["keys 5.50", "keys 5.51", "tap 8888888888", "tap 7777777777", "keys #1"] {
        let mut other = table();
        other.people(line);
        digests.push(other.digest());
    }
    for text in ["003,00002,2025-01-31 08:00:00", "009,00002,A,20,0,0", "000"] {
        let mut other = table();
        other.hear(text);
        digests.push(other.digest());
    }
    let mut half = table();
    half.give(Input::Received { port: port::PANEL, bytes: b"ta" });
    digests.push(half.digest());
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count);
}
