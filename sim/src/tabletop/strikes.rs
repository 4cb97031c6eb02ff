//! The plan on the bench: strikes wait at their sites.

use thiserror::Error;

use super::run::{Act, Deed};
use super::{Family, Tabletop, Visit, place_name, supply_id};
use crate::fault::{Fate, Fault, FaultPlan, Mishap, Moment, Site, Strike, Way};
use crate::machine::Torn;
use crate::tape::Seen;
use crate::time::Instant;

use super::census::SiteKind;

/// A plan that does not fit the bench.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The site's place is neither a party nor a link.
    #[error("strike {number}: there is no party or link `{place}`; there are {known}")]
    NoSuchPlace {
        /// The strike's place in the plan, from 1.
        number: usize,
        /// The name.
        place: String,
        /// What there is.
        known: String,
    },
    /// The fate is not one that this kind of link can suffer.
    #[error("strike {number}: `{site}` is on a {kind} link, which cannot suffer `{fate}`")]
    NotThere {
        /// The strike's place in the plan, from 1.
        number: usize,
        /// The site.
        site: String,
        /// The link's kind.
        kind: String,
        /// The fate.
        fate: &'static str,
    },
    /// A mishap befalls something that there is not.
    #[error("strike {number}: there is no {what} `{name}`; there are {known}")]
    NoSuchVictim {
        /// The strike's place in the plan, from 1.
        number: usize,
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
        /// What there is.
        known: String,
    },
    /// A modem does not know this suffering.
    #[error("strike {number}: nothing here can suffer `{what}`")]
    NoSuchSuffering {
        /// The strike's place in the plan, from 1.
        number: usize,
        /// The name.
        what: String,
    },
}

/// A strike that waits for its site.
#[derive(Clone, Debug)]
pub(super) struct Armed {
    place: usize,
    way: Option<Way>,
    site: Site,
    moment: Moment,
    fault: Fault,
    pub(super) done: bool,
}

impl<F: Family> Tabletop<F> {
    pub(super) fn arm(&mut self, plan: &FaultPlan) -> Result<(), PlanError> {
        for (at, strike) in plan.strikes.iter().enumerate() {
            let place = self.check(at + 1, strike)?;
            self.armed.push(Armed {
                place,
                way: strike.site.way,
                site: strike.site.clone(),
                moment: strike.moment,
                fault: strike.fault.clone(),
                done: false,
            });
        }
        Ok(())
    }

    /// A place's number: seats first, then links.
    fn check(&self, number: usize, strike: &Strike) -> Result<usize, PlanError> {
        let site = &strike.site;
        let seats = || self.seats.iter().map(|seat| seat.name.as_str());
        let lines = || self.lines.iter().map(|line| line.name.as_str());
        let supplies = || self.supplies.iter().map(|supply| supply.name.as_str());
        let place = match site.way {
            Some(_) => lines().position(|name| name == site.place).map(|line| self.seats.len() + line),
            None => seats().position(|name| name == site.place),
        };
        let place = place.ok_or_else(|| PlanError::NoSuchPlace {
            number,
            place: site.place.to_string(),
            known: list(seats().chain(lines())),
        })?;
        match &strike.fault {
            Fault::Fate(fate) => {
                let kind = place.checked_sub(self.seats.len()).map(|line| self.lines[line].link.kind());
                if !kind.is_some_and(|kind| fate.strikes(kind)) {
                    return Err(PlanError::NotThere {
                        number,
                        site: site.to_string(),
                        kind: kind.map_or("party's".to_owned(), |kind| format!("{kind:?}").to_lowercase()),
                        fate: fate.kind(),
                    });
                }
            }
            Fault::Mishap(mishap) => {
                let name = mishap.victim();
                let (what, known): (_, Vec<&str>) = match mishap {
                    Mishap::PowerCut { .. } => ("supply", supplies().collect()),
                    Mishap::LinkDown { .. } | Mishap::HalfOpen { .. } | Mishap::RemoveCard { .. } => {
                        ("link", lines().collect())
                    }
                    _ => ("party", seats().collect()),
                };
                if !known.contains(&name) {
                    let known = list(known.into_iter());
                    return Err(PlanError::NoSuchVictim { number, what, name: name.to_owned(), known });
                }
                if let Mishap::Modem { what, .. } = mishap
                    && F::suffering(what).is_none()
                {
                    return Err(PlanError::NoSuchSuffering { number, what: what.clone() });
                }
            }
        }
        Ok(place)
    }

