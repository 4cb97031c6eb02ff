//! An answer of the POS server, each time that it is sent, and whether a device has confirmed it.

use assay_sim::pos::frame::Confirmed;
use assay_sim::time::Instant;

use super::server_desk::{About, Desk, UnsoundSeen};

/// Whether a device has confirmed something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confirm {
    /// No 109 can mean it.
    #[default]
    No,
    /// One may, or may mean another answer in the same words.
    Maybe,
    /// One does.
    Sure,
}

/// An answer, each time that it was sent.
pub struct Round {
    /// About what.
    pub about: About,
    /// Of which kind.
    pub what: Confirmed,
    /// What a confirmation names.
    pub key: Box<[u8]>,
    /// The datagram.
    pub bytes: Vec<u8>,
    /// Each sending.
    pub sends: Vec<(u64, Instant)>,
    /// The sendings before it was asked for last.
    pub before: usize,
    /// How often it was asked for.
    pub asked: usize,
    /// Whether it was asked for again when it had been confirmed, so that its next sending begins another round.
    pub anew: bool,
    /// Confirmations that may still come of another answer in the same words.
    pub owed: usize,
    /// Whether it is confirmed.
    pub confirm: Confirm,
    /// When it was.
    pub confirmed_at: Option<Instant>,
    /// Whether something came that may end it.
    pub disturbed: bool,
    /// Whether it was judged how often it was sent.
    pub judged: bool,
}

impl Round {
    /// Whether it has to go on, because nobody has confirmed it and nothing came that may end it.
    pub fn is_open(&self) -> bool {
        self.confirm == Confirm::No && !self.disturbed && self.sends.len() > self.before
    }

    /// Whether it was confirmed, and asked for once only.
    pub const fn has_ended(&self) -> bool {
        self.confirmed_at.is_some() && self.asked == 1
    }
}

impl Desk {
    /// How often something was asked for since it was answered last: whoever has much to do answers each repeat later.
    /// What can be no sale is never told from its repeats, so that all of them count.
    pub(super) fn asked_since_answer(&self, about: &About) -> usize {
        let asked = match about {
            About::Sale(id) => self.sales.get(id).map(|sale| {
                let answered = sale.finals.last().map_or(0, |(_, ordinal, _)| *ordinal);
                sale.payments.iter().filter(|asked| **asked > answered).count()
            }),
            About::Unsound(number) => self.unsound.get(*number).map(|seen| {
                let alike = |other: &&UnsoundSeen| other.device == seen.device && other.key == seen.key;
                self.unsound.iter().filter(alike).count()
            }),
            About::Tap | About::Nothing => None,
        };
        asked.unwrap_or_default().max(1)
    }
}
