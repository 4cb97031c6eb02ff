//! The same client over a SIM800A.

use super::*;
use crate::modem::client::{ClosedHandling, DataReading, DownWhy, Fitted};
use crate::modem::label::{HostScanner, ModemScanner};
use crate::modem::sim800a::{self, Sim800a, Sim800aDialect};

fn client(policy: ClientPolicy) -> Client {
    let mut config = profile().host;
    config.module = Fitted::Sim800a;
    Client::with_policy(config, server(), policy)
}

fn new(policy: ClientPolicy) -> Loop<Sim800aDialect> {
    let config = sim800a::load(sim800a::BUILT_IN, &toml::Table::new(), 1).unwrap();
    Loop::of(client(policy), Sim800a::new(config, Seed(5).stream("modem")))
}

fn up(policy: ClientPolicy) -> Loop<Sim800aDialect> {
    new(policy).brought_up()
}

#[test]
fn from_a_module_without_key_to_a_message_and_its_answer() {
    let mut bench = up(hardened());
    // The module may be on: it is called before its key is pressed.
    assert_eq!(bench.said(), [ClientOutput::GaveUp { step: "AT" }, ClientOutput::Up]);
    let commands = bench.commands();
    let registered = commands.iter().rposition(|line| line == "AT+CREG?\\r").unwrap();
    assert_eq!(
        commands[registered + 1..],
        [
            "AT+CGATT=1\\r",
            "AT+CIPSHUT\\r",
            "AT+CIPMUX=0\\r",
            "AT+CIPHEAD=1\\r",
            "AT+CIPSPRT=1\\r",
            "AT+CSTT=\\\"CMNET\\\"\\r",
            "AT+CIICR\\r",
            "AT+CIFSR\\r",
            "AT+CIPSTART=\\\"TCP\\\",\\\"192.0.2.10\\\",7000\\r",
        ]
    );
    bench.send(b"hello").unwrap();
    bench.send(b"\x1a\x1b\r\nCLOSED\r\n").unwrap();
    bench.run(Span::s(3));
    let said = bench.said();
    assert_eq!(said.iter().filter(|output| **output == ClientOutput::Sent).count(), 2);
    assert_eq!(data_of(&said), b"re:hellore:\x1a\x1b\r\nCLOSED\r\n");
    assert_eq!(bench.commands()[..2], ["AT+CIPSEND=5\\r", "hello"]);
    assert_eq!(bench.swallowed, 0);
}

#[test]
fn received_data_may_read_like_anything() {
    let mut bench = up(hardened());
    bench.said();
    for text in
        [b"\r\nCLOSED\r\n".as_slice(), b"+IPD,900:", b"\r\nOK\r\n> ", b"\r\nRDY\r\n+PDP: DEACT\r\n", b":"]
    {
        bench.fly(Span::ms(1), Flight::Answer(text.to_vec()));
        bench.run(Span::s(1));
        assert_eq!(bench.said(), [ClientOutput::Data(text.to_vec())]);
    }
    // A count beyond the longest message is believed by nobody.
    bench.client.handle_bytes(bench.now, b"\r\n+IPD,1461:\r\nCLOSED\r\n");
    bench.drain_client();
    assert_eq!(bench.said(), [ClientOutput::Down { why: DownWhy::Closed }]);
}

#[test]
fn every_end_of_the_connection_is_followed_by_a_new_one() {
    for after_ms in (0..400).step_by(7) {
        for context in [false, true] {
            let mut bench = up(hardened());
            bench.said();
            bench.send(b"hello").unwrap();
            bench.run(Span::ms(after_ms));
            if context {
                bench.modem_input(Input::Stimulus(ModemStimulus::PdpLost));
            } else {
                bench.close();
            }
            bench.run(Span::s(30));
            assert_eq!(bench.said().last(), Some(&ClientOutput::Up), "{after_ms} {context}");
            assert_eq!(bench.swallowed, 0);
            bench.send(b"again").unwrap();
            bench.run(Span::s(2));
            assert_eq!(data_of(&bench.said()), b"re:again", "{after_ms} {context}");
        }
    }
}

#[test]
fn a_firmware_restart_alone_resets_the_module_and_leaves_its_key() {
    let mut bench = up(hardened());
    bench.said();
    bench.client = client(hardened());
    bench.client.start(bench.now);
    bench.drain_client();
    bench.run(Span::s(60));
    assert!(bench.client.is_up());
    assert!(!bench.said().contains(&ClientOutput::GaveUp { step: "AT" }));
}

#[test]
fn bad_choices_show() {
    let mut bench = up(ClientPolicy { data: DataReading::LineScanned, ..hardened() });
    bench.said();
    bench.fly(Span::ms(1), Flight::Answer(b"plain\r\n".to_vec()));
    bench.run(Span::s(1));
    assert_eq!(bench.said(), [ClientOutput::Data(b"plain".to_vec())]);
    bench.fly(Span::ms(1), Flight::Answer(b"CLOSED\r\n".to_vec()));
    bench.run(Span::ms(2));
    assert_eq!(bench.said(), [ClientOutput::Down { why: DownWhy::Closed }]);
    let mut bench = up(ClientPolicy { closed: ClosedHandling::OnlyWhenIdle, ..hardened() });
    bench.said();
    bench.send(b"hello").unwrap();
    bench.run(Span::ms(150));
    bench.close();
    bench.run(Span::s(10));
    assert_eq!(bench.said(), []);
}

fn payload(bytes: &[u8]) -> Option<(usize, &'static str)> {
    let is_answer = bytes.starts_with(b"re:heartbeat");
    is_answer
        .then_some((12, "+IPDATA/answer"))
        .or_else(|| bytes.starts_with(b"heartbeat").then_some((9, "heartbeat")))
}

#[test]
fn what_crosses_the_line_has_its_names() {
    let mut bench = up(hardened());
    bench.typed.clear();
    bench.heard.clear();
    bench.send(b"heartbeat").unwrap();
    bench.run(Span::s(2));
    bench.close();
    bench.run(Span::ms(100));
    let mut host = HostScanner::new(payload, 1460);
    bench.typed.iter().for_each(|(_, bytes)| host.push(bytes));
    let names: Vec<&str> = std::iter::from_fn(|| host.poll().map(|unit| unit.name)).collect();
    assert_eq!(names, ["AT+CIPSEND", "heartbeat"]);
    let mut modem = ModemScanner::new(payload, 1460);
    modem.push(&bench.heard);
    let names: Vec<&str> = std::iter::from_fn(|| modem.poll().map(|unit| unit.name)).collect();
    assert_eq!(names, ["prompt", "SEND OK", "+IPDATA/answer", "CLOSED"]);
}
