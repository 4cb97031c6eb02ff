//! The choices on which programs that call the platforms differ.

/// What follows a pay call whose result is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUnknown {
    /// The order is asked about.
    Queries,
    /// The sale is charged again at once, under another number.
    NewNumber,
    /// The sale is taken to have failed.
    TakesAsFailed,
    /// The sale is taken to be paid.
    TakesAsPaid,
}

/// What follows when the payer is asked for the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPassword {
    /// The order is asked about until the time is over.
    Polls,
    /// The sale is taken to have failed.
    TakesAsFailed,
}

/// What follows when an order is said to be paid already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOrderPaid {
    /// It is asked about, and booked once.
    Queries,
    /// It is charged again under another number.
    NewNumber,
    /// An order that is closed is taken to be closed, whatever the platform says.
    TakesAsDead,
}

/// What follows when the time for asking is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowOver {
    /// The order is undone.
    Undoes,
    /// The sale is taken to have failed, and the order is left as it is.
    GivesUp,
}

/// How often an order is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undoing {
    /// Until the platform says that it is done, and that no further call is needed.
    UntilDone,
    /// Once, whatever the platform says.
    Once,
}

/// What a query means that is answered with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// Nothing.
    Unknown,
    /// The sale has failed.
    TakesAsFailed,
}

/// Whether something is looked at before it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is.
    Checked,
    /// It is not.
    Ignored,
}

/// How a notification is answered that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// As the platform wants it.
    Exact,
    /// Nearly so: the word in small letters, another status of success, a line feed behind it.
    Nearly,
    /// In a word that another platform wants.
    OtherPlatforms,
    /// With an empty page.
    Empty,
    /// As if it had not been taken.
    Fail,
}

/// What a notification means that has come before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// Nothing new.
    Recognised,
    /// One more payment.
    BookedAgain,
}

/// What becomes of money that comes though the order was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateSuccess {
    /// It goes back.
    Refunded,
    /// Nothing.
    Ignored,
}

/// What is done about an order that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It is asked about for a while.
    Watches,
    /// Nothing.
    Forgets,
}

/// When a step leaves that rests on a change of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// When the change is durable.
    BeforeStep,
    /// At once; the change becomes durable meanwhile.
    AfterStep,
}

/// What is done at the start about what was open before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It goes on.
    Resumes,
    /// Nothing.
    Forgets,
}

/// The number of an order with which a sale is tried again, with another code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// A new one.
    New,
    /// The one of the first try.
    Same,
}

/// How requests are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// As the platform wants it.
    Whole,
    /// In part: without the field that says how it is signed, or in WeChat Pay v3 without the body.
    InPart,
    /// Not at all.
    Unsigned,
}

/// What follows when the till asks for a sale that it has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSale {
    /// It is told what became of it.
    Known,
    /// It is charged as if it were new.
    ChargedAgain,
}

/// How an order is followed that a payer scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// By notifications and by asking.
    Both,
    /// By notifications alone.
    NotificationsAlone,
}

/// The number of a refund that is asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundNumber {
    /// The same.
    Same,
    /// Another one each time.
    Another,
}

/// The choices of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientPolicy {
    /// After an unknown result.
    pub unknown: OnUnknown,
    /// While the payer types.
    pub password: OnPassword,
    /// When an order is said to be paid.
    pub order_paid: OnOrderPaid,
    /// When the time for asking is over.
    pub window: WindowOver,
    /// Undoing an order.
    pub undoing: Undoing,
    /// A query's error.
    pub query_error: QueryError,
    /// The signature of an answer.
    pub answer_signature: Check,
    /// The amount in an answer.
    pub answer_amount: Check,
    /// The signature of a notification.
    pub notice_signature: Check,
    /// The amount in a notification.
    pub notice_amount: Check,
    /// The answer to a notification.
    pub receipt: Receipt,
    /// A notification that came before.
    pub repeats: Repeats,
    /// Money that comes late.
    pub late: LateSuccess,
    /// After an order was given up.
    pub afterwards: Afterwards,
    /// When a call leaves.
    pub commit: Commit,
    /// When the answer to a notification leaves.
    pub notice_commit: Commit,
    /// The start.
    pub restart: Restart,
    /// Another code.
    pub numbering: Numbering,
    /// Signatures.
    pub signing: Signing,
    /// The till's repeats.
    pub same_sale: SameSale,
    /// Orders that are scanned.
    pub following: Following,
    /// Refunds that are asked for again.
    pub refund_number: RefundNumber,
}

impl ClientPolicy {
    /// The reference: it meets every requirement.
    pub const fn hardened() -> Self {
        Self {
            unknown: OnUnknown::Queries,
            password: OnPassword::Polls,
            order_paid: OnOrderPaid::Queries,
            window: WindowOver::Undoes,
            undoing: Undoing::UntilDone,
            query_error: QueryError::Unknown,
            answer_signature: Check::Checked,
            answer_amount: Check::Checked,
            notice_signature: Check::Checked,
            notice_amount: Check::Checked,
            receipt: Receipt::Exact,
            repeats: Repeats::Recognised,
            late: LateSuccess::Refunded,
            afterwards: Afterwards::Watches,
            commit: Commit::BeforeStep,
            notice_commit: Commit::BeforeStep,
            restart: Restart::Resumes,
            numbering: Numbering::New,
            signing: Signing::Whole,
            same_sale: SameSale::Known,
            following: Following::Both,
            refund_number: RefundNumber::Same,
        }
    }

    /// What a first program looks like: it retries with a new number, believes what it is told, and forgets.
    pub const fn published() -> Self {
        Self {
            unknown: OnUnknown::NewNumber,
            window: WindowOver::GivesUp,
            undoing: Undoing::Once,
            answer_signature: Check::Ignored,
            answer_amount: Check::Ignored,
            notice_signature: Check::Ignored,
            notice_amount: Check::Ignored,
            repeats: Repeats::BookedAgain,
            late: LateSuccess::Ignored,
            afterwards: Afterwards::Forgets,
            commit: Commit::AfterStep,
            notice_commit: Commit::AfterStep,
            restart: Restart::Forgets,
            following: Following::NotificationsAlone,
            ..Self::hardened()
        }
    }
}
