//! Whether every order reaches an end that both ends agree on, nothing told is forgotten, and the log has it all.
//!
//! Source: PAY-O1, PAY-O2, PAY-O3, PAY-O5, PAY-I2.

use std::collections::{BTreeMap, BTreeSet};

use assay_sim::money::Fen;
use assay_sim::payments::observe::PlatformSeen;
use assay_sim::paymod::family::Paymod;
use assay_sim::paymod::frame::{HostMessage, OrderNumber, Terms, command, status};
use assay_sim::paymod::host::HostEvent;
use assay_sim::paymod::observe::{BookedSeen, Observed, StoredSeen};
use assay_sim::paymod::party::Event;
use assay_sim::paymod::platform::PlatformEvent;
use assay_sim::paymod::platform_line::{Verb, Word};
use assay_sim::paymod::server::books::{Standing, order_of};
use assay_sim::paymod::store::State;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Instant;

use super::judge;
use super::talk::{Said, Talk};
use crate::finding::{Findings, Oracle};
use crate::paymod::SETTLED;
use crate::paymod::scene::Scene;

/// The judge of orders.
#[derive(Default)]
pub struct Orders {
    talk: Talk,
    /// What the host asked for, and whether the module has said that it has it.
    asked: BTreeMap<OrderNumber, (Terms, bool)>,
    /// Statuses that the server has sent of an order, and what its module has told of deliveries.
    server_said: BTreeSet<(OrderNumber, u8)>,
    delivered: BTreeSet<(OrderNumber, u8)>,
    /// Orders that the server has asked the platform for.
    called: BTreeSet<OrderNumber>,
    /// Which order a call that makes one is about, by connection; and orders that the platform has refused.
    calls: BTreeMap<u16, OrderNumber>,
    refused: BTreeSet<OrderNumber>,
    /// Orders of which the module was told that they are closed.
    closed: BTreeSet<OrderNumber>,
    /// Whether anybody has lost power.
    cut: bool,
    /// What the vending machine shows.
    shown: BTreeMap<OrderNumber, (u8, u64)>,
    /// When an order was paid of which the host does not know.
    paid: BTreeMap<OrderNumber, (Instant, u64)>,
    platform: PlatformSeen,
    books: Option<Vec<BookedSeen>>,
    /// What the module's flash holds, once it was read.
    flash: Option<Vec<StoredSeen>>,
    settled: bool,
}

impl Oracle<Paymod> for Orders {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        for said in self.talk.observe(entry, scene) {
            self.said(&said);
        }
        match &entry.what {
            Seen::Case(words) if words == SETTLED => self.settled = true,
            Seen::Power { on: false, .. } => self.cut = true,
            Seen::Noted { event: Event::Host(HostEvent::Shown { order, status, .. }), .. } => {
                self.shown.insert(*order, (*status, entry.ordinal));
                match *status {
                    status::PAID => self.paid_told(*order, entry, scene, findings),
                    status::CLOSED => {
                        judge(findings, entry, "PAY-O1", self.closed.contains(order), || {
                            (
                                format!("order {order} shown as closed when the server says so"),
                                "before".to_owned(),
                            )
                        });
                    }
                    _ => {}
                }
            }
            Seen::Noted { event: Event::Platform(PlatformEvent::Payer(words)), .. } => {
                let number = words.rsplit(' ').next().filter(|_| words.contains("paid"));
                if let Some((order, _)) = number.and_then(order_of) {
                    self.paid.insert(order, (entry.at, entry.ordinal));
                }
            }
            Seen::Noted { event: Event::Observed(observed), .. } => match observed {
                Observed::Platform(seen) => {
                    self.platform = (**seen).clone();
                    (self.books, self.flash) = (None, None);
                    self.judge_platform(entry, scene, findings);
                }
                Observed::Books(books) => {
                    self.books = Some(books.clone());
                    self.judge_books(books, entry, findings);
                    self.judge_ends(entry, scene, findings);
                }
                Observed::Flash(flash) => {
                    self.flash = Some(flash.clone().unwrap_or_default());
                    self.judge_ends(entry, scene, findings);
                }
            },
            _ => {}
        }
    }
}

