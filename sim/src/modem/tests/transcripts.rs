//! The transcripts in `fixtures/modem`, followed to the letter.

use super::*;
use crate::modem::port::DTR;
use crate::modem::sim800a::{self, Sim800a, Sim800aDialect, Sim800aModemConfig};

/// Types a line, and lets pass what it takes.
pub(super) fn type_line<D: Dialect>(desk: &mut Desk<D>, line: &str) {
    desk.type_in(line.as_bytes());
    desk.type_in(b"\r");
    desk.run(Span::ms(80 + 50 * (1 + line.matches(';').count() as u64)));
}

pub(super) fn opened<D: Dialect>(desk: &mut Desk<D>, id: u16) {
    desk.input(Input::Opened { port: Port(NET_BASE + id), from: None });
}

/// `\r`, `\n` and `\xNN` as the characters that they stand for.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let (byte, used) = match rest.as_bytes()[at + 1] {
            b'r' => (b'\r', 2),
            b'n' => (b'\n', 2),
            b'x' => (u8::from_str_radix(&rest[at + 2..at + 4], 16).unwrap(), 4),
            other => panic!("no escape: {other}"),
        };
        bytes.push(byte);
        rest = &rest[at + used..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

fn act<D: Dialect>(desk: &mut Desk<D>, what: &str) {
    let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
    let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
    let number = || first.parse::<u16>().unwrap();
    match verb {
        "opened" => opened(desk, number()),
        "refused" => desk.closed(number(), Closing::Refused),
        "closed" => desk.closed(number(), Closing::Fin),
        "data" => desk.net_says(number(), &unescaped(second)),
        "acked" => desk.acked(number(), second.parse().unwrap()),
        "pdp-lost" => desk.input(Input::Stimulus(ModemStimulus::PdpLost)),
        "registration" => {
            let stat = u8::try_from(number()).unwrap();
            desk.input(Input::Stimulus(ModemStimulus::Registration(stat)));
        }
        "urc" => desk.input(Input::Stimulus(ModemStimulus::Urc(rest.to_owned()))),
        "sim" => desk.input(Input::Stimulus(ModemStimulus::Sim { present: first == "in" })),
        "supply" => desk.input(Input::Stimulus(ModemStimulus::Supply { millivolts: number() })),
        "wait" => desk.run(Span::ms(first.parse().unwrap())),
        "dtr" => desk.input(Input::Level { port: DTR, high: first == "high" }),
        "baud" => desk.input(Input::Stimulus(ModemStimulus::HostBaud(first.parse().unwrap()))),
        "power" => {
            desk.cut();
            desk.input(Input::PowerOn);
            desk.run(Span::s(10));
        }
        "sent" => {
            let sent = format!("{first} sends {second}");
            let net = desk.net();
            assert!(net.contains(&sent), "{sent}: {net:?}");
        }
        _ => panic!("no such action: {what}"),
    }
}

/// Follows every transcript of a file, each with a module that is made for it and for the words behind its title;
/// returns how many actions were compared.
fn follow<D: Dialect>(text: &str, make: impl Fn(&str) -> Desk<D>) -> usize {
    let mut desk = make("");
    let mut expected = Vec::new();
    let mut last = (0, "");
    let mut checked = 0;
    let lines = text.lines().chain(["== the end"]).enumerate();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let (kind, what) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "<" => expected.extend([b"\r\n", what.as_bytes(), b"\r\n"].concat()),
            "=" => expected.extend(unescaped(what)),
            _ => {
                let (heard, wanted) = (desk.heard_bytes(), std::mem::take(&mut expected));
                let (heard, wanted) = (heard.escape_ascii().to_string(), wanted.escape_ascii().to_string());
                assert_eq!(heard, wanted, "after line {}: {}", last.0 + 1, last.1);
                checked += 1;
                last = (number, line);
                match kind {
                    "==" => desk = make(what.split_once(" | ").map_or("", |(_, variant)| variant)),
                    ">" => type_line(&mut desk, what),
                    "]" => desk.type_in(&unescaped(what)),
                    "@" => act(&mut desk, what),
                    _ => panic!("line {}: {line}", number + 1),
                }
            }
        }
    }
    checked
}

/// The published SIM800A with every latency at 50 ms and with these values, switched on, registered, without echo.
fn sim800a(variant: &str) -> Desk<Sim800aDialect> {
    let over = toml::from_str(variant).unwrap();
    let mut config: Sim800aModemConfig = sim800a::load(sim800a::BUILT_IN, &over, 1).unwrap();
    fix(&mut config.module, Span::ms(2_500));
    config.dialect.shut = exactly(Span::ms(50));
    config.dialect.bearer = exactly(Span::ms(50));
    let mut desk = Desk::with(Sim800a::new(config, Seed(1).stream("modem")));
    desk.input(Input::PowerOn);
    desk.run(Span::s(10));
    desk.ask("ATE0\r");
    desk
}

#[test]
fn the_rules_of_the_sim800a_are_followed_to_the_letter() {
    let checked = follow(include_str!("../../../../fixtures/modem/sim800a.txt"), sim800a);
    assert!(checked > 250, "only {checked} actions were checked");
}

#[test]
fn what_the_field_has_seen_of_the_sim800a_is_what_ours_says() {
    let checked = follow(include_str!("../../../../fixtures/modem/sim800a-field.txt"), sim800a);
    assert!(checked > 150, "only {checked} actions were checked");
}

#[test]
fn the_strings_of_the_m6311s_drivers_are_followed_to_the_letter() {
    let text = include_str!("../../../../fixtures/modem/m6311.txt");
    let checked = follow(text, |variant| {
        let mut value: toml::Table =
            toml::from_str(include_str!("../../../../fixtures/profiles/water.toml")).unwrap();
        let over: toml::Table = toml::from_str(variant).unwrap();
        let dialect = value["modem"].get_mut("dialect").and_then(toml::Value::as_table_mut).unwrap();
        dialect.extend(over);
        let mut config = Profile::deserialize(value).unwrap().modem;
        fix(&mut config.module, Span::s(3));
        Desk::ready(config)
    });
    assert!(checked > 80, "only {checked} actions were checked");
}
