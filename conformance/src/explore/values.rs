//! The fault space: every fault that applies at a site, with every value that is tried, in a fixed order.
//!
//! `docs/faults.md` has this as a table.

use assay_sim::fault::{Fate, Fault, LinkKind, Mishap, Moment, Site, Strike, Way};
use assay_sim::machine::Torn;
use assay_sim::tabletop::{SiteKind, Visit};
use assay_sim::water::profile::FaultDomain;

use super::wiring::{Role, Wiring};

/// Moments of what takes time.
const THROUGHOUT: [Moment; 3] = [Moment::Before, Moment::Midway, Moment::After];

/// Moments of what takes none.
const AROUND: [Moment; 2] = [Moment::Before, Moment::After];

/// Every strike of the space that these visits span, in the order of the visits.
pub(super) fn strikes(visits: &[Visit], wiring: &Wiring, domain: &FaultDomain) -> Vec<Strike> {
    let mut space = Space { wiring, domain, air: None, strikes: Vec::new() };
    for visit in visits {
        space.add(visit);
    }
    space.strikes
}

struct Space<'a> {
    wiring: &'a Wiring,
    domain: &'a FaultDomain,
    /// The air link on which something last happened: where a card's storage step belongs.
    air: Option<String>,
    strikes: Vec<Strike>,
}

