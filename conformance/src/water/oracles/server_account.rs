//! The books of a server for one card, and what follows from them.
//!
//! Source: WAT-T5, WAT-T6.

use assay_sim::card::number::CardNumber;
use assay_sim::money::Volume;
use assay_sim::water::frame::{Answer, Offer, OrderNumber, UploadState, WriteResult};
use assay_sim::water::tariff::Pricing;

/// What a terminal asked about a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Which order there is for it.
    Order {
        /// By which price table the terminal asks.
        pricing: Pricing,
        /// What the card shows.
        sold: Volume,
    },
    /// What became of an order.
    Upload(Upload),
    /// What is known of the card.
    Query,
}

/// A result upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upload {
    /// For which order.
    pub order: OrderNumber,
    /// What became of it.
    pub result: WriteResult,
    /// What the card shows.
    pub sold: Volume,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Paid, and never offered.
    Paid,
    /// Offered.
    Out,
    /// Closed, when the card showed this.
    Closed(Volume),
}

/// One order of the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Its number.
    pub number: OrderNumber,
    /// By which price table it was paid.
    pub pricing: Pricing,
    /// What it is worth, once somebody was told.
    pub volume: Option<Volume>,
    /// How far it has come.
    pub state: State,
}

/// The books for one card.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// What the card shows by its closed orders.
    pub last: Volume,
    /// Its orders, oldest first.
    pub orders: Vec<Line>,
}

/// What the server says by these books; a volume that nobody was told yet is left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// There is no order.
    Nothing,
    /// This order is to be credited.
    Offers(OrderNumber, Option<Volume>),
    /// This order was credited.
    Done(OrderNumber, Option<Volume>),
    /// The office must look.
    Refuses,
    /// What became of the upload's order: 1, 2 or 3 as on the wire.
    Upload(u8),
    /// The last closed volume, and how many orders are open.
    Account(Volume, u16),
}

impl Account {
    /// An order.
    pub fn line(&self, number: OrderNumber) -> Option<&Line> {
        self.orders.iter().find(|line| line.number == number)
    }

    /// The order that is out and by which a card comes to show `sold`.
    pub fn credited(&self, sold: Volume) -> Option<&Line> {
        let explains =
            |line: &&Line| line.volume.and_then(|volume| self.last.checked_add(volume)) == Some(sold);
        self.orders.iter().filter(|line| line.state == State::Out).find(explains)
    }

    /// Whether neither the closed orders nor the one that is out explain that a card shows `sold`.
    pub fn unexplained(&self, sold: Volume) -> bool {
        let unknown = |line: &Line| line.state == State::Out && line.volume.is_none();
        sold != self.last && self.credited(sold).is_none() && !self.orders.iter().any(unknown)
    }

    /// Whether a card that shows `sold` has so much on it that no closed order explains that this order may be there.
    pub fn may_contain(&self, volume: Volume, sold: Volume) -> bool {
        self.unexplained(sold) && self.last.checked_add(volume).is_some_and(|credited| credited <= sold)
    }

    /// Whether a card that shows `sold` has this order on it already.
    pub fn contains(&self, number: OrderNumber, sold: Volume) -> bool {
        let closed = self.line(number).is_some_and(|line| matches!(line.state, State::Closed(_)));
        closed || self.credited(sold).is_some_and(|line| line.number == number)
    }

    /// Whether another order than this one is out, and is not on a card that shows `sold`.
    pub fn other_out(&self, number: OrderNumber, sold: Volume) -> bool {
        let credited = self.credited(sold).map(|line| line.number);
        let other =
            |line: &Line| line.state == State::Out && line.number != number && Some(line.number) != credited;
        self.orders.iter().any(other)
    }

    fn with(&self, number: OrderNumber, change: impl FnOnce(&mut Self, usize)) -> Self {
        let mut changed = self.clone();
        if let Some(at) = changed.orders.iter().position(|line| line.number == number) {
            change(&mut changed, at);
        }
        changed
    }

    fn closing(&self, number: OrderNumber, sold: Volume) -> Self {
        self.with(number, |account, at| {
            account.orders[at].state = State::Closed(sold);
            account.last = sold;
        })
    }

    fn offering(&self, number: OrderNumber) -> Self {
        self.with(number, |account, at| account.orders[at].state = State::Out)
    }

    /// What may follow from a request: the books afterwards, and what the server says.
    pub fn steps(&self, asked: &Asked, said_open: bool) -> Vec<(Self, Said)> {
        match asked {
            Asked::Order { pricing, sold } => self.order_steps(*pricing, *sold),
            Asked::Upload(upload) => self.upload_steps(upload, said_open),
            Asked::Query => {
                let open = self.orders.iter().filter(|line| !matches!(line.state, State::Closed(_)));
                let open = u16::try_from(open.count()).unwrap_or(u16::MAX);
                vec![(self.clone(), Said::Account(self.last, open))]
            }
        }
    }