    /// Counts a visit to a site, and finds the strikes that wait there.
    pub(super) fn visit(
        &mut self,
        place: usize,
        way: Option<Way>,
        name: &'static str,
        address: Option<u16>,
        at: Instant,
        kind: SiteKind,
    ) -> (u32, Vec<usize>) {
        let nth = self.census.count(place, way, name, address);
        if let Some(visits) = &mut self.visits {
            let owner = match place.checked_sub(self.seats.len()) {
                Some(line) => &self.lines[line].name,
                None => &self.seats[place].name,
            };
            let site = Site { place: place_name(owner), way, name: name.into(), address, nth };
            visits.push(Visit { site, kind, at });
        }
        let mut struck = Vec::new();
        for (number, armed) in self.armed.iter_mut().enumerate() {
            let here = armed.place == place && armed.way == way && armed.site.nth == nth;
            if here && !armed.done && armed.site.address == address && armed.site.name == name {
                armed.done = true;
                struck.push(number);
                self.tape.push(self.now, Seen::Struck { strike: number });
            }
        }
        (nth, struck)
    }

    /// The fate that these strikes plan for the transmission; the first counts.
    pub(super) fn fate_of(&self, struck: &[usize]) -> Option<Fate> {
        struck.iter().find_map(|number| match &self.armed[*number].fault {
            Fault::Fate(fate) => Some(fate.clone()),
            Fault::Mishap(_) => None,
        })
    }

    /// Lets those mishaps among these strikes happen that are planned for this moment: now if `at` has come, and
    /// later otherwise. A mishap that follows its site waits for the next step even then.
    pub(super) fn befall_at(&mut self, struck: &[usize], moment: Moment, at: Instant) {
        for number in struck {
            let armed = &self.armed[*number];
            let Fault::Mishap(mishap) = &armed.fault else { continue };
            if armed.moment != moment {
                continue;
            }
            let mishap = mishap.clone();
            if moment == Moment::Before && at <= self.now {
                self.happen(mishap);
            } else {
                self.schedule(Act { at: at.max(self.now), deed: Deed::Happen(mishap) });
            }
        }
    }

    /// The same for a site that is one instant, such as a storage step or a timer.
    pub(super) fn befall(&mut self, struck: &[usize], at: Instant, after: Instant) {
        self.befall_at(struck, Moment::Before, at);
        self.befall_at(struck, Moment::Midway, at);
        self.befall_at(struck, Moment::After, after);
    }

    /// A mishap happens now.
    pub(super) fn happen(&mut self, mishap: Mishap) {
        match mishap {
            Mishap::PowerCut { supply, torn, off } => {
                if let Some(at) = self.supply_named(&supply).map(|supply| usize::from(supply.0)) {
                    self.cut_supply(at, torn);
                    self.schedule(Act { at: self.now + off, deed: Deed::Restore(at) });
                }
            }
            Mishap::Crash { party, torn, off } => {
                if let Some(seat) = self.seat_named(&party).map(|seat| usize::from(seat.0)) {
                    self.power_off(seat, torn);
                    self.schedule(Act { at: self.now + off, deed: Deed::Reboot(seat) });
                }
            }
            Mishap::Hang { party, span } => {
                if let Some(seat) = self.seat_named(&party).map(|seat| usize::from(seat.0)) {
                    self.seats[seat].hung_until = self.now + span;
                    self.refresh(seat);
                }
            }
            Mishap::StepWallClock { party, by_s } => {
                if let Some(seat) = self.seat_named(&party) {
                    let step = &mut self.seats[usize::from(seat.0)].wall_step_us;
                    *step = step.saturating_add(by_s.saturating_mul(1_000_000));
                }
            }
            Mishap::LinkDown { link, span } => {
                if let Some(line) = self.line_named(&link) {
                    self.lines[usize::from(line.0)].link.handle_outage(self.now, span);
                }
            }
            Mishap::HalfOpen { link } => {
                if let Some(line) = self.line_named(&link) {
                    self.lines[usize::from(line.0)].link.handle_half_open();
                }
            }
            Mishap::RemoveCard { link, torn } => {
                if let Some(line) = self.line_named(&link) {
                    self.pull_out(usize::from(line.0), torn);
                }
            }
            Mishap::Modem { party, what } => {
                if let (Some(seat), Some(stimulus)) = (self.seat_named(&party), F::suffering(&what)) {
                    self.stimulate(seat, stimulus);
                }
            }
        }
    }

    pub(super) fn cut_supply(&mut self, at: usize, torn: Torn) {
        self.tape.push(self.now, Seen::Power { supply: supply_id(at), on: false });
        self.supplies[at].cuts += 1;
        if self.supplies[at].cuts == 1 {
            for seat in self.supplies[at].feeds.clone() {
                self.power_off(usize::from(seat.0), torn);
            }
        }
    }

    pub(super) fn restore_supply(&mut self, at: usize) {
        if self.supplies[at].cuts == 0 {
            return;
        }
        self.supplies[at].cuts -= 1;
        if self.supplies[at].cuts > 0 {
            return;
        }
        self.tape.push(self.now, Seen::Power { supply: supply_id(at), on: true });
        for seat in self.supplies[at].feeds.clone() {
            self.reboot(usize::from(seat.0));
        }
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