impl Space<'_> {
    fn add(&mut self, visit: &Visit) {
        let site = &visit.site;
        match visit.kind {
            SiteKind::Unit { link, len } => self.unit(site, link, len),
            SiteKind::Signal { link } => self.signal(site, link),
            SiteKind::Store => self.store(site),
            SiteKind::Timer => self.timer(site),
        }
    }

    fn fate(&mut self, site: &Site, fate: Fate) {
        self.strikes.push(Strike { site: site.clone(), moment: Moment::Before, fault: Fault::Fate(fate) });
    }

    fn mishap(&mut self, site: &Site, moment: Moment, mishap: Mishap) {
        self.strikes.push(Strike { site: site.clone(), moment, fault: Fault::Mishap(mishap) });
    }

    /// A transmission: what becomes of it, and what befalls those at its ends and the link meanwhile.
    fn unit(&mut self, site: &Site, link: LinkKind, len: u32) {
        match link {
            LinkKind::Serial => self.serial_fates(site, len),
            LinkKind::Stream => self.stream_fates(site, len),
            LinkKind::Datagram => self.datagram_fates(site, len),
            LinkKind::Air => self.air_fates(site, len),
            LinkKind::Pin => {}
        }
        self.power_cuts_on_link(site, &THROUGHOUT);
        self.hangs_on_link(site);
        self.crashes_on_link(site, &THROUGHOUT);
        match link {
            LinkKind::Stream => {
                self.outages(site);
                self.clock_steps(site);
            }
            LinkKind::Air => self.removals(site, &site.place.clone(), &THROUGHOUT),
            LinkKind::Serial => self.sufferings(site),
            LinkKind::Datagram | LinkKind::Pin => {}
        }
    }

    /// A connection that opens or closes, or a level that changes.
    fn signal(&mut self, site: &Site, link: LinkKind) {
        match link {
            LinkKind::Stream => {
                if site.name == "connect" {
                    self.fate(site, Fate::Refuse);
                    for by in self.domain.delays.clone() {
                        self.fate(site, Fate::Delay { by });
                    }
                }
                self.fate(site, Fate::HalfOpen);
                self.outages(site);
            }
            LinkKind::Pin => {
                self.fate(site, Fate::Stuck { span: self.domain.stuck });
                self.fate(site, Fate::Glitch { width: self.domain.glitch });
            }
            LinkKind::Air => self.air = Some(site.place.to_string()),
            LinkKind::Serial | LinkKind::Datagram => {}
        }
        self.power_cuts_on_link(site, &AROUND);
        self.crashes_on_link(site, &AROUND);
    }

    /// A durable step of storage: every way in which a cut can leave it.
    fn store(&mut self, site: &Site) {
        let party = site.place.to_string();
        let supplies: Vec<String> =
            self.wiring.supplies([party.as_str()]).into_iter().map(str::to_owned).collect();
        for moment in AROUND {
            self.power_cuts(site, moment, &supplies, &Torn::ALL);
        }
        if self.wiring.role(&party) == Role::Server {
            self.crashes(site, &party, &AROUND);
        }
        if site.name == "card-block"
            && let Some(air) = self.air.clone()
        {
            self.removals(site, &air, &AROUND);
            let reader: Vec<String> =
                self.wiring.supplies(self.wiring.at_ends(&air)).into_iter().map(str::to_owned).collect();
            for moment in AROUND {
                self.power_cuts(site, moment, &reader, &Torn::ALL);
            }
        }
    }

    /// A timer that runs out.
    fn timer(&mut self, site: &Site) {
        let party = site.place.to_string();
        let supplies: Vec<String> =
            self.wiring.supplies([party.as_str()]).into_iter().map(str::to_owned).collect();
        for moment in AROUND {
            self.power_cuts(site, moment, &supplies, &[Torn::Neither]);
        }
        if self.wiring.role(&party) == Role::Server {
            self.crashes(site, &party, &AROUND);
        }
        if self.wiring.role(&party) != Role::Card {
            for span in self.domain.hangs.clone() {
                self.mishap(site, Moment::Before, Mishap::Hang { party: party.clone(), span });
            }
        }
    }

    fn serial_fates(&mut self, site: &Site, len: u32) {
        for at in 0..len {
            for bit in self.domain.bits.clone() {
                self.fate(site, Fate::FlipBit { bit: at * 8 + bit % 8 });
            }
        }
        for at in 0..len {
            self.fate(site, Fate::LoseByte { at });
        }
        for at in 0..len {
            for value in self.domain.junk.clone() {
                self.fate(site, Fate::JunkByte { at, value });
            }
        }
        for at in places([0, len / 2], len) {
            self.fate(site, Fate::Break { at });
        }
        for from in places([0, len / 2], len) {
            self.fate(site, Fate::Overrun { from });
        }
        self.splits(site, len);
        self.fate(site, Fate::Join { within: self.domain.join_within });
    }

    fn splits(&mut self, site: &Site, len: u32) {
        for at in places([1, len / 2, len.saturating_sub(1)], len).into_iter().filter(|at| *at > 0) {
            for gap in self.domain.split_gaps.clone() {
                self.fate(site, Fate::Split { at, gap });
            }
        }
    }

    fn stream_fates(&mut self, site: &Site, len: u32) {
        for by in self.domain.delays.clone() {
            self.fate(site, Fate::Delay { by });
        }
        self.splits(site, len);
        self.fate(site, Fate::Join { within: self.domain.join_within });
        for span in self.domain.delays.clone() {
            self.fate(site, Fate::Stall { span });
        }
        self.fate(site, Fate::HalfOpen);
        for at in places([0, len / 2, len], len + 1) {
            self.fate(site, Fate::Fin { at });
        }
        for at in places([0, len / 2, len], len + 1) {
            self.fate(site, Fate::Reset { at });
        }
    }

    fn datagram_fates(&mut self, site: &Site, len: u32) {
        self.fate(site, Fate::Drop);
        for by in self.domain.delays.clone() {
            self.fate(site, Fate::Delay { by });
            self.fate(site, Fate::Twice { gap: by });
            self.fate(site, Fate::Reorder { behind: by });
        }
        for at in 0..len {
            for bit in self.domain.bits.clone() {
                self.fate(site, Fate::FlipBit { bit: at * 8 + bit % 8 });
            }
        }
        for len in places([0, len / 2, len.saturating_sub(1)], len) {
            self.fate(site, Fate::Truncate { len });
        }
    }

    /// Why: only the card's edges can be misread; the reader's pulses are of its own making.
    fn air_fates(&mut self, site: &Site, len: u32) {
        self.air = Some(site.place.to_string());
        if site.way != Some(Way::BtoA) {
            return;
        }
        // The first byte is the level; each of the others is a run.
        let runs = len.saturating_sub(1);
        for at in 0..runs {
            self.fate(site, Fate::MissingHalfBit { at });
        }
        self.fate(site, Fate::WrongPhase);
        for at in 0..runs {
            for by in self.domain.jitter.clone() {
                self.fate(site, Fate::Jitter { at, by });
            }
        }
    }

    fn power_cuts_on_link(&mut self, site: &Site, moments: &[Moment]) {
        let ends = self.wiring.at_ends(&site.place);
        let supplies: Vec<String> = self.wiring.supplies(ends).into_iter().map(str::to_owned).collect();
        for moment in moments {
            self.power_cuts(site, *moment, &supplies, &[Torn::Neither]);
        }
    }

    fn power_cuts(&mut self, site: &Site, moment: Moment, supplies: &[String], outcomes: &[Torn]) {
        for supply in supplies {
            for torn in outcomes {
                for off in self.domain.off.clone() {
                    self.mishap(site, moment, Mishap::PowerCut { supply: supply.clone(), torn: *torn, off });
                }
            }
        }
    }

    fn hangs_on_link(&mut self, site: &Site) {
        let ends: Vec<String> = self.wiring.at_ends(&site.place).into_iter().map(str::to_owned).collect();
        for party in ends {
            for span in self.domain.hangs.clone() {
                self.mishap(site, Moment::After, Mishap::Hang { party: party.clone(), span });
            }
        }
    }

    fn crashes_on_link(&mut self, site: &Site, moments: &[Moment]) {
        let ends = self.wiring.at_ends(&site.place);
        let servers: Vec<String> = ends
            .into_iter()
            .filter(|party| self.wiring.role(party) == Role::Server)
            .map(str::to_owned)
            .collect();
        for party in servers {
            self.crashes(site, &party, moments);
        }
    }

    fn crashes(&mut self, site: &Site, party: &str, moments: &[Moment]) {
        for moment in moments {
            for torn in Torn::ALL {
                for off in self.domain.off.clone() {
                    self.mishap(site, *moment, Mishap::Crash { party: party.to_owned(), torn, off });
                }
            }
        }
    }

    fn outages(&mut self, site: &Site) {
        let link = site.place.to_string();
        for moment in AROUND {
            for span in self.domain.outages.clone() {
                self.mishap(site, moment, Mishap::LinkDown { link: link.clone(), span });
            }
        }
        for moment in AROUND {
            self.mishap(site, moment, Mishap::HalfOpen { link: link.clone() });
        }
    }

    fn clock_steps(&mut self, site: &Site) {
        let parties: Vec<String> = self.wiring.clocks().map(str::to_owned).collect();
        for party in parties {
            for by_s in self.domain.clock_steps_s.clone() {
                self.mishap(site, Moment::Before, Mishap::StepWallClock { party: party.clone(), by_s });
            }
        }
    }

    fn removals(&mut self, site: &Site, link: &str, moments: &[Moment]) {
        for moment in moments {
            for torn in Torn::ALL {
                self.mishap(site, *moment, Mishap::RemoveCard { link: link.to_owned(), torn });
            }
        }
    }

    /// What a modem says unasked, after anything that it says.
    fn sufferings(&mut self, site: &Site) {
        let Some(way) = site.way else { return };
        let sender =
            self.wiring.links.get(site.place.as_ref()).and_then(|wired| wired.ends[way.index()].clone());
        let Some(party) = sender.filter(|party| self.wiring.role(party) == Role::Modem) else { return };
        for what in self.domain.modem.clone() {
            self.mishap(site, Moment::After, Mishap::Modem { party: party.clone(), what });
        }
    }
}

/// Those of these places that lie within a length, each once.
fn places<const N: usize>(wanted: [u32; N], len: u32) -> Vec<u32> {
    let mut places: Vec<u32> = Vec::new();
    for at in wanted {
        if at < len && !places.contains(&at) {
            places.push(at);
        }
    }
    places
}
