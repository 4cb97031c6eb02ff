//! Requests and answers as plain values: what a face reads and writes, whatever carried it.

use crate::time::Span;

/// A request, read whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The path as it came, escapes and all, without the query.
    pub path: String,
    /// What stands behind the question mark as it came; empty if there is none.
    pub query: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether it came over TLS.
    pub over_tls: bool,
    /// The client's certificate in DER, if it showed one that our authority has signed.
    pub client_certificate: Option<Vec<u8>>,
}

impl Request {
    /// A request by POST with this body.
    pub fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST".into(), path: path.into(), body: body.into(), ..Self::default() }
    }

    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The path with its query, as a signature covers it.
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with a body of this kind.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What becomes of a request, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How long the answer is held back.
    pub after: Span,
    /// The answer.
    pub answer: Answer,
}

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Whole.
    Whole(Response),
    /// With its head and so many bytes of its body; then the connection is reset.
    Cut {
        /// What would have been answered.
        response: Response,
        /// How much of its body leaves.
        body_len: usize,
    },
    /// Not at all: the connection is closed when the time is over.
    Silence,
}

/// A request to a merchant's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The address, as the merchant gave it.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// What is posted.
    pub body: Vec<u8>,
}
