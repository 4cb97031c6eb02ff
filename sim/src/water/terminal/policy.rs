//! The choices on which water terminals differ.
//!
//! Each is one that a firmware maker would recognise in his own code. The first variant of every enum is what the
//! reference does; the others are found in the field, or in the source document's design.

use serde::{Deserialize, Serialize};

/// When the result of a credit is put into non-volatile memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CacheWhen {
    /// As an intent, before the card is touched.
    #[default]
    BeforeWrite,
    /// When the answer has not come in time, or has been refused three times. Source: the document's design.
    WhenUnanswered,
    /// Never. Source: the document's baseline.
    Never,
}

/// What decides whether and what is written to the card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreditRule {
    /// The sum of base and volume, if the card, read again, still shows the base.
    #[default]
    AbsoluteIfUnchanged,
    /// The sum of base and volume, without looking at the card again.
    AbsoluteUnchecked,
    /// What the card shows now plus the volume.
    Increment,
}

/// Which answers count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerMatch {
    /// Those to the outstanding request, for this machine, type and card.
    #[default]
    Exact,
    /// The machine number is not looked at.
    AnyMachine,
    /// The card number is not looked at.
    AnyCard,
    /// An order offered without a request outstanding is taken too, if a card is there.
    Unasked,
}

/// What is done with a frame that fails its CRC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damaged {
    /// It is answered with a negative answer, within the bound.
    #[default]
    AsksAgain,
    /// It is dropped without a word.
    Silent,
    /// It is answered each time, without bound.
    AsksForEver,
    /// It is answered with a negative answer that always bears type 00.
    AsksUntyped,
    /// It is taken as it is.
    Trusts,
}

/// What is done on a negative answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnNegative {
    /// The last frame is sent again as it was, three times in all.
    #[default]
    RepeatsThreeTimes,
    /// The last frame is sent again once.
    RepeatsOnce,
    /// It is sent again for as long as it is refused.
    RepeatsForEver,
    /// The result is written anew, as one in doubt.
    Rewrites,
    /// The last frame is sent again, whether or not it has been answered since.
    RepeatsAnswered,
}

/// When a write to the card counts as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// When the last block has been read back.
    #[default]
    ReadBack,
    /// When the last block's pulses have been sent.
    Assumes,
}

/// What is reported when the card leaves before the last block was read back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnRemoval {
    /// Not written if no block write had begun, in doubt otherwise.
    #[default]
    ByEvidence,
    /// Not written.
    SaysFailed,
    /// Written.
    SaysWritten,
}

/// What is done with a card that was torn out of an earlier write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TornCard {
    /// It is read by the rule, and brought to the decided value after the server's answer.
    #[default]
    Repairs,
    /// Its first volume block is believed.
    BelievesFirst,
    /// It is refused.
    Refuses,
}

/// What makes a cached record valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordCheck {
    /// Its CRC.
    #[default]
    Crc,
    /// That its length is possible.
    LengthOnly,
}

/// What happens to a credit when every slot holds an undelivered record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFull {
    /// It is refused with a message.
    #[default]
    Refuses,
    /// The oldest record is overwritten.
    Overwrites,
}

/// When a record is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeleteWhen {
    /// On a valid answer that names its order.
    #[default]
    Answered,
    /// When it has been handed to the modem.
    Sent,
}

/// What a record without its read-back mark is sent as after a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unverified {
    /// In doubt.
    #[default]
    InDoubt,
    /// Written.
    Written,
    /// Not at all.
    Forgotten,
}

/// Where records lie in the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotUse {
    /// Two page-aligned slots in turn.
    #[default]
    Alternate,
    /// One slot for every record, rewritten with its marks many times.
    FirstOnly,
    /// From byte 100 on, as the document says, in a page shared with the configuration.
    FromByte100,
}

/// What follows from heartbeats without an answer at boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnBootMiss {
    /// Five are waited for in full, then the error is shown and it goes on trying.
    #[default]
    FiveThenRetries,
    /// Five are waited for in full, then a person is waited for.
    FiveThenStops,
    /// They are sent twice as often as they should be.
    Impatient,
    /// Three are waited for, then the error is shown and it goes on trying.
    ThreeThenRetries,
}

