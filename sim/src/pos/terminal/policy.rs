//! The choices on which POS terminals differ.
//!
//! Each is one that a firmware maker would recognise in his own code. The first variant of every enum is what the
//! reference does; the others are found in the field.

use serde::{Deserialize, Serialize};

/// How often a message without `001` is sent in one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sends {
    /// As often as the profile says.
    #[default]
    AsProfile,
    /// Once.
    Once,
    /// Until it is answered.
    ForEver,
}

/// The sequence number of a repeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeqOnRepeat {
    /// That of the first send.
    #[default]
    Same,
    /// A new one each time.
    New,
}

/// How a sale is kept while its answer has not come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PendingKept {
    /// In flash, before the first send, until it is answered.
    #[default]
    Durable,
    /// In RAM until it is answered.
    Ram,
    /// Until the reply is overdue.
    UntilOverdue,
}

/// The time that a pending sale is repeated with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PendingTime {
    /// Its own.
    #[default]
    OfTheSale,
    /// That of the repeat.
    OfTheRepeat,
}

/// What a tap does while another sale is pending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhilePending {
    /// It is refused, unless it is the same card and amount, which continues the pending sale.
    #[default]
    Waits,
    /// It takes the pending sale's place.
    TakesItsPlace,
    /// The same card and amount begin a sale of their own, too.
    BeginsAnother,
}

/// When an off-line sale is made durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Booking {
    /// Before success is shown.
    #[default]
    BeforeShown,
    /// After success is shown, when the next message has come or gone.
    AfterShown,
    /// In RAM only.
    Ram,
}

/// Whose sales are booked off line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BookedCards {
    /// Those of cards on the white list.
    #[default]
    WhiteList,
    /// Everybody's.
    Any,
    /// Everybody's, and scan-code payments as well, which are shown as paid.
    AnyAndScans,
}

/// When a sale is booked off line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BookedWhen {
    /// After a round without `001`.
    #[default]
    Unacknowledged,
    /// Also when `001` came and the reply is overdue.
    Overdue,
}

/// The time of a record that was booked for an unanswered sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordTime {
    /// That of the unanswered message.
    #[default]
    OfTheSale,
    /// That of the booking.
    OfTheBooking,
}

/// What happens to an off-line sale when the store is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreFull {
    /// It is refused with a message.
    #[default]
    Refuses,
    /// The oldest record is overwritten.
    Overwrites,
    /// It is shown as paid and not booked.
    Forgets,
}

/// What an `011` must name to delete a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeleteMatch {
    /// Address, card, amount and time; the sentinel in place of an impossible time.
    #[default]
    Whole,
    /// Address, card, amount and time, which must be the same whether possible or not.
    WithoutSentinel,
    /// Address, card and amount; any time.
    AnyTime,
    /// The address.
    AddressOnly,
    /// Nothing: whatever record is outstanding.
    Anything,
}

/// When a record is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeleteWhen {
    /// On its `011`.
    #[default]
    Deleted,
    /// On the `001` to its message.
    Acknowledged,
}

/// How many records are uploaded at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upload {
    /// One, until its `011`.
    #[default]
    OneAtATime,
    /// The next follows on `001` already.
    NextOnAcknowledge,
    /// At power-on only.
    AtPowerOn,
}

/// How a sale is stamped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stamping {
    /// By the clock, and a second after the last sale at the earliest.
    #[default]
    StrictlyIncreasing,
    /// The same, but the last sale is forgotten with the power.
    IncreasingUntilPowerLoss,
    /// By the clock.
    Clock,
}

/// Which 006, 008 and 009 are confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirms {
    /// Each, once for each time it is received.
    #[default]
    EachTime,
    /// Each, the first time.
    FirstTime,
    /// None.
    Never,
}

/// What is taken for success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuccessWhen {
    /// A final 008.
    #[default]
    FinalDone,
    /// Any 008, one in progress included.
    AnyDone,
    /// `001`.
    Acknowledged,
}

