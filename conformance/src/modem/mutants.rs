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

/// A modem or host with one value other than its data sheet says.
fn valued(name: &'static str, what: &'static str, profile: &'static str) -> Mutant {
    Mutant { name, what, system: System::Modem, turn: Turn::Water(|_| {}), profile }
}

/// Every mutant.
pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = hosts();
    mutants.extend(by_value(HOSTS));
    mutants.extend(by_value(MODEMS));
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

/// Hosts by name, what is wrong with each, and the values that make it so.
const HOSTS: &[(&str, &str, &str)] = &[
    (
        "host-hurries-commands",
        "A host that allows a command a fifth of its time",
        "[host]\ncommand_limit = \"1 s\"",
    ),
    (
        "host-hurries-attaching",
        "A host that allows attaching a fifth of its time",
        "[host]\nattach_limit = \"6 s\"",
    ),
    (
        "host-hurries-prompts",
        "A host that allows a prompt a fifth of its time",
        "[host]\nprompt_limit = \"2 s\"",
    ),
    ("host-hurries-sends", "A host that allows a send a fifth of its time", "[host]\nsend_limit = \"3 s\""),
    (
        "host-calls-without-pause",
        "A host that calls a silent modem 20 times a second",
        "[host]\nprobe_period = \"50 ms\"\nresync_limit = \"50 ms\"\nprobe_tries = 200\nresync_tries = 80",
    ),
    (
        "host-waits-an-hour-for-results",
        "A host that waits an hour for the result of a command",
        "[host]\ncommand_limit = \"1 h\"",
    ),
    (
        "host-waits-an-hour-for-attaching",
        "A host that waits an hour until it is attached",
        "[host]\nattach_limit = \"1 h\"",
    ),
    (
        "host-waits-an-hour-for-connections",
        "A host that waits an hour for a connection",
        "[host]\nconnect_limit = \"1 h\"",
    ),
    (
        "host-waits-an-hour-for-prompts",
        "A host that waits an hour for a prompt",
        "[host]\nprompt_limit = \"1 h\"",
    ),
    (
        "host-waits-an-hour-for-sends",
        "A host that waits an hour for the result of a send",
        "[host]\nsend_limit = \"1 h\"",
    ),
    (
        "host-never-waits-longer",
        "A host whose waits between tries do not grow",
        "[host]\nbackoff_max = \"1 s\"",
    ),
    (
        "host-waits-an-hour-between-tries",
        "A host whose waits between tries grow without bound",
        "[host]\nbackoff_max = \"1 h\"\nbackoff_min = \"1 h\"",
    ),
    (
        "host-misses-lost-contexts",
        "A host that knows the loss of its context by other words",
        "[host]\npdp_lost = \"+CGEV: NW PDN DEACT\"",
    ),
    (
        "host-misses-restarts",
        "A host that does not know what a restarted modem says",
        "[host]\nboot_lines = []",
    ),
    (
        "host-believes-short-blocks-only",
        "A host that takes no block of more than 20 bytes for data",
        "[host]\nmessage_max = 20",
    ),
    (
        "host-gives-blocks-up-at-once",
        "A host that takes a pause of a millisecond for the end of a block",
        "[host]\ngap = \"1 ms\"",
    ),
    (
        "host-reads-short-lines-only",
        "A host that keeps no line of more than 8 characters",
        "[host]\nline_max = 8",
    ),
    (
        "host-presses-the-key-too-briefly",
        "A host that presses the power key for half a second",
        "[host]\nkey_press = \"500 ms\"",
    ),
    (
        "host-asks-for-registration-once",
        "A host that restarts a modem which is not registered at once",
        "[host]\nregister_tries = 1",
    ),
    (
        "host-insists-without-pause",
        "A host that repeats a refused command at once, and for as long as it is refused",
        "[host]\nstep_pause = \"0 us\"\nstep_tries = 1000000",
    ),
    ("host-gives-up-calling-at-once", "A host that calls a starting modem once", "[host]\nprobe_tries = 1"),
];

