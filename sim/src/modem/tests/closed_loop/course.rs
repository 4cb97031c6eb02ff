//! How a client brings a connection up over an M6311, uses it, and comes back to it.

use super::*;
use crate::modem::client::{
    ClosedHandling, CommandTimeout, DataReading, DownWhy, EchoHandling, Pacing, Reconnect, SendFailure,
};

#[test]
fn from_a_module_without_key_to_a_message_and_its_answer() {
    let mut bench = Loop::up(hardened());
    assert_eq!(bench.said(), [ClientOutput::Up]);
    assert_eq!(bench.client.signal(), Some(18));
    let commands = bench.commands();
    let start = commands.iter().position(|line| line == "ATE0\\r").unwrap();
    assert!(commands[..start].iter().all(|line| line == "AT\\r"));
    let registered = commands.iter().rposition(|line| line == "AT+CREG?\\r").unwrap();
    assert_eq!(commands[start..start + 3], ["ATE0\\r", "AT+CPIN?\\r", "AT+CSQ\\r"]);
    assert_eq!(
        commands[registered + 1..],
        [
            "AT+CGATT=1\\r",
            "AT+CGDCONT=1,\\\"IP\\\",\\\"CMNET\\\"\\r",
            "AT+CGACT=1,1\\r",
            "AT+CMMUX=0\\r",
            "AT+CMHEAD=1\\r",
            "AT+PROMPT=1\\r",
            "AT+IPSTART=\\\"TCP\\\",\\\"192.0.2.10\\\",7000\\r",
        ]
    );
    bench.send(b"hello").unwrap();
    bench.send(b"\r\nCONNECTION CLOSED\r\n").unwrap();
    bench.run(Span::s(3));
    let said = bench.said();
    assert_eq!(said.iter().filter(|output| **output == ClientOutput::Sent).count(), 2);
    assert_eq!(data_of(&said), b"re:hellore:\r\nCONNECTION CLOSED\r\n");
    assert_eq!(bench.received, [b"hello".to_vec(), b"\r\nCONNECTION CLOSED\r\n".to_vec()]);
    assert_eq!(
        bench.commands(),
        ["AT+IPSEND=5\\r", "hello", "AT+IPSEND=21\\r", "\\r\\nCONNECTION CLOSED\\r\\n"]
    );
    assert_eq!(bench.swallowed, 0);
}

#[test]
fn a_message_is_refused_when_it_cannot_be_taken() {
    let mut bench = Loop::new(hardened());
    assert_eq!(bench.send(b"x"), Err(NotReady::Down));
    bench.run(Span::s(60));
    assert_eq!(bench.send(b""), Err(NotReady::WrongLength { max: 1460 }));
    assert_eq!(bench.send(&[0; 1461]), Err(NotReady::WrongLength { max: 1460 }));
    for _ in 0..4 {
        assert_eq!(bench.send(&[0; 1460]), Ok(()));
    }
    assert_eq!(bench.send(b"x"), Err(NotReady::Full));
}

#[test]
fn received_data_may_read_like_anything() {
    let mut bench = Loop::up(hardened());
    bench.said();
    for text in [
        b"\r\nCONNECTION CLOSED\r\n".as_slice(),
        b"\r\nOK\r\n\r\n> \r\nERROR\r\n",
        b"+IPDATA: 900\r\n",
        b"\r\nRDY\r\n+PDP: DEACT\r\n",
        b"\n",
    ] {
        bench.fly(Span::ms(1), Flight::Answer(text.to_vec()));
        bench.run(Span::s(1));
        assert_eq!(bench.said(), [ClientOutput::Data(text.to_vec())]);
    }
}

#[test]
fn the_end_of_the_connection_is_heard_at_any_moment_and_a_new_one_follows() {
    // A send takes about 60 ms to the prompt and 200 ms more to its result.
    for after_ms in (0..400).step_by(3) {
        let mut bench = Loop::up(hardened());
        bench.said();
        bench.send(b"hello").unwrap();
        bench.run(Span::ms(after_ms));
        bench.close();
        bench.run(Span::s(10));
        let said = bench.said();
        let down = said.iter().position(|output| matches!(output, ClientOutput::Down { .. })).unwrap();
        let sent = said.contains(&ClientOutput::Sent);
        let failed = said[..down].iter().any(|output| matches!(output, ClientOutput::SendFailed { .. }));
        assert!(sent != failed, "{after_ms}: {said:?}");
        assert_eq!(said.last(), Some(&ClientOutput::Up), "{after_ms}: {said:?}");
        assert_eq!(bench.swallowed, 0);
        bench.send(b"again").unwrap();
        bench.run(Span::s(2));
        assert_eq!(data_of(&bench.said()), b"re:again");
    }
}

