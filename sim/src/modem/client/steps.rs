//! The commands that bring a connection up, in order, and the lines that answer them.

use std::net::SocketAddrV4;

use crate::modem::client::config::ClientConfig;
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
    Single,
    Head,
    Prompt,
    Close,
    Start,
}

impl Step {
    /// The step after this one. `Close` is taken only where something is to be closed.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Echo => Self::Sim,
            Self::Sim => Self::Signal,
            Self::Signal => Self::Registration,
            Self::Registration => Self::Attach,
            Self::Attach => Self::Context,
            Self::Context => Self::Activate,
            Self::Activate => Self::Single,
            Self::Single => Self::Head,
            Self::Head => Self::Prompt,
            Self::Prompt | Self::Close | Self::Start => Self::Start,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Echo => "ATE0",
            Self::Sim => "AT+CPIN?",
            Self::Signal => "AT+CSQ",
            Self::Registration => "AT+CREG?",
            Self::Attach => "AT+CGATT=1",
            Self::Context => "AT+CGDCONT",
            Self::Activate => "AT+CGACT=1,1",
            Self::Single => "AT+CMMUX=0",
            Self::Head => "AT+CMHEAD=1",
            Self::Prompt => "AT+PROMPT=1",
            Self::Close => "AT+IPCLOSE",
            Self::Start => "AT+IPSTART",
        }
    }

    pub(super) fn line(self, config: &ClientConfig, server: SocketAddrV4) -> Vec<u8> {
        match self {
            Self::Context => format!("AT+CGDCONT=1,\"IP\",\"{}\"\r", config.apn),
            Self::Start => format!("AT+IPSTART=\"TCP\",\"{}\",{}\r", server.ip(), server.port()),
            _ => format!("{}\r", self.name()),
        }
        .into_bytes()
    }

    pub(super) fn limit(self, config: &ClientConfig) -> Span {
        match self {
            Self::Attach | Self::Activate => config.attach_limit,
            _ => config.command_limit,
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
        b"CONNECTION CLOSED" => Said::Closed,
        b"+CPIN: READY" => Said::SimReady,
        _ if line.starts_with(b"AT") => Said::Echo,
        _ if line.starts_with(b"+CME ERROR:") => Said::Error,
        _ if line == config.pdp_lost.as_bytes() => Said::PdpLost,
        _ if config.boot_lines.iter().any(|text| text.as_bytes() == line) => Said::Booted,
        _ => value(line).unwrap_or(Said::Other),
    }
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
