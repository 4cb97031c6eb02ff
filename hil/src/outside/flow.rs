//! What is left unread while it would only wait: a port's own buffer fills, and whoever sends is held up.

use assay_sim::tabletop::{Family, Tabletop};
use assay_sim::time::Span;

use super::Outside;
use crate::outlet::Outlet;

/// How far ahead of the clock a line may be given more: some of what a port's own buffer takes.
const MOMENT: Span = Span::ms(40);

/// How much may wait for a port before nothing more is read for it.
///
/// Units: bytes.
const WAITING_MAX: usize = 256 * 1024;

impl<F: Family> Outside<F> {
    /// What comes in over a line is not read while that line is busy for longer than a moment; nor is what comes over
    /// connections while a line is busy the other way, to where it would go.
    pub(super) fn stall(&mut self, bench: &Tabletop<F>) {
        let mut goes_late = false;
        for at in &mut self.outlets {
            let Outlet::Bytes(outlet) = &at.outlet else { continue };
            for wire in outlet.wires() {
                at.stalled = bench.busy(wire.line, wire.way) > MOMENT;
                goes_late |=
                    bench.busy(wire.line, wire.way.back()) > MOMENT || outlet.waiting() > WAITING_MAX;
            }
        }
        for at in &mut self.outlets {
            if matches!(at.outlet, Outlet::Streams(_)) {
                at.stalled = goes_late;
            }
        }
    }
}
