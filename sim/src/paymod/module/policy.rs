//! The design choices on which such modules differ.

/// What a pay request means whose number is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameNumber {
    /// The order that has this number.
    Known,
    /// The order begins anew.
    BeginsAnew,
}

/// Whether something is looked at before it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is.
    Checked,
    /// It is not.
    Ignored,
}

/// When a step leaves that rests on what is being stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// When it is stored.
    BeforeStep,
    /// At once.
    AfterStep,
}

/// What is stored of a pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PulseRecord {
    /// That it begins, before; that it has ended, after.
    BeginAndEnd,
    /// That it has ended.
    EndOnly,
    /// Nothing.
    Nothing,
}

/// What is done at power-on about a pulse of which it is not known whether it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PulseCut {
    /// It is in doubt.
    InDoubt,
    /// It is given once more.
    Repeated,
    /// It is taken as given.
    TakenAsGiven,
}

/// When a relay is switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PulseWhen {
    /// When the order is paid.
    Paid,
    /// When the link is there.
    LinkReady,
}

/// What tells a module that an order is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// The server, asked or unasked.
    Both,
    /// The server when it is asked.
    PollingAlone,
    /// The server unasked.
    PushAlone,
}

/// How long a status is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reports {
    /// Until the host acknowledges it.
    UntilAcknowledged,
    /// Once.
    Once,
}

/// When the host is told that an order is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedTold {
    /// When the server says so.
    WhenConfirmed,
    /// When its time is over.
    AtOnce,
}

/// What is done at power-on about open orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// They go on.
    Resumes,
    /// They are forgotten.
    Forgets,
}

/// When a lost connection is opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconnect {
    /// After pauses that grow, a part of each drawn.
    BackOff,
    /// After pauses that grow, the same everywhere.
    WithoutJitter,
    /// At once.
    AtOnce,
}

/// How a connection is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    /// The server is asked for a sign of life; without one the connection is given up.
    Kept,
    /// Nothing is asked.
    None,
}

/// What is done with a frame of the host that is cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutFrame {
    /// It is dropped after a silence.
    Dropped,
    /// Its rest is waited for.
    WaitsForRest,
}

/// How the host learns of a bad frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFrame {
    /// By an error.
    Answered,
    /// Not at all.
    Silent,
}

/// What goes through the free channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Every byte.
    Transparent,
    /// What is text.
    TextOnly,
}

/// What a message of the server means whose sequence has come before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// Nothing new; it gets the same answer.
    Recognised,
    /// As if it were new.
    DoneAgain,
}

/// The choices of one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModulePolicy {
    /// A host's repeats.
    pub same_number: SameNumber,
    /// Order and amount that come with a pay link or a status.
    pub answers: Check,
    /// The session of a message.
    pub sessions: Check,
    /// The check of a host's frame.
    pub frames: Check,
    /// When steps leave.
    pub commit: Commit,
    /// What is stored of a pulse.
    pub pulse_record: PulseRecord,
    /// A pulse that power cut short.
    pub pulse_cut: PulseCut,
    /// When a relay is switched.
    pub pulse_when: PulseWhen,
    /// How results come.
    pub following: Following,
    /// How long a status is told.
    pub reports: Reports,
    /// When closing is told.
    pub closed_told: ClosedTold,
    /// Open orders at power-on.
    pub restart: Restart,
    /// A lost connection.
    pub reconnect: Reconnect,
    /// A standing one.
    pub heartbeat: Heartbeat,
    /// A cut frame.
    pub cut_frame: CutFrame,
    /// A bad frame.
    pub bad_frame: BadFrame,
    /// The free channel.
    pub channel: Channel,
    /// The server's repeats.
    pub repeats: Repeats,
}

impl ModulePolicy {
    /// The reference: it meets every requirement.
    pub const fn hardened() -> Self {
        Self {
            same_number: SameNumber::Known,
            answers: Check::Checked,
            sessions: Check::Checked,
            frames: Check::Checked,
            commit: Commit::BeforeStep,
            pulse_record: PulseRecord::BeginAndEnd,
            pulse_cut: PulseCut::InDoubt,
            pulse_when: PulseWhen::Paid,
            following: Following::Both,
            reports: Reports::UntilAcknowledged,
            closed_told: ClosedTold::WhenConfirmed,
            restart: Restart::Resumes,
            reconnect: Reconnect::BackOff,
            heartbeat: Heartbeat::Kept,
            cut_frame: CutFrame::Dropped,
            bad_frame: BadFrame::Answered,
            channel: Channel::Transparent,
            repeats: Repeats::Recognised,
        }
    }

    /// The article's module: it keeps its orders over a restart and switches a relay when one is paid. What lies
    /// between the two it does not keep, and encryption is all that makes a message the server's.
    pub const fn published() -> Self {
        Self { sessions: Check::Ignored, pulse_record: PulseRecord::EndOnly, ..Self::hardened() }
    }
}
