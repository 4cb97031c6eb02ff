//! The design choices on which such servers differ.

/// Whether an order is looked at again that a module asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Amount and device are held against what the server knows.
    Again,
    /// The module is believed.
    ModuleTrusted,
}

/// What a message means that may be a repeat of an old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replays {
    /// Session and sequence decide.
    Refused,
    /// It was sealed with the right key, and is acted on.
    Taken,
}

/// What a message means whose sequence has just been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSequence {
    /// The same answer, if it is the same message.
    SameAnswer,
    /// As if it were new.
    DoneAgain,
}

/// Whether a message is held against the device that its head names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Devices {
    /// It is opened with the key of that device.
    OwnKeys,
    /// Any device's key will do.
    AnyKey,
}

/// What follows when nobody knows whether an order was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUnknown {
    /// It is asked for again under the same number.
    SameNumber,
    /// It is asked for under a new one.
    NewNumber,
    /// It is taken as failed.
    TakenAsFailed,
}

/// What an order's creation means whose number is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameOrder {
    /// The order that has this number.
    Known,
    /// Another order at the platform.
    MadeAgain,
}

/// How closing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Until the platform says that it is done.
    UntilDone,
    /// An order whose time is over is closed, without a word to the platform.
    InBooksAlone,
}

/// What closing means of an order that is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaidWhenClosing {
    /// It is paid.
    Paid,
    /// It is closed.
    Closed,
}

/// What becomes of money that comes though the order was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateSuccess {
    /// It goes back.
    Refunded,
    /// Nothing.
    Ignored,
}

/// How an order is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerFollowing {
    /// By notifications and by asking.
    Both,
    /// By notifications alone.
    NotificationsAlone,
    /// By asking alone.
    QueriesAlone,
}

/// What follows when a module does not know whether it has delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDoubt {
    /// The money goes back.
    Refunded,
    /// It is listed.
    Listed,
    /// It is taken as delivered.
    TakenAsDelivered,
}

/// When a step leaves that rests on a change of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerCommit {
    /// When the change is durable.
    BeforeStep,
    /// At once.
    AfterStep,
}

/// What is done at the start about what was open before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerRestart {
    /// It goes on.
    Resumes,
    /// Nothing.
    Forgets,
}

/// What the log has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logging {
    /// Every change of every order.
    Everything,
    /// Orders that were made, and payments.
    PaymentsAlone,
}

/// The choices of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerPolicy {
    /// The second look.
    pub verification: Verification,
    /// Old messages.
    pub replays: Replays,
    /// The last message again.
    pub same_sequence: SameSequence,
    /// Keys.
    pub devices: Devices,
    /// An unknown result.
    pub unknown: OnUnknown,
    /// A known number.
    pub same_order: SameOrder,
    /// Closing.
    pub closing: Closing,
    /// Closing what is paid.
    pub paid_when_closing: PaidWhenClosing,
    /// Money that comes late.
    pub late: LateSuccess,
    /// How results come.
    pub following: ServerFollowing,
    /// Deliveries in doubt.
    pub doubt: OnDoubt,
    /// When steps leave.
    pub commit: ServerCommit,
    /// The start.
    pub restart: ServerRestart,
    /// The log.
    pub logging: Logging,
}

impl ServerPolicy {
    /// The reference: it meets every requirement.
    pub const fn hardened() -> Self {
        Self {
            verification: Verification::Again,
            replays: Replays::Refused,
            same_sequence: SameSequence::SameAnswer,
            devices: Devices::OwnKeys,
            unknown: OnUnknown::SameNumber,
            same_order: SameOrder::Known,
            closing: Closing::UntilDone,
            paid_when_closing: PaidWhenClosing::Paid,
            late: LateSuccess::Refunded,
            following: ServerFollowing::Both,
            doubt: OnDoubt::Refunded,
            commit: ServerCommit::BeforeStep,
            restart: ServerRestart::Resumes,
            logging: Logging::Everything,
        }
    }

    /// The article's server: encryption is all that makes a message a module's, the platform's notification is all that
    /// makes an order paid, and nothing is done about money that comes when nobody waits for it any more.
    pub const fn published() -> Self {
        Self {
            replays: Replays::Taken,
            following: ServerFollowing::NotificationsAlone,
            late: LateSuccess::Ignored,
            ..Self::hardened()
        }
    }
}
