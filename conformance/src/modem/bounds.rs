//! How soon a host must be back, from what its profile declares of it and of its modem.

use assay_sim::modem::client::Fitted;
use assay_sim::time::Span;
use assay_sim::water::profile::Profile;

/// From the end of all trouble to an answered heartbeat, whatever the trouble was.
///
/// Shape: what the host may be waiting for when the trouble ends, and then the longest way up. It may be at boot,
/// where misses are waited for in full and a retry follows; it may be in a step that is tried to its end; it may be in
/// its longest pause; and then it starts the module anew.
pub(super) fn recovery(profile: &Profile) -> Span {
    let (host, terminal) = (&profile.host, &profile.terminal);
    let noticing = profile.server.heartbeat
        + terminal.answer_timeout * u64::from(terminal.boot_misses)
        + terminal.boot_retry;
    let slowest = host.attach_limit.max(host.connect_limit).max(host.prompt_limit + host.send_limit);
    let calling = host.settle + host.resync_limit * (u64::from(host.resync_tries) + 1);
    let step = (slowest + calling + host.step_pause) * u64::from(host.step_tries);
    noticing + step + host.backoff_max + way_up(profile) + terminal.answer_timeout + profile.bench.tolerance
}

/// From a module that is off to a connection.
pub(super) fn way_up(profile: &Profile) -> Span {
    let (host, module) = (&profile.host, profile.module());
    let called = host.probe_period * u64::from(host.probe_tries);
    // A module whose key would switch it off is called in vain first, and a call may be waited out.
    let in_vain = match profile.fitted.module {
        Fitted::M6311 => Span::ZERO,
        Fitted::Sim800a => host.reset_press + called + host.backoff_max,
    };
    let started = in_vain
        + host.key_press.max(host.reset_press)
        + (module.boot.max + host.probe_period).max(called)
        + host.probe_period;
    let attached = module.register.max + module.attach.max + module.activate.max;
    let commands = (module.plain.max + host.step_pause) * 13;
    started + host.settle + attached + commands + host.connect_limit
}

/// From a loss that the modem has reported to the next try: the first pauses, and one command that may be running.
pub(super) fn reported_loss(profile: &Profile) -> Span {
    profile.host.backoff_min * 2 + profile.host.command_limit + profile.bench.tolerance
}

/// From a heartbeat that stays unanswered to the next try.
pub(super) fn unanswered(profile: &Profile) -> Span {
    profile.terminal.answer_timeout + reported_loss(profile)
}

/// For how long a host must not act on an answer that it has taken: a missing answer would be over by then, and the
/// next heartbeat is not yet due.
pub(super) fn content(profile: &Profile) -> Span {
    let missed = profile.terminal.answer_timeout + profile.bench.tolerance;
    missed.min(profile.server.heartbeat - profile.bench.tolerance)
}
