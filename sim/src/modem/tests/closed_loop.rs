use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::modem::client::{Client, ClientOutput, ClientPolicy, DownWhy, NotReady, SendFailure};
use crate::modem::client::{ClosedHandling, CommandTimeout, DataReading, EchoHandling, Pacing, Reconnect};
use crate::modem::label::{HostScanner, ModemScanner};
use crate::modem::port::{PWRKEY, RESET, net_port};
use crate::seed::Stream;

/// What happens to one byte.
#[derive(Clone, Copy, Debug)]
enum Strike {
    Lost,
    Doubled,
    Flipped(u8),
}

/// What is on its way over the network.
#[derive(Clone, Debug)]
enum Flight {
    Opened,
    Refused,
    Acked(usize),
    Answer(Vec<u8>),
    Closed,
}

/// A client and a module on one line, and a server that answers every message with `re:` and the message.
#[derive(Clone)]
struct Loop {
    client: Client,
    modem: M6311,
    now: Instant,
    flights: BTreeMap<(Instant, u64), Flight>,
    sent: u64,
    /// Of a thousand bytes on the serial line, so many are lost, doubled or changed.
    noise: u64,
    /// The one byte from now on that is struck, and how.
    strike: Option<(usize, Strike)>,
    crossed: usize,
    stream: Stream,
    /// Whether the server takes connections, and whether it answers.
    listens: bool,
    answers: bool,
    echo_forced: bool,
    connected: bool,
    outputs: Vec<ClientOutput>,
    typed: Vec<(Instant, Vec<u8>)>,
    heard: Vec<u8>,
    opens: Vec<Instant>,
    received: Vec<Vec<u8>>,
    swallowed: usize,
}

impl Loop {
    fn new(policy: ClientPolicy) -> Self {
        let profile = profile();
        let mut this = Self {
            client: Client::with_policy(profile.host, server(), policy),
            modem: M6311::new(profile.modem, Seed(5).stream("modem")),
            now: Instant::ZERO,
            flights: BTreeMap::new(),
            sent: 0,
            noise: 0,
            strike: None,
            crossed: 0,
            stream: Seed(5).stream("noise"),
            listens: true,
            answers: true,
            echo_forced: false,
            connected: false,
            outputs: Vec::new(),
            typed: Vec::new(),
            heard: Vec::new(),
            opens: Vec::new(),
            received: Vec::new(),
            swallowed: 0,
        };
        this.modem_input(Input::PowerOn);
        this.client.start(this.now);
        this.drain_client();
        this
    }

    fn up(policy: ClientPolicy) -> Self {
        let mut this = Self::new(policy);
        this.run(Span::s(60));
        assert!(this.client.is_up(), "{:?}", this.outputs);
        this
    }

    fn fly(&mut self, after: Span, flight: Flight) {
        self.sent += 1;
        self.flights.insert((self.now + after, self.sent), flight);
    }

    fn spoiled(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut spoiled = Vec::new();
        for byte in bytes {
            self.crossed += 1;
            if let Some((_, strike)) = self.strike.filter(|(at, _)| *at + 1 == self.crossed) {
                match strike {
                    Strike::Lost => {}
                    Strike::Doubled => spoiled.extend([*byte, *byte]),
                    Strike::Flipped(bit) => spoiled.push(byte ^ (1 << bit)),
                }
                continue;
            }
            if !self.stream.chance(self.noise, 1000) {
                spoiled.push(*byte);
                continue;
            }
            match self.stream.below(3) {
                0 => {}
                1 => spoiled.extend([*byte, *byte]),
                _ => spoiled.push(byte ^ (1 << self.stream.below(8))),
            }
        }
        spoiled
    }

    fn modem_input(&mut self, input: Input<'_, ModemStimulus>) {
        self.modem.handle_input(Now { mono: self.now, wall: Wall::default() }, input);
        self.drain_modem();
    }

    fn drain_modem(&mut self) {
        while let Some(output) = self.modem.poll_output() {
            match output.what {
                Output::Transmit { port: UART, bytes } => {
                    self.heard.extend(&bytes);
                    let spoiled = self.spoiled(&bytes);
                    let cut = usize::try_from(self.stream.below(spoiled.len() as u64 + 1)).unwrap();
                    for part in [&spoiled[..cut], &spoiled[cut..]] {
                        self.client.handle_bytes(self.now, part);
                        self.drain_client();
                    }
                }
                Output::Transmit { bytes, .. } => {
                    self.fly(Span::ms(200), Flight::Acked(bytes.len()));
                    if self.answers {
                        self.fly(Span::ms(300), Flight::Answer([b"re:".as_slice(), &bytes].concat()));
                    }
                    self.received.push(bytes);
                }
                Output::Open { to, .. } => {
                    // A spoiled command may name another server, where nobody listens.
                    let is_right = to == server();
                    self.flights.clear();
                    self.opens.push(self.now);
                    let outcome = if self.listens && is_right { Flight::Opened } else { Flight::Refused };
                    self.fly(Span::ms(400), outcome);
                }
                Output::Close { .. } => {
                    self.flights.clear();
                    self.connected = false;
                }
                Output::Level { .. } => {}
                Output::Event(ModemEvent::Swallowed) => self.swallowed += 1,
                Output::Event(_) => {}
            }
        }
    }

