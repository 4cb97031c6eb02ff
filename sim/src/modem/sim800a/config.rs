//! What may differ between two SIM800A and their networks.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Deserialize;

use crate::modem::config::{AlreadyConnect, Latency, ModemConfig};
use crate::profile::{self, LoadError};
use crate::time::Span;

/// The published profile.
pub const BUILT_IN: &str = include_str!("../../../../fixtures/profiles/sim800a.toml");

/// A module's profile from its text, with some of its values replaced, and with every timer divided.
///
/// Errors: [`LoadError`], with line and column where the text is at fault.
pub fn load(text: &str, overrides: &toml::Table, divisor: u64) -> Result<Sim800aModemConfig, LoadError> {
    profile::load(text, overrides, divisor, &["module", "dialect"])
}

/// The configuration of a virtual SIM800A.
pub type Sim800aModemConfig = ModemConfig<Sim800aConfig>;

/// What stands behind the number of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Numbering {
    /// `n, CONNECT OK`, as chips print it.
    CommaBlank,
    /// `n,CONNECT OK`, as the manual prints it.
    Comma,
}

/// What ends the data of a send with a count.
///
/// Source: MDM-A6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CountedData {
    /// The count alone.
    Transparent,
    /// A control-Z or an escape as well, as in firmware that minds them everywhere.
    EndsAtControlZ,
}

/// The answers to queries of who the module and its SIM are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// `AT+GMI`
    pub maker: String,
    /// `AT+GMM`
    pub model: String,
    /// `AT+GMR`, after `Revision:`.
    pub revision: String,
    /// `AT+GSN`
    pub imei: String,
    /// `AT+CIMI`
    pub imsi: String,
    /// `AT+CCID`
    pub iccid: String,
    /// `AT+COPS?`
    pub operator: String,
}

/// The supply's limits.
///
/// Units: mV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supply {
    /// What it is at the start.
    pub usual: u16,
    /// Below this, the module gives up.
    pub under_off: u16,
    /// Below this, it warns.
    pub under_warning: u16,
    /// Above this, it warns.
    pub over_warning: u16,
    /// Above this, the module gives up.
    pub over_off: u16,
}

/// What may differ between two SIM800A and their networks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sim800aConfig {
    /// What stands behind the number of a connection.
    pub numbering: Numbering,
    /// Where `ALREADY CONNECT` stands.
    pub already_connect: AlreadyConnect,
    /// What ends the data of a send with a count.
    pub counted: CountedData,
    /// Whether a single link may be opened again when it was closed, without `AT+CIPSHUT`.
    pub reopens: bool,
    /// `AT+CIPSHUT`
    pub shut: Latency,
    /// `AT+SAPBR=1,1` and `AT+SAPBR=0,1`
    pub bearer: Latency,
    /// How long one of several connections may take to come about.
    pub connect_limit_multi: Span,
    /// With `AT+CSCLK=2`, the silence after which the module sleeps.
    pub sleep_after: Span,
    /// With `AT+CSCLK=1`, how long DTR must be low until the module is awake.
    pub dtr_wake: Span,
    /// From `AT+HTTPACTION` to its outcome, at least.
    pub http_answer: Span,
    /// How many characters a sleeping module loses when it is woken by them.
    ///
    /// Units: bytes.
    pub wake_loss: usize,
    /// The address that the network gives to the module.
    pub address: Ipv4Addr,
    /// The network's name servers.
    pub name_servers: [Ipv4Addr; 2],
    /// Who the module and its SIM are.
    pub identity: Identity,
    /// The supply's limits.
    pub supply: Supply,
    /// The names that the network can resolve.
    pub resolver: BTreeMap<String, Ipv4Addr>,
}
