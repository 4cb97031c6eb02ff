//! The last requests, for people to look at: what came, what its signature was worth, what was answered.

use std::collections::VecDeque;

use super::call::{CallKind, Platform};
use super::face::Signature;
use super::http::{Answer, Reply, Request};
use super::profile::BackendConfig;
use crate::time::{Instant, Now, Wall};

/// A request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Counted from 1.
    pub ordinal: u64,
    /// When it came.
    pub at: Instant,
    /// That, by the calendar.
    pub wall: Wall,
    /// The method and the path with its query.
    pub target: String,
    /// The face that it was for.
    pub platform: Option<Platform>,
    /// The kind of call.
    pub kind: Option<CallKind>,
    /// The merchant, as far as it could be read.
    pub merchant: String,
    /// The order, as far as it could be read.
    pub order: String,
    /// What is to be said of its signature.
    pub signature: Signature,
    /// Why it was refused, or how the plan had it go wrong.
    pub why: String,
    /// The status of the answer; nothing if there is none.
    pub status: Option<u16>,
    /// The beginning of its body.
    pub request: String,
    /// The beginning of the answer's body.
    pub answer: String,
}

/// What is known of a request besides its bytes.
#[derive(Clone, Debug)]
pub(super) struct Known<'a> {
    pub(super) platform: Option<Platform>,
    pub(super) kind: Option<CallKind>,
    pub(super) merchant: &'a str,
    pub(super) order: &'a str,
    pub(super) signature: Signature,
    pub(super) why: String,
}

/// The last requests.
#[derive(Clone, Debug, Default)]
pub struct Log {
    all: VecDeque<Logged>,
    count: u64,
}

impl Log {
    pub(super) fn note(
        &mut self,
        now: Now,
        request: &Request,
        known: Known<'_>,
        reply: &Reply,
        config: &BackendConfig,
    ) {
        self.count += 1;
        let (status, answer) = match &reply.answer {
            Answer::Whole(response) | Answer::Cut { response, .. } => {
                (Some(response.status), shown(&response.body, config))
            }
            Answer::Silence => (None, String::new()),
        };
        let target = shown(format!("{} {}", request.method, request.target()).as_bytes(), config);
        self.all.push_back(Logged {
            ordinal: self.count,
            at: now.mono,
            wall: now.wall,
            target,
            platform: known.platform,
            kind: known.kind,
            merchant: shown(known.merchant.as_bytes(), config),
            order: shown(known.order.as_bytes(), config),
            signature: known.signature,
            why: known.why,
            status,
            request: shown(&request.body, config),
            answer,
        });
        while self.all.len() > config.shown_max {
            self.all.pop_front();
        }
    }

    /// Those that are kept, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Logged> {
        self.all.iter()
    }

    /// How many there have been.
    pub const fn count(&self) -> u64 {
        self.count
    }
}

/// The beginning of a body as text.
fn shown(bytes: &[u8], config: &BackendConfig) -> String {
    let end = bytes.len().min(config.body_shown_max);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
