//! Trials of the virtual M6311 and of the client that drives it.

mod client_times;
mod closed_loop;
mod commands;
mod lines;
mod power;
mod sim800a;
mod transcripts;
mod transparent;

use std::net::SocketAddrV4;

use serde::Deserialize;

use crate::digest::Digest;
use crate::machine::{Board, Close, Closing, Input, Machine, Output, Port, Torn};
use crate::modem::client::ClientConfig;
use crate::modem::config::{Latency, ModuleConfig};
use crate::modem::dialect::Dialect;
use crate::modem::engine::Modem;
use crate::modem::event::{ModemEvent, ModemStimulus};
use crate::modem::m6311::{M6311, M6311Dialect, M6311ModemConfig};
use crate::modem::port::{NET_BASE, UART};
use crate::seed::Seed;
use crate::time::{Instant, Now, Span, Wall};

#[derive(Clone, Deserialize)]
struct Profile {
    modem: M6311ModemConfig,
    host: ClientConfig,
}

/// The published profile.
fn profile() -> Profile {
    toml::from_str(include_str!("../../../../fixtures/profiles/water.toml")).unwrap()
}

/// The published profile with every latency at 50 ms, the start at 3 s and registration 5 s later, so that times
/// can be written down.
fn exact() -> M6311ModemConfig {
    let mut config = profile().modem;
    fix(&mut config.module, Span::s(3));
    config
}

/// Switches a module on by its supply, and fixes every latency: its start, registration 5 s later, 50 ms for the rest.
fn fix(module: &mut ModuleConfig, boot: Span) {
    module.auto_on = true;
    module.boot = exactly(boot);
    module.register = exactly(Span::s(5));
    for latency in [
        &mut module.plain,
        &mut module.attach,
        &mut module.activate,
        &mut module.resolve,
        &mut module.close,
        &mut module.prompt,
    ] {
        *latency = exactly(Span::ms(50));
    }
}

fn exactly(span: Span) -> Latency {
    Latency { min: span, max: span }
}

/// A module on a desk: a hand on its line, its pins and its network.
#[derive(Clone)]
struct Desk<D> {
    modem: Modem<D>,
    now: Instant,
    said: Vec<u8>,
    net: Vec<String>,
    status: Option<bool>,
    events: Vec<ModemEvent>,
}

impl Desk<M6311Dialect> {
    /// Without power.
    fn new(config: M6311ModemConfig) -> Self {
        Self::with(M6311::new(config, Seed(1).stream("modem")))
    }

    /// Registered in the network, echo off.
    fn ready(config: M6311ModemConfig) -> Self {
        let mut desk = Self::new(config);
        desk.input(Input::PowerOn);
        desk.run(Span::s(9));
        desk.ask("ATE0\r");
        desk
    }

    /// With an active packet context.
    fn active(config: M6311ModemConfig) -> Self {
        let mut desk = Self::ready(config);
        assert_eq!(desk.ask("AT+CGATT=1;+CGDCONT=1,\"IP\",\"CMNET\";+CGACT=1,1\r"), "\r\nOK\r\n");
        desk
    }

    /// With connection 0 standing and marked data.
    fn connected(config: M6311ModemConfig) -> Self {
        let mut desk = Self::active(config);
        desk.ask("AT+CMHEAD=1\r");
        assert_eq!(desk.ask("AT+IPSTART=\"TCP\",\"192.0.2.10\",7000\r"), "\r\nOK\r\n");
        desk.input(Input::Opened { port: Port(NET_BASE), from: None });
        assert_eq!(desk.heard(), "\r\nCONNECT OK\r\n");
        desk.net.clear();
        desk
    }
}

impl<D: Dialect> Desk<D> {
    /// With a module that has no power.
    fn with(modem: Modem<D>) -> Self {
        Self {
            modem,
            now: Instant::ZERO,
            said: Vec::new(),
            net: Vec::new(),
            status: None,
            events: Vec::new(),
        }
    }

    fn input(&mut self, input: Input<'_, ModemStimulus>) {
        self.modem.handle_input(Now { mono: self.now, wall: Wall::default() }, input);
        while let Some(output) = self.modem.poll_output() {
            match output.what {
                Output::Transmit { port: UART, bytes } => self.said.extend(bytes),
                Output::Transmit { port, bytes } => {
                    self.net.push(format!("{} sends {}", port.0 - NET_BASE, bytes.escape_ascii()));
                }
                Output::Open { port, to } => self.net.push(format!("{} opens {to}", port.0 - NET_BASE)),
                Output::Close { port, how } => {
                    let how = if how == Close::Fin { "closes" } else { "drops" };
                    self.net.push(format!("{} {how}", port.0 - NET_BASE));
                }
                Output::Level { high, .. } => self.status = Some(high),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    /// Lets time pass.
    fn run(&mut self, span: Span) {
        let end = self.now + span;
        while let Some(due) = self.modem.poll_timeout().filter(|due| *due <= end) {
            self.now = due;
            self.input(Input::Deadline);
        }
        self.now = end;
    }

    fn type_in(&mut self, bytes: &[u8]) {
        self.input(Input::Received { port: UART, bytes });
    }

    fn net_says(&mut self, id: u16, bytes: &[u8]) {
        self.input(Input::Received { port: Port(NET_BASE + id), bytes });
    }

    fn closed(&mut self, id: u16, why: Closing) {
        self.input(Input::Closed { port: Port(NET_BASE + id), why });
    }

    fn acked(&mut self, id: u16, len: usize) {
        self.input(Input::Acked { port: Port(NET_BASE + id), len });
    }

    /// What the module said since the last time.
    fn heard_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.said)
    }

    fn heard(&mut self) -> String {
        String::from_utf8(self.heard_bytes()).unwrap()
    }

    /// Types a line and returns what is said within 80 ms.
    fn ask(&mut self, line: &str) -> String {
        self.type_in(line.as_bytes());
        let commands = 1 + line.matches(';').count() as u64;
        self.run(Span::ms(30) + Span::ms(50) * commands);
        self.heard()
    }

    fn net(&mut self) -> Vec<String> {
        std::mem::take(&mut self.net)
    }

    fn digest(&self) -> u128 {
        let mut digest = Digest::new(self.now);
        self.modem.digest(self.now, &mut digest);
        digest.finish()
    }

    fn cut(&mut self) {
        self.modem.cut(self.now, Torn::Old);
        assert!(self.modem.poll_output().is_none());
    }
}

fn server() -> SocketAddrV4 {
    "192.0.2.10:7000".parse().unwrap()
}
