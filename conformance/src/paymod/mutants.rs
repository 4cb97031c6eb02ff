//! Modules and servers with one choice turned bad, or with values that they do not declare.

use assay_sim::paymod::module::{
    BadFrame, Channel, Check, ClosedTold, Commit, CutFrame, Following, Heartbeat, PulseCut, PulseRecord,
    PulseWhen, Reconnect, Repeats, Reports, Restart, SameNumber,
};
use assay_sim::paymod::policy::Policy;
use assay_sim::paymod::server::{
    Closing, Devices, LateSuccess, Logging, OnDoubt, OnUnknown, Replays, SameOrder, SameSequence,
    ServerCommit, ServerFollowing, ServerRestart, Verification,
};

use crate::suite::{Mutant, Turn};
use crate::system::System;

/// Every bad module and every bad server.
pub fn mutants() -> Vec<Mutant> {
    [host_line(), deliveries(), link(), server_link(), server_orders(), server_keeping(), values()].concat()
}

const fn mutant(name: &'static str, what: &'static str, turn: fn(&mut Policy)) -> Mutant {
    Mutant { name, what, system: System::Paymod, turn: Turn::Paymod(turn), profile: "" }
}

/// The reference with a value that its profile does not declare.
const fn valued(name: &'static str, what: &'static str, profile: &'static str) -> Mutant {
    Mutant { profile, ..mutant(name, what, |_| {}) }
}

/// What a module does on its host's line.
fn host_line() -> Vec<Mutant> {
    vec![
        mutant("module-begins-anew", "it begins an order anew whose number it knows", |policy| {
            policy.module.same_number = SameNumber::BeginsAnew;
        }),
        mutant("module-ignores-checks", "it acts on frames whose check is wrong", |policy| {
            policy.module.frames = Check::Ignored;
        }),
        mutant("module-waits-for-rest", "it waits for the rest of a frame that was cut short", |policy| {
            policy.module.cut_frame = CutFrame::WaitsForRest;
        }),
        mutant("module-says-nothing-of-bad-frames", "it does not answer bad frames", |policy| {
            policy.module.bad_frame = BadFrame::Silent;
        }),
        mutant("module-reports-once", "it tells how an order stands once, heard or not", |policy| {
            policy.module.reports = Reports::Once;
        }),
        mutant("module-says-closed-at-once", "it tells that an order is closed before it is", |policy| {
            policy.module.closed_told = ClosedTold::AtOnce;
        }),
        mutant("module-drops-bytes", "only text goes through its free channel", |policy| {
            policy.module.channel = Channel::TextOnly;
        }),
    ]
}

/// What a module does about pulses and restarts.
fn deliveries() -> Vec<Mutant> {
    vec![
        mutant(
            "module-stores-ends-alone",
            "it stores that a pulse has ended, and not that it begins",
            |policy| {
                policy.module.pulse_record = PulseRecord::EndOnly;
            },
        ),
        mutant("module-stores-no-pulse", "it stores nothing of a pulse", |policy| {
            policy.module.pulse_record = PulseRecord::Nothing;
        }),
        mutant("module-repeats-pulses", "it gives a pulse once more that power cut short", |policy| {
            policy.module.pulse_cut = PulseCut::Repeated;
        }),
        mutant("module-takes-pulses-as-given", "it takes a pulse as given that power cut short", |policy| {
            policy.module.pulse_cut = PulseCut::TakenAsGiven;
        }),
        mutant("module-delivers-before-payment", "it switches the relay when the link is there", |policy| {
            policy.module.pulse_when = PulseWhen::LinkReady;
        }),
        mutant("module-forgets", "it forgets open orders when it loses its power", |policy| {
            policy.module.restart = Restart::Forgets;
        }),
        mutant("module-answers-before-storing", "it answers its host before it has stored", |policy| {
            policy.module.commit = Commit::AfterStep;
        }),
    ]
}

