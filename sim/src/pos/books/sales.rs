//! Sales by their identity.

use super::devices::Devices;
use super::{Device, SaleId};

/// Something for each of many sales, by their identities.
///
/// Why: a device's sales nearly always come in the order of their times, so each is put behind the others of its device
/// and found there, however many there are.
#[derive(Clone, Debug)]
pub struct Sales<T> {
    by_device: Devices<Vec<(SaleId, T)>>,
    len: usize,
}

impl<T> Default for Sales<T> {
    fn default() -> Self {
        Self { by_device: Devices::default(), len: 0 }
    }
}

impl<T: PartialEq> PartialEq for Sales<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<T: Eq> Eq for Sales<T> {}

impl<T> Sales<T> {
    /// What is known of a sale.
    pub fn get(&self, id: &SaleId) -> Option<&T> {
        let sales = self.by_device.get(&id.device)?;
        place_of(sales, id).ok().map(|at| &sales[at].1)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: &SaleId) -> Option<&mut T> {
        let sales = self.by_device.get_mut(&id.device)?;
        place_of(sales, id).ok().map(|at| &mut sales[at].1)
    }

    /// What is known of a sale, which is `fresh` if nothing was.
    pub fn or_insert(&mut self, id: &SaleId, fresh: T) -> &mut T {
        let sales = self.by_device.or_insert_with(&id.device, Vec::new);
        let at = place_of(sales, id).unwrap_or_else(|at| {
            sales.insert(at, (id.clone(), fresh));
            self.len += 1;
            at
        });
        &mut sales[at].1
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Every sale, in the order of their identities.
    pub fn iter(&self) -> impl Iterator<Item = (&SaleId, &T)> {
        self.by_device.iter().flat_map(|(_, sales)| sales).map(|(id, known)| (id, known))
    }

    /// The sales of one device, in the order of their times.
    pub fn of_device(&self, device: &Device) -> impl DoubleEndedIterator<Item = (&SaleId, &T)> {
        self.by_device.get(device).into_iter().flatten().map(|(id, known)| (id, known))
    }
}

/// Where a sale is among those of its device, or belongs.
fn place_of<T>(sales: &[(SaleId, T)], id: &SaleId) -> Result<usize, usize> {
    let key = |known: &SaleId| (known.at, &known.sold).cmp(&(id.at, &id.sold));
    match sales.last() {
        Some((newest, _)) if newest.at < id.at => Err(sales.len()),
        Some((newest, _)) if key(newest).is_eq() => Ok(sales.len() - 1),
        _ => sales.binary_search_by(|(known, _)| key(known)),
    }
}