/// The order and its amount, as violations name them.
fn named(order: OrderNumber, amount: Fen) -> String {
    format!("order {order}, {amount}")
}

impl Orders {
    fn said(&mut self, said: &Said) {
        match said {
            Said::ToModule(_, Some(HostMessage::Pay { order, terms })) => {
                self.asked.entry(*order).or_insert((*terms, false));
            }
            // The answer names no order; what is told unasked does.
            Said::FromModule(_, HostMessage::PayAnswer { .. }) => {
                if let Some((_, has)) = self.asked.values_mut().next_back() {
                    *has = true;
                }
            }
            Said::FromModule(_, HostMessage::Status { order, .. }) => {
                if let Some((_, has)) = self.asked.get_mut(order) {
                    *has = true;
                }
            }
            Said::FromServer(_, body) => {
                if let (Some(order), Some(status)) = (body.order, body.status) {
                    // An acknowledgement repeats what it was asked.
                    if body.command != command::PUSH | command::ANSWER {
                        self.server_said.insert((order, status));
                    }
                }
            }
            Said::ToServer(_, _, Some(body)) => {
                if let (Some(order), Some(delivery)) = (body.order, body.delivery) {
                    self.delivered.insert((order, delivery));
                }
            }
            Said::Call(conn, call) if call.verb == Verb::Precreate => {
                if let Some((order, _)) = order_of(&call.number) {
                    self.called.insert(order);
                    self.calls.insert(*conn, order);
                }
            }
            Said::Word(conn, Word::Refused(code))
                if !matches!(code.as_str(), "SYSTEMERROR" | "BANKERROR") =>
            {
                self.refused.extend(self.calls.get(conn));
            }
            Said::Answered(_, _, Some(body)) => {
                if let (Some(order), Some(status::CLOSED)) = (body.order, body.status) {
                    self.closed.insert(order);
                }
            }
            _ => {}
        }
    }

    /// The host knows that an order is paid: in time, where nothing was lost on the way.
    fn paid_told(
        &mut self,
        order: OrderNumber,
        entry: &Entry<Event>,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let Some((at, _)) = self.paid.remove(&order) else { return };
        if self.cut || !scene.plan.strikes.is_empty() {
            return;
        }
        let (within, took) = (scene.profile.bench.paid_told_within, entry.at.since(at));
        judge(findings, entry, "PAY-O3", took <= within, || {
            (format!("order {order} shown as paid within {within}"), format!("{took} after it was paid"))
        });
    }

    fn judge_platform(&self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if !self.settled {
            return;
        }
        let mut made: BTreeMap<OrderNumber, Vec<&str>> = BTreeMap::new();
        for one in &self.platform.orders {
            let Some((order, _)) = order_of(&one.number) else { continue };
            made.entry(order).or_default().push(&one.number);
            judge(findings, entry, "PAY-O5", !one.state.is_open(), || {
                (
                    format!("{}, come to its end at the platform", named(order, one.amount)),
                    format!("it is {}", one.state.as_str()),
                )
            });
        }
        for (order, numbers) in made {
            judge(findings, entry, "PAY-O5", numbers.len() == 1, || {
                (format!("order {order} under one number"), numbers.join(", "))
            });
        }
        // What a fault has held up comes when the platform no longer expects it.
        let struck = !scene.plan.strikes.is_empty();
        for (what, number) in self.platform.findings.iter().filter(|_| !struck) {
            judge(findings, entry, "PAY-O5", false, || {
                (
                    format!("order {} asked about as the platform allows", number.escape_debug()),
                    what.as_str().to_owned(),
                )
            });
        }
    }

