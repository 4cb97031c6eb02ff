//! Datagrams of whoever likes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const PAY: &str = "103,00001,192.168.1.20,192.168.1.10,00002,0000000002,5.50,2024-02-29 12:00:00";

/// A terminal with a record and a pending sale.
fn busy() -> Table {
    let mut table = Table::ready(TerminalPolicy::hardened(), Mode::Fixed(Fen(550)));
    table.people("tap 8888888888");
    table.pass_until(20 * SECOND);
    table.people("tap 0000000002");
    table.hear("001,00003");
    table
}

/// Whatever comes: nothing is deleted, nothing is over, and the terminal goes on.
fn check(table: &mut Table, bytes: &[u8]) {
    let before = table.content();
    table.give(Input::Received { port: port::NET, bytes });
    let after = table.content();
    assert_eq!((after.records, after.pending), (before.records, before.pending), "{}", bytes.escape_ascii());
}

#[test]
fn hostile_datagrams_change_nothing_and_the_next_good_one_is_served() {
    #[derive(serde::Deserialize)]
    struct File {
        datagram: Vec<toml::Table>,
    }
    let text = include_str!("../../../../../fixtures/frames/pos-hostile.toml");
    let mut table = busy();
    for sample in toml::from_str::<File>(text).unwrap().datagram {
        let field = |name: &str| sample.get(name).and_then(|value| value.as_str());
        let bytes = match (field("text").or(field("fill")), field("hex")) {
            (Some(text), _) => encode(text),
            (None, Some(hex)) => {
                (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..][..2], 16).unwrap()).collect()
            }
            (None, None) => panic!("{sample:?}"),
        };
        check(&mut table, &bytes);
    }
    // Answers cut at each byte, and with a field too many.
    for whole in [
        "008,00002,0000000002,5.50,OK,20,0,1",
        "006,00002,0000000002,NO,20,0,6",
        "011,00002,8888888888,5.50,2024-02-29 12:00:00,00000001",
    ] {
        for len in 0..whole.len() {
            // What remains of 008 and 006 may name less of how it is shown, and be whole all the same.
            if len < whole.len() - 1 && !whole[..len].ends_with(|char: char| char.is_ascii_digit()) {
                check(&mut table, &whole.as_bytes()[..len]);
            }
        }
    }
    check(&mut table, b"011,00002,8888888888,5.50,2024-02-29 12:00:00,00000001,");
    check(&mut table, &[b"008,00002,0000000002,5.50,".as_slice(), &[b'x'; 1_024], b",20,0,1"].concat());
    let shown = table.hear("008,00002,0000000002,5.50,OK,20,0,1");
    assert_eq!(texts(&shown)[0], "> show OK");
    table.pass_until(table.at.as_us() + 10 * SECOND);
    table.hear("011,00002,8888888888,5.50,2024-02-29 12:00:00,00000001");
    let content = table.content();
    assert_eq!((content.records, content.pending), (vec![], None));
}

#[test]
fn the_design_that_stops_is_seen_to_stop() {
    let policy = TerminalPolicy { malformed: Malformed::Stops, ..TerminalPolicy::hardened() };
    let mut table = Table::ready(policy, Mode::Fixed(Fen(550)));
    assert_eq!(texts(&table.people("tap 0000000002")), [PAY]);
    table.hear("008");
    assert_eq!(table.pass_until(60 * SECOND), []);
    assert_eq!(table.hear("000"), []);
    assert_eq!(texts(&table.restart(Span::s(1)))[0], "> ready");
}

proptest! {
    #[test]
    fn any_bytes_from_anywhere_stop_nothing(
        datagrams in vec((any::<bool>(), vec(any::<u8>(), 0..80)), 1..20)
    ) {
        let mut table = busy();
        for (net, bytes) in datagrams {
            let port = if net { port::NET } else { port::PANEL };
            table.give(Input::Received { port, bytes: &bytes });
        }
        table.give(Input::Received { port: port::PANEL, bytes: b"\n" });
        prop_assert!(table.content().pending.is_some());
        let shown = table.hear("008,00002,0000000002,5.50,OK,20,0,1");
        prop_assert_eq!(texts(&shown)[0], "> show OK");
    }
}
