//! A client and a module on one line, each as it is.

mod course;
mod noise;
mod sim800a;

use std::collections::BTreeMap;

use super::*;
use crate::modem::client::{Client, ClientOutput, ClientPolicy, NotReady};
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
struct Loop<D = M6311Dialect> {
    client: Client,
    modem: Modem<D>,
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
        let modem = M6311::new(profile.modem, Seed(5).stream("modem"));
        Self::of(Client::with_policy(profile.host, server(), policy), modem)
    }

    fn up(policy: ClientPolicy) -> Self {
        Self::new(policy).brought_up()
    }
}

impl<D: Dialect> Loop<D> {
    fn of(client: Client, modem: Modem<D>) -> Self {
        let mut this = Self {
            client,
            modem,
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

    fn brought_up(mut self) -> Self {
        self.run(Span::s(60));
        assert!(self.client.is_up(), "{:?}", self.outputs);
        self
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
