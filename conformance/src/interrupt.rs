//! When to stop before the end: on Ctrl-C, or when a budget of real time is used up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use assay_reports::exit_code;

/// A wish to stop, shared by everything that takes long.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    interrupted: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    /// Stops on the first Ctrl-C after what is under way; a second one ends the process at once.
    ///
    /// Errors: the system lets no handler be set.
    pub fn on_ctrl_c() -> Result<Self, ctrlc::Error> {
        let stop = Self::default();
        let flag = Arc::clone(&stop.interrupted);
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                assay_hil::process::end_all();
                std::process::exit(i32::from(exit_code::INCONCLUSIVE));
            }
        })?;
        Ok(stop)
    }

    /// The same, which also stops when this much real time has passed from now.
    #[must_use]
    pub fn within(&self, budget: Duration) -> Self {
        Self { interrupted: Arc::clone(&self.interrupted), deadline: clock().checked_add(budget) }
    }

    /// Asks for a stop.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked for a stop.
    pub fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Whether nothing new should be begun.
    pub fn due(&self) -> bool {
        self.interrupted() || self.deadline.is_some_and(|deadline| clock() >= deadline)
    }
}

/// The one clock of the tool. It decides how much is run, and never what a run comes to.
#[expect(
    clippy::disallowed_methods,
    reason = "a budget is real time; what it cuts short is recorded as incomplete"
)]
fn clock() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_stops_what_is_new_and_an_interrupt_stops_both() {
        let stop = Stop::default();
        let spent = stop.within(Duration::ZERO);
        let ample = stop.within(Duration::from_secs(3_600));
        assert!(spent.due() && !spent.interrupted());
        assert!(!ample.due());
        stop.interrupt();
        assert!(ample.due() && ample.interrupted() && spent.interrupted());
    }
}
