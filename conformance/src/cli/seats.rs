//! The program that sits in lockstep in the terminals' seats, if there is one.

use assay_hil::lockstep::{Lockstep, Program};
use assay_sim::time::NotASpan;

use super::args::TerminalArgs;
use super::job::Unusable;
use crate::rig_bench::Bench;
use crate::system::System;

/// The program for the terminals' seats, if one is named.
pub(super) fn lockstep(args: &TerminalArgs) -> Result<Option<Lockstep>, Unusable> {
    let Some(command) = &args.terminal else { return Ok(None) };
    let wrong = |what: String| Unusable::Usage(format!("--terminal `{}`: {what}", command.escape_debug()));
    let mut program = Program::parse(command).map_err(|error| wrong(error.to_string()))?;
    program.restart_in_place = args.restart_in_place;
    if let Some(limit) = &args.turn_limit {
        let refuse =
            |error: String| Unusable::Usage(format!("--turn-limit `{}`: {error}", limit.escape_debug()));
        program.limits.turn = limit.parse().map_err(|error: NotASpan| refuse(error.to_string()))?;
    }
    let lockstep = Lockstep::new(program);
    startable(&lockstep)?;
    Ok(Some(lockstep))
}

pub(super) fn startable(lockstep: &Lockstep) -> Result<(), Unusable> {
    let program = lockstep.program();
    lockstep.check().map_err(|error| Unusable::Usage(format!("--terminal `{program}`: {error}")))
}

/// The system that a run is of: the one whose terminals can be programs, if there is one.
pub(super) fn lockstep_system(
    lockstep: Option<&Lockstep>,
    system: Option<System>,
) -> Result<Option<System>, Unusable> {
    match (lockstep, system) {
        (Some(_), Some(other)) if other != System::Water => {
            let what = format!("--terminal: the {} system has no lockstep seats; water has", other.as_str());
            Err(Unusable::Usage(what))
        }
        (Some(_), _) => Ok(Some(System::Water)),
        (None, system) => Ok(system),
    }
}

/// The same options as words of a command line.
pub(super) fn words_of(args: &TerminalArgs) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(command) = &args.terminal {
        words.extend(["--terminal".to_owned(), command.clone()]);
    }
    if args.restart_in_place {
        words.push("--restart-in-place".to_owned());
    }
    if let Some(limit) = &args.turn_limit {
        words.extend(["--turn-limit".to_owned(), limit.clone()]);
    }
    words
}

/// The program for the terminals' seats: of the command line, or of the rig file that seats one.
pub(super) fn seated(lockstep: Option<Lockstep>, named: &[Bench]) -> Result<Option<Lockstep>, Unusable> {
    let Some((bench, program)) = named.iter().find_map(|bench| Some((bench, bench.lockstep()?))) else {
        return Ok(lockstep);
    };
    let file = bench.name();
    if lockstep.is_some() {
        let what = format!("--terminal: {file} has a program in the terminal's seat; leave one of them away");
        return Err(Unusable::Usage(what));
    }
    let lockstep = Lockstep::new(program.clone());
    let wrong = |error: assay_hil::lockstep::NotAProgram| {
        Unusable::Usage(format!("{file}: `seat.terminal.command`: {error}"))
    };
    lockstep.check().map_err(wrong)?;
    Ok(Some(lockstep))
}

/// The bench that a bench of this name runs on: where a program sits in lockstep, time is computed.
pub(super) fn stepped(named: &Bench) -> Bench {
    if named.lockstep().is_some() { Bench::Tabletop } else { named.clone() }
}
