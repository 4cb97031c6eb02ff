//! What is joined to what, by name: it decides whom a mishap at a site can befall.

use std::collections::{BTreeMap, BTreeSet};

use assay_sim::fault::LinkKind;
use assay_sim::tabletop::Tabletop;

use crate::system::Suited;

/// What kind of party sits somewhere, as far as mishaps differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It has a calendar clock.
    Terminal,
    /// It says things unasked.
    Modem,
    /// It is a process on a machine, with a calendar clock and a journal.
    Server,
    /// It answers calls, and may do so otherwise than it should.
    Backend,
    /// It has no firmware that could hang, and no supply.
    Card,
    /// It stands for people: nothing befalls what they say and are shown.
    People,
    /// Anybody else.
    Other,
}

/// One link.
#[derive(Clone, Debug)]
pub struct Wired {
    /// Its kind.
    pub kind: LinkKind,
    /// The parties at its ends, where somebody is.
    pub ends: [Option<String>; 2],
}

/// The installation by name.
#[derive(Clone, Debug, Default)]
pub struct Wiring {
    /// The links.
    pub links: BTreeMap<String, Wired>,
    roles: BTreeMap<String, Role>,
    shows: BTreeSet<String>,
    feeds: BTreeMap<String, Vec<String>>,
}

impl Wiring {
    /// How a bench is wired, before anything has happened on it.
    pub fn of<F: Suited>(bench: &Tabletop<F>) -> Self {
        let (seats, lines, supplies) = bench.names();
        let mut wiring = Self::default();
        for name in &seats {
            let Some(seat) = bench.seat_named(name) else { continue };
            let role = F::role(bench.party(seat));
            if F::shows(bench.party(seat)) {
                wiring.shows.insert((*name).to_owned());
            }
            wiring.roles.insert((*name).to_owned(), role);
        }
        let name_of =
            |seat: assay_sim::tape::SeatId| seats.get(usize::from(seat.0)).map(|name| (*name).to_owned());
        for name in lines {
            let Some(line) = bench.line_named(name) else { continue };
            let ends = bench.ends(line).map(|end| end.and_then(name_of));
            wiring.links.insert(name.to_owned(), Wired { kind: bench.link_kind(line), ends });
        }
        for name in supplies {
            let Some(supply) = bench.supply_named(name) else { continue };
            for party in bench.feeds(supply).iter().copied().filter_map(name_of) {
                wiring.feeds.entry(party).or_default().push(name.to_owned());
            }
        }
        wiring
    }

    /// What a party is.
    pub fn role(&self, party: &str) -> Role {
        self.roles.get(party).copied().unwrap_or(Role::Other)
    }

    /// The supplies that feed any of these parties, each once, in the order in which they were drawn.
    pub fn supplies<'a>(&'a self, parties: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let mut supplies: Vec<&str> = Vec::new();
        for party in parties {
            for supply in self.feeds.get(party).into_iter().flatten() {
                if !supplies.contains(&supply.as_str()) {
                    supplies.push(supply);
                }
            }
        }
        supplies
    }

    /// The parties at the ends of a link.
    pub fn at_ends(&self, link: &str) -> Vec<&str> {
        self.links
            .get(link)
            .map(|wired| wired.ends.iter().flatten().map(String::as_str).collect())
            .unwrap_or_default()
    }

    /// Whether anybody of this kind is at an end of a link.
    pub fn reaches(&self, link: &str, role: Role) -> bool {
        self.at_ends(link).into_iter().any(|party| self.role(party) == role)
    }

    /// Whether what reaches a party is what people see or hear.
    pub fn shows(&self, party: &str) -> bool {
        self.shows.contains(party)
    }

    /// Every terminal and server.
    pub fn clocks(&self) -> impl Iterator<Item = &str> {
        let timed = self.roles.iter().filter(|(_, role)| matches!(role, Role::Terminal | Role::Server));
        timed.map(|(name, _)| name.as_str())
    }
}
