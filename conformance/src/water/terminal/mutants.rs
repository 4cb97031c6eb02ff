//! Mutants that these cases kill: a terminal whose every choice is the reference's but one.

use assay_sim::water::policy::Policy;
use assay_sim::water::terminal::{
    AnswerMatch, ConfigCheck, Damaged, Framing, OnBootMiss, OnNegative, OnTimeout, SelfTest, Telling, TypeUse,
};

use crate::suite::{Mutant, Turn};
use crate::system::System;

const fn water(name: &'static str, what: &'static str, apply: fn(&mut Policy)) -> Mutant {
    Mutant { name, what, system: System::Water, profile: "", turn: Turn::Water(apply) }
}

/// All of them.
pub fn mutants() -> Vec<Mutant> {
    [frames(), boot(), panel()].concat()
}

fn frames() -> Vec<Mutant> {
    vec![
        water("terminal-any-machine", "takes answers for any machine number", |policy| {
            policy.terminal.answers = AnswerMatch::AnyMachine;
        }),
        water("terminal-any-card", "takes answers for any card", |policy| {
            policy.terminal.answers = AnswerMatch::AnyCard;
        }),
        water("terminal-unasked", "takes offers that it did not ask for", |policy| {
            policy.terminal.answers = AnswerMatch::Unasked;
        }),
        water("terminal-silent-on-damage", "drops damaged frames without a word", |policy| {
            policy.terminal.damaged = Damaged::Silent;
        }),
        water("terminal-asks-for-ever", "answers every damaged frame, however many come", |policy| {
            policy.terminal.damaged = Damaged::AsksForEver;
        }),
        water("terminal-asks-untyped", "asks again with type 00 whatever was damaged", |policy| {
            policy.terminal.damaged = Damaged::AsksUntyped;
        }),
        water("terminal-trusts-damaged", "does not look at the CRC of frames", |policy| {
            policy.terminal.damaged = Damaged::Trusts;
        }),
        water("terminal-repeats-once", "repeats a refused frame once only", |policy| {
            policy.terminal.negative = OnNegative::RepeatsOnce;
        }),
        water("terminal-repeats-for-ever", "repeats a frame for as long as it is refused", |policy| {
            policy.terminal.negative = OnNegative::RepeatsForEver;
        }),
        water("terminal-rewrites", "writes a refused result anew, as one in doubt", |policy| {
            policy.terminal.negative = OnNegative::Rewrites;
        }),
        water("terminal-repeats-answered", "repeats its last frame although it was answered", |policy| {
            policy.terminal.negative = OnNegative::RepeatsAnswered;
        }),
        water("terminal-waits-for-rest", "waits for the rest of a frame as long as it takes", |policy| {
            policy.terminal.framing = Framing::WaitsForRest;
        }),
        water("terminal-drops-all", "drops everything held with the first junk", |policy| {
            policy.terminal.framing = Framing::DropsAll;
        }),
        water("terminal-believes-length", "believes any length field", |policy| {
            policy.terminal.framing = Framing::BelievesLength;
        }),
        water("terminal-gives-up-early", "gives a frame up after a tenth of the gap", |policy| {
            policy.terminal.framing = Framing::GivesUpEarly;
        }),
        water("terminal-always-flat", "uses the flat price's types for every card", |policy| {
            policy.terminal.types = TypeUse::AlwaysFlat;
        }),
        water("terminal-keeps-connection", "sends again without resetting the network", |policy| {
            policy.terminal.timeout = OnTimeout::KeepsConnection;
        }),
    ]
}

fn boot() -> Vec<Mutant> {
    vec![
        water(
            "terminal-stops-after-failure",
            "waits for a person after an initialisation failure",
            |policy| {
                policy.terminal.boot = OnBootMiss::FiveThenStops;
            },
        ),
        water("terminal-impatient", "sends its boot heartbeats twice as often", |policy| {
            policy.terminal.boot = OnBootMiss::Impatient;
        }),
        water("terminal-three-misses", "fails after three missed heartbeats", |policy| {
            policy.terminal.boot = OnBootMiss::ThreeThenRetries;
        }),
        water("terminal-trusts-configuration", "does not look at the configuration's CRC", |policy| {
            policy.terminal.config = ConfigCheck::Trusts;
        }),
        water("terminal-port-compiled-in", "connects to the port that its maker compiled in", |policy| {
            policy.terminal.config = ConfigCheck::PortCompiledIn;
        }),
        water(
            "terminal-machine-compiled-in",
            "uses the machine number that its maker compiled in",
            |policy| {
                policy.terminal.config = ConfigCheck::MachineCompiledIn;
            },
        ),
    ]
}

fn panel() -> Vec<Mutant> {
    vec![
        water("terminal-skips-voice", "does not test the voice module", |policy| {
            policy.terminal.self_test = SelfTest::SkipsVoice;
        }),
        water("terminal-names-nothing", "says only that something failed the self test", |policy| {
            policy.terminal.self_test = SelfTest::NamesNothing;
        }),
        water("terminal-shows-only", "shows results and does not speak them", |policy| {
            policy.terminal.telling = Telling::ShowsOnly;
        }),
        water("terminal-without-volume", "tells results without the volume", |policy| {
            policy.terminal.telling = Telling::WithoutVolume;
        }),
    ]
}
