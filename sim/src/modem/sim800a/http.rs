//! The HTTP service of the chip: its parameters, one request after the other, and what is read of the answer.
//!
//! It has a connection of its own beside the six, over the bearer of `AT+SAPBR`. A request goes out as HTTP/1.0, so
//! that no server answers in chunks (**D**).
//!
//! Source: MDM-A2.

use std::net::SocketAddrV4;

use super::{Job, Sim800aDialect};
use crate::digest::Digest;
use crate::machine::Close;
use crate::modem::config::address_of;
use crate::modem::core::Core;
use crate::modem::dialect::Verdict;
use crate::modem::line::{Command, Form, parse_number};
use crate::modem::reply::Final;
use crate::modem::socket::{SERVICE, SocketEvent};
use crate::time::Span;

/// The most data that `AT+HTTPDATA` takes, and the most of an answer that is kept.
///
/// Units: bytes.
const DATA_MAX: usize = 319_488;
/// The least and the most that `AT+HTTPDATA` waits for its data.
const WAIT_MS: (usize, usize) = (1_000, 120_000);

/// The network failed.
const NETWORK_ERROR: u16 = 601;
/// The answer is none of HTTP, or too long.
const NO_HTTP: u16 = 600;
/// Nobody knows the server's name.
const DNS_ERROR: u16 = 603;

/// The names of the parameters that are taken, and what each is without being told.
const PARAMETERS: [(&str, &str); 9] = [
    ("CID", "1"),
    ("URL", ""),
    ("UA", "SIMCOM_MODULE"),
    ("PROIP", "0.0.0.0"),
    ("PROPORT", "0"),
    ("REDIR", "0"),
    ("CONTENT", ""),
    ("USERDATA", ""),
    ("TIMEOUT", "120"),
];

/// The service, once it has been initialised.
#[derive(Clone, Debug)]
pub(super) struct Http {
    parameters: Vec<Vec<u8>>,
    /// What `AT+HTTPDATA` took.
    body: Vec<u8>,
    /// The request under way, by the number of its method.
    method: Option<usize>,
    answer: Vec<u8>,
    /// Where the content of the last answer begins in it.
    content_at: usize,
}

impl Http {
    fn new() -> Self {
        Self {
            parameters: PARAMETERS.iter().map(|(_, value)| value.as_bytes().to_vec()).collect(),
            body: Vec::new(),
            method: None,
            answer: Vec::new(),
            content_at: 0,
        }
    }

    fn parameter(&self, name: &str) -> &[u8] {
        let place = PARAMETERS.iter().position(|(known, _)| *known == name);
        place.map_or(&[], |place| &self.parameters[place])
    }

    fn content(&self) -> &[u8] {
        self.answer.get(self.content_at..).unwrap_or_default()
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        for part in self.parameters.iter().chain([&self.body, &self.answer]) {
            into.bytes(part);
        }
        into.word(self.method.map_or(u64::MAX, |method| method as u64)).word(self.content_at as u64);
    }

    /// The request as it goes out.
    fn request(&self, url: &Url<'_>, method: usize) -> Vec<u8> {
        let word = ["GET", "POST", "HEAD"][method];
        let mut text = format!("{word} ").into_bytes();
        text.extend_from_slice(url.path);
        text.extend_from_slice(b" HTTP/1.0\r\nHost: ");
        text.extend_from_slice(url.authority);
        for (name, value) in
            [("User-Agent", self.parameter("UA")), ("Content-Type", self.parameter("CONTENT"))]
        {
            if !value.is_empty() {
                text.extend_from_slice(format!("\r\n{name}: ").as_bytes());
                text.extend_from_slice(value);
            }
        }
        if !self.parameter("USERDATA").is_empty() {
            text.extend_from_slice(b"\r\n");
            text.extend_from_slice(self.parameter("USERDATA"));
        }
        if method == 1 {
            text.extend_from_slice(format!("\r\nContent-Length: {}", self.body.len()).as_bytes());
        }
        text.extend_from_slice(b"\r\n\r\n");
        if method == 1 {
            text.extend_from_slice(&self.body);
        }
        text
    }

