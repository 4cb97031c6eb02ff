//! Sales by their identity.

use std::collections::BTreeMap;

use super::{Device, Sale, SaleId};

/// Every sale that the books know, in the order of their identities.
///
/// Why: a device's sales nearly always come in the order of their times, so each is put behind the others of its device
/// and found there, however many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sales {
    by_device: BTreeMap<Device, Vec<(SaleId, Sale)>>,
    len: usize,
}

impl Sales {
    pub(super) fn of(&self, id: &SaleId) -> Option<&Sale> {
        let sales = self.by_device.get(&id.device)?;
        place_of(sales, id).ok().map(|at| &sales[at].1)
    }

    pub(super) fn of_mut(&mut self, id: &SaleId) -> Option<&mut Sale> {
        let sales = self.by_device.get_mut(&id.device)?;
        place_of(sales, id).ok().map(|at| &mut sales[at].1)
    }

    /// The sale of this identity, which is `fresh` if there is none yet.
    pub(super) fn or_insert(&mut self, id: &SaleId, fresh: Sale) -> &mut Sale {
        let sales = self.by_device.entry(id.device.clone()).or_default();
        let at = place_of(sales, id).unwrap_or_else(|at| {
            sales.insert(at, (id.clone(), fresh));
            self.len += 1;
            at
        });
        &mut sales[at].1
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&SaleId, &Sale)> {
        self.by_device.values().flatten().map(|(id, sale)| (id, sale))
    }
}

/// Where a sale is among those of its device, or belongs.
fn place_of(sales: &[(SaleId, Sale)], id: &SaleId) -> Result<usize, usize> {
    match sales.last() {
        Some((newest, _)) if newest.at < id.at => Err(sales.len()),
        _ => sales.binary_search_by(|(known, _)| (known.at, &known.sold).cmp(&(id.at, &id.sold))),
    }
}
