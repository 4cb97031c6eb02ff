//! Whether a server's answers fit together: each order is offered on one base, closed once, and never offered again.
//!
//! The books of a server under test are its own claim, so they are inferred from what it was asked and what it
//! answered; see [`server_worlds`](super::server_worlds).
//!
//! Source: WAT-T5, WAT-T6, WAT-T7, WAT-I1, WAT-I2, WAT-F1.

use assay_sim::water::family::Water;
use std::collections::{BTreeMap, BTreeSet};

use assay_sim::card::number::CardNumber;
use assay_sim::money::Volume;
use assay_sim::tape::{Entry, Seen};
use assay_sim::water::frame::{Answer, Message, Offer, OrderNumber, RawFrame, Request, UploadState};
use assay_sim::water::party::Event;
use assay_sim::water::payments::PaymentLine;
use assay_sim::water::tariff::Pricing;

use super::server_account::{About, Account, Asked, Upload, answer_about, on_wire};
use super::server_ears::{Conn, Crossing, Ears, Noticed};
use super::server_offers::{Bench, OrderCase, Since, in_words, words};
use super::server_worlds::{Pending, Worlds};
use crate::finding::{Findings, Oracle};
use crate::water::scene::Scene;

/// Follows every card and order through the server's answers.
#[derive(Default)]
pub struct ServerLedger {
    ears: Ears,
    cards: BTreeMap<CardNumber, Card>,
    /// Which card an order was paid for, and by which price table.
    paid_for: BTreeMap<OrderNumber, (CardNumber, Pricing)>,
    conns: BTreeMap<Conn, Talk>,
    requests: u32,
    /// Whether power was cut, or a planned fault struck, since the run began.
    upset: bool,
    /// Whether nothing is known of what was paid for, so that only what its own answers say holds of the server.
    by_answers: bool,
}

#[derive(Default)]
struct Card {
    worlds: Worlds,
    since: Since,
    /// Nothing more can be told of it: an answer did not fit, or too much stayed unanswered.
    lost_track: bool,
    /// Uploads that were answered with state 1 at least once.
    left_open: BTreeSet<UploadKey>,
    /// Orders that were offered, each with what the card showed.
    offered: BTreeSet<(OrderNumber, Volume)>,
    /// Which order the server has called closed at which sold volume.
    closed_at: BTreeMap<Volume, OrderNumber>,
    /// Orders that the server has called closed.
    told_closed: BTreeSet<OrderNumber>,
    /// The last upload with its answer, for as long as nothing else was asked about the card.
    last_upload: Option<(UploadKey, Option<UploadState>)>,
}

type UploadKey = (OrderNumber, u8, Volume);

/// One connection's conversation.
#[derive(Default)]
struct Talk {
    unanswered: Vec<Open>,
    last_answer: Option<RawFrame>,
    /// What damaged frames said, as they read.
    damaged: Vec<Request>,
}

/// A request without an answer.
struct Open {
    id: u32,
    card: CardNumber,
    asked: Asked,
    /// What the same upload was answered before it, with nothing else asked in between.
    repeats: Option<UploadState>,
}

impl Oracle<Water> for ServerLedger {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        if matches!(entry.what, Seen::Struck { .. } | Seen::Power { on: false, .. }) {
            self.upset = true;
            self.cards.values_mut().for_each(|card| card.since.upset = true);
        }
        for noticed in self.ears.observe(entry, scene) {
            match noticed {
                Noticed::Asked(line) => self.payment(&line),
                Noticed::Told(line) => self.payment_answered(&line),
                Noticed::Frame { conn, what: Crossing::Heard(frame) } => self.heard(conn, &frame),
                Noticed::Frame { conn, what: Crossing::Damaged { frame, .. } } => self.damaged(conn, &frame),
                Noticed::Frame { conn, what: Crossing::Sent(frame) } => {
                    self.sent(conn, frame, &mut Bench { entry, findings });
                }
            }
        }
    }
}

impl ServerLedger {
    /// For a recording, which does not show what was paid for and may have begun at any time.
    pub fn of_recording() -> Self {
        Self { by_answers: true, ..Self::default() }
    }

    fn payment(&mut self, line: &PaymentLine) {
        let PaymentLine::Pay(payment) = line else { return };
        let (card, order, pricing) = (payment.card, payment.order, payment.pricing);
        let known = self.paid_for.entry(order).or_insert((card, pricing));
        let upset = self.upset;
        let card = self.cards.entry(card).or_insert_with(|| Card::new(upset));
        if known.0 == payment.card && !card.worlds.knows(order) {
            card.worlds.maybe_paid.insert(order, pricing);
        }
    }

    fn payment_answered(&mut self, line: &PaymentLine) {
        let (order, paid) = match line {
            PaymentLine::Paid { order, volume } => (*order, Some(*volume)),
            PaymentLine::Refused { order: Some(order), .. } => (*order, None),
            _ => return,
        };
        let Some((number, pricing)) = self.paid_for.get(&order) else { return };
        let Some(card) = self.cards.get_mut(number) else { return };
        match paid {
            Some(volume) => card.worlds.paid(order, *pricing, volume),
            None => {
                card.worlds.maybe_paid.remove(&order);
            }
        }
    }

