//! Clients with one choice turned bad, or with values that they do not declare.

use assay_sim::payments::client::{
    Afterwards, Check, Commit, Following, LateSuccess, Numbering, OnOrderPaid, OnPassword, OnUnknown,
    QueryError, Receipt, RefundNumber, Repeats, Restart, SameSale, Signing, Undoing, WindowOver,
};
use assay_sim::payments::policy::Policy;

use crate::suite::{Mutant, Turn};
use crate::system::System;

/// Every bad client.
pub(in crate::payments) fn mutants() -> Vec<Mutant> {
    [results(), beliefs(), notices(), keeping(), values()].concat()
}

const fn mutant(name: &'static str, what: &'static str, turn: fn(&mut Policy)) -> Mutant {
    Mutant { name, what, system: System::Payments, turn: Turn::Payments(turn), profile: "" }
}

/// The reference with a value that its profile does not declare.
const fn valued(name: &'static str, what: &'static str, profile: &'static str) -> Mutant {
    Mutant { profile, ..mutant(name, what, |_| {}) }
}

/// What it does about results.
fn results() -> Vec<Mutant> {
    vec![
        mutant(
            "client-charges-again",
            "it charges again under a new number when it has no result",
            |policy| {
                policy.client.unknown = OnUnknown::NewNumber;
            },
        ),
        mutant(
            "client-takes-silence-for-failure",
            "it takes a sale without a result for a failed one",
            |policy| {
                policy.client.unknown = OnUnknown::TakesAsFailed;
            },
        ),
        mutant(
            "client-takes-silence-for-success",
            "it takes a sale without a result for a paid one",
            |policy| {
                policy.client.unknown = OnUnknown::TakesAsPaid;
            },
        ),
        mutant("client-takes-password-for-failure", "it does not wait for the payer's password", |policy| {
            policy.client.password = OnPassword::TakesAsFailed;
        }),
        mutant(
            "client-charges-what-is-paid",
            "it charges an order again that is said to be paid",
            |policy| {
                policy.client.order_paid = OnOrderPaid::NewNumber;
            },
        ),
        mutant("client-gives-up", "it leaves an order as it is when its time is over", |policy| {
            policy.client.window = WindowOver::GivesUp;
        }),
        mutant("client-undoes-once", "it undoes an order once, done or not", |policy| {
            policy.client.undoing = Undoing::Once;
        }),
        mutant(
            "client-believes-query-errors",
            "it takes a query that fails for a sale that has failed",
            |policy| {
                policy.client.query_error = QueryError::TakesAsFailed;
            },
        ),
        mutant("client-reuses-number", "it charges another code under the number of the first", |policy| {
            policy.client.numbering = Numbering::Same;
        }),
        mutant("client-charges-repeats", "it charges a sale again that the till asks for again", |policy| {
            policy.client.same_sale = SameSale::ChargedAgain;
        }),
    ]
}

/// What it believes.
fn beliefs() -> Vec<Mutant> {
    vec![
        mutant("client-skips-answer-signature", "it believes an answer whose signature is wrong", |policy| {
            policy.client.answer_signature = Check::Ignored;
        }),
        mutant("client-skips-answer-amount", "it believes an answer about another amount", |policy| {
            policy.client.answer_amount = Check::Ignored;
        }),
        mutant(
            "client-skips-notice-signature",
            "it believes a notification whose signature is wrong",
            |policy| {
                policy.client.notice_signature = Check::Ignored;
            },
        ),
        mutant("client-skips-notice-amount", "it believes a notification of another amount", |policy| {
            policy.client.notice_amount = Check::Ignored;
        }),
        mutant("client-signs-not", "it does not sign", |policy| {
            policy.client.signing = Signing::Unsigned;
        }),
        mutant("client-signs-in-part", "it leaves a part of the request out of its signature", |policy| {
            policy.client.signing = Signing::InPart;
        }),
    ]
}

/// What it does about notifications.
fn notices() -> Vec<Mutant> {
    vec![
        mutant(
            "client-answers-other-platforms",
            "it answers a notification as another platform wants",
            |policy| {
                policy.client.receipt = Receipt::OtherPlatforms;
            },
        ),
        mutant(
            "client-answers-nearly",
            "it answers a notification in small letters, with another status, or with a line feed",
            |policy| {
                policy.client.receipt = Receipt::Nearly;
            },
        ),
        mutant("client-answers-nothing", "it answers a notification with an empty page", |policy| {
            policy.client.receipt = Receipt::Empty;
        }),
        mutant("client-answers-fail", "it answers every notification with a failure", |policy| {
            policy.client.receipt = Receipt::Fail;
        }),
        mutant("client-books-twice", "it books a payment as often as it is told of it", |policy| {
            policy.client.repeats = Repeats::BookedAgain;
        }),
        mutant("client-waits-for-notices", "it learns of payments by notifications alone", |policy| {
            policy.client.following = Following::NotificationsAlone;
        }),
    ]
}

/// What it keeps.
fn keeping() -> Vec<Mutant> {
    vec![
        mutant(
            "client-ignores-late-money",
            "it ignores money that comes after an order was undone",
            |policy| {
                policy.client.late = LateSuccess::Ignored;
            },
        ),
        mutant("client-forgets-undone", "it never looks again at an order that was undone", |policy| {
            policy.client.afterwards = Afterwards::Forgets;
        }),
        mutant(
            "client-forgets-at-start",
            "it does not go on with what was open before it was started",
            |policy| {
                policy.client.restart = Restart::Forgets;
            },
        ),
        mutant("client-calls-early", "its calls leave before the order is durable", |policy| {
            policy.client.commit = Commit::AfterStep;
        }),
        mutant("client-answers-early", "it answers a notification before the payment is durable", |policy| {
            policy.client.notice_commit = Commit::AfterStep;
        }),
        mutant("client-renumbers-refunds", "it asks for a refund again under another number", |policy| {
            policy.client.refund_number = RefundNumber::Another;
        }),
    ]
}

/// Those whose values differ from what they declare.
fn values() -> Vec<Mutant> {
    vec![
        valued(
            "client-asks-at-once",
            "it asks a second after the pay call",
            "[client]\nquery_after = \"1 s\"\n",
        ),
        valued("client-asks-often", "it asks every second", "[client]\nquery_gap = \"1 s\"\n"),
        valued(
            "client-undoes-early",
            "it undoes an order ten seconds after the pay call",
            "[client]\npay_window = \"5 s\"\nundo_after = \"0 s\"\n",
        ),
        valued(
            "client-closes-early",
            "it closes an order after a minute",
            "[client]\nclose_after = \"60 s\"\n",
        ),
    ]
}