/// What the self test covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelfTest {
    /// Storage, voice, display and signal, by name.
    #[default]
    Full,
    /// Everything but the voice module.
    SkipsVoice,
    /// Everything, and says only that something failed.
    NamesNothing,
}

/// What makes the stored configuration valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigCheck {
    /// Its CRC.
    #[default]
    Crc,
    /// Nothing.
    Trusts,
    /// Its CRC; but the server's port is compiled in, and the one installed is not looked at.
    PortCompiledIn,
    /// Its CRC; but the machine number is compiled in, and the one installed is not looked at.
    MachineCompiledIn,
}

/// How frames are found in what arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// Scanning resumes one byte after a false header, and a frame that stops is given up.
    #[default]
    Resynchronises,
    /// An incomplete frame is waited for as long as it takes.
    WaitsForRest,
    /// Everything held is thrown away with the first junk.
    DropsAll,
    /// A length field is believed, however long a frame it promises.
    BelievesLength,
    /// A frame that stops is given up after a tenth of the time.
    GivesUpEarly,
}

/// What the customer is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Telling {
    /// The result and the volume, spoken and shown.
    #[default]
    SpeaksAndShows,
    /// The result and the volume, shown only.
    ShowsOnly,
    /// The result without the volume.
    WithoutVolume,
}

/// Which type bytes a terminal uses for a card's messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypeUse {
    /// Those of the price table that the card says.
    #[default]
    ByCard,
    /// Those of the flat price.
    AlwaysFlat,
}

/// When records that wait are sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drain {
    /// After the network's reset, and after a heartbeat that was answered.
    #[default]
    AfterHeartbeat,
    /// At the next boot only.
    AtBoot,
}

/// What follows when an answer does not come in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnTimeout {
    /// The network is reset.
    #[default]
    ResetsNetwork,
    /// The connection is kept.
    KeepsConnection,
}

/// What a repeated card contact shows of its own volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SoldReported {
    /// What the card shows.
    #[default]
    FromCard,
    /// What this terminal remembers of the card, if it remembers any.
    FromMemory,
}

/// All choices of one terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TerminalPolicy {
    /// See [`CacheWhen`].
    pub cache: CacheWhen,
    /// See [`CreditRule`].
    pub credit: CreditRule,
    /// See [`AnswerMatch`].
    pub answers: AnswerMatch,
    /// See [`Damaged`].
    pub damaged: Damaged,
    /// See [`OnNegative`].
    pub negative: OnNegative,
    /// See [`Verify`].
    pub verify: Verify,
    /// See [`OnRemoval`].
    pub removal: OnRemoval,
    /// See [`TornCard`].
    pub torn_card: TornCard,
    /// See [`RecordCheck`].
    pub record: RecordCheck,
    /// See [`OnFull`].
    pub full: OnFull,
    /// See [`DeleteWhen`].
    pub delete: DeleteWhen,
    /// See [`Unverified`].
    pub unverified: Unverified,
    /// See [`SlotUse`].
    pub slots: SlotUse,
    /// See [`OnBootMiss`].
    pub boot: OnBootMiss,
    /// See [`SelfTest`].
    pub self_test: SelfTest,
    /// See [`ConfigCheck`].
    pub config: ConfigCheck,
    /// See [`Framing`].
    pub framing: Framing,
    /// See [`Telling`].
    pub telling: Telling,
    /// See [`TypeUse`].
    pub types: TypeUse,
    /// See [`Drain`].
    pub drain: Drain,
    /// See [`OnTimeout`].
    pub timeout: OnTimeout,
    /// See [`SoldReported`].
    pub sold: SoldReported,
}

impl TerminalPolicy {
    /// The reference, which meets every requirement: the first variant of each choice.
    pub fn hardened() -> Self {
        Self::default()
    }

    /// The source document's design; the reference's choice where the document is silent.
    pub fn published() -> Self {
        Self { cache: CacheWhen::WhenUnanswered, ..Self::default() }
    }

    /// The source document's baseline, which caches nothing.
    pub fn uncached() -> Self {
        Self { cache: CacheWhen::Never, ..Self::default() }
    }
}