    fn drain_client(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match &output {
                ClientOutput::Transmit(bytes) => {
                    self.typed.push((self.now, bytes.clone()));
                    let mut spoiled = self.spoiled(bytes);
                    if self.echo_forced && bytes.starts_with(b"ATE0") {
                        spoiled = b"ATE1\r".to_vec();
                    }
                    self.modem_input(Input::Received { port: UART, bytes: &spoiled });
                }
                ClientOutput::PowerKey(high) => {
                    self.modem_input(Input::Level { port: PWRKEY, high: *high });
                }
                ClientOutput::Reset(high) => {
                    self.modem_input(Input::Level { port: RESET, high: *high });
                }
                _ => {}
            }
            self.outputs.push(output);
        }
    }

    fn land(&mut self, flight: Flight) {
        let port = net_port(0);
        match flight {
            Flight::Opened => {
                self.connected = true;
                self.modem_input(Input::Opened { port, from: None });
            }
            Flight::Refused => self.modem_input(Input::Closed { port, why: Closing::Refused }),
            Flight::Closed => {
                self.connected = false;
                self.modem_input(Input::Closed { port, why: Closing::Fin });
            }
            Flight::Acked(len) => self.modem_input(Input::Acked { port, len }),
            Flight::Answer(bytes) => self.modem_input(Input::Received { port, bytes: &bytes }),
        }
    }

    /// Lets time pass; returns how many steps it took.
    fn run(&mut self, span: Span) -> usize {
        let end = self.now + span;
        let mut steps = 0;
        loop {
            let flight = self.flights.keys().next().map(|(at, _)| *at);
            let due = [flight, self.modem.poll_timeout(), self.client.poll_timeout()];
            let Some(at) = due.into_iter().flatten().min().filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            steps += 1;
            assert!(steps < 200_000, "a loop without end: {:?}", self.outputs.last());
            if flight == Some(at) {
                let (_, flight) = self.flights.pop_first().unwrap();
                self.land(flight);
            } else if self.modem.poll_timeout() == Some(at) {
                self.modem_input(Input::Deadline);
            } else {
                self.client.handle_deadline(self.now);
                self.drain_client();
            }
        }
        self.now = end;
        steps
    }

    fn close(&mut self) {
        self.flights.clear();
        self.land(Flight::Closed);
    }

    fn urc(&mut self, text: &str) {
        self.modem_input(Input::Stimulus(ModemStimulus::Urc(text.to_owned())));
    }

    fn send(&mut self, data: &[u8]) -> Result<(), NotReady> {
        let result = self.client.send(self.now, data);
        self.drain_client();
        result
    }

    /// What the client said of itself since the last time.
    fn said(&mut self) -> Vec<ClientOutput> {
        self.outputs
            .drain(..)
            .filter(|output| {
                !matches!(
                    output,
                    ClientOutput::Transmit(_)
                        | ClientOutput::PowerKey(_)
                        | ClientOutput::Reset(_)
                        | ClientOutput::Signal(_)
                )
            })
            .collect()
    }

    /// What crossed the line towards the module, in words.
    fn commands(&mut self) -> Vec<String> {
        self.typed.drain(..).map(|(_, bytes)| bytes.escape_ascii().to_string()).collect()
    }

    fn cut_power(&mut self) {
        self.modem.cut(self.now, Torn::Old);
        self.flights.clear();
    }
}

fn hardened() -> ClientPolicy {
    ClientPolicy::hardened()
}

fn data_of(said: &[ClientOutput]) -> Vec<u8> {
    let mut data = Vec::new();
    for output in said {
        if let ClientOutput::Data(bytes) = output {
            data.extend(bytes);
        }
    }
    data
}

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

#[test]
fn every_single_byte_of_an_exchange_may_be_lost_doubled_or_flipped() {
    let up = Loop::up(hardened());
    let mut golden = up.clone();
    golden.crossed = 0;
    golden.send(b"heartbeat").unwrap();
    golden.run(Span::s(2));
    // The command, prompt, data, result, announced block.
    assert_eq!(golden.crossed, 12 + 4 + 9 + 11 + 15 + 12);
    let mut strikes = vec![Strike::Lost, Strike::Doubled];
    strikes.extend((0..8).map(Strike::Flipped));
    for at in 0..golden.crossed {
        for strike in &strikes {
            let mut bench = up.clone();
            bench.crossed = 0;
            bench.strike = Some((at, *strike));
            let mut pending = VecDeque::new();
            live(&mut bench, &mut pending);
            bench.run(Span::s(2));
            let mut got = Vec::new();
            // A limit, the calls, a pause, a whole start if it comes to that.
            for _ in 0..90 {
                bench.run(Span::s(1));
                got.extend(data_of(&bench.outputs));
                live(&mut bench, &mut pending);
            }
            assert!(bench.client.is_up(), "{at} {strike:?}");
            assert!(got.ends_with(b"re:heartbeat"), "{at} {strike:?} {}", got.escape_ascii());
        }
    }
}

