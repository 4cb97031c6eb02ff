//! Power that comes and goes, and cards that do.

use super::layout::EndSpec;
use super::routes::Route;
use super::seat::Given;
use super::{Family, Tabletop, line_id, seat_id, supply_id};
use crate::fault::Way;
use crate::link::Link;
use crate::machine::{Board, Machine, Output, Torn};
use crate::tape::{SeatId, Seen};
use crate::time::Instant;

impl<F: Family> Tabletop<F> {
    pub(super) fn cut_supply(&mut self, at: usize, torn: Torn) {
        self.supplies[at].cuts += 1;
        if self.supplies[at].cuts == 1 {
            self.tape.push(self.now, Seen::Power { supply: supply_id(at), on: false });
            for seat in self.supplies[at].feeds.clone() {
                self.power_off(usize::from(seat.0), torn);
            }
        }
    }

    pub(super) fn restore_supply(&mut self, at: usize) {
        if self.supplies[at].cuts == 0 {
            return;
        }
        self.supplies[at].cuts -= 1;
        if self.supplies[at].cuts > 0 {
            return;
        }
        self.tape.push(self.now, Seen::Power { supply: supply_id(at), on: true });
        for seat in self.supplies[at].feeds.clone() {
            self.reboot(usize::from(seat.0));
        }
    }

    /// One reason less for a party to be without power.
    pub(super) fn reboot(&mut self, index: usize) {
        let seat = &mut self.seats[index];
        seat.unpowered = seat.unpowered.saturating_sub(1);
        if seat.unpowered > 0 {
            return;
        }
        for at in 0..self.seats[index].routes.len() {
            let route = self.seats[index].routes[at];
            let now = self.now;
            self.link_now(route.line).handle_end_back(now, route.way);
        }
        self.trace_input(index, &Given::PowerOn);
        self.hand_over(index, self.now, Given::PowerOn);
        self.tell_presence(index);
    }

    /// A card switch shows a card that was already there when power came.
    fn tell_presence(&mut self, index: usize) {
        for at in 0..self.seats[index].routes.len() {
            let route = self.seats[index].routes[at];
            let ends = self.lines[route.line].ends;
            if let (Way::AtoB, Some(port), Some(_)) = (route.way, ends[0].presence, ends[1].seat) {
                self.give(index, Given::Level { port, high: true });
            }
        }
    }

    /// One reason more for a party to be without power: everything volatile goes.
    pub(super) fn power_off(&mut self, index: usize, torn: Torn) {
        for at in 0..self.seats[index].routes.len() {
            if self.seats[index].is_on() {
                let Route { line, way, .. } = self.seats[index].routes[at];
                self.flush_end(line, way);
            }
        }
        self.seats[index].unpowered += 1;
        if self.seats[index].unpowered > 1 {
            return;
        }
        self.cut_board(index, torn);
        self.seats[index].torn = torn;
        self.seats[index].hung_until = Instant::ZERO;
        for at in 0..self.seats[index].routes.len() {
            let Route { line, way, .. } = self.seats[index].routes[at];
            let now = self.now;
            self.link_now(line).handle_end_lost(now, way);
            self.trace_lost(line);
            let wired = &mut self.lines[line];
            wired.refresh_feeds(way);
            let card = wired.ends[1].seat;
            if let (Link::Air(_), Way::AtoB, Some(card)) = (&wired.link, way, card) {
                self.lose_field(line, usize::from(card.0), Way::AtoB, torn);
            }
        }
        self.refresh(index);
    }

    /// What is stored stays as it is now; what was still to be done never is. What the cut itself did to the board's
    /// storage is noted.
    fn cut_board(&mut self, index: usize, torn: Torn) {
        self.pass_steps(index, self.now);
        self.trace_cut(index);
        let seat = &mut self.seats[index];
        seat.board.cut(self.now, torn);
        while seat.board.poll_step().is_some() {}
        while let Some(output) = seat.board.poll_output() {
            if let Output::Event(event) = output.what {
                self.tape.push(self.now, Seen::Noted { seat: seat_id(index), event });
            }
        }
        seat.steps.clear();
        seat.outbox.clear();
        seat.inbox.clear();
        seat.timer_seen = None;
    }

    /// Field and card part, because the near end of `lost` is gone: each end hears how far the other had got, then the
    /// card is without power, and what it may have answered is not heard.
    fn lose_field(&mut self, line: usize, card: usize, lost: Way, torn: Torn) {
        for round in 0..2 {
            while let Some(delivery) = self.lines[line].link.poll_delivery(self.now) {
                if round == 0 || delivery.way == Way::BtoA {
                    self.deliver(line, delivery);
                }
            }
            if round == 0 {
                if self.seats[card].board.is_on() {
                    self.cut_board(card, torn);
                }
                let now = self.now;
                self.link_now(line).handle_end_lost(now, lost);
            }
        }
        self.refresh(card);
    }

    pub(super) fn plug_in(&mut self, line: usize, card: SeatId) {
        if !matches!(self.lines[line].link, Link::Air(_)) {
            return;
        }
        for other in 0..self.lines.len() {
            let here = matches!(self.lines[other].link, Link::Air(_))
                && self.lines[other].ends[1].seat == Some(card);
            if other == line || here {
                self.pull_out(other, Torn::default());
            }
        }
        let now = self.now;
        self.link_now(line).handle_card(now);
        let wired = &mut self.lines[line];
        wired.ends[1].seat = Some(card);
        let EndSpec { seat: reader, presence, .. } = wired.ends[0];
        let port = wired.ends[1].port;
        let route = Route { first: port.0, count: 1, line, way: Way::BtoA };
        self.seats[usize::from(card.0)].routes.push(route);
        self.tape.push(self.now, Seen::Plug { line: line_id(line), seat: card, present: true });
        if let (Some(reader), Some(port)) = (reader, presence) {
            self.give(usize::from(reader.0), Given::Level { port, high: true });
        }
    }

    /// Takes a card out of whatever field it is in.
    pub fn take_out(&mut self, card: SeatId) {
        for line in 0..self.lines.len() {
            if matches!(self.lines[line].link, Link::Air(_)) && self.lines[line].ends[1].seat == Some(card) {
                self.pull_out(line, Torn::default());
            }
        }
    }

    pub(super) fn pull_out(&mut self, line: usize, torn: Torn) {
        let Some(card) = self.lines[line].ends[1].seat else { return };
        let now = self.now;
        self.link_now(line).handle_end_lost(now, Way::BtoA);
        self.lose_field(line, usize::from(card.0), Way::BtoA, torn);
        if self.lines[line].ends[1].seat != Some(card) {
            return;
        }
        self.lines[line].ends[1].seat = None;
        self.seats[usize::from(card.0)].routes.forget(line);
        self.tape.push(self.now, Seen::Plug { line: line_id(line), seat: card, present: false });
        let EndSpec { seat, presence, .. } = self.lines[line].ends[0];
        if let (Some(reader), Some(port)) = (seat, presence) {
            self.give(usize::from(reader.0), Given::Level { port, high: false });
        }
    }
}
