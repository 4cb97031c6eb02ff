//! What may differ from one module to the next without being another dialect.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Deserialize;

use crate::modem::core::Core;
use crate::modem::dialect::Verdict;
use crate::modem::reply::Final;
use crate::time::Span;

/// A span that varies: each time it is drawn anew between its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// The shortest.
    pub min: Span,
    /// The longest.
    pub max: Span,
}

/// How far a module minds what is under way on the line when it has something to say unasked.
///
/// Source: MDM-A4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnaskedLines {
    /// They wait for the end of a command that is being echoed, and for the data of a prompt.
    AtTheirPlaces,
    /// They wait for the data of a prompt only.
    InsideEchoes,
    /// They wait for the end of a command only.
    AtPrompts,
}

/// Where `ALREADY CONNECT` stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlreadyConnect {
    /// After `OK`.
    AfterOk,
    /// In place of a final result.
    Alone,
    /// After `ERROR`.
    AfterError,
}

impl AlreadyConnect {
    /// Says these words in their place.
    pub fn answer(self, core: &mut Core, text: &str) -> Verdict {
        match self {
            Self::AfterOk => {
                core.info_afterwards(text.as_bytes());
                Verdict::Done
            }
            Self::Alone => {
                core.info(text.as_bytes());
                Verdict::Said
            }
            Self::AfterError => {
                core.info_afterwards(text.as_bytes());
                Verdict::Failed(Final::Error)
            }
        }
    }
}

/// The name under which a resolver has the address of every name that it does not have.
pub const ANY_NAME: &str = "*";

/// The address behind a name that is one itself or that the network can resolve.
pub fn address_of(resolver: &BTreeMap<String, Ipv4Addr>, name: &[u8]) -> Option<Ipv4Addr> {
    let name = std::str::from_utf8(name).ok()?;
    let known = || resolver.get(&name.to_ascii_lowercase()).or_else(|| resolver.get(ANY_NAME)).copied();
    name.parse().ok().or_else(known)
}

/// A line that a module says of itself some time after it was switched on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootLine {
    /// How long after switching on; never before the UART works.
    pub after: Span,
    /// The line.
    pub text: String,
    /// Whether it stays unsaid while the module does not know the host's speed.
    ///
    /// Source: MDM-A5.
    pub needs_rate: bool,
}

/// The part of a module's configuration that every dialect has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleConfig {
    /// Whether power alone starts the module, without the key.
    pub auto_on: bool,
    /// How long the key must be held to start the module.
    pub key_on: Span,
    /// How long the key must be held to stop the module.
    pub key_off: Span,
    /// How long the key must be held to stop the module and start it again, if that does.
    #[serde(default)]
    pub key_again: Option<Span>,
    /// How long the reset pin must be low.
    pub reset_low: Span,
    /// From the start to a working UART.
    pub boot: Latency,
    /// Whether the speed is fixed; otherwise it is known after the first line that reads `AT`.
    pub fixed_rate: bool,
    /// Whether an LF without a CR before it ends a command too.
    ///
    /// Source: MDM-A1.
    pub bare_lf_ends: bool,
    /// How far it minds what is under way when it has something to say unasked.
    pub unasked_lines: UnaskedLines,
    /// What the module says of itself while it starts, in order of time.
    pub boot_lines: Vec<BootLine>,
    /// From a working UART to registration in the network.
    pub register: Latency,
    /// The answer to most commands.
    pub plain: Latency,
    /// Attaching to packet service.
    pub attach: Latency,
    /// Activating a packet context.
    pub activate: Latency,
    /// Resolving a name.
    pub resolve: Latency,
    /// Closing a connection.
    pub close: Latency,
    /// The answer to a send command: the prompt.
    pub prompt: Latency,
    /// From an information line to its final result; zero sends both at once.
    pub final_gap: Span,
    /// How long a connection may take to come about.
    pub connect_limit: Span,
    /// How long the other end may take to acknowledge a send.
    pub send_limit: Span,
    /// The most bytes of one send.
    ///
    /// Units: bytes.
    pub send_max: usize,
    /// The most bytes kept for a host that reads by itself, for each connection; also the most that wait unsaid
    /// while the line is not free.
    ///
    /// Units: bytes.
    pub receive_max: usize,
    /// The silence before `+++`.
    pub guard_before: Span,
    /// The time within which the three characters of `+++` must come.
    pub escape_span: Span,
    /// The silence after `+++`.
    pub guard_after: Span,
    /// Received signal strength as `AT+CSQ` tells it, 0 to 31 or 99.
    pub rssi: u8,
    /// Bit error rate as `AT+CSQ` tells it, 0 to 7 or 99.
    pub ber: u8,
    /// What `ATI` answers.
    pub identity: String,
}

/// A module: what every dialect has, and what one dialect adds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModemConfig<D> {
    /// What every dialect has.
    pub module: ModuleConfig,
    /// What this dialect adds.
    pub dialect: D,
}
