//! A layout taken apart into sites, each a bench of its own, for a bench whose network lies between them.
//!
//! What shares a supply, a serial line or a pin stands on one site; packets and TCP connections join sites. Each site
//! gets the near half of every path that leaves it. Something that no link and no supply ties down, such as a card in
//! somebody's pocket, has a seat on every site with a reader, and is really on one of them.

use std::net::SocketAddrV4;

use super::census::Named;
use super::layout::EndSpec;
use super::wires::Line;
use super::{Family, Layout, Tabletop};
use crate::fault::{FaultPlan, LinkKind, Mishap, Way};
use crate::link::Link;
use crate::machine::{Port, Torn};
use crate::tape::{Entry, Keep, LineId, SeatId, SupplyId};
use crate::time::{Instant, Span};

/// One site of a layout.
pub struct Part<F: Family> {
    /// What stands there.
    pub layout: Layout<F>,
    /// What the site's parties are called in the whole layout, in its own order.
    pub seats: Vec<SeatId>,
    /// The same for its links.
    pub lines: Vec<LineId>,
    /// The same for its supplies.
    pub supplies: Vec<SupplyId>,
}

/// A party on its way from one site to another, with what the bench knows of it.
pub struct Luggage<F: Family> {
    board: F::Party,
    census: Vec<Named>,
    done: Vec<bool>,
    wall_step_us: i64,
}

impl<F: Family> Layout<F> {
    /// The layout, site by site, in the order of each site's first party. `hop` is how long the network between them
    /// takes at most.
    pub fn parts(&self, hop: Span) -> Vec<Part<F>> {
        let site_of = self.sites();
        let mut sites: Vec<usize> = site_of.iter().flatten().copied().collect();
        sites.sort_unstable();
        sites.dedup();
        sites.into_iter().map(|site| self.part(site, &site_of, hop)).collect()
    }

    /// Which site each party is on, by the number of its first party; `None` for one that is tied to none.
    fn sites(&self) -> Vec<Option<usize>> {
        let mut root: Vec<usize> = (0..self.seats.len()).collect();
        let mut tied = vec![false; self.seats.len()];
        let find = |root: &[usize], mut at: usize| {
            while root[at] != at {
                at = root[at];
            }
            at
        };
        let join = |root: &mut [usize], a: usize, b: usize| {
            let (a, b) = (find(root, a), find(root, b));
            root[a.max(b)] = a.min(b);
        };
        for line in &self.lines {
            let seats: Vec<usize> =
                line.ends.iter().filter_map(|end| end.seat).map(|seat| usize::from(seat.0)).collect();
            seats.iter().for_each(|seat| tied[*seat] = true);
            if let ([a, b], LinkKind::Serial | LinkKind::Pin) = (&seats[..], line.link.kind()) {
                join(&mut root, *a, *b);
            }
        }
        for (_, feeds) in &self.supplies {
            feeds.iter().for_each(|seat| tied[usize::from(seat.0)] = true);
            for pair in feeds.windows(2) {
                join(&mut root, usize::from(pair[0].0), usize::from(pair[1].0));
            }
        }
        (0..self.seats.len()).map(|seat| tied[seat].then(|| find(&root, seat))).collect()
    }

    fn part(&self, site: usize, site_of: &[Option<usize>], hop: Span) -> Part<F> {
        let on_site =
            |seat: Option<SeatId>| seat.is_some_and(|seat| site_of[usize::from(seat.0)] == Some(site));
        let reads =
            self.lines.iter().any(|line| line.link.kind() == LinkKind::Air && on_site(line.ends[0].seat));
        let stays = |at: &usize| site_of[*at] == Some(site) || site_of[*at].is_none() && reads;
        let seats: Vec<usize> = (0..self.seats.len()).filter(stays).collect();
        let local = |seat: SeatId| {
            let at = seats.iter().position(|known| *known == usize::from(seat.0))?;
            u16::try_from(at).ok().map(SeatId)
        };
        let mut layout = Layout::new(self.epoch, self.quiet, self.inbox_max);
        layout.seats = seats.iter().map(|at| self.seats[*at].clone()).collect();
        let (mut lines, mut supplies) = (Vec::new(), Vec::new());
        for (spec, number) in self.lines.iter().zip(0..) {
            let here = spec.ends.map(|end| on_site(end.seat));
            if here == [false; 2] {
                continue;
            }
            let mut spec = spec.clone();
            for way in Way::BOTH {
                let far = way.back().index();
                if here[way.index()] && !here[far] && spec.link.kind() != LinkKind::Air {
                    spec.outside[far] = true;
                    match &spec.link {
                        Link::Stream(path) => spec.link = Link::StreamHalf(Box::new(path.half(way, hop))),
                        Link::Datagram(path) => spec.link = Link::Datagram(Box::new(path.half(hop))),
                        _ => {}
                    }
                }
            }
            for end in &mut spec.ends {
                end.seat = end.seat.and_then(local);
            }
            layout.lines.push(spec);
            lines.push(LineId(number));
        }
        for ((name, feeds), number) in self.supplies.iter().zip(0..) {
            let feeds: Vec<SeatId> = feeds.iter().copied().filter_map(local).collect();
            if !feeds.is_empty() {
                layout.supplies.push((name.clone(), feeds));
                supplies.push(SupplyId(number));
            }
        }
        let seats = seats.into_iter().filter_map(|at| u16::try_from(at).ok().map(SeatId)).collect();
        Part { layout, seats, lines, supplies }
    }
}