    fn judge_books(&self, books: &[BookedSeen], entry: &Entry<Event>, findings: &mut Findings) {
        if !self.settled {
            return;
        }
        self.judge_told(books, entry, findings);
        for one in books {
            judge_entry(one, entry, findings);
        }
    }

    /// What the server has told is in its log.
    fn judge_told(&self, books: &[BookedSeen], entry: &Entry<Event>, findings: &mut Findings) {
        let find = |order| books.iter().find(|one| one.order == order);
        for order in &self.called {
            judge(findings, entry, "PAY-O2", find(*order).is_some(), || {
                (
                    format!("order {order} kept, for which the platform was asked"),
                    "it is forgotten".to_owned(),
                )
            });
        }
        for one in books.iter().filter(|one| one.standing == Standing::Refused) {
            if self.called.contains(&one.order) {
                judge(findings, entry, "PAY-O5", self.refused.contains(&one.order), || {
                    let expected = format!("{}, refused by the platform", named(one.order, one.amount));
                    (expected, "it has not said so, and the server has refused it".to_owned())
                });
            }
        }
        for (order, status) in &self.server_said {
            let Some(needed) = standing_behind(*status) else { continue };
            let log = find(*order).map(|one| one.log.as_slice()).unwrap_or_default();
            let has = log.iter().any(|standing| needed.contains(standing));
            let words = || {
                (
                    format!("order {order} in the log as \"{}\", as it was told", status::words(*status)),
                    format!("{:?}", log.iter().map(|one| one.as_str()).collect::<Vec<_>>()),
                )
            };
            judge(findings, entry, "PAY-O2", has, words);
            judge(findings, entry, "PAY-I2", has, words);
        }
        for (order, delivery) in &self.delivered {
            let log = find(*order).map(|one| one.log.as_slice()).unwrap_or_default();
            let needed = if *delivery == status::PAID { Standing::Delivered } else { Standing::Doubt };
            let known = log.contains(&needed) || log.contains(&Standing::Refunded);
            judge(findings, entry, "PAY-I2", known, || {
                (format!("order {order} in the log as {}", needed.as_str()), "it is not".to_owned())
            });
        }
    }

    /// How orders have ended at both ends, once all has been read that can be.
    fn judge_ends(&self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        match (&self.books, &self.flash) {
            _ if !self.settled => {}
            (_, Some(flash)) => self.judge_flash(flash, entry, findings),
            (Some(books), None) if !scene.has_flash => self.judge_shown(books, entry, findings),
            _ => {}
        }
    }

    /// What the host shows is the module's word, where its flash cannot be read.
    fn judge_shown(&self, books: &[BookedSeen], entry: &Entry<Event>, findings: &mut Findings) {
        for one in books.iter().filter(|one| self.asked.contains_key(&one.order)) {
            let Some((shown, _)) = self.shown.get(&one.order) else { continue };
            judge(findings, entry, "PAY-O1", agree(*shown, one.standing), || {
                (
                    format!("{}, the same at both ends", named(one.order, one.amount)),
                    format!(
                        "the host shows \"{}\", at the server it is {}",
                        status::words(*shown),
                        one.standing.as_str()
                    ),
                )
            });
        }
    }

