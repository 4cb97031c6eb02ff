//! How a modem is started, reset and switched off, and its silence meanwhile.

use assay_sim::modem::client::Fitted;
use assay_sim::time::Span;

use super::modem_case;
use crate::modem::desk::{Desk, Done};
use crate::modem::expect::Expectation;
use crate::water::Case;
use crate::water::Stage;

const A5: &str = "MDM-A5";

/// The answer to `AT` with the factory's settings.
const OK: &str = "AT\r\r\nOK\r\n";

/// How many times a silent modem is called.
const CALLS: u64 = 5;

pub(super) fn cases() -> Vec<Case> {
    vec![
        modem_case(
            "modem/boot/by-key",
            "The key starts the modem if it is held long enough, and the modem is silent until it is up",
            &[A5],
            by_key,
        ),
        modem_case(
            "modem/boot/uncalled",
            "A modem that has not been called since its start says nothing of it",
            &[A5, "MDM-A8"],
            uncalled,
        ),
        modem_case(
            "modem/boot/by-reset",
            "The reset pin restarts the modem if it is held long enough, and the modem is silent until it is up",
            &[A5],
            by_reset,
        ),
        modem_case(
            "modem/boot/after-power",
            "Switched off by its key or without power, the modem is silent until it has been started again",
            &[A5],
            after_power,
        ),
    ]
}

/// Calls the modem now and then over a span.
fn call(desk: &mut Desk<'_>, span: Span) -> Done {
    for _ in 0..CALLS {
        desk.type_line("AT")?;
        desk.wait(span.shortened(CALLS))?;
    }
    Ok(())
}

/// Calls the modem over a span, and announces silence.
fn call_in_vain(desk: &mut Desk<'_>, span: Span) -> Done {
    desk.expect(&Expectation::modem(A5, ""));
    call(desk, span)?;
    desk.due();
    Ok(())
}

/// The time after a start in which no modem of this profile is up yet.
fn silence(desk: &Desk<'_>) -> Span {
    desk.module().boot.min - desk.profile.bench.tolerance
}

fn answers(desk: &mut Desk<'_>, pattern: &str) -> Done {
    desk.exchange(A5, b"AT\r", pattern, desk.limit(desk.module().plain))
}

fn by_key(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    let module = desk.module().clone();
    desk.expect(&Expectation::modem(A5, ""));
    desk.press_key(module.key_on.shortened(2))?;
    let long = module.boot.max + desk.profile.bench.tolerance;
    call(&mut desk, long)?;
    desk.due();
    // The second half of this press counts towards the start.
    let held_on = module.key_on.shortened(2);
    desk.expect(&Expectation::modem(A5, ""));
    desk.press_key(module.key_on + held_on)?;
    let rest = silence(&desk) - held_on;
    call(&mut desk, rest)?;
    desk.due();
    desk.await_start()?;
    answers(&mut desk, OK)
}

fn uncalled(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    let key_on = desk.module().key_on;
    // Where the speed is fixed, the boot lines need no call.
    if !desk.module().fixed_rate {
        let uncalled = desk.module().boot_lines.iter().filter(|line| !line.needs_rate);
        let lines: String = uncalled.map(|line| format!("\r\n{}\r\n", line.text)).collect();
        desk.expect(&Expectation::modem(A5, &lines));
        if desk.profile.fitted.module == Fitted::M6311 {
            desk.expect(&Expectation::modem("MDM-A8", ""));
        }
    }
    desk.press_key(key_on + key_on.shortened(2))?;
    desk.await_start()?;
    desk.due();
    answers(&mut desk, OK)
}

fn by_reset(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let long_enough = desk.module().reset_low;
    desk.pull_reset(long_enough.shortened(2))?;
    answers(&mut desk, "\r\nOK\r\n")?;
    desk.pull_reset(long_enough + long_enough.shortened(2))?;
    let span = silence(&desk);
    call_in_vain(&mut desk, span)?;
    desk.await_start()?;
    // The echo is back with the factory's settings: the modem has restarted.
    answers(&mut desk, OK)
}

fn after_power(stage: &mut Stage) -> Done {
    let mut desk = Desk::set_up(stage);
    desk.start()?;
    desk.echo_off()?;
    let module = desk.module().clone();
    desk.press_key(module.key_off.shortened(2))?;
    answers(&mut desk, "\r\nOK\r\n")?;
    desk.press_key(module.key_off + module.key_off.shortened(2))?;
    let long = module.boot.max + desk.profile.bench.tolerance;
    call_in_vain(&mut desk, long)?;
    desk.start()?;
    answers(&mut desk, OK)?;
    desk.cut_for("modem-a", module.key_on)?;
    let span = silence(&desk);
    call_in_vain(&mut desk, span)?;
    if !module.auto_on {
        call_in_vain(&mut desk, long)?;
        desk.start()?;
    }
    answers(&mut desk, OK)
}