impl<F: Family> Tabletop<F> {
    /// Sets up one site's bench with the whole plan, of which it carries out what strikes here.
    pub fn site(layout: Layout<F>, plan: &FaultPlan, keep: Keep) -> Self {
        let mut bench = Self::bare(layout, keep);
        bench.wire_up();
        bench.arm_here(plan);
        bench
    }

    /// What is to befall parties, supplies and links of other sites because of a strike here.
    pub fn take_errands(&mut self) -> Vec<Mishap> {
        std::mem::take(&mut self.errands)
    }

    /// Takes the next entry off the tape, if it was seen before `until`.
    pub fn take_entry(&mut self, until: Instant) -> Option<Entry<F::Event>> {
        self.tape.take_before(until)
    }

    /// Lets a mishap happen now that another site's strike has brought about.
    pub fn suffer(&mut self, mishap: Mishap) {
        self.happen(mishap);
    }

    /// Whether the party at the near end of `way` has power.
    pub fn end_powered(&self, line: LineId, way: Way) -> bool {
        let end = self.lines[usize::from(line.0)].ends[way.index()];
        end.seat.is_some_and(|seat| self.seats[usize::from(seat.0)].is_on())
    }

    /// Whether a party has power.
    pub fn is_on(&self, seat: SeatId) -> bool {
        self.seats[usize::from(seat.0)].is_on()
    }

    /// What became of writes that were under way when a party last lost its power.
    pub fn torn(&self, seat: SeatId) -> Torn {
        self.seats[usize::from(seat.0)].torn
    }

    /// The first port at the near end of `way`, and how many there are for connections.
    pub fn ports_at(&self, line: LineId, way: Way) -> (Port, u16) {
        let end = self.lines[usize::from(line.0)].ends[way.index()];
        (end.port, end.ports)
    }

    /// The port that a connection has at the far end of `way`.
    pub fn port_of(&self, line: LineId, way: Way, conn: u16) -> Option<Port> {
        self.lines[usize::from(line.0)].port_of(way, conn)
    }

    /// Whether a party with power listens at this address.
    pub fn answers_at(&self, address: SocketAddrV4) -> bool {
        let line = self
            .lines
            .iter()
            .find(|line| line.ends[1].seat.is_some() && line.ends[1].listens == Some(address));
        let seat = line.and_then(|line| line.ends[1].seat);
        seat.is_some_and(|seat| self.seats[usize::from(seat.0)].is_on())
    }

    /// The packet paths that lead out of this bench, each with the way that begins here.
    pub fn packet_paths(&self) -> Vec<(LineId, Way)> {
        let packets = |line: &&Line<F>| line.link.kind() == LinkKind::Datagram;
        let lines = self.lines.iter().zip(0..).filter(|(line, _)| packets(line));
        lines
            .flat_map(|(line, number)| {
                let near = Way::BOTH.into_iter().filter(|way| line.outside[way.back().index()]);
                near.map(move |way| (LineId(number), way))
            })
            .collect()
    }

    /// The addresses at which parties of this bench listen for connections from outside.
    pub fn addresses(&self) -> Vec<SocketAddrV4> {
        let lines = self.lines.iter().filter(|line| line.outside == [true, false]);
        let mut all: Vec<SocketAddrV4> = lines.filter_map(|line| line.ends[1].listens).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether nobody on this bench has power and nothing is left that is still to leave it.
    pub fn is_dark(&self) -> bool {
        // A card in a field has no power of its own.
        let own = |line: &Line<F>| if matches!(line.link, Link::Air(_)) { 1 } else { 2 };
        let powered = |end: &EndSpec| end.seat.is_some_and(|seat| self.seats[usize::from(seat.0)].is_on());
        self.lines.iter().all(|line| line.next_at().is_none() && !line.ends[..own(line)].iter().any(powered))
    }

    /// Where connections over this path are to be made, if anybody listens.
    pub fn listens(&self, line: LineId) -> Option<SocketAddrV4> {
        self.lines[usize::from(line.0)].ends[Way::BtoA.index()].listens
    }

    /// For how long the line is still busy with what its near end was given so far; zero for links that take bytes at
    /// once.
    pub fn busy(&self, line: LineId, way: Way) -> Span {
        let link = &self.lines[usize::from(line.0)].link;
        link.sent_at(self.now, way).since(self.now)
    }

    /// How long a request for a connection is on its way once its listener has come back.
    pub fn reach(&self, line: LineId, conn: u16) -> Span {
        self.lines[usize::from(line.0)].link.reach(conn)
    }

    /// Whether an end of a link lies outside the bench: the far end of `way`.
    pub fn leads_out_at(&self, line: LineId, way: Way) -> bool {
        self.lines[usize::from(line.0)].outside[way.back().index()]
    }

    /// Hands a party over that leaves for another site.
    pub fn hand_over_seat(&mut self, seat: SeatId) -> Luggage<F> {
        let at = usize::from(seat.0);
        let name = &self.seats[at].name;
        Luggage {
            board: self.seats[at].board.clone(),
            census: self.census.place(at).clone(),
            done: self.armed.iter().map(|armed| armed.done && armed.is_of(name)).collect(),
            wall_step_us: self.seats[at].wall_step_us,
        }
    }

    /// Takes in a party that comes from another site.
    pub fn take_in_seat(&mut self, seat: SeatId, luggage: Luggage<F>) {
        let at = usize::from(seat.0);
        *self.census.place_mut(at) = luggage.census;
        for (armed, done) in self.armed.iter_mut().zip(luggage.done) {
            armed.done |= done;
        }
        let seat = &mut self.seats[at];
        seat.board = luggage.board;
        seat.wall_step_us = luggage.wall_step_us;
        self.refresh(at);
    }
}
