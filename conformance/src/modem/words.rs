//! What the two dialects call the same things.

use assay_sim::modem::client::Fitted;
use assay_sim::water::profile::Profile;

/// The words of one dialect.
#[derive(Debug)]
pub(super) struct Words {
    /// Asks for a connection.
    pub(super) start: &'static str,
    /// Asks for the prompt.
    pub(super) send: &'static str,
    /// Frees what an old connection holds.
    pub(super) close: &'static str,
    /// The final result of that.
    pub(super) close_result: &'static str,
    /// The other end has closed the connection.
    pub(super) closed: &'static str,
    /// Has received data announced.
    pub(super) head: &'static str,
    /// Has the next connection be transparent.
    pub(super) transparent: &'static str,
    /// Every command on the way to a connection, in the order of the suite's own host.
    pub(super) way_up: &'static [&'static str],
    /// What comes of a connection that fails, behind the command.
    pub(super) failures: &'static [&'static [&'static str]],
}

const M6311: Words = Words {
    start: "AT+IPSTART",
    send: "AT+IPSEND",
    close: "AT+IPCLOSE",
    close_result: "OK",
    closed: "CONNECTION CLOSED",
    head: "AT+CMHEAD=1",
    transparent: "AT+CMMODE=1",
    way_up: &[
        "ATE0",
        "AT+CPIN",
        "AT+CSQ",
        "AT+CREG",
        "AT+CGATT",
        "AT+CGDCONT",
        "AT+CGACT",
        "AT+CMMUX",
        "AT+CMHEAD",
        "AT+PROMPT",
        "AT+IPSTART",
    ],
    failures: &[&["OK", "CONNECT FAIL"], &["OK", "COMMAND TIMEOUT"], &["OK", "ALREADY CONNECT"]],
};

const SIM800A: Words = Words {
    start: "AT+CIPSTART",
    send: "AT+CIPSEND",
    close: "AT+CIPSHUT",
    close_result: "SHUT OK",
    closed: "CLOSED",
    head: "AT+CIPHEAD=1",
    transparent: "AT+CIPMODE=1",
    way_up: &[
        "ATE0",
        "AT+CPIN",
        "AT+CSQ",
        "AT+CREG",
        "AT+CGATT",
        "AT+CIPSHUT",
        "AT+CIPMUX",
        "AT+CIPHEAD",
        "AT+CIPSPRT",
        "AT+CSTT",
        "AT+CIICR",
        "AT+CIFSR",
        "AT+CIPSTART",
    ],
    failures: &[
        &["OK", "STATE: TCP CLOSED", "CONNECT FAIL"],
        &["ALREADY CONNECT"],
        &["ERROR", "ALREADY CONNECT"],
    ],
};

impl Words {
    /// Those of the module that is fitted.
    pub(super) fn of(profile: &Profile) -> &'static Self {
        match profile.fitted.module {
            Fitted::M6311 => &M6311,
            Fitted::Sim800a => &SIM800A,
        }
    }
}
