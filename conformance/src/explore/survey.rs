//! What pairs of faults there are, and which of them lead to the same state: one run for each first fault tells it.

use std::collections::BTreeSet;

use assay_reports::{FaultRowRecord, KindRecord};
use assay_sim::digest::Digest;
use assay_sim::fault::Strike;
use assay_sim::tabletop::Visit;
use assay_sim::time::Instant;
use serde::{Deserialize, Serialize};

use super::causes::Rows;
use super::pairs::First;
use super::{FaultMap, Struck, victim};
use crate::campaign::Unit;
use crate::interrupt::Stop;
use crate::work::in_order;

/// By how much the number of a case is shifted to make that of its first unit, so that its first faults follow.
const CASE_SHIFT: u32 = 32;

/// What there is to strike.
pub(super) struct Survey {
    /// How many sites the golden run goes through.
    pub(super) sites: usize,
    /// The first faults.
    pub(super) firsts: Vec<Strike>,
    /// What the golden run came to.
    pub(super) golden: Struck,
    /// How many schedules there are.
    pub(super) counts: Counts,
    /// Which of the sites after each first fault are struck; of the firsts that were looked at.
    pub(super) masks: Vec<Mask>,
}

/// How many schedules there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// In all.
    pub(super) total: u64,
    /// By kind of the second fault.
    pub(super) by_kind: Vec<KindRecord>,
    /// By its place.
    pub(super) by_place: Vec<KindRecord>,
    /// By the name of its site and by kind.
    pub(super) map: Vec<FaultRowRecord>,
}

/// Which of the sites after a first fault are struck, and which are merged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mask {
    /// A `1` for each site that is struck and a `0` for each that is merged.
    sites: String,
    /// How many schedules are struck.
    pub(super) struck: u64,
    /// How many are merged.
    pub(super) merged: u64,
}

impl Mask {
    fn add(&mut self, is_struck: bool, schedules: usize) {
        self.sites.push(if is_struck { '1' } else { '0' });
        *(if is_struck { &mut self.struck } else { &mut self.merged }) += schedules as u64;
    }

    /// The faults that are struck after a first one, each with its number among the runs of the unit.
    pub(super) fn seconds<'a>(&'a self, first: &'a First) -> impl Iterator<Item = (u64, &'a Strike)> {
        let struck = first.after.iter().zip(self.sites.bytes()).filter(|(_, mark)| *mark == b'1');
        (1..).zip(struck.flat_map(|((_, strikes), _)| strikes))
    }
}

impl Survey {
    /// Looks at the runs of the first faults, as far as that gets before a stop falls due.
    ///
    /// `seen` is where the golden run stands at its sites: a single fault strikes there, so a pair is new only where
    /// the first fault has led elsewhere.
    pub(super) fn look(
        &mut self,
        run: impl Fn(&Strike) -> First + Sync,
        merge: bool,
        mut seen: BTreeSet<u128>,
        stop: &Stop,
    ) {
        let (mut by_kind, mut by_place, mut map) = (Rows::default(), Rows::default(), FaultMap::default());
        let (mut masks, mut total, mut cut) = (Vec::new(), 0, false);
        in_order(&self.firsts, stop, run, |_, first| {
            cut |= first.struck.stopped();
            if cut {
                return;
            }
            let mut mask = Mask::default();
            for ((visit, strikes), mark) in first.after.iter().zip(&first.marks) {
                total += strikes.len() as u64;
                for strike in strikes {
                    by_kind.count(strike.fault.kind(), &visit.site);
                    by_place.count(&visit.site.place, &visit.site);
                    map.count(strike);
                }
                mask.add(seen.insert(key(*mark, visit)) || !merge, strikes.len());
            }
            masks.push(mask);
        });
        self.masks = masks;
        self.counts = Counts {
            total,
            by_kind: by_kind.into_records(),
            by_place: by_place.into_records(),
            map: map.into_records(),
        };
    }

    /// Whether every first fault was looked at.
    pub(super) fn is_whole(&self) -> bool {
        self.masks.len() == self.firsts.len()
    }

    /// The units that it makes of a case: one for the golden run, and one for each first fault with what is struck
    /// after it.
    pub(super) fn units(&self, case: &str, base: u64) -> Vec<Unit> {
        let text = |detail: serde_json::Result<String>| detail.expect("texts and numbers can be written");
        let golden = Unit {
            unit: base,
            name: case.to_owned(),
            runs: 1,
            detail: text(serde_json::to_string(&self.counts)),
        };
        let firsts = (1..).zip(self.firsts.iter().zip(&self.masks)).map(|(nth, (first, mask))| Unit {
            unit: base + nth,
            name: format!("{case}: {first}"),
            runs: 1 + mask.struck,
            detail: text(serde_json::to_string(mask)),
        });
        std::iter::once(golden).chain(firsts).collect()
    }

    /// Takes over what was kept of it, if that is all there.
    pub(super) fn read(&mut self, units: &[Unit], base: u64) -> bool {
        let own: Vec<&Unit> = units.iter().filter(|unit| is_of(unit.unit, base)).collect();
        let Some((golden, firsts)) =
            own.split_first().filter(|(_, firsts)| firsts.len() == self.firsts.len())
        else {
            return false;
        };
        let counts = serde_json::from_str(&golden.detail);
        let masks = firsts.iter().map(|unit| serde_json::from_str(&unit.detail)).collect::<Result<_, _>>();
        match (counts, masks) {
            (Ok(counts), Ok(masks)) => {
                self.counts = counts;
                self.masks = masks;
                true
            }
            _ => false,
        }
    }
}

/// The first unit of a case of a campaign.
pub(crate) const fn base(case: u64) -> u64 {
    case << CASE_SHIFT
}

const fn is_of(unit: u64, base: u64) -> bool {
    unit >> CASE_SHIFT == base >> CASE_SHIFT
}

/// One of each kind of fault and victim at each site: the middle one of its values.
pub(super) fn representatives(strikes: Vec<Strike>) -> Vec<Strike> {
    let mut groups: Vec<Vec<Strike>> = Vec::new();
    for strike in strikes {
        let same = |group: &&mut Vec<Strike>| {
            group[0].fault.kind() == strike.fault.kind() && victim(&group[0]) == victim(&strike)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(strike),
            None => groups.push(vec![strike]),
        }
    }
    groups.into_iter().map(|mut group| group.swap_remove(group.len() / 2)).collect()
}

/// Where a run stands at a site, whatever the site's count there.
pub(super) fn key(mark: u128, visit: &Visit) -> u128 {
    let mut key = Digest::new(Instant::ZERO);
    let site = &visit.site;
    key.bytes(&mark.to_le_bytes()).text(&site.place).text(&site.name);
    key.word(site.way.map_or(2, |way| way.index() as u64)).word(site.address.map_or(u64::MAX, u64::from));
    key.finish()
}
