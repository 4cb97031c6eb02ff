//! What the module tells of itself, its SIM and its network, and the bearer of its own applications.
//!
//! Each query that owes an information line gives it: drivers wait for it without end.

use super::Sim800aDialect;
use crate::modem::core::Core;
use crate::modem::dialect::Verdict;
use crate::modem::line::{Command, Form};
use crate::modem::reply::Final;

/// Answers that never change.
const FIXED: [(&str, Form<'static>, &str); 10] = [
    ("+CSCS", Form::Read, "+CSCS: \"IRA\""),
    ("+CSCS", Form::Test, "+CSCS: (\"IRA\",\"GSM\",\"UCS2\",\"HEX\",\"PCCP\",\"PCDN\",\"8859-1\")"),
    ("+CSMS", Form::Read, "+CSMS: 0,1,1,1"),
    ("+CSMS", Form::Test, "+CSMS: (0,1)"),
    ("+CPMS", Form::Read, "+CPMS: \"SM\",0,50,\"SM\",0,50,\"SM\",0,50"),
    ("+CPMS", Form::Test, "+CPMS: (\"ME\",\"SM\"),(\"ME\",\"SM\"),(\"ME\",\"SM\")"),
    ("+CFUN", Form::Read, "+CFUN: 1"),
    ("+CFUN", Form::Test, "+CFUN: (0,1,4),(0,1)"),
    ("+CPIN", Form::Test, ""),
    ("+CPAS", Form::Execute, "+CPAS: 0"),
];

/// What `AT+CSCS` takes; nothing here has any text in it.
const CHARACTER_SETS: [&[u8]; 7] = [b"IRA", b"GSM", b"UCS2", b"HEX", b"PCCP", b"PCDN", b"8859-1"];

/// What connection commands tell of their values: with one link, and with several. Those that take none tell nothing.
const TESTS: [(&[u8], &str, &str); 8] = [
    (
        b"+CIPSTART",
        "+CIPSTART: (\"TCP\"),(\"(0-255).(0-255).(0-255).(0-255)\"),(1-65535)",
        "+CIPSTART: (0-5),(\"TCP\"),(\"(0-255).(0-255).(0-255).(0-255)\"),(1-65535)",
    ),
    (b"+CIPSEND", "+CIPSEND: <length>", "+CIPSEND: (0-5),<length>"),
    (b"+CIPCLOSE", "", ""),
    (b"+CIPSHUT", "", ""),
    (b"+CIPSTATUS", "", ""),
    (b"+CIPACK", "", ""),
    (b"+CIICR", "", ""),
    (b"+CIFSR", "", ""),
];

/// Tells what a connection command takes, if it is one.
pub(super) fn takes_test(core: &mut Core, is_multi: bool, name: &[u8]) -> bool {
    let Some((_, single, multi)) = TESTS.iter().find(|(known, ..)| *known == name) else { return false };
    let text = if is_multi { multi } else { single };
    if !text.is_empty() {
        core.info(text.as_bytes());
    }
    true
}

impl Sim800aDialect {
    pub(super) fn query(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let fixed = |(name, form, _): &&(&str, Form<'_>, &str)| {
            name.as_bytes() == command.name && *form == command.form
        };
        if let Some((_, _, text)) = FIXED.iter().find(fixed) {
            if !text.is_empty() {
                core.info(text.as_bytes());
            }
            return Verdict::Done;
        }
        match (command.name, command.form) {
            (b"+CFUN", Form::Set(b"1")) | (b"+COPS", Form::Set(b"0")) => Verdict::Done,
            // There are no messages, so none is listed.
            (b"+CMGL", Form::Execute | Form::Set(_)) | (b"+CPMS", Form::Set(_)) => Verdict::Done,
            (b"+CSCS", Form::Set(_)) => match command.values().next() {
                Some(set) if CHARACTER_SETS.contains(&set) => Verdict::Done,
                _ => Verdict::Failed(Final::INVALID),
            },
            (b"+SAPBR", _) => self.sapbr(core, command),
            (b"+CDNSCFG", _) => self.name_servers(core, command),
            _ => match self.identity(core, command) {
                Some(text) => {
                    core.info(text.as_bytes());
                    Verdict::Done
                }
                None => Verdict::Unknown,
            },
        }
    }

    fn identity(&self, core: &Core, command: &Command<'_>) -> Option<String> {
        let who = &self.config.identity;
        Some(match (command.name, command.form) {
            (b"+GMI" | b"+CGMI", Form::Execute) => who.maker.clone(),
            (b"+GMM" | b"+CGMM", Form::Execute) => who.model.clone(),
            (b"+GMR" | b"+CGMR", Form::Execute) => format!("Revision:{}", who.revision),
            (b"+GSN" | b"+CGSN", Form::Execute) => who.imei.clone(),
            (b"+CIMI", Form::Execute) if core.radio.sim => who.imsi.clone(),
            (b"+CCID", Form::Execute) if core.radio.sim => who.iccid.clone(),
            (b"+COPS", Form::Read) if core.radio.is_registered() => {
                format!("+COPS: 0,0,\"{}\"", who.operator)
            }
            (b"+COPS", Form::Read) => "+COPS: 0".to_owned(),
            (b"+CBC", Form::Execute) => format!("+CBC: 0,{},{}", self.charge(), self.millivolts),
            (b"+CGPADDR", Form::Execute | Form::Set(b"1")) if core.radio.active => {
                format!("+CGPADDR: 1,\"{}\"", self.config.address)
            }
            (b"+CGPADDR", Form::Execute | Form::Set(b"1")) => "+CGPADDR: 1,\"0.0.0.0\"".to_owned(),
            _ => return None,
        })
    }

    /// How full a battery with this supply would be.
    ///
    /// Units: percent.
    fn charge(&self) -> u32 {
        let limits = self.config.supply;
        let span = u32::from(limits.over_warning - limits.under_off).max(1);
        (u32::from(self.millivolts.saturating_sub(limits.under_off)) * 100 / span).min(100)
    }

    fn name_servers(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        match command.form {
            Form::Read => {
                let [first, second] = self.name_servers;
                core.info(format!("PrimaryDns: {first}").as_bytes());
                core.info(format!("SecondaryDns: {second}").as_bytes());
                Verdict::Done
            }
            Form::Set(_) => {
                let addresses: Option<Vec<std::net::Ipv4Addr>> =
                    command.values().map(|value| std::str::from_utf8(value).ok()?.parse().ok()).collect();
                match addresses.as_deref() {
                    Some([first]) => self.name_servers[0] = *first,
                    Some([first, second]) => self.name_servers = [*first, *second],
                    _ => return Verdict::Failed(Final::INVALID),
                }
                Verdict::Done
            }
            _ => Verdict::Unknown,
        }
    }

    /// The bearer of profile 1: it is opened once, and told with its address.
    fn sapbr(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let values: Vec<_> = command.values().collect();
        match values.as_slice() {
            [b"3", b"1", name, _] if NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) => {}
            [b"1", b"1"] if self.bearer => return Verdict::Failed(Final::NOT_ALLOWED),
            [b"1", b"1"] if !core.radio.is_registered() => return Verdict::Failed(Final::NO_SERVICE),
            [b"1", b"1"] => {
                core.radio.attached = true;
                core.radio.active = true;
                self.bearer = true;
            }
            [b"0", b"1"] if !self.bearer => return Verdict::Failed(Final::NOT_ALLOWED),
            [b"0", b"1"] => self.bearer = false,
            [b"2", b"1"] if self.bearer => {
                core.info(format!("+SAPBR: 1,1,\"{}\"", self.config.address).as_bytes());
            }
            [b"2", b"1"] => core.info(b"+SAPBR: 1,3,\"0.0.0.0\""),
            _ => return Verdict::Failed(Final::INVALID),
        }
        Verdict::Done
    }
}

/// What a bearer is told with `AT+SAPBR=3,1`.
const NAMES: [&[u8]; 6] = [b"CONTYPE", b"APN", b"USER", b"PWD", b"PHONENUM", b"RATE"];
