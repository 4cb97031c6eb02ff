//! The count of what passes each place, which gives every site its name.

use serde::{Deserialize, Serialize};

use crate::fault::{Fate, LinkKind, Site, Way};
use crate::time::Instant;

/// What kind of place a site is, which decides the faults that apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SiteKind {
    /// A transmission of so many bytes on a link.
    Unit {
        /// The link's kind.
        link: LinkKind,
        /// How many bytes.
        len: u32,
    },
    /// A connection being opened or closed, or a change of level.
    Signal {
        /// The link's kind.
        link: LinkKind,
    },
    /// A durable step of a board's storage.
    Store,
    /// A timer that runs out.
    Timer,
}

impl SiteKind {
    /// Whether a transmission of this kind and name can suffer the fate.
    ///
    /// Why: of a connection that is opened or closed nothing can be split, and nobody refuses bytes.
    pub fn admits(&self, name: &str, fate: &Fate) -> bool {
        match self {
            Self::Unit { link, .. } => {
                fate.strikes(*link) && !matches!((link, fate), (LinkKind::Pin, _) | (_, Fate::Refuse))
            }
            Self::Signal { link: LinkKind::Pin } => fate.strikes(LinkKind::Pin),
            Self::Signal { link: LinkKind::Stream } => match fate {
                Fate::Delay { .. } | Fate::Stall { .. } | Fate::HalfOpen | Fate::Reset { .. } => true,
                Fate::Refuse | Fate::Fin { .. } => name == "connect",
                _ => false,
            },
            Self::Signal { .. } | Self::Store | Self::Timer => false,
        }
    }
}

/// A site that a run went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Where.
    pub site: Site,
    /// What kind of place.
    pub kind: SiteKind,
    /// When.
    pub at: Instant,
}

/// Counts by place, way, name and address.
#[derive(Clone, Debug, Default)]
pub(super) struct Census {
    places: Vec<Vec<Named>>,
}

#[derive(Clone, Debug)]
pub(super) struct Named {
    way: Option<Way>,
    name: &'static str,
    plain: u32,
    addressed: Vec<u32>,
}

impl Census {
    pub(super) fn new(places: usize) -> Self {
        Self { places: vec![Vec::new(); places] }
    }

    /// What has passed a place.
    pub(super) fn place(&self, place: usize) -> &Vec<Named> {
        &self.places[place]
    }

    /// The same, to put another's in its place.
    pub(super) fn place_mut(&mut self, place: usize) -> &mut Vec<Named> {
        &mut self.places[place]
    }

    /// Counts one more and returns its number, from 1.
    pub(super) fn count(
        &mut self,
        place: usize,
        way: Option<Way>,
        name: &'static str,
        address: Option<u16>,
    ) -> u32 {
        self.count_all(place, way, name, address, 1)
    }

    /// Counts so many more and returns the number of the last.
    pub(super) fn count_all(
        &mut self,
        place: usize,
        way: Option<Way>,
        name: &'static str,
        address: Option<u16>,
        more: u32,
    ) -> u32 {
        let named = &mut self.places[place];
        let found = named.iter().position(|known| known.way == way && same(known.name, name));
        let at = found.unwrap_or_else(|| {
            named.push(Named { way, name, plain: 0, addressed: Vec::new() });
            named.len() - 1
        });
        let named = &mut named[at];
        let counter = match address {
            None => &mut named.plain,
            Some(address) => {
                let address = usize::from(address);
                if named.addressed.len() <= address {
                    named.addressed.resize(address + 1, 0);
                }
                &mut named.addressed[address]
            }
        };
        *counter = counter.saturating_add(more);
        *counter
    }

    /// How many there have been.
    pub(super) fn counted(&self, place: usize, way: Option<Way>, name: &str, address: Option<u16>) -> u32 {
        let named = self.places[place].iter().find(|known| known.way == way && known.name == name);
        named.map_or(0, |named| match address {
            None => named.plain,
            Some(address) => named.addressed.get(usize::from(address)).copied().unwrap_or(0),
        })
    }

    #[cfg(test)]
    pub(super) fn names_len(&self) -> usize {
        self.places.iter().map(Vec::len).sum()
    }
}

/// Equal names, found quickly where they are the same constant.
fn same(a: &'static str, b: &'static str) -> bool {
    (a.as_ptr() == b.as_ptr() && a.len() == b.len()) || a == b
}