    fn judge_flash(&self, stored: &[StoredSeen], entry: &Entry<Event>, findings: &mut Findings) {
        for (order, (terms, has)) in &self.asked {
            let amount = Fen(i64::from(terms.amount));
            let kept = stored.iter().find(|one| one.order == *order);
            if *has {
                judge(findings, entry, "PAY-O2", kept.is_some(), || {
                    (
                        format!("{}, kept, of which the host was told", named(*order, amount)),
                        "it is forgotten".to_owned(),
                    )
                });
            }
            let Some(kept) = kept else { continue };
            let ended = end_of(kept);
            judge(findings, entry, "PAY-O1", ended.is_some(), || {
                (
                    format!("{}, come to its end", named(*order, amount)),
                    format!("in the module it is {}", kept.state.as_str()),
                )
            });
            let at_server =
                self.books.as_ref().and_then(|books| books.iter().find(|one| one.order == *order));
            if let (Some(ended), Some(booked)) = (ended, at_server) {
                judge(findings, entry, "PAY-O1", agree(ended, booked.standing), || {
                    (
                        format!("{}, the same at both ends", named(*order, amount)),
                        format!(
                            "in the module it is {}, at the server {}",
                            kept.standing.as_str(),
                            booked.standing.as_str()
                        ),
                    )
                });
            }
            if let (Some(ended), Some((shown, _))) = (ended, self.shown.get(order)) {
                judge(findings, entry, "PAY-O4", *shown == ended, || {
                    (
                        format!("{}, shown as it ended: {}", named(*order, amount), status::words(ended)),
                        format!("the host shows \"{}\"", status::words(*shown)),
                    )
                });
            }
        }
    }
}

/// Judges an order of the log by itself.
fn judge_entry(one: &BookedSeen, entry: &Entry<Event>, findings: &mut Findings) {
    judge(findings, entry, "PAY-I2", is_in_order(&one.log), || {
        (
            format!("{}, each change of its state in order", named(one.order, one.amount)),
            format!("{:?}", one.log.iter().map(|one| one.as_str()).collect::<Vec<_>>()),
        )
    });
    judge(findings, entry, "PAY-O3", one.booked <= 1, || {
        (format!("{}, booked once", named(one.order, one.amount)), format!("booked {} times", one.booked))
    });
    let over = !one.standing.is_open() && !matches!(one.standing, Standing::Refunding | Standing::Doubt);
    judge(findings, entry, "PAY-O1", over, || {
        (
            format!("{}, come to its end", named(one.order, one.amount)),
            format!("at the server it is {}", one.standing.as_str()),
        )
    });
}

/// Which states of the log stand behind a status that a server sends.
fn standing_behind(status: u8) -> Option<&'static [Standing]> {
    Some(match status {
        status::LINK_READY => &[Standing::Offered],
        status::PAID => &[Standing::Paid],
        status::CLOSED => &[Standing::Closed],
        status::REFUNDED => &[Standing::Refunded],
        status::DOUBT => &[Standing::Doubt],
        _ => return None,
    })
}

/// Whether states follow one another as they can.
fn is_in_order(log: &[Standing]) -> bool {
    use Standing::{Closed, Closing, Created, Delivered, Doubt, Offered, Paid, Refunded, Refunding, Refused};
    let follows = |from: Standing, to: Standing| match from {
        Created => matches!(to, Offered | Closing | Paid | Closed | Refused | Created | Refunded),
        Offered => matches!(to, Paid | Closing | Closed | Refunded | Created),
        Closing => matches!(to, Paid | Closed | Refunded),
        Paid => matches!(to, Delivered | Doubt),
        Doubt => matches!(to, Refunding | Refunded),
        Closed | Refused => to == Refunding,
        Refunding => to == Refunded,
        Delivered | Refunded => false,
    };
    log.first() == Some(&Created) && log.windows(2).all(|pair| follows(pair[0], pair[1]))
}

/// How an order ended in the module, as a status; nothing if it has not.
fn end_of(kept: &StoredSeen) -> Option<u8> {
    match kept.standing {
        State::Paid if kept.terms.relay == 0 => Some(status::PAID),
        State::Delivered => Some(status::PAID),
        State::Closed => Some(status::CLOSED),
        State::Refused => Some(status::REFUSED),
        State::Refunded => Some(status::REFUNDED),
        _ => None,
    }
}

/// Whether module and server say the same.
fn agree(ended: u8, standing: Standing) -> bool {
    match ended {
        status::PAID => matches!(standing, Standing::Paid | Standing::Delivered),
        status::CLOSED => standing == Standing::Closed,
        status::REFUSED => standing == Standing::Refused,
        status::REFUNDED => standing == Standing::Refunded,
        _ => false,
    }
}
