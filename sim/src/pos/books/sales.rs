//! Sales by their identity.

use std::cmp::Ordering;

use super::SaleId;
use super::devices::Devices;
use crate::pos::frame::SaleTime;

/// Something for each of many sales, by their identities.
///
/// Shape: the sales in the order in which they came, and of each device where its own are among them, in the order of
/// their times. Why: what is asked for next is nearly always a sale that came a moment ago, and those lie together
/// however many devices there are; and a device's sales nearly always come in the order of their times, so that each is
/// its device's newest.
#[derive(Clone, Debug)]
pub struct Sales<T> {
    all: Vec<(SaleId, T)>,
    by_device: Devices<Places>,
}

/// Where the sales of one device are.
#[derive(Clone, Debug)]
struct Places {
    newest: u32,
    /// When that was made, so that a newer one is known for what it is without a look at it.
    newest_at: SaleTime,
    /// The others, in the order of their times.
    older: Vec<u32>,
}

impl<T> Default for Sales<T> {
    fn default() -> Self {
        Self { all: Vec::new(), by_device: Devices::default() }
    }
}

impl<T: PartialEq> PartialEq for Sales<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<T: Eq> Eq for Sales<T> {}

impl<T> Sales<T> {
    /// What is known of a sale.
    pub fn get(&self, id: &SaleId) -> Option<&T> {
        let at = self.by_device.get(&id.device)?.find(&self.all, id).ok()?;
        Some(&self.all[at as usize].1)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: &SaleId) -> Option<&mut T> {
        let at = self.by_device.get_mut(&id.device)?.find(&self.all, id).ok()?;
        Some(&mut self.all[at as usize].1)
    }

    /// What is known of a sale, which is `fresh` if nothing was.
    pub fn or_insert(&mut self, id: &SaleId, fresh: T) -> &mut T {
        let next = u32::try_from(self.all.len()).expect("fewer than four thousand million sales");
        let unknown = Places { newest: next, newest_at: id.at, older: Vec::new() };
        let places = self.by_device.or_insert_with(&id.device, || unknown);
        let at = if places.newest == next {
            None
        } else {
            match places.find(&self.all, id) {
                Ok(at) => Some(at),
                Err(rank) => {
                    places.insert(rank, next, id.at);
                    None
                }
            }
        };
        let at = at.unwrap_or_else(|| {
            self.all.push((id.clone(), fresh));
            next
        });
        &mut self.all[at as usize].1
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Every sale, in the order of their identities.
    pub fn iter(&self) -> impl Iterator<Item = (&SaleId, &T)> {
        let places = self.by_device.iter().flat_map(|(_, places)| places.iter());
        places.map(|at| &self.all[at as usize]).map(|(id, known)| (id, known))
    }
}

impl Places {
    fn iter(&self) -> impl Iterator<Item = u32> {
        self.older.iter().copied().chain([self.newest])
    }

    /// Where a sale is among all, or how many of the device's are older.
    fn find<T>(&self, all: &[(SaleId, T)], id: &SaleId) -> Result<u32, usize> {
        let order = |at: u32| {
            let (known, _) = &all[at as usize];
            (known.at, &known.sold).cmp(&(id.at, &id.sold))
        };
        if self.newest_at < id.at {
            return Err(self.older.len() + 1);
        }
        match order(self.newest) {
            Ordering::Equal => Ok(self.newest),
            Ordering::Less => Err(self.older.len() + 1),
            Ordering::Greater => {
                let rank = self.older.binary_search_by(|at| order(*at));
                rank.map(|rank| self.older[rank])
            }
        }
    }

    /// Puts a sale behind so many others of the device.
    fn insert(&mut self, rank: usize, place: u32, at: SaleTime) {
        if rank > self.older.len() {
            self.older.push(std::mem::replace(&mut self.newest, place));
            self.newest_at = at;
        } else {
            self.older.insert(rank, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::number::CardNumber;
    use crate::money::Fen;
    use crate::pos::books::{Device, Sold};
    use crate::pos::frame::MachineNumber;
    use crate::seed::Seed;
    use std::collections::BTreeMap;

    #[test]
    fn sales_are_found_and_kept_in_order_however_they_come() {
        let mut draws = Seed(1).stream("sales");
        let (mut sales, mut plain) = (Sales::default(), BTreeMap::new());
        for number in 0..4_000_u32 {
            let minute = draws.below(40);
            let at = format!("2024-01-02 03:{minute:02}:04");
            let id = SaleId {
                device: Device::Machine(MachineNumber::new(u32::try_from(draws.below(30)).unwrap())),
                at: SaleTime::try_from(at).unwrap(),
                sold: Sold::Money(CardNumber::default(), Fen(i64::try_from(draws.below(3)).unwrap())),
            };
            assert_eq!(sales.get(&id), plain.get(&id));
            *sales.or_insert(&id, 0) += number;
            *plain.entry(id).or_insert(0) += number;
        }
        assert_eq!(sales.len(), plain.len());
        assert!(sales.iter().eq(plain.iter()));
        for (id, known) in &mut plain {
            *known += 1;
            *sales.get_mut(id).unwrap() += 1;
        }
        assert!(sales.iter().eq(plain.iter()));
    }
}