/// Modems by name, what is wrong with each, and the values that make it so.
const MODEMS: &[(&str, &str, &str)] = &[
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
    (
        "sim800a-ignores-bare-lf",
        "A SIM800A for which an LF alone ends no command",
        "[sim800a.module]\nbare_lf_ends = false",
    ),
    (
        "sim800a-reports-inside-echo",
        "A SIM800A that puts its reports into the echo of a command being typed",
        "[sim800a.module]\nunasked_lines = \"inside-echoes\"",
    ),
    (
        "sim800a-reports-at-prompt",
        "A SIM800A that does not hold its reports while a prompt is open",
        "[sim800a.module]\nunasked_lines = \"at-prompts\"",
    ),
    (
        "sim800a-up-too-early",
        "A SIM800A that takes commands while it should still be starting",
        "[sim800a.module]\nboot = { min = \"200 ms\", max = \"300 ms\" }",
    ),
    (
        "sim800a-starts-at-a-touch",
        "A SIM800A that a brief touch of its key starts",
        "[sim800a.module]\nkey_on = \"50 ms\"",
    ),
    (
        "sim800a-tells-its-start-to-anybody",
        "A SIM800A that says RDY before it knows the host's speed",
        "[sim800a.module]\nboot_lines = [{ after = \"3 s\", text = \"RDY\", needs_rate = false }]",
    ),
    (
        "sim800a-short-guard-before",
        "A SIM800A that leaves its data line after a fifth of the silence before the escape",
        "[sim800a.module]\nguard_before = \"200 ms\"",
    ),
    (
        "sim800a-short-guard-after",
        "A SIM800A that leaves its data line after a fifth of the silence behind the escape",
        "[sim800a.module]\nguard_after = \"200 ms\"",
    ),
    (
        "sim800a-slow-escape",
        "A SIM800A that takes the characters of an escape however slowly they come",
        "[sim800a.module]\nescape_span = \"10 s\"",
    ),
    (
        "sim800a-sends-64-at-most",
        "A SIM800A that refuses a send of more than 64 bytes",
        "[sim800a.module]\nsend_max = 64",
    ),
    (
        "sim800a-numbers-without-blank",
        "A SIM800A that puts no blank behind the number of a link",
        "[sim800a.dialect]\nnumbering = \"comma\"",
    ),
    (
        "sim800a-already-connected-is-an-error",
        "A SIM800A that says ERROR before ALREADY CONNECT",
        "[sim800a.dialect]\nalready_connect = \"after-error\"",
    ),
    (
        "sim800a-reopens-without-shut",
        "A SIM800A that opens a closed link again without CIPSHUT",
        "[sim800a.dialect]\nreopens = true",
    ),
    (
        "sim800a-connects-without-end",
        "A SIM800A that never gives up a connection that nobody answers",
        "[sim800a.module]\nconnect_limit = \"1 h\"",
    ),
    (
        "sim800a-sends-without-end",
        "A SIM800A that never gives up a send that nobody acknowledges",
        "[sim800a.module]\nsend_limit = \"1 h\"",
    ),
    (
        "sim800a-ends-counted-data-at-1a",
        "A SIM800A for which 1A ends the data of a counted send",
        "[sim800a.dialect]\ncounted = \"ends-at-control-z\"",
    ),
    (
        "sim800a-resolves-wrongly",
        "A SIM800A that tells another address than the name's",
        "[sim800a.dialect]\nresolver = { \"water.example\" = \"192.0.2.11\" }",
    ),
    (
        "sim800a-warns-of-other-limits",
        "A SIM800A that takes a supply of 3.2 V for a sound one",
        "[sim800a.dialect.supply]\nunder_off = 3000\nunder_warning = 3100",
    ),
    (
        "sim800a-sleeps-through-its-host",
        "A SIM800A that loses twenty characters when it is woken",
        "[sim800a.dialect]\nwake_loss = 20\nsleep_after = \"10 ms\"",
    ),
    (
        "sim800a-wakes-slowly",
        "A SIM800A that takes a minute to wake when DTR goes low",
        "[sim800a.dialect]\ndtr_wake = \"60 s\"",
    ),
];

fn by_value(list: &[(&'static str, &'static str, &'static str)]) -> Vec<Mutant> {
    list.iter().map(|(name, what, profile)| valued(name, what, profile)).collect()
}
