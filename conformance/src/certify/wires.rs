//! The faults that a rig can strike at a real party: what becomes of each transmission on its real links, and its
//! power.

use std::collections::BTreeSet;

use assay_hil::rig::{Power, covers};
use assay_sim::fault::{Fault, Mishap, Strike};
use assay_sim::machine::Torn;

use crate::explore::Wiring;
use crate::rig_bench::{RigBench, on_bench};

/// What of a case's installation is real, by its names on the bench.
pub(super) struct Wires {
    links: BTreeSet<String>,
    supplies: BTreeSet<String>,
    parties: BTreeSet<String>,
    /// Whether the product is stepped in the bench's time, so that everything can be struck.
    stepped: bool,
}

impl Wires {
    pub(super) fn of(rig: &RigBench, wiring: &Wiring) -> Self {
        let file = rig.rig();
        let is_real = |link: &str| file.system.link(link).is_some_and(|spec| file.real_end(spec).is_some());
        let carried = |name: &str| file.links.keys().any(|link| is_real(link) && covers(link, name));
        let links = wiring.links.keys().filter(|name| carried(name)).cloned().collect();
        let switched = file.real_seats().filter(|(_, seat)| seat.power != Power::Absent);
        let parties: BTreeSet<String> = switched.map(|(name, _)| on_bench(name)).collect();
        let supplies = wiring.supplies(parties.iter().map(String::as_str));
        let supplies = supplies.into_iter().map(str::to_owned).collect();
        Self { links, supplies, parties, stepped: rig.is_stepped() }
    }

    /// Whether the rig can strike it.
    ///
    /// Why: how a write of a real party tears is up to the party, so of a cut's outcomes one is tried.
    pub(super) fn takes(&self, strike: &Strike) -> bool {
        let here = self.links.contains(strike.site.place.as_ref());
        self.stepped
            || here
                && match &strike.fault {
                    Fault::Fate(_) => true,
                    Fault::Mishap(mishap) => match mishap {
                        Mishap::LinkDown { link, .. } | Mishap::HalfOpen { link } => {
                            self.links.contains(link)
                        }
                        Mishap::PowerCut { supply, torn, .. } => {
                            *torn == Torn::Neither && self.supplies.contains(supply)
                        }
                        Mishap::Crash { party, torn, .. } => {
                            *torn == Torn::Neither && self.parties.contains(party)
                        }
                        Mishap::Hang { .. }
                        | Mishap::StepWallClock { .. }
                        | Mishap::RemoveCard { .. }
                        | Mishap::Modem { .. }
                        | Mishap::Backend { .. } => false,
                    },
                }
    }

    /// Whether a site lies on a real link.
    pub(super) fn has(&self, place: &str) -> bool {
        self.stepped || self.links.contains(place)
    }
}
