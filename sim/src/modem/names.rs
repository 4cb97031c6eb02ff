//! The names of lines, in either direction.

/// A line from the host without any `AT` in it.
pub const NOISE: &str = "noise";
/// A command that has no name here.
pub const OTHER_COMMAND: &str = "AT-other";
/// A line from a module that has no name here.
pub const OTHER_LINE: &str = "line-other";
/// A host's own characters, sent back.
pub const ECHO: &str = "echo";
/// The request for data.
pub const PROMPT: &str = "prompt";
/// A counted block of received data whose payload has no name.
pub const RECEIVED: &str = "+IPDATA";
/// Data after a prompt whose payload has no name.
pub const DATA: &str = "data";
/// The way out of a data line.
pub const ESCAPE: &str = "+++";
/// The last line again.
pub const REPEAT: &str = "A/";

/// Commands by the whole of their name.
const COMMANDS: &[&str] = &[
    "AT",
    "ATE0",
    "ATE1",
    "ATV0",
    "ATV1",
    "ATZ",
    "AT&F",
    "AT&W",
    "ATI",
    "ATO",
    "AT+CMEE",
    "AT+CPIN",
    "AT+CSQ",
    "AT+CREG",
    "AT+CGREG",
    "AT+CGATT",
    "AT+CGDCONT",
    "AT+CGACT",
    "AT+CMMUX",
    "AT+CMHEAD",
    "AT+PROMPT",
    "AT^CURC",
    "AT+IPSTART",
    "AT+IPSEND",
    "AT+IPCLOSE",
    "AT+CMSTATE",
    "AT+CMNDI",
    "AT+CMRD",
    "AT+CMMODE",
    "AT+CMTCFG",
    "AT+CMDNSGIP",
    "AT+CMVERSION",
    "AT+SSYS",
    "AT+SIM1",
    "AT+CIPMUX",
    "AT+CSTT",
    "AT+CIICR",
    "AT+CIFSR",
    "AT+CIPSTART",
    "AT+CIPSEND",
    "AT+CIPCLOSE",
    "AT+CIPSHUT",
    "AT+CIPSTATUS",
    "AT+CIPHEAD",
    "AT+CIPSPRT",
    "AT+CIPMODE",
    "AT+CIPQSEND",
    "AT+CIPRXGET",
    "AT+CIPACK",
    "AT+CIPSERVER",
    "AT+CDNSGIP",
    "AT+SAPBR",
    "AT+HTTPINIT",
    "AT+HTTPPARA",
    "AT+HTTPDATA",
    "AT+HTTPACTION",
    "AT+HTTPREAD",
    "AT+HTTPTERM",
    "AT+CPOWD",
    "AT+CSCLK",
    "AT+CBATCHK",
    "AT+IPR",
];

/// Lines from a module, by the whole of their text.
const LINES: &[&str] = &[
    "OK",
    "ERROR",
    "CONNECT",
    "CONNECT OK",
    "CONNECT FAIL",
    "ALREADY CONNECT",
    "COMMAND TIMEOUT",
    "SEND OK",
    "SEND FAIL",
    "CONNECTION CLOSED",
    "CLOSED",
    "CLOSE OK",
    "SHUT OK",
    "NO CARRIER",
    "RDY",
    "RING",
    "Call Ready",
    "SMS Ready",
    "NORMAL POWER DOWN",
    "UNDER-VOLTAGE WARNNING",
    "OVER-VOLTAGE WARNNING",
    "UNDER-VOLTAGE POWER DOWN",
    "OVER-VOLTAGE POWER DOWN",
    "+PDP: DEACT",
    "0",
    "4",
];

/// Lines from a module that carry a value after their name.
const PREFIXES: &[&str] = &[
    "+CME ERROR",
    "+CFUN",
    "+CPIN",
    "+CSQ",
    "+CREG",
    "+CGREG",
    "+CGATT",
    "+CGDCONT",
    "+CGACT",
    "+CMEE",
    "+CMSTATE",
    "+CMRD",
    "+CMDNSGIP",
    "+CMVERSION",
    "+SSYS",
    "+SIM1",
    "+CTZV",
    "+CIEV",
    "+CMTI",
    "*PSUTTZ",
    "STATE",
    "C",
    "DATA ACCEPT",
    "+CIPRXGET",
    "+CIPSTATUS",
    "+CIPSEND",
    "+CIPACK",
    "+CDNSGIP",
    "+SAPBR",
    "+HTTPACTION",
    "+HTTPREAD",
];

/// The name of a command line by its first command; what stands before its `AT` does not count.
pub fn command_name(line: &[u8]) -> &'static str {
    let Some(start) = line.windows(2).position(|pair| pair.eq_ignore_ascii_case(b"AT")) else {
        return NOISE;
    };
    let line = &line[start..];
    let is_value = |byte: &u8| matches!(byte, b'=' | b'?' | b';' | b'\r' | b'\n');
    let line = &line[..line.iter().position(is_value).unwrap_or(line.len())];
    let end = line.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |last| last + 1);
    let line = &line[..end];
    COMMANDS.iter().copied().find(|name| line.eq_ignore_ascii_case(name.as_bytes())).unwrap_or(OTHER_COMMAND)
}

/// The name of a module's line, without its line ends; the number of a connection before it does not count.
pub fn line_name(line: &[u8]) -> &'static str {
    let text = match line {
        [b'0'..=b'5', b',', rest @ ..] => rest.strip_prefix(b" ").unwrap_or(rest),
        _ => line,
    };
    if let Some(name) = LINES.iter().copied().find(|name| name.as_bytes() == text) {
        return name;
    }
    let is_named =
        |name: &&str| text.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b':'));
    PREFIXES.iter().copied().find(is_named).unwrap_or(OTHER_LINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_named_by_their_first_command() {
        assert_eq!(command_name(b"AT\r"), "AT");
        assert_eq!(command_name(b"at+ipsend=20\r"), "AT+IPSEND");
        assert_eq!(command_name(b"xxATE0\r"), "ATE0");
        assert_eq!(command_name(b"AT+CSQ;+CREG?\r"), "AT+CSQ");
        assert_eq!(command_name(b"AT+CSQX\r"), "AT-other");
        assert_eq!(command_name(b"A+CSQ\r"), "noise");
    }

    #[test]
    fn lines_are_named_whole_or_by_what_stands_before_the_colon() {
        assert_eq!(line_name(b"SEND OK"), "SEND OK");
        assert_eq!(line_name(b"3,CONNECTION CLOSED"), "CONNECTION CLOSED");
        assert_eq!(line_name(b"1, CONNECT OK"), "CONNECT OK");
        assert_eq!(line_name(b"+CSQ: 18,0"), "+CSQ");
        assert_eq!(line_name(b"+CME ERROR: 10"), "+CME ERROR");
        assert_eq!(line_name(b"SEND OKAY"), "line-other");
        assert_eq!(line_name(b"+CSQ"), "line-other");
    }
}