#[test]
fn the_loss_of_the_packet_context_is_recovered_at_any_moment() {
    for after_ms in (0..400).step_by(7) {
        let mut bench = Loop::up(hardened());
        bench.said();
        bench.send(b"hello").unwrap();
        bench.run(Span::ms(after_ms));
        bench.modem_input(Input::Stimulus(ModemStimulus::PdpLost));
        bench.run(Span::s(30));
        assert_eq!(bench.said().last(), Some(&ClientOutput::Up), "{after_ms}");
        bench.send(b"again").unwrap();
        bench.run(Span::s(2));
        assert_eq!(data_of(&bench.said()), b"re:again");
    }
}

#[test]
fn a_module_that_loses_its_power_at_any_moment_is_brought_back() {
    for after_ms in (0..400).step_by(13) {
        let mut bench = Loop::up(hardened());
        bench.said();
        bench.send(b"hello").unwrap();
        bench.run(Span::ms(after_ms));
        bench.cut_power();
        bench.run(Span::s(2));
        bench.modem_input(Input::PowerOn);
        // A heartbeat finds out what nothing else tells.
        bench.run(Span::s(20));
        if bench.client.is_up() {
            bench.send(b"heartbeat").unwrap();
        }
        bench.run(Span::s(120));
        assert_eq!(bench.said().last(), Some(&ClientOutput::Up), "{after_ms}");
        bench.send(b"again").unwrap();
        bench.run(Span::s(2));
        assert_eq!(data_of(&bench.said()), b"re:again", "{after_ms}");
    }
}

#[test]
fn echo_makes_no_difference() {
    let mut bench = Loop::new(hardened());
    bench.echo_forced = true;
    bench.run(Span::s(60));
    assert_eq!(bench.said(), [ClientOutput::Up]);
    for message in [b"hello".as_slice(), b"\r\nERROR\r\n", b"+IPDATA: 9\r\n", b"> "] {
        bench.send(message).unwrap();
        bench.run(Span::s(2));
        let said = bench.said();
        assert!(said.contains(&ClientOutput::Sent), "{said:?}");
        assert_eq!(data_of(&said), [b"re:".as_slice(), message].concat());
    }
    assert!(bench.heard.windows(14).any(|part| part == b"AT+IPSEND=5\r\r\n"));
}

#[test]
fn a_firmware_restart_alone_finds_the_old_connection_and_frees_it() {
    let mut config = profile().host;
    // This board's reset line is not connected, and the module is on.
    config.reset_press = Span::us(1);
    config.key_press = Span::us(1);
    let mut bench = Loop::up(hardened());
    bench.client = Client::new(config, server());
    bench.client.start(bench.now);
    bench.drain_client();
    bench.said();
    bench.commands();
    bench.run(Span::s(20));
    assert_eq!(bench.said(), [ClientOutput::Up]);
    let commands = bench.commands();
    let place = commands.iter().position(|line| line == "AT+CMMUX=0\\r").unwrap();
    assert_eq!(commands[place..place + 3], ["AT+CMMUX=0\\r", "AT+IPCLOSE\\r", "AT+CMMUX=0\\r"]);
}

#[test]
fn a_network_reset_closes_and_opens() {
    let mut bench = Loop::up(hardened());
    bench.said();
    bench.commands();
    bench.send(b"hello").unwrap();
    bench.run(Span::s(2));
    bench.said();
    bench.commands();
    bench.client.reset_network(bench.now);
    bench.drain_client();
    assert_eq!(bench.said(), [ClientOutput::Down { why: DownWhy::Requested }]);
    bench.run(Span::us(999_999));
    assert_eq!(bench.commands(), [""; 0]);
    bench.run(Span::us(1));
    assert_eq!(bench.commands(), ["AT+IPCLOSE\\r"]);
    bench.run(Span::s(2));
    assert_eq!(bench.commands(), ["AT+IPSTART=\\\"TCP\\\",\\\"192.0.2.10\\\",7000\\r"]);
    assert_eq!(bench.said(), [ClientOutput::Up]);
}

#[test]
fn a_server_that_is_away_is_asked_less_and_less_often() {
    let mut bench = Loop::up(hardened());
    bench.listens = false;
    bench.opens.clear();
    bench.close();
    bench.run(Span::s(3600));
    let pauses: Vec<u64> =
        bench.opens.windows(2).map(|pair| pair[1].since(pair[0]).as_us() / 1_000_000).collect();
    assert!(bench.opens.len() < 80, "{pauses:?}");
    assert!(pauses.iter().skip(8).all(|pause| *pause >= 60), "{pauses:?}");
    assert!(bench.outputs.contains(&ClientOutput::Reset(false)));
    bench.listens = true;
    bench.run(Span::s(120));
    assert!(bench.client.is_up());
}