    /// The status of an answer that is whole: that its head says so, or that nothing more comes.
    fn status(&mut self, is_over: bool) -> Option<u16> {
        let Some(head) = self.answer.windows(4).position(|part| part == b"\r\n\r\n") else {
            return is_over.then_some(NO_HTTP);
        };
        self.content_at = head + 4;
        let mut lines = self.answer[..head].split(|byte| *byte == b'\n');
        let status = lines.next().and_then(status_of).unwrap_or(NO_HTTP);
        let length = lines.filter_map(content_length).next();
        let has = self.answer.len() - self.content_at;
        let is_whole = self.method == Some(2) || length.is_some_and(|length| has >= length);
        if let Some(length) = length.filter(|length| has > *length) {
            self.answer.truncate(self.content_at + length);
        }
        (is_over || is_whole).then_some(status)
    }
}

/// `HTTP/1.x NNN` at the front of a line.
fn status_of(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let digits = rest.get(2..5).filter(|_| rest.get(1) == Some(&b' '))?;
    u16::try_from(parse_number(digits)?).ok()
}

fn content_length(line: &[u8]) -> Option<usize> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    name.eq_ignore_ascii_case(b"content-length").then(|| parse_number(value[1..].trim_ascii()))?
}

/// A URL without encryption.
struct Url<'a> {
    authority: &'a [u8],
    host: &'a [u8],
    port: u16,
    path: &'a [u8],
}

impl<'a> Url<'a> {
    fn read(text: &'a [u8]) -> Option<Self> {
        let text = text.strip_prefix(b"http://").unwrap_or(text);
        let end = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
        let (authority, path) = text.split_at(end);
        let (host, port) = match authority.iter().position(|byte| *byte == b':') {
            None => (authority, 80),
            Some(colon) => {
                let port = u16::try_from(parse_number(&authority[colon + 1..])?).ok()?;
                (&authority[..colon], port)
            }
        };
        let is_plain = text.iter().all(u8::is_ascii_graphic);
        let path = if path.is_empty() { b"/".as_slice() } else { path };
        (is_plain && !host.is_empty() && port > 0).then_some(Self { authority, host, port, path })
    }
}

impl Sim800aDialect {
    /// The commands of the service.
    pub(super) fn http(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        match (command.name, command.form) {
            (b"+HTTPINIT", Form::Execute) if self.http.is_none() => {
                self.http = Some(Http::new());
                Verdict::Done
            }
            (b"+HTTPTERM", Form::Execute) if self.http.is_some() => {
                self.http = None;
                self.forget_request();
                core.close_quietly(SERVICE, Close::Reset);
                Verdict::Done
            }
            (b"+HTTPPARA", Form::Set(_)) => self.http_parameter(command),
            (b"+HTTPDATA", Form::Set(_)) => self.http_data(core, command),
            (b"+HTTPACTION", Form::Set(_)) => self.http_action(core, command),
            (b"+HTTPREAD", Form::Execute | Form::Set(_)) => self.http_read(core, command),
            _ => Verdict::Failed(Final::NOT_ALLOWED),
        }
    }

    fn http_parameter(&mut self, command: &Command<'_>) -> Verdict {
        let Some(http) = &mut self.http else { return Verdict::Failed(Final::NOT_ALLOWED) };
        let values: Vec<_> = command.values().collect();
        let [name, value] = values.as_slice() else { return Verdict::Failed(Final::INVALID) };
        let known = |(known, _): &(&str, &str)| name.eq_ignore_ascii_case(known.as_bytes());
        let Some(place) = PARAMETERS.iter().position(known) else {
            return Verdict::Failed(Final::INVALID);
        };
        let is_sound = match PARAMETERS[place].0 {
            "URL" => Url::read(value).is_some(),
            "CID" => *value == b"1",
            "REDIR" | "PROPORT" | "TIMEOUT" => parse_number(value).is_some(),
            _ => true,
        };
        if !is_sound {
            return Verdict::Failed(Final::INVALID);
        }
        http.parameters[place] = value.to_vec();
        Verdict::Done
    }

    fn http_data(&self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let Some(http) = self.http.as_ref().filter(|http| http.method.is_none()) else {
            return Verdict::Failed(Final::NOT_ALLOWED);
        };
        debug_assert!(http.body.len() <= DATA_MAX, "what was taken was within the limit");
        let Some([len, wait_ms]) = command.numbers() else { return Verdict::Failed(Final::INVALID) };
        if !(1..=DATA_MAX).contains(&len) || !(WAIT_MS.0..=WAIT_MS.1).contains(&wait_ms) {
            return Verdict::Failed(Final::INVALID);
        }
        core.info(b"DOWNLOAD");
        Verdict::Download { len, limit: Span::ms(wait_ms as u64) }
    }