/// Which answers count for the sale under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerMatch {
    /// Those that name its machine, its card or command number, and its amount.
    #[default]
    Whole,
    /// The amount is not looked at.
    AnyAmount,
    /// The machine number alone.
    MachineOnly,
}

/// What follows for a sale that was given up or refused, when its 008 comes late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LateDone {
    /// It is shown as charged late, and confirmed.
    #[default]
    Shown,
    /// The same, but after a refusal it is confirmed, and nobody is told.
    SilentAfterRefusal,
    /// It is confirmed, and nobody is told.
    ConfirmedSilently,
}

/// Whether a card can begin a sale just after its last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quiet {
    /// Not while a packet of the last one may still be under way.
    #[default]
    SameCard,
    /// At once.
    Nobody,
}

/// How a text is searched for `\n`, `{` and `}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextScan {
    /// Character by character.
    #[default]
    GbkAware,
    /// Byte by byte.
    Bytewise,
}

/// What 003 does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetClock {
    /// It sets the clock, unless its date is impossible.
    #[default]
    IfPossible,
    /// An impossible date is bent to the next one that there is.
    Bends,
    /// Nothing.
    Ignores,
}

/// What a clock that lost its time says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LostClock {
    /// It counts from the first second of 2000.
    #[default]
    CountsFrom2000,
    /// It reads `2000-00-00 00:00:00` until it is set, and so do the sales.
    ReadsNought,
}

/// What makes an entry of the store valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryCheck {
    /// Its CRC.
    #[default]
    Crc,
    /// That it has been begun.
    Begun,
}

/// Whether a discovery is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Discovery {
    /// With 100.
    #[default]
    Answered,
    /// Not at all.
    Ignored,
}

/// What a datagram that is none does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Malformed {
    /// Nothing.
    #[default]
    Ignored,
    /// The terminal stops until its power is switched.
    Stops,
}

/// All choices of one terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TerminalPolicy {
    /// See [`Sends`].
    pub sends: Sends,
    /// See [`SeqOnRepeat`].
    pub repeat_seq: SeqOnRepeat,
    /// See [`PendingKept`].
    pub pending: PendingKept,
    /// See [`PendingTime`].
    pub pending_time: PendingTime,
    /// See [`WhilePending`].
    pub while_pending: WhilePending,
    /// See [`Booking`].
    pub booking: Booking,
    /// See [`BookedCards`].
    pub booked_cards: BookedCards,
    /// See [`BookedWhen`].
    pub booked_when: BookedWhen,
    /// See [`RecordTime`].
    pub record_time: RecordTime,
    /// See [`StoreFull`].
    pub full: StoreFull,
    /// See [`DeleteMatch`].
    pub delete: DeleteMatch,
    /// See [`DeleteWhen`].
    pub delete_when: DeleteWhen,
    /// See [`Upload`].
    pub upload: Upload,
    /// See [`Stamping`].
    pub stamping: Stamping,
    /// See [`Confirms`].
    pub confirms: Confirms,
    /// See [`SuccessWhen`].
    pub success: SuccessWhen,
    /// See [`AnswerMatch`].
    pub answers: AnswerMatch,
    /// See [`LateDone`].
    pub late: LateDone,
    /// See [`Quiet`].
    pub quiet: Quiet,
    /// See [`TextScan`].
    pub text: TextScan,
    /// See [`SetClock`].
    pub set_clock: SetClock,
    /// See [`LostClock`].
    pub lost_clock: LostClock,
    /// See [`EntryCheck`].
    pub entry: EntryCheck,
    /// See [`Discovery`].
    pub discovery: Discovery,
    /// See [`Malformed`].
    pub malformed: Malformed,
}

impl TerminalPolicy {
    /// The reference, which meets every requirement: the first variant of each choice.
    pub fn hardened() -> Self {
        Self::default()
    }

    /// The source's terminal: it is described from outside only, so it is the reference wherever that is silent.
    pub fn published() -> Self {
        Self::default()
    }
}
