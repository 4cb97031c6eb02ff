//! Terminals whose bad choice shows only when all parties take part: what they do to people's money.

use assay_sim::pos::terminal::{LateDone, Quiet};

use crate::pos::mutant;
use crate::suite::Mutant;

/// All of them.
pub(in crate::pos) fn mutants() -> Vec<Mutant> {
    vec![
        mutant(
            "pos-terminal-silent-when-late",
            "tells nobody of a charge whose answer comes late",
            |policy| {
                policy.terminal.late = LateDone::ConfirmedSilently;
            },
        ),
        mutant(
            "pos-terminal-refused-for-good",
            "tells nobody of a charge that comes after a refusal",
            |policy| {
                policy.terminal.late = LateDone::SilentAfterRefusal;
            },
        ),
        mutant(
            "pos-terminal-same-card-at-once",
            "lets a card pay again while its last answer may come twice",
            |policy| {
                policy.terminal.quiet = Quiet::Nobody;
            },
        ),
    ]
}