#[test]
fn a_server_that_closes_at_once_does_not_make_a_tight_loop() {
    let mut bench = Loop::up(hardened());
    bench.opens.clear();
    bench.close();
    for _ in 0..3600 {
        bench.run(Span::s(1));
        if bench.connected {
            bench.close();
        }
    }
    assert!(bench.opens.len() < 80, "{}", bench.opens.len());
}

#[test]
fn a_silent_line_is_given_up_at_its_limits_and_not_a_tick_before() {
    let mut bench = Loop::up(hardened());
    bench.said();
    bench.cut_power();
    bench.send(b"hello").unwrap();
    bench.run(Span::us(9_999_999));
    assert_eq!(bench.said(), []);
    bench.run(Span::us(1));
    assert_eq!(
        bench.said(),
        [
            ClientOutput::SendFailed { why: SendFailure::TimedOut },
            ClientOutput::Down { why: DownWhy::Silent }
        ]
    );
    // The prompt that may be open is filled, then the module is called.
    bench.commands();
    bench.run(Span::ms(200));
    assert_eq!(bench.commands(), ["AT\\r"]);
    bench.run(Span::s(4));
    assert_eq!(bench.said(), [ClientOutput::GaveUp { step: "AT" }]);
}

#[test]
fn the_longest_silence_inside_a_block_is_the_gap() {
    let mut bench = Loop::up(hardened());
    bench.said();
    bench.client.handle_bytes(bench.now, b"\r\n+IPDATA: 6\r\nabc");
    bench.run(Span::us(49_999));
    bench.client.handle_bytes(bench.now, b"de");
    bench.run(Span::us(49_999));
    assert_eq!(bench.said(), []);
    bench.run(Span::us(1));
    assert_eq!(bench.said(), [ClientOutput::Data(b"abcde".to_vec())]);
    bench.client.handle_bytes(bench.now, b"\r\nCONNECTION CLOSED\r\n");
    bench.drain_client();
    assert_eq!(bench.said(), [ClientOutput::Down { why: DownWhy::Closed }]);
}

#[test]
fn each_bad_choice_shows() {
    // Waits for ever.
    let mut bench = Loop::up(ClientPolicy { command_timeout: CommandTimeout::Forever, ..hardened() });
    bench.cut_power();
    bench.send(b"hello").unwrap();
    bench.run(Span::s(1));
    bench.modem_input(Input::PowerOn);
    bench.said();
    bench.run(Span::s(3600));
    assert_eq!(bench.said(), []);
    // Tries again at once.
    let mut bench = Loop::up(ClientPolicy { reconnect: Reconnect::Immediately, ..hardened() });
    bench.listens = false;
    bench.opens.clear();
    bench.close();
    bench.run(Span::s(600));
    assert!(bench.opens.len() > 40, "{}", bench.opens.len());
    // Takes data for an event.
    let mut bench = Loop::up(ClientPolicy { data: DataReading::LineScanned, ..hardened() });
    bench.said();
    bench.fly(Span::ms(1), Flight::Answer(b"plain\r\n".to_vec()));
    bench.run(Span::s(1));
    assert_eq!(bench.said(), [ClientOutput::Data(b"plain".to_vec())]);
    bench.fly(Span::ms(1), Flight::Answer(b"CONNECTION CLOSED\r\n".to_vec()));
    bench.run(Span::ms(2));
    assert_eq!(bench.said(), [ClientOutput::Down { why: DownWhy::Closed }]);
    // Sends before the last final result.
    let mut bench = Loop::new(ClientPolicy { pacing: Pacing::Eager, ..hardened() });
    bench.run(Span::s(120));
    assert!(bench.swallowed > 0);
    // Takes its own characters for an answer.
    let mut bench = Loop::new(ClientPolicy { echo: EchoHandling::ExpectsOff, ..hardened() });
    bench.echo_forced = true;
    bench.run(Span::s(300));
    assert!(!bench.client.is_up());
    // Misses the end of the connection while a command is under way.
    let mut bench = Loop::up(ClientPolicy { closed: ClosedHandling::OnlyWhenIdle, ..hardened() });
    bench.said();
    bench.send(b"hello").unwrap();
    bench.run(Span::ms(150));
    bench.close();
    bench.run(Span::s(10));
    assert_eq!(bench.said(), []);
}
