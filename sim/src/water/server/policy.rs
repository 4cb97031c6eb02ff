//! The choices on which message servers differ.

use serde::{Deserialize, Serialize};

/// How the server knows that an order was credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reconcile {
    /// By the sold volume that the card shows, and by uploads that agree with it.
    BySold,
    /// By uploads alone: an order is offered until one closes it, on whatever the card shows.
    ByResult,
}

/// What a second upload of a written order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeats {
    /// It gets the same answer and changes nothing.
    Idempotent,
    /// It closes the order once more, and its volume counts twice.
    CloseAgain,
}

/// What a late *nothing was credited* does to a closed order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterClose {
    /// Nothing.
    Final,
    /// It opens the order again.
    Reopens,
}

/// Which of a card's orders is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfferOrder {
    /// The oldest that is not closed, so that one is out at a time.
    OldestOpenFirst,
    /// The newest that is not closed.
    NewestFirst,
    /// The oldest that was never offered: one that is out is passed over.
    SkipsOpen,
}

/// When an answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Commit {
    /// When what it says is durable.
    BeforeAnswer,
    /// At once; what it says is written afterwards.
    AfterAnswer,
}

/// What a frame with a wrong CRC does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damaged {
    /// It gets a negative answer.
    AnswersNegative,
    /// It gets none.
    Silent,
    /// It is acted upon as it reads.
    ActsAnyway,
}

/// The type byte of a negative answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NegativeType {
    /// That of the damaged frame, as it was read.
    AsRead,
    /// Always 00.
    Zero,
}

/// How many negative answers one connection gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NegativeBound {
    /// As many in a window of time as the profile says.
    Bounded,
    /// Any number.
    Unbounded,
}

/// What an upload that says *in doubt* does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// The order is listed as in doubt until the card shows what became of it.
    Keeps,
    /// It counts as written.
    Closes,
}

/// By which price table a payment becomes water.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TierChoice {
    /// By the one that the order names.
    ByType,
    /// Always by the flat one.
    AlwaysFlat,
}

/// What becomes of the money that does not buy a whole hundredth of a tonne.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remainder {
    /// It counts towards the card's next order.
    Kept,
    /// It is lost.
    Dropped,
}

/// What a card gets whose sold volume the ledger cannot explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownSold {
    /// A refusal, and the office an alarm.
    RefusesWithAlarm,
    /// The next order, on what the card shows.
    OffersAnyway,
}

/// How frames are found in what a terminal's connection delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// Scanning resumes one byte after a false header, a frame that stops is given up, and an impossible length is
    /// junk.
    Resynchronises,
    /// An incomplete frame is waited for as long as it takes.
    WaitsForRest,
    /// Everything held is thrown away with the first junk.
    DropsAll,
    /// A frame may be as long as its length field can say.
    BelievesLength,
}

/// The choices of one message server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerPolicy {
    /// How the server knows that an order was credited.
    pub reconcile: Reconcile,
    /// What a second upload of a written order does.
    pub repeats: Repeats,
    /// What a late *nothing was credited* does to a closed order.
    pub after_close: AfterClose,
    /// Which of a card's orders is offered.
    pub offer: OfferOrder,
    /// When an answer leaves.
    pub commit: Commit,
    /// What a frame with a wrong CRC does.
    pub damaged: Damaged,
    /// The type byte of a negative answer.
    pub negative_type: NegativeType,
    /// How many negative answers one connection gets.
    pub negative_bound: NegativeBound,
    /// What an upload that says *in doubt* does.
    pub doubt: Doubt,
    /// By which price table a payment becomes water.
    pub tier: TierChoice,
    /// What becomes of the money that does not buy a whole hundredth of a tonne.
    pub remainder: Remainder,
    /// What a card gets whose sold volume the ledger cannot explain.
    pub unknown_sold: UnknownSold,
    /// How frames are found in what a terminal's connection delivers.
    pub framing: Framing,
}

impl ServerPolicy {
    /// The reference that meets every requirement.
    pub const fn hardened() -> Self {
        Self {
            reconcile: Reconcile::BySold,
            repeats: Repeats::Idempotent,
            after_close: AfterClose::Final,
            offer: OfferOrder::OldestOpenFirst,
            commit: Commit::BeforeAnswer,
            damaged: Damaged::AnswersNegative,
            negative_type: NegativeType::AsRead,
            negative_bound: NegativeBound::Bounded,
            doubt: Doubt::Keeps,
            tier: TierChoice::ByType,
            remainder: Remainder::Kept,
            unknown_sold: UnknownSold::RefusesWithAlarm,
            framing: Framing::Resynchronises,
        }
    }

    /// The server of the published terminal: it knows of credits by uploads alone.
    pub const fn published() -> Self {
        Self { reconcile: Reconcile::ByResult, ..Self::hardened() }
    }

    /// The server of the terminal without a cache: the same as [`Self::published`], the terminals differ.
    pub const fn uncached() -> Self {
        Self::published()
    }
}