    /// Offering one of the orders: the one that is out, or else any that was paid by this price table.
    ///
    /// Why any: no requirement says which order is to be the first.
    fn offers(&self, pricing: Pricing) -> Vec<(Self, Said)> {
        let out = self.orders.iter().any(|line| line.state == State::Out);
        let state = if out { State::Out } else { State::Paid };
        let fits = |line: &&Line| line.state == state && line.pricing == pricing;
        let offered = |line: &Line| (self.offering(line.number), Said::Offers(line.number, line.volume));
        let mut steps: Vec<_> = self.orders.iter().filter(fits).map(offered).collect();
        if self.due(pricing).is_none() {
            steps.push((self.clone(), Said::Nothing));
        }
        steps
    }

    /// The order that must be offered to a card which shows what its closed orders say, if it is of this price table.
    pub fn due(&self, pricing: Pricing) -> Option<&Line> {
        let open = || self.orders.iter().filter(|line| !matches!(line.state, State::Closed(_)));
        let out = open().find(|line| line.state == State::Out);
        out.or_else(|| open().next()).filter(|line| line.pricing == pricing)
    }

    fn order_steps(&self, pricing: Pricing, sold: Volume) -> Vec<(Self, Said)> {
        if sold == self.last {
            return self.offers(pricing);
        }
        if let Some(line) = self.credited(sold) {
            let (number, volume) = (line.number, line.volume);
            let closed = self.closing(number, sold);
            // Whether the next order is offered at once is left to the server.
            let mut steps = closed.offers(pricing);
            steps.retain(|(_, said)| *said != Said::Nothing);
            steps.push((closed, Said::Done(number, volume)));
            return steps;
        }
        // State 3 is what the ledger's rules ask for; state 0 does no harm either.
        let mut steps = vec![(self.clone(), Said::Refuses), (self.clone(), Said::Nothing)];
        for line in self.orders.iter().filter(|line| line.state == State::Out && line.volume.is_none()) {
            let closed = self.closing(line.number, sold);
            steps.extend(closed.offers(pricing));
            steps.push((closed, Said::Done(line.number, None)));
        }
        steps
    }

    /// `said_open` is whether the same upload was once answered with state 1, which a repetition may get again.
    fn upload_steps(&self, upload: &Upload, said_open: bool) -> Vec<(Self, Said)> {
        let stays = |state| (self.clone(), Said::Upload(state));
        let Some(line) = self.line(upload.order) else { return vec![stays(3)] };
        if let State::Closed(at) = line.state {
            let contradicts = upload.result == WriteResult::Written && upload.sold != at;
            let states = [Some(2), said_open.then_some(1), contradicts.then_some(3)];
            return states.into_iter().flatten().map(stays).collect();
        }
        let out = line.state == State::Out;
        let credited = line.volume.map(|volume| self.last.checked_add(volume) == Some(upload.sold));
        match (upload.result, credited) {
            (WriteResult::Failed, _) => vec![stays(1)],
            (WriteResult::InDoubt, _) if out => vec![stays(1)],
            (WriteResult::InDoubt, _) => vec![stays(1), stays(3)],
            (WriteResult::Written, Some(false)) => vec![stays(1), stays(3)],
            (WriteResult::Written, credited) => {
                let mut steps = vec![(self.closing(upload.order, upload.sold), Said::Upload(2))];
                // Nobody can have credited what was never offered; both readings of that are sound.
                if !out || credited.is_none() {
                    steps.push(stays(3));
                }
                steps
            }
        }
    }

    /// Takes over what an answer tells that the books did not know; whether the two agree.
    pub fn agrees(&mut self, said: Said, answer: &Answer) -> bool {
        let same = |known: Option<Volume>, told: Volume| known.is_none_or(|known| known == told);
        let (order, volume) = match (said, answer) {
            (Said::Nothing, Answer::OrderRequest { offer: Offer::None, .. })
            | (Said::Refuses, Answer::OrderRequest { offer: Offer::Refused, .. }) => return true,
            (
                Said::Offers(number, known),
                Answer::OrderRequest { offer: Offer::Paid { order, volume }, .. },
            )
            | (
                Said::Done(number, known),
                Answer::OrderRequest { offer: Offer::Done { order, volume }, .. },
            ) if number == *order && same(known, *volume) => (number, *volume),
            (Said::Upload(state), Answer::Upload { state: told, .. }) => return state == on_wire(*told),
            (Said::Account(last, open), Answer::CardQuery { sold, open_orders, .. }) => {
                return last == *sold && open == *open_orders;
            }
            _ => return false,
        };
        *self = self.with(order, |account, at| account.orders[at].volume = Some(volume));
        true
    }
}

/// An upload's state as the wire has it.
pub const fn on_wire(state: UploadState) -> u8 {
    match state {
        UploadState::Open => 1,
        UploadState::Closed => 2,
        UploadState::SetAside => 3,
    }
}

/// Whom an answer is for, where it says so.
pub fn answer_about(answer: &Answer) -> Option<About> {
    match answer {
        Answer::OrderRequest { card, .. } | Answer::CardQuery { card, .. } => Some(About::Card(*card)),
        Answer::Upload { order, .. } => Some(About::Order(*order)),
        _ => None,
    }
}

/// What a message about a card names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The card.
    Card(CardNumber),
    /// One of its orders.
    Order(OrderNumber),
}
