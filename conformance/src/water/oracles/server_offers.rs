//! Whether an answered order request fits the books.
//!
//! Source: WAT-T6, WAT-T7, WAT-I1, WAT-I2.

use assay_sim::card::number::CardNumber;
use assay_sim::money::Volume;
use assay_sim::tape::Entry;
use assay_sim::water::frame::{Answer, Offer};
use assay_sim::water::party::Event;
use assay_sim::water::tariff::Pricing;

use super::server_account::{Account, State, on_wire};
use crate::finding::{Findings, Violation};

/// What has happened to a card since an answer last showed that its books are right.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Since {
    pub(super) damaged: bool,
    pub(super) upload: bool,
    pub(super) by_sold: bool,
    pub(super) upset: bool,
}

/// Where a judgement goes.
pub(super) struct Bench<'a> {
    pub(super) entry: &'a Entry<Event>,
    pub(super) findings: &'a mut Findings,
}

impl Bench<'_> {
    pub(super) fn judge(
        &mut self,
        requirement: &'static str,
        holds: bool,
        expected: impl FnOnce() -> String,
        actual: &str,
    ) {
        let (at, evidence) = (self.entry.at, vec![self.entry.ordinal]);
        self.findings.judge(requirement, holds, || Violation {
            requirement,
            expected: expected(),
            actual: actual.to_owned(),
            at,
            evidence,
        });
    }
}

/// An answered order request, against all that the books can have been.
pub(super) struct OrderCase<'a> {
    pub(super) before: &'a [Account],
    pub(super) sold: Volume,
    pub(super) pricing: Pricing,
    pub(super) offer: Offer,
    pub(super) base: Option<Volume>,
    pub(super) answer: &'a Answer,
}

impl OrderCase<'_> {
    fn all(&self, holds: impl Fn(&Account) -> bool) -> bool {
        !self.before.is_empty() && self.before.iter().all(holds)
    }

    /// Judges what the answer is in a position to violate; whether anything was violated.
    pub(super) fn judge(&self, card: CardNumber, since: &mut Since, bench: &mut Bench<'_>) -> bool {
        let (sold, told) = (self.sold, words(self.answer));
        let mut sound = true;
        if let Offer::Paid { order, volume } = self.offer {
            let contained = self.all(|account| account.contains(order, sold));
            let perhaps = self.all(|account| account.may_contain(volume, sold));
            bench.judge(
                "WAT-I1",
                !contained && !perhaps,
                || match perhaps {
                    true => format!("nothing offered while nothing explains that card {card} shows {sold} t"),
                    false => {
                        format!("order {order}, {volume} t, is on card {card} already and not offered again")
                    }
                },
                &told,
            );
            // An offer counts on what the card shows, and that must be what the ledger reckons with.
            let astray = self.all(|account| account.unexplained(sold));
            let base = self.base.is_none_or(|base| base == sold) && !astray;
            let two = self.all(|account| account.other_out(order, sold));
            bench.judge(
                "WAT-T7",
                !contained && !two && base,
                || match two {
                    true => format!("one order of card {card} at a time: another than {order} is out"),
                    false if astray => {
                        format!("no order on base {sold} t, with which the ledger does not reckon")
                    }
                    false => format!("order {order} on a base that does not contain it, which is {sold} t"),
                },
                &told,
            );
            sound = !contained && !perhaps && !two && base;
        } else if self.all(|account| account.unexplained(sold)) {
            bench.judge("WAT-I1", true, String::new, &told);
            bench.judge("WAT-T7", true, String::new, &told);
        }
        if self.all(|account| sold == account.last && account.due(self.pricing).is_some()) {
            let offered = matches!(self.offer, Offer::Paid { .. });
            let expected = || format!("a paid order is there for card {card}, and it is offered");
            bench.judge("WAT-I2", offered, expected, &told);
            sound &= offered;
        }
        if self.all(|account| account.credited(sold).is_some()) {
            since.by_sold = true;
            let closes = self.before.iter().any(|account| self.closes(account));
            bench.judge(
                "WAT-T6",
                closes,
                || {
                    format!(
                        "sold {sold} t shows the order that is out on card {card}: it is closed, state 2 or the next"
                    )
                },
                &told,
            );
            sound &= closes;
        }
        !sound
    }

    /// Whether the answer says that the order which `sold` shows is closed.
    fn closes(&self, account: &Account) -> bool {
        let Some(credited) = account.credited(self.sold) else { return false };
        match self.offer {
            Offer::Done { order, .. } => order == credited.number,
            Offer::Paid { order, .. } => order != credited.number,
            Offer::None | Offer::Refused => false,
        }
    }
}

/// An answer in words.
pub(super) fn words(answer: &Answer) -> String {
    match answer {
        Answer::OrderRequest { offer, base, .. } => {
            let base = base.map_or_else(String::new, |base| format!(" on base {base}"));
            match offer {
                Offer::None => format!("state 0, no order{base}"),
                Offer::Paid { order, volume } => format!("state 1, order {order}, {volume} t{base}"),
                Offer::Done { order, volume } => format!("state 2, order {order}, {volume} t{base}"),
                Offer::Refused => format!("state 3, refused{base}"),
            }
        }
        Answer::Upload { order, state } => format!("order {order}, state {}", on_wire(*state)),
        Answer::CardQuery { sold, open_orders, .. } => format!("sold {sold} t, {open_orders} open orders"),
        other => format!("{other:?}"),
    }
}

pub(super) fn in_words(account: &Account) -> String {
    let open = account.orders.iter().filter(|line| !matches!(line.state, State::Closed(_))).count();
    format!("{} t by its closed orders, and {open} open", account.last)
}