    fn heard(&mut self, conn: Conn, frame: &RawFrame) {
        let Ok(Message::Request { pricing, request }) = Message::of(frame) else { return };
        let Some((number, asked)) = about_card(pricing, &request) else { return };
        self.requests += 1;
        let (id, upset) = (self.requests, self.upset);
        let card = self.cards.entry(number).or_insert_with(|| Card::new(upset));
        card.lost_track |= self.by_answers;
        let (said_open, repeats) = card.hears(&asked);
        card.worlds.pending.insert(id, Pending { asked, said_open });
        self.conns.entry(conn).or_default().unanswered.push(Open { id, card: number, asked, repeats });
    }

    fn damaged(&mut self, conn: Conn, frame: &RawFrame) {
        let Ok(Message::Request { pricing, request }) = Message::of(frame) else {
            self.cards.values_mut().for_each(|card| card.since.damaged = true);
            return;
        };
        if let Some((number, _)) = about_card(pricing, &request)
            && let Some(card) = self.cards.get_mut(&number)
        {
            card.since.damaged = true;
        }
        self.conns.entry(conn).or_default().damaged.push(request);
    }

    fn sent(&mut self, conn: Conn, frame: RawFrame, bench: &mut Bench<'_>) {
        let Ok(Message::Answer { answer, .. }) = Message::of(&frame) else { return };
        let talk = self.conns.entry(conn).or_default();
        let again = talk.last_answer.as_ref() == Some(&frame);
        talk.last_answer = Some(frame);
        let Some(about) = answer_about(&answer) else { return };
        let Some(at) = talk.unanswered.iter().position(|open| answers(open, &answer, about)) else {
            if !again {
                self.unasked(conn, &answer, about, bench);
            }
            return;
        };
        // What came before it on the connection is not answered any more.
        let open = talk.unanswered.drain(..=at).next_back();
        let Some(open) = open else { return };
        if let Some(card) = self.cards.get_mut(&open.card) {
            card.answered(&open, &answer, bench);
        }
    }

    /// An answer to nothing that was asked: if a damaged frame asked for it, that was acted upon.
    fn unasked(&mut self, conn: Conn, answer: &Answer, about: About, bench: &mut Bench<'_>) {
        let talk = self.conns.entry(conn).or_default();
        let asked = |request: &Request| match (request, about) {
            (Request::OrderRequest { card, .. } | Request::CardQuery { card, .. }, About::Card(about)) => {
                request.kind() == answer.kind() && *card == about
            }
            (Request::Upload { order, .. }, About::Order(about)) => *order == about,
            _ => false,
        };
        if talk.damaged.iter().any(asked) {
            let told = format!("it is answered: {}", words(answer));
            bench.judge("WAT-F1", false, || "no effect of a frame whose CRC is wrong".to_owned(), &told);
        }
        let number = match about {
            About::Card(card) => Some(card),
            About::Order(order) => self.paid_for.get(&order).map(|(card, _)| *card),
        };
        if let Some(card) = number.and_then(|number| self.cards.get_mut(&number)) {
            card.lost_track = true;
        }
    }
}

fn about_card(pricing: Pricing, request: &Request) -> Option<(CardNumber, Asked)> {
    Some(match *request {
        Request::OrderRequest { card, sold } => (card, Asked::Order { pricing, sold }),
        Request::Upload { card, order, result, sold } => {
            (card, Asked::Upload(Upload { order, result, sold }))
        }
        Request::CardQuery { card, .. } => (card, Asked::Query),
        _ => return None,
    })
}

fn answers(open: &Open, answer: &Answer, about: About) -> bool {
    match (&open.asked, answer) {
        (Asked::Order { .. }, Answer::OrderRequest { .. }) | (Asked::Query, Answer::CardQuery { .. }) => {
            about == About::Card(open.card)
        }
        (Asked::Upload(upload), Answer::Upload { .. }) => about == About::Order(upload.order),
        _ => false,
    }
}

impl Card {
    fn new(upset: bool) -> Self {
        Self { since: Since { upset, ..Since::default() }, ..Self::default() }
    }

    /// Takes note of a request: whether it is an upload that was once left open, and what it was answered if nothing
    /// but this very upload was heard since.
    fn hears(&mut self, asked: &Asked) -> (bool, Option<UploadState>) {
        let Asked::Upload(upload) = asked else {
            self.last_upload = None;
            return (false, None);
        };
        self.since.upload = true;
        let key = key(upload);
        let repeats = match self.last_upload {
            Some((last, state)) if last == key => state,
            _ => {
                self.last_upload = Some((key, None));
                None
            }
        };
        (self.left_open.contains(&key), repeats)
    }

