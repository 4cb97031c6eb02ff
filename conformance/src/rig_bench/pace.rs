//! The pace of a bench with real ports, and what is learnt of its rig meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use assay_hil::Cuts;
use assay_hil::overhead::Overhead;
use assay_hil::real_time::{RealTime, RealTimeError};
use assay_sim::bench::{BenchError, Noticed, Pace, Told};
use assay_sim::tabletop::{Family, Tabletop};
use assay_sim::tape::SeatId;
use assay_sim::time::{Instant, Span};

use super::State;
use super::shows::not_asked;

/// How long a rig waits at most before it looks whether it shall stop.
const LOOK_UP: Span = Span::ms(100);

pub(super) fn out_of_order(error: RealTimeError) -> BenchError {
    BenchError(format!("rig: {error}"))
}

/// As fast as the clock goes.
pub(super) struct RealPace<F: Family> {
    pub(super) ports: RealTime<F>,
    pub(super) state: Arc<Mutex<State>>,
    pub(super) troubles: Vec<String>,
    /// Supplies of parts that no real party asks whether they are there.
    pub(super) unheard: Vec<String>,
}

impl<F: Family> Drop for RealPace<F> {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.overhead.merge(self.ports.overhead().unwrap_or(&Overhead::default()));
        for Cuts { seat, switch, times, off_worst } in self.ports.cuts() {
            let none = Cuts { seat: seat.clone(), switch, times: 0, off_worst };
            let known = state.cuts.entry(seat).or_insert(none);
            (known.times, known.off_worst) = (known.times + times, known.off_worst.max(off_worst));
        }
    }
}

impl<F: Family> Pace<F> for RealPace<F> {
    fn step(&mut self, bench: &mut Tabletop<F>, until: Instant) -> Result<bool, BenchError> {
        let look_up = until.min(bench.now() + LOOK_UP);
        let more = self.ports.step(bench, look_up).map_err(|error| {
            let BenchError(why) = out_of_order(error);
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.broken.get_or_insert_with(|| why.clone());
            BenchError(why)
        })?;
        Ok(more || look_up < until)
    }

    fn told(&mut self) -> Told {
        self.ports.told()
    }

    fn trouble(&mut self, what: String) {
        self.troubles.push(what);
    }

    fn ask(&mut self, bench: &Tabletop<F>, seat: SeatId, what: &str) -> Option<Span> {
        self.ports.ask(bench, seat, what)
    }

    fn forbids(&self, supply: &str) -> Option<String> {
        self.unheard.iter().any(|unheard| unheard == supply).then(|| not_asked(supply))
    }

    fn noticed(&self) -> Noticed {
        let troubles = self.ports.troubles().iter().chain(&self.troubles).cloned().collect();
        Noticed { troubles, achieved: self.ports.achieved(), late: self.ports.late() }
    }
}
