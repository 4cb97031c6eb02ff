//! What the books of a server can be for one card, by all that it was asked and all that it answered.
//!
//! A request that has no answer may have been taken or not: every course that agrees with the answers is a [`World`].
//! A server is at fault when no world is left.

use std::collections::{BTreeMap, BTreeSet};

use assay_sim::money::Volume;
use assay_sim::water::frame::{Answer, OrderNumber};
use assay_sim::water::tariff::Pricing;

use super::server_account::{Account, Asked, Line, Said, State};

/// One course of things: the books, and what was said in it to requests whose answers were not seen yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct World {
    /// The books.
    pub account: Account,
    said: BTreeMap<u32, Said>,
}

/// A request without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What was asked.
    pub asked: Asked,
    /// Whether the same upload was once answered with state 1.
    pub said_open: bool,
}

/// Every course of things for one card.
#[derive(Clone, Debug)]
pub struct Worlds {
    worlds: BTreeSet<World>,
    /// Requests without an answer, by number.
    pub pending: BTreeMap<u32, Pending>,
    /// Orders whose payment has reached the server and has no answer yet.
    pub maybe_paid: BTreeMap<OrderNumber, Pricing>,
}

/// More courses than this are not followed: what happened cannot be told any more.
const WORLDS_MAX: usize = 4_096;
/// More requests without an answer than this are not followed either.
const PENDING_MAX: usize = 6;

impl Default for Worlds {
    fn default() -> Self {
        let worlds = BTreeSet::from([World::default()]);
        Self { worlds, pending: BTreeMap::new(), maybe_paid: BTreeMap::new() }
    }
}

impl Worlds {
    /// The server has confirmed a payment.
    pub fn paid(&mut self, number: OrderNumber, pricing: Pricing, volume: Volume) {
        self.maybe_paid.remove(&number);
        let worlds = std::mem::take(&mut self.worlds);
        self.worlds = worlds
            .into_iter()
            .map(|mut world| {
                match world.account.orders.iter_mut().find(|line| line.number == number) {
                    Some(line) => line.volume = Some(volume),
                    None => {
                        let line = Line { number, pricing, volume: Some(volume), state: State::Paid };
                        world.account.orders.push(line);
                    }
                }
                world
            })
            .collect();
    }

    /// Whether an order is known in any course.
    pub fn knows(&self, number: OrderNumber) -> bool {
        self.worlds.iter().any(|world| world.account.line(number).is_some())
    }

    /// Every course in which a request has not been taken yet, or has; `None` when there are too many.
    pub fn up_to(&self, target: u32) -> Option<Vec<World>> {
        if self.pending.len() > PENDING_MAX || self.maybe_paid.len() > 2 {
            return None;
        }
        let mut all = self.worlds.clone();
        let mut fresh: Vec<World> = all.iter().cloned().collect();
        while let Some(world) = fresh.pop() {
            for next in self.moves(&world, target) {
                if all.insert(next.clone()) {
                    fresh.push(next);
                }
            }
            if all.len() > WORLDS_MAX {
                return None;
            }
        }
        Some(all.into_iter().collect())
    }

    /// What may happen in a course before `target` is taken.
    fn moves(&self, world: &World, target: u32) -> Vec<World> {
        let mut moves = Vec::new();
        if world.said.contains_key(&target) {
            return moves;
        }
        for (number, pricing) in &self.maybe_paid {
            if world.account.line(*number).is_none() {
                let mut paid = world.clone();
                let (number, pricing) = (*number, *pricing);
                paid.account.orders.push(Line { number, pricing, volume: None, state: State::Paid });
                moves.push(paid);
            }
        }
        for (id, pending) in &self.pending {
            if *id == target || world.said.contains_key(id) {
                continue;
            }
            for (account, said) in world.account.steps(&pending.asked, pending.said_open) {
                let mut next = World { account, said: world.said.clone() };
                next.said.insert(*id, said);
                moves.push(next);
            }
        }
        moves
    }

    /// The books as they can have been when a request was taken.
    pub fn before(candidates: &[World], target: u32) -> Vec<&Account> {
        let open = candidates.iter().filter(|world| !world.said.contains_key(&target));
        open.map(|world| &world.account).collect()
    }

    /// The server has answered a request: only the courses stay in which that is what it says. Whether any is left.
    pub fn answered(&mut self, candidates: Vec<World>, target: u32, answer: &Answer) -> bool {
        let Some(pending) = self.pending.remove(&target) else { return false };
        let mut left = BTreeSet::new();
        for mut world in candidates {
            if let Some(said) = world.said.remove(&target) {
                if world.account.agrees(said, answer) {
                    left.insert(world);
                }
                continue;
            }
            for (mut account, said) in world.account.steps(&pending.asked, pending.said_open) {
                if account.agrees(said, answer) {
                    left.insert(World { account, said: world.said.clone() });
                }
            }
        }
        let any = !left.is_empty();
        self.worlds = left;
        any
    }
}

