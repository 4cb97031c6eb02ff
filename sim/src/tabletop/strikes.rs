//! The plan on the bench: strikes wait at their sites.

use thiserror::Error;

use super::run::{Act, Deed};
use super::seat::Given;
use super::{Family, Tabletop, Visit, place_name};
use crate::digest::Digest;
use crate::fault::{Fate, Fault, FaultPlan, LinkKind, Mishap, Moment, Site, Strike, Way};
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
    /// A fate at a single byte, which is no transmission.
    #[error(
        "strike {number}: `{site}` is a moment, at which a mishap can happen, and nothing that suffers `{fate}`"
    )]
    NoFate {
        /// The strike's place in the plan, from 1.
        number: usize,
        /// The site.
        site: String,
        /// The fate.
        fate: &'static str,
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

/// The place of a strike whose site is not on this bench: no place has this number.
const ELSEWHERE: usize = usize::MAX;

impl Armed {
    fn new(place: usize, strike: &Strike) -> Self {
        Self {
            place,
            way: strike.site.way,
            site: strike.site.clone(),
            moment: strike.moment,
            fault: strike.fault.clone(),
            done: false,
        }
    }

    /// Whether its site is a party's of this name.
    pub(super) fn is_of(&self, party: &str) -> bool {
        self.way.is_none() && self.site.place == party
    }
}

impl<F: Family> Tabletop<F> {
    /// Arms the strikes whose sites are here, and keeps the numbers of the others.
    pub(super) fn arm_here(&mut self, plan: &FaultPlan) {
        for strike in &plan.strikes {
            let site = &strike.site;
            let place = match site.way {
                Some(way) => {
                    let line = self.lines.iter().position(|line| line.name == site.place);
                    let near = |line: &usize| !self.lines[*line].outside[way.index()];
                    line.filter(near).map(|line| self.seats.len() + line)
                }
                None => self.seats.iter().position(|seat| seat.name == site.place),
            };
            if let Some(seat) = place.and_then(|place| self.seats.get_mut(place)) {
                seat.watched = true;
            }
            self.wait_for(place.unwrap_or(ELSEWHERE), strike);
        }
    }

    fn wait_for(&mut self, place: usize, strike: &Strike) {
        self.counts_bytes |= strike.site.is_byte();
        self.waiting.entry((place, strike.site.nth)).or_default().push(self.armed.len());
        self.armed.push(Armed::new(place, strike));
    }

    pub(super) fn arm(&mut self, plan: &FaultPlan) -> Result<(), PlanError> {
        for (at, strike) in plan.strikes.iter().enumerate() {
            let place = self.check(at + 1, strike)?;
            if let Some(seat) = self.seats.get_mut(place) {
                seat.watched = true;
            }
            self.wait_for(place, strike);
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
            Fault::Fate(fate) if site.is_byte() => {
                return Err(PlanError::NoFate { number, site: site.to_string(), fate: fate.kind() });
            }
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
                let lines_of = |kind: LinkKind| {
                    let lines = self.lines.iter().filter(move |line| line.link.kind() == kind);
                    lines.map(|line| line.name.as_str()).collect()
                };
                let (what, known): (_, Vec<&str>) = match mishap {
                    Mishap::PowerCut { .. } => ("supply", supplies().collect()),
                    Mishap::LinkDown { .. } => ("link", lines().collect()),
                    Mishap::HalfOpen { .. } => ("stream link", lines_of(LinkKind::Stream)),
                    Mishap::RemoveCard { .. } => ("air link", lines_of(LinkKind::Air)),
                    _ => ("party", seats().collect()),
                };
                if !known.contains(&name) {
                    let known = list(known.into_iter());
                    return Err(PlanError::NoSuchVictim { number, what, name: name.to_owned(), known });
                }
                if let Mishap::Modem { what, .. } | Mishap::Backend { what, .. } = mishap
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
        for number in self.waiting.get(&(place, nth)).into_iter().flatten() {
            let armed = &self.armed[*number];
            if armed.way != way || armed.done || armed.site.address != address || armed.site.name != name {
                continue;
            }
            if !matches!(&armed.fault, Fault::Fate(fate) if !kind.admits(name, fate)) {
                struck.push(*number);
            }
        }
        (nth, struck)
    }

    /// Counts bytes that cross a link, and finds the strikes that wait for one of them, each with its place among
    /// them, from 0.
    pub(super) fn visit_bytes(&mut self, place: usize, way: Way, len: usize) -> Vec<(usize, u32)> {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        if !self.counts_bytes || len == 0 {
            return Vec::new();
        }
        let last = self.census.count_all(place, Some(way), Site::BYTE, None, len);
        let first = last - len.min(last) + 1;
        let waiting = self.waiting.range((place, first)..=(place, last));
        let here = waiting.flat_map(|((_, nth), numbers)| numbers.iter().map(move |number| (*number, *nth)));
        here.filter(|(number, _)| {
            let armed = &self.armed[*number];
            armed.way == Some(way) && !armed.done && armed.site.is_byte()
        })
        .map(|(number, nth)| (number, nth - first))
        .collect()
    }

    /// The first fate among these strikes befalls the transmission now.
    pub(super) fn fate_of(&mut self, struck: &[usize]) -> Option<Fate> {
        for number in struck {
            let armed = &mut self.armed[*number];
            if let Fault::Fate(fate) = &armed.fault {
                let fate = fate.clone();
                armed.done = true;
                self.tape.push(self.now, Seen::Struck { strike: *number });
                self.trace_strike();
                return Some(fate);
            }
        }
        None
    }

    /// Lets those mishaps among these strikes happen that are planned for this moment: now if `at` has come, and
    /// later otherwise. A mishap that follows its site waits for the next step even then.
    pub(super) fn befall_at(&mut self, struck: &[usize], moment: Moment, at: Instant) {
        for number in struck {
            let armed = &mut self.armed[*number];
            let Fault::Mishap(mishap) = &armed.fault else { continue };
            if armed.moment != moment || armed.done {
                continue;
            }
            let mishap = mishap.clone();
            armed.done = true;
            if moment == Moment::Before && at <= self.now {
                self.strike(*number, mishap);
            } else {
                self.schedule(Act { at: at.max(self.now), deed: Deed::Strike { number: *number, mishap } });
            }
        }
    }

    /// Whether what a mishap strikes at has passed before it.
    pub(super) fn passes_first(&self, number: usize) -> bool {
        self.armed[number].moment != Moment::Before
    }

    /// A mishap happens at this very moment, if it has not.
    pub(super) fn befall_now(&mut self, number: usize) {
        let armed = &mut self.armed[number];
        if let (Fault::Mishap(mishap), false) = (&armed.fault, armed.done) {
            let mishap = mishap.clone();
            armed.done = true;
            self.strike(number, mishap);
        }
    }

    /// The same for a site that is one instant and has come, such as a storage step or a timer.
    pub(super) fn befall(&mut self, struck: &[usize], after: Instant) {
        for number in struck {
            let armed = &mut self.armed[*number];
            if let (Fault::Mishap(mishap), Moment::Before | Moment::Midway) = (&armed.fault, armed.moment) {
                let mishap = mishap.clone();
                armed.done = true;
                self.strike(*number, mishap);
            }
        }
        self.befall_at(struck, Moment::After, after);
    }

    /// Adds what still waits for its site, and how far away it is.
    pub(super) fn digest_armed(&self, into: &mut Digest) {
        for armed in self.armed.iter().filter(|armed| !armed.done && armed.place != ELSEWHERE) {
            let Site { name, address, nth, .. } = &armed.site;
            let counted = self.census.counted(armed.place, armed.way, name, *address);
            if let Some(missing) = nth.checked_sub(counted).filter(|missing| *missing > 0) {
                into.word(armed.place as u64).word(armed.way.map_or(2, |way| way.index() as u64)).text(name);
                into.word(address.map_or(u64::MAX, u64::from)).word(u64::from(missing));
                into.word(armed.moment as u64).text(armed.fault.kind()).text(&format!("{:?}", armed.fault));
            }
        }
    }

    /// A planned mishap happens now.
    pub(super) fn strike(&mut self, number: usize, mishap: Mishap) {
        self.tape.push(self.now, Seen::Struck { strike: number });
        self.trace_strike();
        let (place, way) = (self.armed[number].place, self.armed[number].way);
        let doing = self.traced();
        self.trace_mishap(place, way, &mishap);
        self.happen_here(mishap);
        self.trace_back(doing);
    }

    /// Whether the whole of what a mishap befalls is on this bench.
    fn befalls_here(&self, mishap: &Mishap) -> bool {
        let name = mishap.victim();
        match mishap {
            Mishap::PowerCut { .. } => self.supply_named(name).is_some(),
            Mishap::LinkDown { .. } | Mishap::HalfOpen { .. } | Mishap::RemoveCard { .. } => {
                self.lines.iter().any(|line| line.name == name && (line.outside[0] == line.outside[1]))
            }
            _ => self.seat_named(name).is_some(),
        }
    }

    /// A planned mishap happens here, as far as it befalls what is here; of the rest others are told.
    fn happen_here(&mut self, mishap: Mishap) {
        if !self.befalls_here(&mishap) {
            self.errands.push(mishap.clone());
        }
        self.happen(mishap);
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
                    let party = &mut self.seats[seat];
                    if party.is_on() {
                        party.hung_until = party.hung_until.max(self.now + span);
                    }
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
                    let now = self.now;
                    self.link_now(usize::from(line.0)).handle_outage(now, span);
                }
            }
            Mishap::HalfOpen { link } => {
                if let Some(line) = self.line_named(&link) {
                    let now = self.now;
                    self.link_now(usize::from(line.0)).handle_half_open(now);
                    self.trace_lost(usize::from(line.0));
                }
            }
            Mishap::RemoveCard { link, torn } => {
                if let Some(line) = self.line_named(&link) {
                    self.pull_out(usize::from(line.0), torn);
                }
            }
            Mishap::Modem { party, what } | Mishap::Backend { party, what } => {
                if let (Some(seat), Some(stimulus)) = (self.seat_named(&party), F::suffering(&what)) {
                    self.give(usize::from(seat.0), Given::Stimulus(stimulus));
                }
            }
        }
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
