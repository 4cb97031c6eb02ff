//! The payment platforms and a client as a family: how its units are named and its bytes read.

use super::http1::{MESSAGE_MAX, Scan, scan_request, scan_response};
use super::party::{Event, Party, Stimulus};
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

/// The kind of a request, by its path.
pub fn kind_of(path: &str) -> &'static str {
    match path {
        "/pay/micropay" => "micropay",
        "/pay/unifiedorder" => "unifiedorder",
        "/pay/orderquery" => "orderquery",
        "/pay/closeorder" => "closeorder",
        "/secapi/pay/reverse" => "reverse",
        "/secapi/pay/refund" => "refund",
        "/pay/refundquery" => "refundquery",
        "/notify" => "notify",
        _ => JUNK,
    }
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
                Scan::Whole(request, len) => (len, kind_of(&request.path)),
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
        let body = match (scan_request(bytes), scan_response(bytes)) {
            (Scan::Whole(request, _), _) => request.body,
            (_, Scan::Whole(response, _)) => response.body,
            _ => return None,
        };
        let fields = super::wechat_v2::xml::read(&body).ok()?;
        let told = ["out_trade_no", "total_fee", "result_code", "err_code", "trade_state", "recall"];
        let field = |name: &str| fields.iter().find(|(one, _)| one == name);
        let words: Vec<String> = told
            .into_iter()
            .filter_map(field)
            .map(|(name, value)| format!("{name}={}", value.escape_debug()))
            .collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    fn event_words(event: &Event) -> String {
        event.to_string()
    }
}
