//! The commands that bring a connection up, in order, and the lines that answer them.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::modem::client::config::{ClientConfig, Fitted};
use crate::modem::line::parse_number;
use crate::time::Span;

/// One command on the way to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Echo,
    Sim,
    Signal,
    Registration,
    Attach,
    Context,
    Activate,
    /// The module's own address, which a SIM800A has to be asked for.
    Address,
    Single,
    Head,
    Prompt,
    /// Frees what an old connection holds.
    Close,
    Start,
}

impl Step {
    /// The step after this one. An M6311 is told to close only where something is to be closed; a SIM800A has to be
    /// back in its first state before its context is brought up.
    pub(super) fn next(self, module: Fitted) -> Self {
        match (module, self) {
            (_, Self::Echo) => Self::Sim,
            (_, Self::Sim) => Self::Signal,
            (_, Self::Signal) => Self::Registration,
            (_, Self::Registration) => Self::Attach,
            (_, Self::Context) => Self::Activate,
            (_, Self::Single) => Self::Head,
            (Fitted::M6311, Self::Attach) => Self::Context,
            (Fitted::M6311, Self::Activate) => Self::Single,
            (Fitted::M6311, Self::Head) => Self::Prompt,
            (Fitted::M6311, _) => Self::Start,
            (Fitted::Sim800a, Self::Attach) => Self::Close,
            (Fitted::Sim800a, Self::Close) => Self::Single,
            (Fitted::Sim800a, Self::Head) => Self::Prompt,
            (Fitted::Sim800a, Self::Prompt) => Self::Context,
            (Fitted::Sim800a, Self::Activate) => Self::Address,
            (Fitted::Sim800a, Self::Address | Self::Start) => Self::Start,
        }
    }

    /// The step from which a host connects anew whose context still stands.
    pub(super) fn again(module: Fitted) -> Self {
        match module {
            Fitted::M6311 => Self::Start,
            Fitted::Sim800a => Self::Close,
        }
    }

    pub(super) fn name(self, module: Fitted) -> &'static str {
        match (module, self) {
            (_, Self::Echo) => "ATE0",
            (_, Self::Sim) => "AT+CPIN?",
            (_, Self::Signal) => "AT+CSQ",
            (_, Self::Registration) => "AT+CREG?",
            (_, Self::Attach) => "AT+CGATT=1",
            (_, Self::Address) => "AT+CIFSR",
            (Fitted::M6311, Self::Context) => "AT+CGDCONT",
            (Fitted::M6311, Self::Activate) => "AT+CGACT=1,1",
            (Fitted::M6311, Self::Single) => "AT+CMMUX=0",
            (Fitted::M6311, Self::Head) => "AT+CMHEAD=1",
            (Fitted::M6311, Self::Prompt) => "AT+PROMPT=1",
            (Fitted::M6311, Self::Close) => "AT+IPCLOSE",
            (Fitted::M6311, Self::Start) => "AT+IPSTART",
            (Fitted::Sim800a, Self::Context) => "AT+CSTT",
            (Fitted::Sim800a, Self::Activate) => "AT+CIICR",
            (Fitted::Sim800a, Self::Single) => "AT+CIPMUX=0",
            (Fitted::Sim800a, Self::Head) => "AT+CIPHEAD=1",
            (Fitted::Sim800a, Self::Prompt) => "AT+CIPSPRT=1",
            (Fitted::Sim800a, Self::Close) => "AT+CIPSHUT",
            (Fitted::Sim800a, Self::Start) => "AT+CIPSTART",
        }
    }

    pub(super) fn line(self, config: &ClientConfig, server: SocketAddrV4) -> Vec<u8> {
        let name = self.name(config.module);
        match (config.module, self) {
            (Fitted::M6311, Self::Context) => format!("{name}=1,\"IP\",\"{}\"\r", config.apn),
            (Fitted::Sim800a, Self::Context) => format!("{name}=\"{}\"\r", config.apn),
            (_, Self::Start) => format!("{name}=\"TCP\",\"{}\",{}\r", server.ip(), server.port()),
            _ => format!("{name}\r"),
        }
        .into_bytes()
    }

    pub(super) fn limit(self, config: &ClientConfig) -> Span {
        match (config.module, self) {
            (_, Self::Attach | Self::Activate) | (Fitted::Sim800a, Self::Close) => config.attach_limit,
            _ => config.command_limit,
        }
    }

    /// Whether this ends the command, and whether well; `None` while its final result is still to come.
    pub(super) fn outcome(self, module: Fitted, said: Said) -> Option<bool> {
        match (module, self, said) {
            (_, _, Said::Error) => Some(false),
            (Fitted::Sim800a, Self::Close, Said::ShutOk) => Some(true),
            (Fitted::Sim800a, Self::Address, Said::Address) => Some(true),
            (Fitted::Sim800a, Self::Close | Self::Address, _) => None,
            (_, _, Said::Ok) => Some(true),
            _ => None,
        }
    }
}

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Ok,
    Error,
    ConnectOk,
    ConnectFail,
    AlreadyConnect,
    SendOk,
    SendFail,
    ShutOk,
    Address,
    Closed,
    PdpLost,
    Booted,
    Signal(u8),
    Registration(usize),
    SimReady,
    Echo,
    Other,
}

pub(super) fn understand(line: &[u8], config: &ClientConfig) -> Said {
    match line {
        b"OK" => Said::Ok,
        b"ERROR" => Said::Error,
        b"CONNECT OK" => Said::ConnectOk,
        b"CONNECT FAIL" | b"COMMAND TIMEOUT" => Said::ConnectFail,
        b"ALREADY CONNECT" => Said::AlreadyConnect,
        b"SEND OK" => Said::SendOk,
        b"SEND FAIL" => Said::SendFail,
        b"CONNECTION CLOSED" if config.module == Fitted::M6311 => Said::Closed,
        b"CLOSED" if config.module == Fitted::Sim800a => Said::Closed,
        b"SHUT OK" if config.module == Fitted::Sim800a => Said::ShutOk,
        b"+CPIN: READY" => Said::SimReady,
        _ if line.starts_with(b"AT") => Said::Echo,
        _ if line.starts_with(b"+CME ERROR:") => Said::Error,
        _ if line == config.pdp_lost.as_bytes() => Said::PdpLost,
        _ if config.boot_lines.iter().any(|text| text.as_bytes() == line) => Said::Booted,
        _ if config.module == Fitted::Sim800a && is_address(line) => Said::Address,
        _ => value(line).unwrap_or(Said::Other),
    }
}

fn is_address(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|text| text.parse::<Ipv4Addr>().is_ok())
}

/// Lines whose value matters.
fn value(line: &[u8]) -> Option<Said> {
    if let Some(values) = line.strip_prefix(b"+CSQ: ") {
        let rssi = parse_number(values.split(|byte| *byte == b',').next()?)?;
        return (rssi <= 31 || rssi == 99).then_some(Said::Signal(u8::try_from(rssi).ok()?));
    }
    // Asked for, the state is the second value; said unasked, the only one.
    let values = line.strip_prefix(b"+CREG: ")?;
    let state = values.split(|byte| *byte == b',').next_back()?;
    Some(Said::Registration(parse_number(state)?))
}
