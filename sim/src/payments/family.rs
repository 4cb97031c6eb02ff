//! The payment platforms and a client as a family: how its units are named and its bytes read.

use super::call::CallKind;
use super::facts::facts;
use super::http::Request;
use super::http1::{MESSAGE_MAX, Scan, scan_request, scan_response};
use super::party::{Event, Party, Stimulus};
use super::{alipay, wechat_v2, wechat_v3};
use crate::tabletop::{Family, Scanner, Unit};

/// The family.
#[derive(Clone, Copy, Debug)]
pub struct Payments;

/// The name of what is no message.
pub const JUNK: &str = "junk";

/// What is looked for on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Requests, each by its call.
    Requests,
    /// Answers.
    Answers(&'static str),
    /// Lines of text.
    Lines(&'static str),
}

/// What finds and names units on one of the family's links.
#[derive(Clone, Debug)]
pub struct PaymentsScanner {
    what: What,
    held: Vec<u8>,
}

impl PaymentsScanner {
    /// For requests.
    pub const fn requests() -> Self {
        Self { what: What::Requests, held: Vec::new() }
    }

    /// For answers, by this name.
    pub const fn answers(name: &'static str) -> Self {
        Self { what: What::Answers(name), held: Vec::new() }
    }

    /// For lines of text, by this name.
    pub const fn lines(name: &'static str) -> Self {
        Self { what: What::Lines(name), held: Vec::new() }
    }
}

/// What is posted to a merchant.
pub const NOTIFY: &str = "notify";

/// What a request is: its kind of call, whatever the face.
pub fn kind_of(request: &Request) -> &'static str {
    if request.path == "/notify" {
        return NOTIFY;
    }
    let kind = wechat_v2::kind_of(request).or_else(|| wechat_v3::kind_of(request));
    kind.or_else(|| alipay::kind_of(request)).map_or(JUNK, CallKind::as_str)
}

impl Scanner for PaymentsScanner {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    fn poll(&mut self) -> Option<Unit> {
        if self.held.is_empty() {
            return None;
        }
        let all = self.held.len();
        let (len, name) = match self.what {
            What::Requests => match scan_request(&self.held) {
                Scan::Whole(request, len) => (len, kind_of(&request)),
                Scan::NeedMore => return None,
                Scan::Junk => (all, JUNK),
            },
            What::Answers(name) => match scan_response(&self.held) {
                Scan::Whole(_, len) => (len, name),
                Scan::NeedMore => return None,
                Scan::Junk => (all, JUNK),
            },
            What::Lines(name) => {
                let end = self.held.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
                (end.or_else(|| (all >= MESSAGE_MAX).then_some(all))?, name)
            }
        };
        self.held.drain(..len);
        Some(Unit { len, name })
    }

    fn flush(&mut self) -> Option<Unit> {
        let len = std::mem::take(&mut self.held).len();
        let name = match self.what {
            What::Requests => JUNK,
            What::Answers(name) | What::Lines(name) => name,
        };
        (len > 0).then_some(Unit { len, name })
    }
}

impl Family for Payments {
    type Party = Party;
    type Stimulus = Stimulus;
    type Event = Event;
    type Scanner = PaymentsScanner;

    fn suffering(_what: &str) -> Option<Stimulus> {
        None
    }

    /// The fields of a document, which bytes alone would not show.
    fn meaning(name: &str, bytes: &[u8]) -> Option<String> {
        if matches!(name, JUNK | "order" | "word") {
            return None;
        }
        let (target, body) = match (scan_request(bytes), scan_response(bytes)) {
            (Scan::Whole(request, _), _) => (request.path, request.body),
            (_, Scan::Whole(response, _)) => (response.status.to_string(), response.body),
            _ => return None,
        };
        let told = facts(&body).into_iter().map(|(name, value)| format!(" {name}={}", value.escape_debug()));
        Some(target.escape_debug().to_string() + &told.collect::<String>())
    }

    fn event_words(event: &Event) -> String {
        event.to_string()
    }
}
