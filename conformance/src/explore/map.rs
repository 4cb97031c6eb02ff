//! The fault map: what strikes at the sites of one name, and what came of it, by kind of fault.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use assay_reports::{FaultCellRecord, FaultRowRecord};
use assay_sim::fault::{Site, Strike};

/// A fault map as it fills up.
#[derive(Default)]
pub(crate) struct FaultMap {
    /// The names in the order in which the run comes to them.
    order: Vec<String>,
    rows: BTreeMap<String, Row>,
}

#[derive(Default)]
struct Row {
    sites: BTreeSet<Site>,
    /// How many sites were counted before.
    counted: u64,
    cells: BTreeMap<Cow<'static, str>, Cell>,
}

#[derive(Default)]
struct Cell {
    total: u64,
    struck: u64,
    failed: u64,
    unclear: u64,
    violated: BTreeSet<String>,
}

impl FaultMap {
    /// Of a whole space, of which some was struck: by the strike's place in it, what it violated that the case alone
    /// does not, and whether its run says nothing.
    pub(crate) fn of<'a>(
        strikes: &[Strike],
        struck: impl Iterator<Item = (usize, Vec<&'a str>, bool)>,
    ) -> Vec<FaultRowRecord> {
        let mut map = Self::default();
        for strike in strikes {
            map.count(strike);
        }
        for (at, violated, unclear) in struck {
            map.strike(&strikes[at], &violated, unclear);
        }
        map.into_records()
    }

    /// What was counted and not yet struck.
    pub(crate) fn counted(rows: Vec<FaultRowRecord>) -> Self {
        let order = rows.iter().map(|row| row.site.clone()).collect();
        let row = |FaultRowRecord { site, sites, cells }| {
            let cells = cells
                .into_iter()
                .map(|cell| (Cow::Owned(cell.kind), Cell { total: cell.total, ..Cell::default() }));
            (site, Row { counted: sites, sites: BTreeSet::new(), cells: cells.collect() })
        };
        Self { order, rows: rows.into_iter().map(row).collect() }
    }

    /// There is one more to strike.
    pub(crate) fn count(&mut self, strike: &Strike) {
        let name = name(&strike.site);
        if !self.rows.contains_key(&name) {
            self.order.push(name.clone());
        }
        let row = self.rows.entry(name).or_default();
        row.cells.entry(Cow::Borrowed(strike.fault.kind())).or_default().total += 1;
        if !row.sites.contains(&strike.site) {
            row.sites.insert(strike.site.clone());
        }
    }

    /// One was struck.
    pub(crate) fn strike(&mut self, strike: &Strike, violated: &[&str], unclear: bool) {
        let row = self.rows.entry(name(&strike.site)).or_default();
        let cell = row.cells.entry(Cow::Borrowed(strike.fault.kind())).or_default();
        cell.struck += 1;
        cell.failed += u64::from(!violated.is_empty());
        cell.unclear += u64::from(unclear);
        cell.violated.extend(violated.iter().map(|id| (*id).to_owned()));
    }

    pub(crate) fn into_records(mut self) -> Vec<FaultRowRecord> {
        let row = |site: String| {
            let Row { sites, counted, cells } = self.rows.remove(&site)?;
            let cells = cells.into_iter().map(|(kind, cell)| FaultCellRecord {
                kind: kind.into_owned(),
                total: cell.total,
                struck: cell.struck,
                failed: cell.failed,
                unclear: cell.unclear,
                violated: cell.violated.into_iter().collect(),
            });
            Some(FaultRowRecord { cells: cells.collect(), site, sites: counted.max(sites.len() as u64) })
        };
        self.order.into_iter().filter_map(row).collect()
    }
}

/// A site without its count.
fn name(site: &Site) -> String {
    let text = site.to_string();
    text.rsplit_once(" #").map_or(text.clone(), |(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use assay_sim::fault::{Fate, Fault, Moment};

    use super::*;

    fn drop_at(site: &str) -> Strike {
        Strike { site: site.parse().unwrap(), moment: Moment::Before, fault: Fault::Fate(Fate::Drop) }
    }

    #[test]
    fn sites_of_one_name_share_a_row_in_the_order_of_the_run() {
        let strikes = ["uart-a> AT #1", "gprs-a< answer #1", "uart-a> AT #2"].map(drop_at);
        let struck = [(0, vec![], false), (2, vec!["WAT-I1"], false)];
        let map = FaultMap::of(&strikes, struck.into_iter());
        let [uart, gprs] = &map[..] else { panic!("{map:?}") };
        assert_eq!((uart.site.as_str(), uart.sites, gprs.site.as_str()), ("uart-a> AT", 2, "gprs-a< answer"));
        let cell = &uart.cells[0];
        assert_eq!((cell.total, cell.struck, cell.failed, cell.unclear), (2, 2, 1, 0));
        assert_eq!((cell.violated.as_slice(), gprs.cells[0].struck), (&["WAT-I1".to_owned()][..], 0));
    }
}
