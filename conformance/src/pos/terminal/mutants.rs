//! Mutants that these cases kill: a terminal whose every choice is the reference's but one.

use assay_sim::pos::terminal::{
    AnswerMatch, BookedCards, BookedWhen, Booking, Confirms, DeleteMatch, DeleteWhen, Discovery, EntryCheck,
    LostClock, Malformed, PendingKept, PendingTime, RecordTime, Sends, SeqOnRepeat, SetClock, Stamping,
    StoreFull, SuccessWhen, TextScan, Upload, WhilePending,
};

use crate::pos::mutant;
use crate::suite::Mutant;

/// All of them.
pub fn mutants() -> Vec<Mutant> {
    [sending(), pending(), booking(), records(), clock(), talking(), timers()].concat()
}

fn sending() -> Vec<Mutant> {
    vec![
        mutant("pos-terminal-sends-once", "sends a message once only", |policy| {
            policy.terminal.sends = Sends::Once;
        }),
        mutant("pos-terminal-sends-for-ever", "sends a message until it is acknowledged", |policy| {
            policy.terminal.sends = Sends::ForEver;
        }),
        mutant("pos-terminal-counts-repeats", "gives each repeat a sequence number of its own", |policy| {
            policy.terminal.repeat_seq = SeqOnRepeat::New;
        }),
        mutant("pos-terminal-confirms-once", "confirms an answer the first time only", |policy| {
            policy.terminal.confirms = Confirms::FirstTime;
        }),
        mutant("pos-terminal-confirms-nothing", "confirms no answers", |policy| {
            policy.terminal.confirms = Confirms::Never;
        }),
    ]
}

fn pending() -> Vec<Mutant> {
    vec![
        mutant("pos-terminal-pending-in-ram", "forgets a pending sale with the power", |policy| {
            policy.terminal.pending = PendingKept::Ram;
        }),
        mutant("pos-terminal-trusts-torn-entries", "takes a half-written sale for a whole one", |policy| {
            policy.terminal.entry = EntryCheck::Begun;
        }),
        mutant("pos-terminal-drops-overdue", "gives a sale up when its answer is overdue", |policy| {
            policy.terminal.pending = PendingKept::UntilOverdue;
        }),
        mutant(
            "pos-terminal-restamps-pending",
            "repeats a pending sale with the time of the repeat",
            |policy| {
                policy.terminal.pending_time = PendingTime::OfTheRepeat;
            },
        ),
        mutant("pos-terminal-replaces-pending", "lets another sale take the pending one's place", |policy| {
            policy.terminal.while_pending = WhilePending::TakesItsPlace;
        }),
        mutant("pos-terminal-begins-another", "begins the pending sale anew on a second tap", |policy| {
            policy.terminal.while_pending = WhilePending::BeginsAnother;
        }),
        mutant("pos-terminal-progress-is-success", "takes an answer in progress for success", |policy| {
            policy.terminal.success = SuccessWhen::AnyDone;
        }),
        mutant("pos-terminal-acknowledged-is-success", "takes the acknowledgement for success", |policy| {
            policy.terminal.success = SuccessWhen::Acknowledged;
        }),
        mutant("pos-terminal-any-amount", "takes an answer with any amount", |policy| {
            policy.terminal.answers = AnswerMatch::AnyAmount;
        }),
        mutant("pos-terminal-any-answer", "takes any answer for its machine", |policy| {
            policy.terminal.answers = AnswerMatch::MachineOnly;
        }),
    ]
}

fn booking() -> Vec<Mutant> {
    vec![
        mutant("pos-terminal-books-after-showing", "shows an off-line sale before it is durable", |policy| {
            policy.terminal.booking = Booking::AfterShown;
        }),
        mutant("pos-terminal-books-in-ram", "keeps off-line sales in RAM", |policy| {
            policy.terminal.booking = Booking::Ram;
        }),
        mutant("pos-terminal-books-anybody", "books cards that are on no white list", |policy| {
            policy.terminal.booked_cards = BookedCards::Any;
        }),
        mutant("pos-terminal-books-codes", "shows payments by code as made off line", |policy| {
            policy.terminal.booked_cards = BookedCards::AnyAndScans;
        }),
        mutant("pos-terminal-books-overdue", "books what was acknowledged and not answered", |policy| {
            policy.terminal.booked_when = BookedWhen::Overdue;
        }),
        mutant("pos-terminal-restamps-records", "stamps a record when it is booked", |policy| {
            policy.terminal.record_time = RecordTime::OfTheBooking;
        }),
        mutant("pos-terminal-overwrites", "overwrites the oldest record when the store is full", |policy| {
            policy.terminal.full = StoreFull::Overwrites;
        }),
        mutant(
            "pos-terminal-forgets-when-full",
            "shows a sale as made that a full store cannot keep",
            |policy| {
                policy.terminal.full = StoreFull::Forgets;
            },
        ),
    ]
}