    /// What `AT+HTTPDATA` took.
    pub(super) fn http_downloaded(&mut self, data: Vec<u8>) {
        if let Some(http) = &mut self.http {
            http.body = data;
        }
    }

    fn http_action(&mut self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let (Some(method), true) = (command.choice(2), self.bearer) else {
            return Verdict::Failed(Final::NOT_ALLOWED);
        };
        let latency = core.config.resolve;
        let Some(http) = self.http.as_mut().filter(|http| http.method.is_none()) else {
            return Verdict::Failed(Final::NOT_ALLOWED);
        };
        let Some(url) = Url::read(http.parameter("URL")) else { return Verdict::Failed(Final::NOT_ALLOWED) };
        let to = address_of(&self.config.resolver, url.host).map(|ip| SocketAddrV4::new(ip, url.port));
        http.method = Some(method);
        http.answer.clear();
        http.content_at = 0;
        self.http_earliest = core.now() + self.config.http_answer;
        match to {
            Some(to) => core.open(SERVICE, to, core.config.connect_limit),
            None => {
                let due = core.draw(latency).max(self.http_earliest);
                self.at(core, due, Job::HttpDone(DNS_ERROR));
            }
        }
        Verdict::Done
    }

    fn http_read(&self, core: &mut Core, command: &Command<'_>) -> Verdict {
        let Some(http) = self.http.as_ref() else { return Verdict::Failed(Final::NOT_ALLOWED) };
        // While a request is under way, there is nothing to read, which is no error.
        let content = if http.method.is_none() { http.content() } else { &[] };
        let part = match (command.form, command.numbers()) {
            (Form::Execute, _) => content,
            (_, Some([start, len])) if start <= content.len() && len > 0 => {
                &content[start..content.len().min(start.saturating_add(len))]
            }
            _ => return Verdict::Failed(Final::INVALID),
        };
        if !part.is_empty() {
            core.info(format!("+HTTPREAD: {}", part.len()).as_bytes());
            core.raw_info(part);
        }
        Verdict::Done
    }

    /// What happens to the service's own connection.
    pub(super) fn http_event(&mut self, core: &mut Core, event: SocketEvent<'_>) {
        let Some(http) = &mut self.http else { return };
        let Some(method) = http.method else { return };
        let status = match event {
            SocketEvent::Opened => {
                if let Some(url) = Url::read(http.parameter("URL")) {
                    let request = http.request(&url, method);
                    core.send(SERVICE, request);
                }
                return;
            }
            SocketEvent::Refused | SocketEvent::Overdue => Some(NETWORK_ERROR),
            SocketEvent::Closed if http.answer.is_empty() => Some(NETWORK_ERROR),
            SocketEvent::Closed => http.status(true),
            SocketEvent::Received(bytes) if http.answer.len() + bytes.len() > DATA_MAX => {
                http.answer.clear();
                Some(NO_HTTP)
            }
            SocketEvent::Received(bytes) => {
                http.answer.extend_from_slice(bytes);
                http.status(false)
            }
        };
        if let Some(status) = status {
            core.close_quietly(SERVICE, Close::Fin);
            let due = self.http_earliest.max(core.now());
            self.at(core, due, Job::HttpDone(status));
        }
    }

    /// The bearer is gone.
    pub(super) fn http_lost(&mut self, core: &mut Core) {
        let is_told = self.jobs.iter().any(|(_, job)| matches!(job, Job::HttpDone(_)));
        if !is_told && self.http.as_ref().is_some_and(|http| http.method.is_some()) {
            core.close_quietly(SERVICE, Close::Reset);
            self.http_done(core, NETWORK_ERROR);
        }
    }

    pub(super) fn http_done(&mut self, core: &mut Core, status: u16) {
        let Some(http) = &mut self.http else { return };
        let Some(method) = http.method.take() else { return };
        if (600..700).contains(&status) || method == 2 {
            http.answer.clear();
            http.content_at = 0;
        }
        core.say(format!("+HTTPACTION: {method},{status},{}", http.content().len()).as_bytes());
    }

    fn forget_request(&mut self) {
        self.jobs.retain(|(_, job)| !matches!(job, Job::HttpDone(_)));
    }
}