/// Frames `heartbeat` and `re:heartbeat`.
fn payload(bytes: &[u8]) -> Option<(usize, &'static str)> {
    if bytes.starts_with(b"heartbeat") {
        Some((9, "heartbeat"))
    } else if bytes.starts_with(b"re:heartbeat") {
        Some((12, "+IPDATA/answer"))
    } else {
        None
    }
}

#[test]
fn what_crosses_the_line_has_its_names() {
    let mut bench = Loop::up(hardened());
    bench.typed.clear();
    bench.heard.clear();
    bench.send(b"heartbeat").unwrap();
    bench.run(Span::s(2));
    bench.close();
    bench.run(Span::s(4));
    let mut host = HostScanner::new(payload, 1460);
    let mut names = Vec::new();
    for (_, bytes) in &bench.typed {
        host.push(bytes);
        names.extend(std::iter::from_fn(|| host.poll().map(|unit| unit.name)));
    }
    assert_eq!(names, ["AT+IPSEND", "heartbeat", "AT+IPSTART"]);
    let mut modem = ModemScanner::new(payload, 1460);
    modem.push(&bench.heard);
    let names: Vec<&str> = std::iter::from_fn(|| modem.poll().map(|unit| unit.name)).collect();
    assert_eq!(names, ["prompt", "SEND OK", "+IPDATA/answer", "CONNECTION CLOSED", "OK", "CONNECT OK"]);
}

/// Events that leave the serial line itself in order.
fn disturb(bench: &mut Loop) {
    match bench.stream.below(8) {
        0 => bench.close(),
        1 => bench.urc("RING"),
        2 => bench.urc("+CMTI: \"SM\",3"),
        3 => bench.modem_input(Input::Stimulus(ModemStimulus::PdpLost)),
        4 => bench.listens = !bench.listens,
        5 => bench.answers = !bench.answers,
        6 => bench.modem_input(Input::Stimulus(ModemStimulus::Signal { rssi: 5, ber: 1 })),
        _ => {}
    }
}

/// A terminal that sends a message now and then, and gives the connection up when no answer comes.
fn live(bench: &mut Loop, pending: &mut VecDeque<Instant>) {
    let said = bench.said();
    if said.iter().any(|output| matches!(output, ClientOutput::Data(_) | ClientOutput::Down { .. })) {
        pending.clear();
    }
    if pending.front().is_some_and(|since| bench.now.since(*since) > Span::s(20)) {
        pending.clear();
        bench.client.reset_network(bench.now);
        bench.drain_client();
    }
    if pending.is_empty() && bench.send(b"heartbeat").is_ok() {
        pending.push_back(bench.now);
    }
}

/// The longest that may pass from the end of all trouble to a message delivered: the heartbeat's 20 s, the longest
/// pause of 60 s, key and start, registration and attachment, and one step or send that was under way, called back
/// and tried again.
const BOUND: Span = Span::s(300);

fn recovers(seed: u64, noise: u64, cuts: bool) -> Result<Loop, TestCaseError> {
    let mut bench = Loop::new(hardened());
    bench.stream = Seed(seed).stream("trouble");
    bench.noise = noise;
    bench.echo_forced = seed.is_multiple_of(2);
    let mut pending = VecDeque::new();
    for _ in 0..200 {
        let span = Span::ms(bench.stream.between(1, 2_000));
        bench.run(span);
        disturb(&mut bench);
        live(&mut bench, &mut pending);
        if cuts && bench.stream.chance(1, 30) {
            bench.cut_power();
            bench.modem_input(Input::PowerOn);
        }
    }
    bench.noise = 0;
    bench.listens = true;
    bench.answers = true;
    let quiet = bench.now;
    loop {
        bench.run(Span::s(1));
        let got = data_of(&bench.outputs);
        if bench.client.is_up() && got.windows(12).any(|part| part == b"re:heartbeat") {
            return Ok(bench);
        }
        live(&mut bench, &mut pending);
        prop_assert!(bench.now.since(quiet) <= BOUND, "not back: {:?}", bench.client);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happened_the_client_comes_back(seed in any::<u64>(), noise in 1_u64..60) {
        recovers(seed, noise, true)?;
    }

    #[test]
    fn on_a_sound_line_no_command_is_ever_sent_too_early(seed in any::<u64>()) {
        let bench = recovers(seed, 0, false)?;
        prop_assert_eq!(bench.swallowed, 0);
        // No line was ever split: every one is known by its name.
        let mut scanner = ModemScanner::new(payload, 1460);
        scanner.push(&bench.heard);
        while let Some(unit) = scanner.poll() {
            prop_assert_ne!(unit.name, "line-other", "{}", scanner.unit_bytes().escape_ascii());
        }
        prop_assert!(scanner.is_empty());
    }

    #[test]
    fn hostile_bytes_do_no_harm(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
        let mut bench = Loop::up(hardened());
        for chunk in &chunks {
            bench.client.handle_bytes(bench.now, chunk);
            bench.drain_client();
            bench.modem_input(Input::Received { port: UART, bytes: chunk });
            bench.run(Span::ms(100));
        }
    }
}