/// What a module does on the link.
fn link() -> Vec<Mutant> {
    vec![
        mutant("module-believes-links", "it shows a link that came for another order or amount", |policy| {
            policy.module.answers = Check::Ignored;
        }),
        mutant("module-believes-sessions", "it acts on messages of another session", |policy| {
            policy.module.sessions = Check::Ignored;
        }),
        mutant("module-acts-on-repeats", "it acts on every message of the server, new or not", |policy| {
            policy.module.repeats = Repeats::DoneAgain;
        }),
        mutant("module-polls-alone", "it does not take what it has not asked for", |policy| {
            policy.module.following = Following::PollingAlone;
        }),
        mutant("module-waits-to-be-told", "it never asks how an order stands", |policy| {
            policy.module.following = Following::PushAlone;
        }),
        mutant("module-reconnects-at-once", "it opens a lost connection at once", |policy| {
            policy.module.reconnect = Reconnect::AtOnce;
        }),
        mutant("module-without-jitter", "it waits as long as every other module", |policy| {
            policy.module.reconnect = Reconnect::WithoutJitter;
        }),
        mutant("module-without-heartbeat", "it asks for no sign of life", |policy| {
            policy.module.heartbeat = Heartbeat::None;
        }),
    ]
}

/// What a server does on the link.
fn server_link() -> Vec<Mutant> {
    vec![
        mutant("server-trusts-modules", "it does not look at an order a second time", |policy| {
            policy.server.verification = Verification::ModuleTrusted;
        }),
        mutant("server-takes-replays", "it acts on messages of old sessions and sequences", |policy| {
            policy.server.replays = Replays::Taken;
        }),
        mutant("server-acts-on-repeats", "it acts on a message once more that has just been", |policy| {
            policy.server.same_sequence = SameSequence::DoneAgain;
        }),
        mutant("server-takes-any-key", "it opens messages with the keys of other devices", |policy| {
            policy.server.devices = Devices::AnyKey;
        }),
        mutant("server-makes-again", "it makes an order once more that it is asked for again", |policy| {
            policy.server.same_order = SameOrder::MadeAgain;
        }),
    ]
}

/// What a server does about orders.
fn server_orders() -> Vec<Mutant> {
    vec![
        mutant("server-takes-new-number", "it asks under a new number when it has no answer", |policy| {
            policy.server.unknown = OnUnknown::NewNumber;
        }),
        mutant(
            "server-takes-silence-for-failure",
            "it takes an order without an answer as failed",
            |policy| {
                policy.server.unknown = OnUnknown::TakenAsFailed;
            },
        ),
        mutant(
            "server-closes-in-books-alone",
            "it closes an order without a word to the platform",
            |policy| {
                policy.server.closing = Closing::InBooksAlone;
            },
        ),
        mutant("server-ignores-late-money", "it does nothing about money that comes late", |policy| {
            policy.server.late = LateSuccess::Ignored;
        }),
        mutant("server-never-asks", "it learns of payments by notifications alone", |policy| {
            policy.server.following = ServerFollowing::NotificationsAlone;
        }),
        mutant("server-never-listens", "it learns of payments by asking alone", |policy| {
            policy.server.following = ServerFollowing::QueriesAlone;
        }),
        mutant("server-lists-doubts", "it lists an order in doubt, and leaves it at that", |policy| {
            policy.server.doubt = OnDoubt::Listed;
        }),
        mutant("server-takes-doubts-as-delivered", "it takes an order in doubt as delivered", |policy| {
            policy.server.doubt = OnDoubt::TakenAsDelivered;
        }),
    ]
}

/// What a server does about its log.
fn server_keeping() -> Vec<Mutant> {
    vec![
        mutant("server-answers-before-storing", "it answers before it has stored", |policy| {
            policy.server.commit = ServerCommit::AfterStep;
        }),
        mutant("server-forgets", "it forgets open orders when it is killed", |policy| {
            policy.server.restart = ServerRestart::Forgets;
        }),
        mutant("server-logs-payments-alone", "its log has payments, and no other change", |policy| {
            policy.server.logging = Logging::PaymentsAlone;
        }),
    ]
}

/// Values that are not as they are declared.
fn values() -> Vec<Mutant> {
    vec![
        valued(
            "server-closes-soon",
            "it closes an order a minute after it was made",
            "[server]\nclose_after = \"60 s\"\n",
        ),
        valued(
            "server-polls-fast",
            "it asks about an order every two seconds",
            "[server]\nquery_gap = \"2 s\"\n",
        ),
        valued(
            "module-tells-slowly",
            "it tells a status again after ten seconds",
            "[module]\nstatus_again = \"10 s\"\n",
        ),
        valued(
            "module-beats-slowly",
            "it asks for a sign of life every ten minutes",
            "[module]\nheartbeat = \"10 min\"\n",
        ),
    ]
}
