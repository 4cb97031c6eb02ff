//! What is provoked: on a modem from both its ends, and on a host from the modem's seat.

mod anywhere;
mod boot;
mod connections;
mod data;
mod host;
mod line;
mod links;
mod pieces;
mod siblings;
mod sim800a;
mod table;
mod transparent;
mod trouble;
mod unasked;

use assay_sim::water::family::Water;
use assay_sim::water::plant::Seating;

use super::oracles::{Pace, Promises, Prompt, Reconnects, Transcript};
use crate::finding::Oracle;
use crate::stage::StageError;
use crate::system::Sut;
use crate::system::System;
use crate::water::Stage;
use crate::water::scene::Scene;
use crate::water::{Case, Setup};

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(anywhere::cases());
    cases.extend(boot::cases());
    cases.extend(host::cases());
    cases.extend(links::cases());
    cases.extend(data::cases());
    cases.extend(trouble::cases());
    cases.extend(line::cases());
    cases.extend(pieces::cases());
    cases.extend(table::cases());
    cases.extend(connections::cases());
    cases.extend(transparent::cases());
    cases.extend(unasked::cases());
    cases.extend(siblings::of(&cases));
    cases.extend(sim800a::cases());
    cases.sort_by_key(|case| case.id);
    cases
}

/// A modem with test heads at both its ends.
const ENDS: Setup = Setup { seating: Seating::ProbeEnds, terminals: 1, cards: &[], profile: "" };

/// The same, of which nothing means anything to another module.
const ENDS_M6311: Setup = Setup { profile: "[fitted]\nmodule = \"m6311\"", ..ENDS };

/// The same for a SIM800A.
const ENDS_SIM800A: Setup = Setup { profile: siblings::FITTED, ..ENDS };

/// A case of a modem with nothing but test heads around it, and no faults of its own.
fn modem_case(
    id: &'static str,
    title: &'static str,
    shows: &'static [&'static str],
    run: fn(&mut Stage) -> Result<(), StageError>,
) -> Case {
    Case {
        id,
        title,
        system: System::Modem,
        sut: Sut::Modem,
        shows,
        setup: ENDS,
        plan: "",
        oracles: |_| transcripts(0),
        run,
        explored: false,
        on_rig: false,
        tabletop_only: false,
    }
}

/// A case of an M6311 alone.
fn m6311_case(
    id: &'static str,
    title: &'static str,
    shows: &'static [&'static str],
    run: fn(&mut Stage) -> Result<(), StageError>,
) -> Case {
    Case { setup: ENDS_M6311, ..modem_case(id, title, shows, run) }
}

/// A case of a SIM800A alone.
fn sim800a_case(
    id: &'static str,
    title: &'static str,
    shows: &'static [&'static str],
    run: fn(&mut Stage) -> Result<(), StageError>,
) -> Case {
    Case { setup: ENDS_SIM800A, ..modem_case(id, title, shows, run) }
}

/// A case of a host with a test head in its modem's seat.
fn host_case(
    id: &'static str,
    title: &'static str,
    shows: &'static [&'static str],
    run: fn(&mut Stage) -> Result<(), StageError>,
) -> Case {
    Case {
        id,
        title,
        system: System::Modem,
        sut: Sut::Terminal,
        shows,
        setup: Setup { seating: Seating::ProbeModems, terminals: 1, cards: &[], profile: "" },
        plan: "",
        oracles: |scene| host_oracles(scene, 0),
        run,
        explored: false,
        on_rig: false,
        tabletop_only: false,
    }
}

/// The judges of a modem, in a case with so many faults of its own.
fn transcripts(own: usize) -> Vec<Box<dyn Oracle<Water>>> {
    vec![Box::new(Transcript::new(own))]
}

/// The same, and the judge of open prompts.
fn transcripts_and_prompts(own: usize) -> Vec<Box<dyn Oracle<Water>>> {
    vec![Box::new(Transcript::new(own)), Box::new(Prompt::new(own))]
}

/// The judges of every host, in a case with so many faults of its own.
fn host_oracles(scene: &Scene, own: usize) -> Vec<Box<dyn Oracle<Water>>> {
    let mut oracles: Vec<Box<dyn Oracle<Water>>> = Vec::new();
    for terminal in 0..scene.terminals.len() {
        oracles.push(Box::new(Promises::new(terminal)));
        oracles.push(Box::new(Pace::new(terminal)));
        oracles.push(Box::new(Reconnects::new(terminal, own)));
    }
    oracles
}
