//! A face: how one protocol is read and written. It knows keys and forms, and nothing of money.

use super::call::{Call, CallKind, Outcome, Platform};
use super::http::{Outgoing, Request, Response};
use super::notice::News;
use crate::time::Now;

/// A protocol of a platform.
pub trait Face {
    /// Which.
    fn platform(&self) -> Platform;

    /// Whether a request is for this face; its path and method say so.
    fn claims(&self, request: &Request) -> bool;

    /// Reads a request and checks its signature.
    ///
    /// Errors: the platform's own answer to what cannot be read or is not signed as it should be; nothing is booked
    /// then.
    fn read(&mut self, now: Now, request: &Request) -> Result<Call, Rejected>;

    /// The answer to a call, signed as the platform signs.
    fn render(&mut self, now: Now, call: &Call, outcome: &Outcome, spoil: Spoil) -> Response;

    /// What tells a merchant of a success.
    fn render_news(&mut self, now: Now, news: &News, spoil: Spoil) -> Outgoing;

    /// Whether a merchant's answer to that is the one that the platform waits for.
    ///
    /// Errors: what is wrong with it.
    fn accepts(&self, response: &Response) -> Result<(), String>;
}

/// A request that is answered without a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The answer.
    pub response: Box<Response>,
    /// What is to be said of its signature.
    pub signature: Signature,
    /// Why, for people.
    pub why: String,
    /// The merchant, as far as it could be read.
    pub merchant: String,
    /// The order, as far as it could be read.
    pub order: String,
    /// The kind of call, as far as it could be told.
    pub kind: Option<CallKind>,
}

impl Rejected {
    /// A request that was not read as far as its signature.
    pub fn unread(response: Response, why: impl Into<String>) -> Self {
        let (merchant, order) = (String::new(), String::new());
        let response = Box::new(response);
        Self { response, signature: Signature::Unchecked, why: why.into(), merchant, order, kind: None }
    }
}

/// What is to be said of a request's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// It is good.
    Good,
    /// It is not what the key and the content make.
    Bad,
    /// There is none.
    Missing,
    /// The request was refused before.
    Unchecked,
}

impl Signature {
    /// In a word, as pages show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Missing => "missing",
            Self::Unchecked => "unchecked",
        }
    }
}

/// How an answer or a notification is spoiled on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spoil {
    /// Its signature is wrong.
    pub signature: bool,
}
