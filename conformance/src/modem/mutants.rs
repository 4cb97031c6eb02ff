//! Hosts and modems with one thing wrong.

use assay_sim::modem::client::{
    ClosedHandling, CommandTimeout, DataReading, EchoHandling, Pacing, Reconnect,
};
use assay_sim::water::policy::Policy;

use crate::suite::{Mutant, Turn};
use crate::system::System;

/// A host with one choice turned bad.
fn host(name: &'static str, what: &'static str, apply: fn(&mut Policy)) -> Mutant {
    Mutant { name, what, system: System::Modem, turn: Turn::Water(apply), profile: "" }
}

/// A modem with one value other than its data sheet says.
fn modem(name: &'static str, what: &'static str, profile: &'static str) -> Mutant {
    Mutant { name, what, system: System::Modem, turn: Turn::Water(|_| {}), profile }
}

/// Every mutant.
pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = hosts();
    mutants.extend(modems());
    mutants
}

fn hosts() -> Vec<Mutant> {
    vec![
        host("host-waits-for-ever", "A host that waits for an answer until it comes", |policy| {
            policy.client.command_timeout = CommandTimeout::Forever;
        }),
        host("host-reconnects-at-once", "A host that connects again without any pause", |policy| {
            policy.client.reconnect = Reconnect::Immediately;
        }),
        host("host-reads-data-as-lines", "A host that tells data from results by its look", |policy| {
            policy.client.data = DataReading::LineScanned;
        }),
        host("host-is-eager", "A host that sends its commands without waiting for results", |policy| {
            policy.client.pacing = Pacing::Eager;
        }),
        host("host-expects-no-echo", "A host that takes its own characters for a wrong answer", |policy| {
            policy.client.echo = EchoHandling::ExpectsOff;
        }),
        host("host-hears-closes-when-idle", "A host that misses a close report during a command", |policy| {
            policy.client.closed = ClosedHandling::OnlyWhenIdle;
        }),
    ]
}

/// Modems by name, what is wrong with each, and the values that make it so.
const MODEMS: [(&str, &str, &str); 18] = [
    (
        "modem-ignores-bare-lf",
        "A modem for which an LF alone ends no command",
        "[modem.module]\nbare_lf_ends = false",
    ),
    (
        "modem-reports-inside-echo",
        "A modem that puts its reports into the echo of a command being typed",
        "[modem.module]\nunasked_lines = \"inside-echoes\"",
    ),
    (
        "modem-reports-at-prompt",
        "A modem that does not hold its reports while a prompt is open",
        "[modem.module]\nunasked_lines = \"at-prompts\"",
    ),
    (
        "modem-up-too-early",
        "A modem that takes commands while it should still be starting",
        "[modem.module]\nboot = { min = \"200 ms\", max = \"300 ms\" }",
    ),
    (
        "modem-starts-at-a-touch",
        "A modem that a brief touch of its key starts",
        "[modem.module]\nkey_on = \"50 ms\"",
    ),
    (
        "modem-resets-at-a-touch",
        "A modem that a brief pulse on its reset pin restarts",
        "[modem.module]\nreset_low = \"100 us\"",
    ),
    (
        "modem-tells-its-start-to-anybody",
        "A modem that says its boot lines before it knows the host's speed",
        "[modem.module]\nboot_lines = [{ after = \"3 s\", text = \"RDY\", needs_rate = false }]",
    ),
    (
        "modem-starts-without-key",
        "A modem that power alone starts, and that is up at once",
        "[modem.module]\nauto_on = true\nboot = { min = \"200 ms\", max = \"300 ms\" }",
    ),
    (
        "modem-short-guard-before",
        "A modem that leaves its data line after a fifth of the silence before the escape",
        "[modem.module]\nguard_before = \"200 ms\"",
    ),
    (
        "modem-short-guard-after",
        "A modem that leaves its data line after a fifth of the silence behind the escape",
        "[modem.module]\nguard_after = \"200 ms\"",
    ),
    (
        "modem-slow-escape",
        "A modem that takes the characters of an escape however slowly they come",
        "[modem.module]\nescape_span = \"10 s\"",
    ),
    (
        "modem-sends-64-at-most",
        "A modem that refuses a send of more than 64 bytes",
        "[modem.module]\nsend_max = 64",
    ),
    (
        "modem-marks-data-otherwise",
        "A modem that announces received data in angle brackets",
        "[modem.dialect]\nreceived_mark = \"angle\"",
    ),
    (
        "modem-names-states-otherwise",
        "A modem that tells the state of a connection in other words",
        "[modem.dialect]\nstate_names = \"words\"",
    ),
    (
        "modem-already-connected-is-an-error",
        "A modem that says ERROR before ALREADY CONNECT",
        "[modem.dialect]\nalready_connect = \"after-error\"",
    ),
    (
        "modem-loses-context-otherwise",
        "A modem that reports the loss of its context in other words",
        "[modem.dialect]\npdp_lost = \"+CGEV: NW DEACT\"",
    ),
    (
        "modem-connects-without-end",
        "A modem that never gives up a connection that nobody answers",
        "[modem.module]\nconnect_limit = \"1 h\"",
    ),
    (
        "modem-sends-without-end",
        "A modem that never gives up a send that nobody acknowledges",
        "[modem.module]\nsend_limit = \"1 h\"",
    ),
];

fn modems() -> Vec<Mutant> {
    MODEMS.iter().map(|(name, what, profile)| modem(name, what, profile)).collect()
}
