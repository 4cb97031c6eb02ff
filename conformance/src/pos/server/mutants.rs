//! Servers with one choice turned bad, or with values that they do not declare.

use assay_sim::pos::server::{
    BadRecordTime, ClockSetting, CodeReading, Commit, DeviceIdentity, Interim, OnMalformed, PlatformSilence,
    Presence, Reconciling, RefusedOnRecord, Repeats, ReplyTo, Resend,
};

use crate::pos::mutant;
use crate::suite::Mutant;

/// Every bad choice of a server.
pub fn mutants() -> Vec<Mutant> {
    [choices(), values()].concat()
}

/// Those with one choice turned bad.
fn choices() -> Vec<Mutant> {
    vec![
        mutant("server-charges-repeats", "it charges a payment that comes again", |policy| {
            policy.server.repeats = Repeats::ChargedAgain;
        }),
        mutant("server-answers-once", "it sends an answer once, confirmed or not", |policy| {
            policy.server.resend = Resend::Never;
        }),
        mutant("server-answers-early", "its answers leave before what they say is durable", |policy| {
            policy.server.commit = Commit::AfterAnswer;
        }),
        mutant("server-drops-commas", "it drops the commas of a scanned code", |policy| {
            policy.server.code = CodeReading::CommasDropped;
        }),
        mutant("server-stops-at-junk", "it ends at a datagram that is no message", |policy| {
            policy.server.malformed = OnMalformed::Stops;
        }),
        mutant("server-acknowledges-presence", "it acknowledges a device that says it is there", |policy| {
            policy.server.presence = Presence::Acknowledged;
        }),
        mutant(
            "server-echoes-bad-time",
            "it deletes a record by the impossible time that it has",
            |policy| {
                policy.server.bad_time = BadRecordTime::Echoed;
            },
        ),
        mutant("server-replies-to-printed", "it replies to the address that the device prints", |policy| {
            policy.server.reply = ReplyTo::Printed;
        }),
        mutant("server-always-sets-clock", "it sets a clock at each power-on", |policy| {
            policy.server.clock = ClockSetting::Always;
        }),
        mutant("server-never-sets-clock", "it sets no clock", |policy| {
            policy.server.clock = ClockSetting::Never;
        }),
        mutant("server-drops-refused", "it charges no record of a payment that it has refused", |policy| {
            policy.server.refused = RefusedOnRecord::Dropped;
        }),
        mutant("server-charges-records", "it takes each record for a sale of its own", |policy| {
            policy.server.reconciling = Reconciling::Never;
        }),
        mutant("server-knows-numbers-only", "it tells devices apart by their numbers alone", |policy| {
            policy.server.device = DeviceIdentity::NumberAlone;
        }),
        mutant("server-claims-success", "it says made while the platform is still asked", |policy| {
            policy.server.interim = Interim::ClaimsSuccess;
        }),
        mutant(
            "server-waits-for-platform",
            "it waits for the platform as long as the line stands",
            |policy| {
                policy.server.silence = PlatformSilence::Waits;
            },
        ),
    ]
}

/// Those whose values differ from what they declare.
fn values() -> Vec<Mutant> {
    vec![
        valued(
            "server-sends-twice",
            "it sends an answer twice instead of three times",
            "[server]\nsends_max = 2\n",
        ),
        valued("server-sends-nine-times", "it sends an answer nine times", "[server]\nsends_max = 9\n"),
        valued(
            "server-sends-late",
            "it waits five seconds for a confirmation",
            "[server]\nconfirm_timeout = \"5 s\"\n",
        ),
        valued(
            "server-sends-at-once",
            "it waits a tenth of a second for a confirmation",
            "[server]\nconfirm_timeout = \"100 ms\"\n",
        ),
        valued(
            "server-guesses-no-flag",
            "it takes the field of unknown meaning for part of the code",
            "[frame.scan]\nflag = false\n",
        ),
        valued(
            "server-guesses-no-serial",
            "it takes the serial for part of the code",
            "[frame.scan]\nserial = false\n",
        ),
        valued(
            "server-short-numbers",
            "it echoes no sequence number above five bytes",
            "[frame]\nseq_max = 5\n",
        ),
    ]
}

/// The reference with a value that its profile does not declare.
const fn valued(name: &'static str, what: &'static str, profile: &'static str) -> Mutant {
    Mutant { profile, ..mutant(name, what, |_| {}) }
}
