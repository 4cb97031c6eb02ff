//! The fault space: every fault that applies at a site, with every value that is tried, in a fixed order.
//!
//! `docs/faults.md` has this as a table.

use assay_sim::fault::FaultDomain;
use assay_sim::fault::{Fate, Fault, LinkKind, Mishap, Moment, Site, Strike, Way};
use assay_sim::machine::Torn;
use assay_sim::tabletop::{SiteKind, Visit};

use super::wiring::{Role, Wiring};

/// Moments of what takes time.
const THROUGHOUT: [Moment; 3] = [Moment::Before, Moment::Midway, Moment::After];

/// Moments of what takes none.
const AROUND: [Moment; 2] = [Moment::Before, Moment::After];

/// Every strike of the space that these visits span, in the order of the visits.
pub(super) fn strikes(visits: &[Visit], wiring: &Wiring, domain: &FaultDomain) -> Vec<Strike> {
    by_visit(visits, wiring, domain).into_iter().flatten().collect()
}

/// The same, those of each visit by themselves.
pub(super) fn by_visit(visits: &[Visit], wiring: &Wiring, domain: &FaultDomain) -> Vec<Vec<Strike>> {
    let mut space = Space { wiring, domain, air: None, strikes: Vec::new() };
    let of_visit = |visit| {
        space.add(visit);
        std::mem::take(&mut space.strikes)
    };
    visits.iter().map(of_visit).collect()
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
        let to_people = self.wiring.reaches(&site.place, Role::People);
        match link {
            // What people do and are shown is not on its way anywhere.
            _ if to_people => {}
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
                self.misbehaviour(site);
            }
            LinkKind::Air => self.removals(site, &site.place.clone(), &THROUGHOUT),
            LinkKind::Serial => self.sufferings(site),
            LinkKind::Datagram => {
                self.losses(site);
                self.clock_steps(site);
            }
            LinkKind::Pin => {}
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
        if !matches!(self.wiring.role(&party), Role::Card | Role::People) {
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
        let ends = self.wiring.at_ends(&site.place).into_iter();
        let machines = ends.filter(|party| self.wiring.role(party) != Role::People);
        for party in machines.map(str::to_owned).collect::<Vec<_>>() {
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

    /// A link that nothing gets through for a while.
    fn losses(&mut self, site: &Site) {
        let link = site.place.to_string();
        for moment in AROUND {
            for span in self.domain.outages.clone() {
                self.mishap(site, moment, Mishap::LinkDown { link: link.clone(), span });
            }
        }
    }

    fn outages(&mut self, site: &Site) {
        let link = site.place.to_string();
        self.losses(site);
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

    /// What a platform makes of a call, which whoever opens connections sends.
    fn misbehaviour(&mut self, site: &Site) {
        let wired = self.wiring.links.get(site.place.as_ref()).filter(|_| site.way == Some(Way::AtoB));
        let called = wired.and_then(|wired| wired.ends[1].clone());
        let Some(party) = called.filter(|party| self.wiring.role(party) == Role::Backend) else { return };
        for what in self.domain.backend.clone() {
            self.mishap(site, Moment::Before, Mishap::Backend { party: party.clone(), what });
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use assay_sim::fault::FaultPlan;
    use assay_sim::policy::PolicyName;
    use assay_sim::seed::Seed;

    use assay_sim::time::{Instant, Span};

    use super::*;
    use crate::rig_bench::Bench;
    use crate::suite;
    use crate::trial::{Design, Trial};

    fn domain() -> FaultDomain {
        FaultDomain {
            off: vec![Span::s(5)],
            delays: vec![Span::s(5), Span::s(21)],
            split_gaps: vec![Span::ms(10)],
            join_within: Span::ms(100),
            outages: vec![Span::s(30)],
            hangs: vec![Span::s(5), Span::s(30)],
            clock_steps_s: vec![-3_600],
            stuck: Span::s(3),
            glitch: Span::us(50),
            bits: vec![0, 7],
            junk: vec![0x00, 0x0D, 0xAA],
            jitter: vec![-4, 4],
            modem: vec!["no-signal".to_owned()],
            backend: vec!["no-answer".to_owned()],
        }
    }

    /// How many strikes of each kind a site takes, in the installation of one terminal.
    fn kinds(visits: &[(&str, SiteKind)]) -> Vec<(&'static str, usize)> {
        let case = suite::cases().into_iter().find(|case| case.id == "water/topup/clean").unwrap();
        let trial = Trial::new(case, &Design::new(PolicyName::Hardened, Seed(0))).unwrap();
        let visit = |(site, kind): &(&str, SiteKind)| Visit {
            site: site.parse().unwrap(),
            kind: *kind,
            at: Instant::ZERO,
        };
        let visits: Vec<Visit> = visits.iter().map(visit).collect();
        let strikes = strikes(&visits, &trial.wiring().unwrap(), &domain());
        // All of it must be something that the bench can suffer there.
        trial.check(&Bench::Tabletop, &FaultPlan { strikes: strikes.clone() }).unwrap();
        let last = visits.last().map(|visit| visit.site.clone());
        let mut kinds: BTreeMap<&'static str, usize> = BTreeMap::new();
        for strike in strikes.iter().filter(|strike| Some(&strike.site) == last.as_ref()) {
            *kinds.entry(strike.fault.kind()).or_default() += 1;
        }
        kinds.into_iter().collect()
    }

    #[test]
    fn a_burst_on_a_serial_line() {
        let burst = SiteKind::Unit { link: LinkKind::Serial, len: 6 };
        let fates =
            [("break", 2), ("flip-bit", 12), ("hang", 4), ("join", 1), ("junk-byte", 18), ("lose-byte", 6)];
        // Three supplies feed the two ends, and each is cut at three moments.
        let rest = [("overrun", 2), ("power-cut", 9), ("split", 3)];
        assert_eq!(kinds(&[("uart-a> AT+CSQ #1", burst)]), [&fates[..], &rest].concat());
        let with_modem = [&fates[..], &[("modem", 1)], &rest].concat();
        assert_eq!(kinds(&[("uart-a< OK #1", burst)]), with_modem);
        let byte = SiteKind::Unit { link: LinkKind::Serial, len: 1 };
        assert!(kinds(&[("uart-a> AT #1", byte)]).iter().all(|(kind, _)| *kind != "split"));
    }

    #[test]
    fn a_frame_on_a_stream() {
        let frame = SiteKind::Unit { link: LinkKind::Stream, len: 40 };
        let all = [
            ("crash", 9),
            ("delay", 2),
            ("fin", 3),
            ("half-open", 1),
            ("half-open-link", 2),
            ("hang", 4),
            ("join", 1),
            ("link-down", 2),
            ("power-cut", 9),
            ("reset", 3),
            ("split", 3),
            ("stall", 2),
            ("step-wall-clock", 2),
        ];
        assert_eq!(kinds(&[("gprs-a> boot #1", frame)]), all);
    }

    #[test]
    fn signals() {
        let stream = SiteKind::Signal { link: LinkKind::Stream };
        let connect = [
            ("crash", 6),
            ("delay", 2),
            ("half-open", 1),
            ("half-open-link", 2),
            ("link-down", 2),
            ("power-cut", 6),
            ("refuse", 1),
        ];
        assert_eq!(kinds(&[("gprs-a> connect #1", stream)]), connect);
        assert!(
            kinds(&[("gprs-a> close #1", stream)])
                .iter()
                .all(|(kind, _)| !["delay", "refuse"].contains(kind))
        );
        let pin = SiteKind::Signal { link: LinkKind::Pin };
        assert_eq!(kinds(&[("pwrkey-a> low #1", pin)]), [("glitch", 1), ("power-cut", 6), ("stuck", 1)]);
    }

    #[test]
    fn card_and_reader() {
        let edges = SiteKind::Unit { link: LinkKind::Air, len: 9 };
        let read = [
            ("hang", 2),
            ("jitter", 16),
            ("missing-half-bit", 8),
            ("power-cut", 6),
            ("remove-card", 9),
            ("wrong-phase", 1),
        ];
        assert_eq!(kinds(&[("rf-a< edges #1", edges)]), read);
        let burst = [("hang", 2), ("power-cut", 6), ("remove-card", 9)];
        assert_eq!(kinds(&[("rf-a> burst #1", edges)]), burst);
        // A card's storage step belongs to the reader that it was last heard at.
        let block = ("card-1 card-block@3 #1", SiteKind::Store);
        assert_eq!(kinds(&[block]), []);
        assert_eq!(kinds(&[("rf-a> burst #1", edges), block]), [("power-cut", 12), ("remove-card", 6)]);
    }

    #[test]
    fn storage_steps_and_timers() {
        assert_eq!(kinds(&[("terminal-a eeprom-byte@104 #1", SiteKind::Store)]), [("power-cut", 12)]);
        assert_eq!(kinds(&[("server journal-sync@0 #1", SiteKind::Store)]), [("crash", 6), ("power-cut", 6)]);
        assert_eq!(kinds(&[("terminal-a answer #1", SiteKind::Timer)]), [("hang", 2), ("power-cut", 4)]);
        assert_eq!(kinds(&[("card-1 card-program #1", SiteKind::Timer)]), []);
    }
}