fn records() -> Vec<Mutant> {
    vec![
        mutant("pos-terminal-deletes-any-time", "does not look at the time in an 011", |policy| {
            policy.terminal.delete = DeleteMatch::AnyTime;
        }),
        mutant(
            "pos-terminal-ignores-the-sentinel",
            "keeps a record whose own time is impossible",
            |policy| {
                policy.terminal.delete = DeleteMatch::WithoutSentinel;
            },
        ),
        mutant("pos-terminal-deletes-by-address", "looks at nothing but the address in an 011", |policy| {
            policy.terminal.delete = DeleteMatch::AddressOnly;
        }),
        mutant("pos-terminal-deletes-anything", "deletes the record on any 011", |policy| {
            policy.terminal.delete = DeleteMatch::Anything;
        }),
        mutant("pos-terminal-deletes-acknowledged", "deletes a record on its acknowledgement", |policy| {
            policy.terminal.delete_when = DeleteWhen::Acknowledged;
        }),
        mutant(
            "pos-terminal-next-on-acknowledge",
            "sends the next record on the acknowledgement",
            |policy| {
                policy.terminal.upload = Upload::NextOnAcknowledge;
            },
        ),
        mutant("pos-terminal-drains-at-power-on", "sends records at power-on only", |policy| {
            policy.terminal.upload = Upload::AtPowerOn;
        }),
    ]
}

fn clock() -> Vec<Mutant> {
    vec![
        mutant("pos-terminal-stamps-by-clock", "stamps sales by the clock, wherever that goes", |policy| {
            policy.terminal.stamping = Stamping::Clock;
        }),
        mutant("pos-terminal-forgets-last-time", "forgets the last sale's time with the power", |policy| {
            policy.terminal.stamping = Stamping::IncreasingUntilPowerLoss;
        }),
        mutant("pos-terminal-reads-nought", "stamps sales with a time that is none", |policy| {
            policy.terminal.lost_clock = LostClock::ReadsNought;
        }),
        mutant("pos-terminal-bends-dates", "sets the clock to the nearest date that there is", |policy| {
            policy.terminal.set_clock = SetClock::Bends;
        }),
        mutant("pos-terminal-keeps-its-clock", "ignores that its clock is to be set", |policy| {
            policy.terminal.set_clock = SetClock::Ignores;
        }),
    ]
}

fn talking() -> Vec<Mutant> {
    vec![
        mutant("pos-terminal-bytewise-text", "looks for signs byte by byte", |policy| {
            policy.terminal.text = TextScan::Bytewise;
        }),
        mutant("pos-terminal-undiscovered", "does not answer discoveries", |policy| {
            policy.terminal.discovery = Discovery::Ignored;
        }),
        mutant("pos-terminal-stops-on-junk", "stops at the first datagram that is no message", |policy| {
            policy.terminal.malformed = Malformed::Stops;
        }),
    ]
}

/// A terminal whose own times are not those that its data sheet declares.
const fn timed(name: &'static str, what: &'static str, profile: &'static str) -> Mutant {
    Mutant { profile, ..mutant(name, what, |_| ()) }
}

fn timers() -> Vec<Mutant> {
    vec![
        timed("pos-terminal-four-sends", "sends a message four times", "[terminal]\nsends_max = 4"),
        timed("pos-terminal-two-sends", "sends a message twice", "[terminal]\nsends_max = 2"),
        timed("pos-terminal-hasty", "repeats after half a second", "[terminal]\nack_timeout = \"500 ms\""),
        timed("pos-terminal-slow-repeats", "repeats after four seconds", "[terminal]\nack_timeout = \"4 s\""),
        timed(
            "pos-terminal-impatient",
            "waits three seconds for an answer",
            "[terminal]\nreply_timeout = \"3 s\"",
        ),
        timed(
            "pos-terminal-patient",
            "waits ten seconds for an answer",
            "[terminal]\nreply_timeout = \"10 s\"",
        ),
        timed(
            "pos-terminal-progress-cut-short",
            "waits 45 s for the end of a payment in progress",
            "[terminal]\ninterim_timeout = \"45 s\"",
        ),
        timed(
            "pos-terminal-slow-rounds",
            "begins a round every twenty seconds",
            "[terminal]\nround = \"20 s\"",
        ),
        timed(
            "pos-terminal-quick-rounds",
            "begins a round every five seconds",
            "[terminal]\nround = \"5 s\"",
        ),
        timed(
            "pos-terminal-other-progress",
            "takes 6 s for the sign of a payment in progress",
            "[terminal]\ninterim_secs = 6",
        ),
    ]
}