    fn answered(&mut self, open: &Open, answer: &Answer, bench: &mut Bench<'_>) {
        self.plainly(open, answer, bench);
        if self.lost_track {
            self.worlds.pending.remove(&open.id);
            return;
        }
        let Some(candidates) = self.worlds.up_to(open.id) else {
            self.lost_track = true;
            return;
        };
        let before: Vec<Account> = Worlds::before(&candidates, open.id).into_iter().cloned().collect();
        let mut fits = self.worlds.answered(candidates, open.id, answer);
        match (&open.asked, answer) {
            (Asked::Order { sold, pricing }, Answer::OrderRequest { offer, base, .. }) => {
                let (sold, pricing, offer, base) = (*sold, *pricing, *offer, *base);
                let case = OrderCase { before: &before, sold, pricing, offer, base, answer };
                let blamed = case.judge(open.card, &mut self.since, bench);
                if !fits && !blamed {
                    self.blame(open.card, &before, answer, bench);
                }
            }
            (Asked::Upload(upload), Answer::Upload { state, .. }) => {
                fits = self.upload_answered(open, upload, *state, fits, bench);
            }
            _ if fits => self.confirmed(open.card, answer, bench),
            _ => self.blame(open.card, &before, answer, bench),
        }
        self.lost_track = !fits;
    }

    /// What holds whatever else can be told of the card: an order that was called closed is never offered again, nor
    /// one to a card that shows exactly what crediting it as offered before would give.
    fn plainly(&mut self, open: &Open, answer: &Answer, bench: &mut Bench<'_>) {
        let number = open.card;
        if let (
            Asked::Order { sold, .. },
            Answer::OrderRequest { offer: Offer::Paid { order, volume }, .. },
        ) = (&open.asked, answer)
        {
            let offered_on = |base: &Volume| self.offered.contains(&(*order, *base));
            let base = sold.0.checked_sub(volume.0).map(Volume);
            // Another order of the same volume may be what the card shows.
            let another = self.closed_at.get(sold).is_some_and(|closed| closed != order);
            let on_it = base.as_ref().is_some_and(offered_on) && !another;
            let expected =
                || format!("order {order}, {volume} t, is on card {number} already: it shows {sold} t");
            if on_it {
                bench.judge("WAT-I1", false, expected, &words(answer));
            }
            self.offered.insert((*order, *sold));
        }
        match answer {
            Answer::Upload { order, state: UploadState::Closed }
            | Answer::OrderRequest { offer: Offer::Done { order, .. }, .. } => {
                if let Asked::Order { sold, .. } | Asked::Upload(Upload { sold, .. }) = open.asked {
                    self.closed_at.entry(sold).or_insert(*order);
                }
                self.told_closed.insert(*order);
            }
            Answer::OrderRequest { offer: Offer::Paid { order, .. }, .. }
                if self.told_closed.contains(order) =>
            {
                let expected =
                    || format!("order {order} of card {number} was closed and is not offered again");
                bench.judge("WAT-I1", false, expected, &words(answer));
            }
            _ => {}
        }
    }

    fn upload_answered(
        &mut self,
        open: &Open,
        upload: &Upload,
        state: UploadState,
        fits: bool,
        bench: &mut Bench<'_>,
    ) -> bool {
        let same = open.repeats.is_none_or(|first| first == state);
        let expected = || match open.repeats {
            Some(first) if first != state => format!(
                "the same upload of order {} gets the same answer again: state {}",
                upload.order,
                on_wire(first)
            ),
            _ => format!(
                "order {} closed exactly if result 1 comes with sold = last + volume, and closed for good",
                upload.order
            ),
        };
        let actual = format!(
            "result {} with sold {} is answered with state {}",
            upload.result as u8,
            upload.sold,
            on_wire(state)
        );
        bench.judge("WAT-T5", fits && same, expected, &actual);
        let key = key(upload);
        if state == UploadState::Open {
            self.left_open.insert(key);
        }
        if let Some((last, said)) = &mut self.last_upload
            && *last == key
        {
            *said = Some(state);
        }
        fits && same
    }

    /// A card query has shown that nothing changed that should not have.
    fn confirmed(&mut self, number: CardNumber, answer: &Answer, bench: &mut Bench<'_>) {
        let since = std::mem::take(&mut self.since);
        let causes = [
            ("WAT-F1", since.damaged),
            ("WAT-T5", since.upload),
            ("WAT-T6", since.by_sold),
            ("WAT-I2", since.upset),
        ];
        for (requirement, _) in causes.into_iter().filter(|(_, there)| *there) {
            bench.judge(requirement, true, || format!("card {number} as before"), &words(answer));
        }
    }

    /// An answer fits none of what can have happened: the likeliest of what did is to blame.
    fn blame(&self, number: CardNumber, before: &[Account], answer: &Answer, bench: &mut Bench<'_>) {
        let since = self.since;
        let requirement = match since {
            Since { damaged: true, .. } => "WAT-F1",
            Since { upload: true, .. } => "WAT-T5",
            Since { by_sold: true, .. } => "WAT-T6",
            _ => "WAT-I2",
        };
        let expected = || {
            let mut books = format!("card {number}: ");
            books.push_str(&before.first().map(in_words).unwrap_or_default());
            books
        };
        bench.judge(requirement, false, expected, &words(answer));
    }
}

const fn key(upload: &Upload) -> UploadKey {
    (upload.order, upload.result as u8, upload.sold)
}