#[cfg(test)]
mod tests {
    use assay_sim::card::number::CardNumber;
    use assay_sim::water::frame::{Offer, UploadState, WriteResult};

    use super::super::server_account::Upload;
    use super::*;

    fn order(number: u128) -> OrderNumber {
        OrderNumber::new(number).unwrap()
    }

    fn worlds() -> Worlds {
        let mut worlds = Worlds::default();
        worlds.paid(order(7), Pricing::Flat, Volume(100));
        worlds
    }

    fn card() -> CardNumber {
        CardNumber::parse(b"0012345678").unwrap()
    }

    fn ask(worlds: &mut Worlds, id: u32, asked: Asked) {
        worlds.pending.insert(id, Pending { asked, said_open: false });
    }

    fn hear(worlds: &mut Worlds, id: u32, answer: &Answer) -> bool {
        let candidates = worlds.up_to(id).unwrap();
        worlds.answered(candidates, id, answer)
    }

    fn request(sold: u32) -> Asked {
        Asked::Order { pricing: Pricing::Flat, sold: Volume(sold) }
    }

    fn written(sold: u32) -> Asked {
        Asked::Upload(Upload { order: order(7), result: WriteResult::Written, sold: Volume(sold) })
    }

    fn offer(volume: u32) -> Answer {
        let offer = Offer::Paid { order: order(7), volume: Volume(volume) };
        Answer::OrderRequest { card: card(), offer, base: None }
    }

    fn query(sold: u32, open_orders: u16) -> Answer {
        Answer::CardQuery { card: card(), sold: Volume(sold), open_orders }
    }

    fn state(state: UploadState) -> Answer {
        Answer::Upload { order: order(7), state }
    }

    #[test]
    fn one_course_follows_from_answers_alone() {
        let mut worlds = worlds();
        ask(&mut worlds, 1, request(0));
        assert!(hear(&mut worlds, 1, &offer(100)));
        ask(&mut worlds, 2, written(100));
        assert!(hear(&mut worlds, 2, &state(UploadState::Closed)));
        ask(&mut worlds, 3, Asked::Query);
        assert!(hear(&mut worlds.clone(), 3, &query(100, 0)));
        for wrong in [query(200, 0), query(100, 1), query(0, 0)] {
            assert!(!hear(&mut worlds.clone(), 3, &wrong));
        }
    }

    #[test]
    fn a_request_without_an_answer_may_have_been_taken_or_not() {
        let mut worlds = worlds();
        ask(&mut worlds, 1, request(0));
        assert!(hear(&mut worlds, 1, &offer(100)));
        ask(&mut worlds, 2, written(100));
        ask(&mut worlds, 3, Asked::Query);
        let (mut taken, mut lost) = (worlds.clone(), worlds.clone());
        assert!(hear(&mut taken, 3, &query(100, 0)));
        assert!(hear(&mut lost, 3, &query(0, 1)));
        assert!(!hear(&mut worlds, 3, &query(0, 0)));
        // Once an answer has shown that it was taken, it stays so.
        ask(&mut taken, 4, Asked::Query);
        assert!(!hear(&mut taken, 4, &query(0, 1)));
        // Where it was not, it may be taken still.
        ask(&mut lost, 4, Asked::Query);
        assert!(hear(&mut lost, 4, &query(100, 0)));
    }

    #[test]
    fn a_payment_without_an_answer_may_stand_or_not() {
        let mut worlds = Worlds::default();
        worlds.maybe_paid.insert(order(7), Pricing::Flat);
        ask(&mut worlds, 1, request(0));
        let mut stands = worlds.clone();
        assert!(hear(&mut stands, 1, &offer(100)));
        ask(&mut stands, 2, written(100));
        assert!(!hear(&mut stands, 2, &state(UploadState::SetAside)));
        let nothing = Answer::OrderRequest { card: card(), offer: Offer::None, base: None };
        assert!(hear(&mut worlds, 1, &nothing));
    }

    #[test]
    fn what_the_sold_volume_shows_closes_the_order_that_is_out() {
        let mut worlds = worlds();
        ask(&mut worlds, 1, request(0));
        assert!(hear(&mut worlds, 1, &offer(100)));
        ask(&mut worlds, 2, request(100));
        let done = Offer::Done { order: order(7), volume: Volume(100) };
        let answers = [
            (Answer::OrderRequest { card: card(), offer: done, base: None }, true),
            (Answer::OrderRequest { card: card(), offer: Offer::Refused, base: None }, false),
            (offer(100), false),
        ];
        for (answer, sound) in answers {
            assert_eq!(hear(&mut worlds.clone(), 2, &answer), sound, "{answer:?}");
        }
    }
}
