//! Many terminals at once.

use assay_sim::pos::plant::{CardSpec, TerminalSpec};
use assay_sim::time::Span;

use super::{BASE, CARD, ONE, WHITE};
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

/// Cards that are enough for a whole fleet.
const RICH: &[CardSpec] =
    &[CardSpec::good(CARD, 100_000_000, 0), CardSpec::good(WHITE, 100_000_000, 0).white()];

const FLEET: Setup = Setup { specs: &[TerminalSpec::FIXED], cards: RICH, ..ONE };

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/fleet/hundred",
        title: "a hundred terminals are tapped at once, twice, behind one public address",
        setup: Setup { terminals: 100, ..FLEET },
        run: all_at_once,
        ..BASE
    },
    Case {
        id: "pos/fleet/thousand",
        title: "a thousand terminals are tapped at once, twice, and the server is killed meanwhile",
        setup: Setup { terminals: 1_000, ..FLEET },
        plan: r#"
            [[strike]]
            site = "server journal-append@1 #700"
            fault = { mishap = "crash", party = "server", torn = "new", off = "2 s" }
        "#,
        run: all_at_once,
        tabletop_only: true,
        ..BASE
    },
];

fn all_at_once(stage: &mut Stage) -> Result<(), StageError> {
    let terminals = stage.scene().terminals.len();
    stage.ready(terminals - 1)?;
    stage.pause(Span::s(1))?;
    for card in [CARD, WHITE] {
        for terminal in 0..terminals {
            stage.act(terminal, format!("tap {card}"))?;
        }
        stage.pause(Span::s(20))?;
    }
    stage.rest()
}
