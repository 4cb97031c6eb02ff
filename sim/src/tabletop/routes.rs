//! Where a party's ports lead.

use std::ops::Deref;

use crate::fault::Way;
use crate::machine::Port;

/// Where some of a party's ports lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) first: u16,
    pub(super) count: u16,
    pub(super) line: usize,
    pub(super) way: Way,
}

impl Route {
    const fn end(&self) -> u16 {
        self.first.saturating_add(self.count)
    }
}

/// The routes of a party, in the order in which they were drawn.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    all: Vec<Route>,
    /// The same by their first ports.
    by_port: Vec<Route>,
    /// Whether no port has two of them.
    apart: bool,
    /// The first by its ports, if it is known at a glance which has a port: most parties have few.
    first: Option<Route>,
}

impl Routes {
    pub(super) fn push(&mut self, route: Route) {
        self.all.push(route);
        let place = self.by_port.partition_point(|other| other.first <= route.first);
        let free = |before: Option<&Route>, after: Option<&Route>| {
            before.is_none_or(|before| before.end() <= route.first)
                && after.is_none_or(|after| route.end() <= after.first)
        };
        let before = place.checked_sub(1).and_then(|before| self.by_port.get(before));
        self.apart = (self.apart || self.by_port.is_empty()) && free(before, self.by_port.get(place));
        self.by_port.insert(place, route);
        self.first = self.by_port.first().copied().filter(|_| self.apart);
    }

    /// Forgets every route over a link.
    pub(super) fn forget(&mut self, line: usize) {
        let all = std::mem::take(&mut self.all);
        *self = Self::default();
        all.into_iter().filter(|route| route.line != line).for_each(|route| self.push(route));
    }

    /// Where a port leads: if there are two routes, the one that was drawn first.
    pub(super) fn of(&self, port: Port) -> Option<Route> {
        let has = |route: &Route| (route.first..route.end()).contains(&port.0);
        let Some(first) = self.first else { return self.all.iter().copied().find(has) };
        if has(&first) {
            return Some(first);
        }
        // Most ports have a line each and follow one another.
        let guess = port.0.checked_sub(first.first).and_then(|place| self.by_port.get(usize::from(place)));
        if let Some(route) = guess.filter(|route| has(route)) {
            return Some(*route);
        }
        let place = self.by_port.partition_point(|route| route.first <= port.0).checked_sub(1)?;
        Some(self.by_port[place]).filter(has)
    }
}

impl Deref for Routes {
    type Target = [Route];
    fn deref(&self) -> &[Route] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn a_port_leads_where_the_first_of_its_routes_does() {
        for (ports, count_max) in [(400, 4), (12, 4), (40, 1)] {
            let mut draws = Seed(ports).stream("routes");
            let mut below = |bound: u64| u16::try_from(draws.below(bound)).unwrap();
            let (mut routes, mut plain) = (Routes::default(), Vec::new());
            for line in 0..24 {
                let route = Route {
                    first: below(ports),
                    count: 1 + below(count_max),
                    line: usize::from(line % 8_u16),
                    way: Way::AtoB,
                };
                routes.push(route);
                plain.push(route);
                if line % 7 == 6 {
                    let gone = usize::from(below(8));
                    routes.forget(gone);
                    plain.retain(|route| route.line != gone);
                }
                assert_eq!(*routes, plain[..]);
                for port in 0..u16::try_from(ports).unwrap() + 5 {
                    let has = |route: &&Route| (route.first..route.first + route.count).contains(&port);
                    assert_eq!(routes.of(Port(port)), plain.iter().find(has).copied(), "{port} of {plain:?}");
                }
            }
        }
    }

    #[test]
    fn the_last_ports_are_routed_too() {
        let mut routes = Routes::default();
        let route = Route { first: u16::MAX - 2, count: 2, line: 0, way: Way::BtoA };
        routes.push(route);
        assert_eq!(routes.of(Port(u16::MAX - 1)), Some(route));
        assert_eq!((routes.of(Port(u16::MAX)), routes.of(Port(0))), (None, None));
    }
}
