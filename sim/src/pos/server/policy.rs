//! The choices on which POS servers differ.

/// What is done with a sale that was told before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// It gets the same answer.
    Recognised,
    /// It is charged as if it were new.
    ChargedAgain,
}

/// How often an answer is sent that is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// Until it is confirmed, as often as the profile says.
    UntilConfirmed,
    /// Once.
    Never,
}

/// When an answer leaves that rests on a change of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// When the change is durable.
    BeforeAnswer,
    /// At once; the change becomes durable meanwhile.
    AfterAnswer,
}

/// What becomes of the commas in a scanned code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeReading {
    /// They are part of it.
    Whole,
    /// They are taken for the separators that they look like, and dropped.
    CommasDropped,
}

/// What a datagram does that is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMalformed {
    /// Nothing.
    Ignored,
    /// It ends the program, which nobody starts again.
    Stops,
}

/// What a device is answered that says it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Unanswered,
    /// `001` with the second field, as any other message.
    Acknowledged,
}

/// What time the deletion of a record names whose own time is impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRecordTime {
    /// The one that devices take for any such.
    Sentinel,
    /// The record's own.
    Echoed,
}

/// Where replies go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyTo {
    /// To where the datagram came from.
    Source,
    /// To the address that the device prints.
    Printed,
}

/// When a device's clock is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSetting {
    /// When it shows another minute.
    OtherMinute,
    /// At each power-on.
    Always,
    /// Never.
    Never,
}

/// What a record does of a sale that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedOnRecord {
    /// It is charged: the customer has had it.
    Charged,
    /// It stays refused.
    Dropped,
}

/// By what a record finds its sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconciling {
    /// By the sale's identity.
    ByIdentity,
    /// By nothing: every record is a sale of its own.
    Never,
}

/// Who a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceIdentity {
    /// Its serial, if it has one, and else its number.
    SerialFirst,
    /// Its number alone.
    NumberAlone,
}

/// What a sale by code is answered while the platform is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interim {
    /// That it is in progress.
    InProgress,
    /// That it is made.
    ClaimsSuccess,
}

/// What is done when the platform does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlatformSilence {
    /// It is asked again on a new connection.
    AsksAgain,
    /// It is waited for as long as the connection stands.
    Waits,
}

/// A server's choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerPolicy {
    /// What is done with a sale that was told before.
    pub repeats: Repeats,
    /// How often an answer is sent.
    pub resend: Resend,
    /// When an answer leaves.
    pub commit: Commit,
    /// What becomes of commas in a code.
    pub code: CodeReading,
    /// What a datagram does that is no message.
    pub malformed: OnMalformed,
    /// What a device is answered that says it is there.
    pub presence: Presence,
    /// How a record with an impossible time is deleted.
    pub bad_time: BadRecordTime,
    /// Where replies go.
    pub reply: ReplyTo,
    /// When clocks are set.
    pub clock: ClockSetting,
    /// What a record does of a refused sale.
    pub refused: RefusedOnRecord,
    /// By what a record finds its sale.
    pub reconciling: Reconciling,
    /// Who a device is.
    pub device: DeviceIdentity,
    /// What is answered meanwhile.
    pub interim: Interim,
    /// What is done when the platform is silent.
    pub silence: PlatformSilence,
}

impl ServerPolicy {
    /// The reference.
    pub const fn hardened() -> Self {
        Self {
            repeats: Repeats::Recognised,
            resend: Resend::UntilConfirmed,
            commit: Commit::BeforeAnswer,
            code: CodeReading::Whole,
            malformed: OnMalformed::Ignored,
            presence: Presence::Unanswered,
            bad_time: BadRecordTime::Sentinel,
            reply: ReplyTo::Source,
            clock: ClockSetting::OtherMinute,
            refused: RefusedOnRecord::Charged,
            reconciling: Reconciling::ByIdentity,
            device: DeviceIdentity::SerialFirst,
            interim: Interim::InProgress,
            silence: PlatformSilence::AsksAgain,
        }
    }

    /// The published sample server, with its flaws; where it says nothing, as the reference does.
    pub const fn published() -> Self {
        Self {
            repeats: Repeats::ChargedAgain,
            resend: Resend::Never,
            commit: Commit::AfterAnswer,
            code: CodeReading::CommasDropped,
            malformed: OnMalformed::Stops,
            reconciling: Reconciling::Never,
            ..Self::hardened()
        }
    }
}
