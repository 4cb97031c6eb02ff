//! Judges sales: POS-A2, POS-P3, POS-P8, and when they may be booked: POS-R1, POS-R7.

use assay_sim::pos::frame::{Key, Read, SaleTime, Seq, ServerMessage};
use assay_sim::time::{Instant, Span};

use super::terminal_bits::Moment;
use super::terminal_sale::{End, Next, Sale, Stage};
use super::terminal_sold::{Goods, Named, People, Wish};
use crate::finding::Findings;

/// How many wishes are kept that have not become a sale.
const WISHES_MAX: usize = 8;

/// A sale that is over.
#[derive(Clone, Debug)]
pub struct Past {
    /// What it was.
    pub named: Named,
    /// How it ended.
    pub end: End,
    /// Whether it was ever acknowledged.
    pub acked: bool,
    bytes: Vec<u8>,
    at: Instant,
    life: u32,
}

/// Whether a terminal's store is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is room for another record.
    Left,
    /// There may be none.
    Doubtful,
    /// There is none.
    None,
}

/// The sales of one terminal.
#[derive(Clone, Debug, Default)]
pub struct Sales {
    people: People,
    current: Option<Sale>,
    past: Vec<Past>,
    /// What people have asked for, and how often power had come then.
    wishes: Vec<(Goods, u32)>,
    last_time: Option<SaleTime>,
    /// How often power has come.
    life: u32,
    /// A tap must continue the pending sale: since when.
    continues: Option<Instant>,
    /// When a card or keys were last told to the server, whose silence is told like that of a sale.
    asked: Option<Instant>,
}

impl Sales {
    /// Power has come.
    pub fn power_on(&mut self, at: Instant) {
        self.life += 1;
        self.people = People::default();
        self.asked = None;
        if let Some(sale) = &mut self.current {
            sale.restart(at);
        }
    }

    /// Power has gone.
    pub fn power_off(&mut self, moment: &Moment<'_>) {
        self.continues = None;
        if let Some(sale) = &mut self.current {
            // It may have been booked or given up, and nobody was told.
            sale.doubt |= sale.is_at_the_edge(moment);
        }
    }

    /// It is not certain any more what the terminal makes of what comes.
    pub fn doubt(&mut self) {
        self.continues = None;
        if let Some(sale) = &mut self.current {
            sale.doubt = true;
        }
    }

    /// A 102 or 106 leaves.
    pub const fn asks(&mut self, at: Instant) {
        self.asked = Some(at);
    }

    /// What answers are about: nothing if the boundary does not tell.
    pub fn current(&self) -> Option<&Sale> {
        self.current.as_ref()
    }

    /// The sales that are over, and the one under way, that bear these goods.
    pub fn of_goods<'a>(&'a self, goods: &'a Goods) -> impl Iterator<Item = (&'a Named, End, bool)> {
        let past = self.past.iter().map(|past| (&past.named, past.end, past.acked));
        let now = self.current.iter().map(|sale| (&sale.named, End::Unknown, sale.acked_ever && !sale.doubt));
        past.chain(now).filter(move |(named, ..)| named.goods == *goods)
    }

    /// How many sales may have been booked without a word, as power went.
    pub fn silent(&self) -> usize {
        let money = |named: &Named| named.goods.card().is_some();
        let past = self.past.iter().filter(|past| past.end == End::Unknown && money(&past.named)).count();
        past + usize::from(self.current.as_ref().is_some_and(|sale| sale.doubt && money(&sale.named)))
    }

    /// A record went up that nobody was told of: the sale under way was booked.
    pub fn found_booked(&mut self, goods: &Goods, time: &Read<SaleTime>, at: Instant) {
        let is_it = |sale: &mut Sale| sale.named.goods == *goods && sale.named.time == *time;
        if let Some(sale) = self.current.take_if(is_it) {
            self.retire(sale, End::Booked, at);
        }
    }

    fn retire(&mut self, sale: Sale, end: End, at: Instant) {
        let Sale { named, bytes, acked_ever: acked, .. } = sale;
        self.past.push(Past { named, end, acked, bytes, at, life: self.life });
        self.continues = None;
    }

    /// Time has passed: what must have come by now?
    pub fn pass_time(&mut self, moment: &Moment<'_>, room: Room, findings: &mut Findings) {
        if let Some(since) = self.continues.filter(|since| moment.is_past(*since)) {
            self.continues = None;
            let message = self.current.as_ref().map(|sale| sale.last.1);
            findings.judge("POS-P3", false, || {
                let expected = "a tap with the same card and amount continues the pending sale at once";
                moment.violation(
                    "POS-P3",
                    expected,
                    format!("nothing left since {since}"),
                    message.as_slice(),
                )
            });
        }
        let times = &moment.scene.profile.terminal;
        let Some(sale) = self.current.as_mut().filter(|sale| !sale.doubt) else { return };
        let (next, from, span) = sale.next(times, moment.scene.profile.bench.ready_within);
        if !moment.is_overdue(from, span) {
            return;
        }
        sale.doubt = true;
        let sale = sale.clone();
        let (requirement, expected) = self.missing(next, &sale, room, moment);
        findings.judge(requirement, false, || {
            let actual = format!("nothing came of {} by {}", sale.named, moment.at);
            moment.violation(requirement, expected, actual, &[sale.last.1])
        });
    }

    fn missing(&self, next: Next, sale: &Sale, room: Room, moment: &Moment<'_>) -> (&'static str, String) {
        let times = &moment.scene.profile.terminal;
        match next {
            Next::Repeat => {
                let expected = format!("a message without 001 is sent {} times in all", times.sends_max);
                ("POS-A2", expected)
            }
            Next::End if is_bookable(&sale.named.goods, moment) => (
                self.of_booking(room),
                "word that the sale is booked off line, or that it cannot be".to_owned(),
            ),
            Next::End => ("POS-A2", "the round ends, and people are told so".to_owned()),
            Next::Fault => {
                let span = if sale.interim.is_some() { times.interim_timeout } else { times.reply_timeout };
                ("POS-P3", format!("a network fault is shown {span} after the last sign of life"))
            }
            Next::Round if sale.restarted => {
                ("POS-P3", "a pending sale is repeated after a loss of power".to_owned())
            }
            Next::Round => ("POS-P3", format!("a pending sale is repeated every {}", times.round)),
        }
    }

    /// The requirement by which a sale must be booked.
    fn of_booking(&self, room: Room) -> &'static str {
        // After a loss of power it is the white list that must have survived.
        if self.life > 1 || room == Room::None { "POS-R7" } else { "POS-R1" }
    }

    /// A line from people has come.
    pub fn asked(&mut self, line: &[u8], moment: &Moment<'_>, findings: &mut Findings) {
        let amount_max = moment.scene.profile.terminal.amount_max;
        let Wish::Sale(goods) = self.people.ask(line, moment.cast.spec.mode, amount_max) else { return };
        if let Some(sale) = self.current.as_ref().filter(|sale| !sale.doubt && sale.stage == Stage::Pending) {
            if sale.named.goods != goods {
                // Another sale must not start; that it does is seen when it does.
                moment.met("POS-P3", findings);
            } else if sale.rests(moment) && moment.calm.is_steady(moment.at, moment.at, moment.grace()) {
                self.continues = Some(moment.at);
            }
        }
        if self.wishes.len() >= WISHES_MAX {
            self.wishes.remove(0);
        }
        self.wishes.push((goods, self.life));
    }

    /// Whether an answer is one to the sale under way; nothing if the boundary does not tell.
    pub fn is_answered_by(&self, message: &ServerMessage) -> Option<bool> {
        let Some(sale) = &self.current else { return Some(false) };
        let named = match message {
            ServerMessage::Refused { key, .. } => sale.named.is_named_by(key),
            ServerMessage::Done { key, amount, .. } => {
                sale.named.is_named_by(key) && *amount == Ok(sale.named.goods.amount())
            }
            _ => false,
        };
        if sale.doubt { None } else { Some(named) }
    }

    /// Whether an 008 names a sale with another amount than its own, so that it was damaged on its way.
    pub fn is_spoilt(&self, message: &ServerMessage) -> bool {
        let ServerMessage::Done { key, amount, .. } = message else { return false };
        let meant = |named: &Named| *amount == Ok(named.goods.amount());
        if let Some(sale) = self.current.as_ref().filter(|sale| sale.named.is_named_by(key)) {
            return !meant(&sale.named);
        }
        let mut past = self.past.iter().filter(|past| past.named.is_named_by(key)).peekable();
        past.peek().is_some() && !past.any(|past| meant(&past.named))
    }

    /// 001 has come.
    pub fn acknowledged(&mut self, seq: &Seq, moment: &Moment<'_>) {
        let Some(sale) = self.current.as_mut().filter(|sale| sale.named.seq == *seq) else { return };
        let steady = moment.calm.is_steady(sale.last.0, moment.at, Span::ZERO);
        sale.doubt |= sale.is_at_the_edge(moment) || !steady;
        sale.acked_ever |= sale.sends > 0;
        if sale.sends > 0 && sale.acked.is_none() {
            sale.acked = Some(moment.at);
        }
    }

    /// 006 or 008 has come, for this machine.
    pub fn answered(&mut self, message: &ServerMessage, moment: &Moment<'_>) {
        let Some(sale) = &mut self.current else { return };
        let (named, interim) = match message {
            ServerMessage::Refused { key, .. } => (sale.named.is_named_by(key), false),
            ServerMessage::Done { key, amount, cue, .. } => {
                let named = sale.named.is_named_by(key) && *amount == Ok(sale.named.goods.amount());
                let interim = cue.secs == moment.scene.profile.terminal.interim_secs;
                (named, interim && matches!(key, Key::Code(_)))
            }
            _ => (false, false),
        };
        if !named {
            return;
        }
        sale.doubt |= sale.is_at_the_edge(moment);
        if !moment.calm.is_steady(moment.at, moment.at, Span::ZERO) {
            // What waits for a terminal that hangs may find the sale given up or booked.
            sale.doubt = true;
            return;
        }
        if interim {
            sale.interim = Some(moment.at);
            sale.acked_ever = true;
        } else if let Some(sale) = self.current.take() {
            let end = if sale.doubt { End::Unknown } else { End::Answered };
            self.retire(sale, end, moment.at);
        }
    }

    /// A 103, 104 or 128 leaves.
    pub fn sends(&mut self, named: Named, bytes: Vec<u8>, moment: &Moment<'_>, findings: &mut Findings) {
        if self.continues.is_some() && self.current.as_ref().is_some_and(|sale| sale.bytes == bytes) {
            moment.met("POS-P3", findings);
        }
        let Some(sale) = &mut self.current else { return self.begin(named, bytes, moment, findings) };
        if sale.bytes == bytes {
            let continued =
                self.continues.take().is_some() || self.wishes.iter().any(|(goods, _)| *goods == named.goods);
            self.wishes.retain(|(goods, _)| *goods != named.goods);
            repeat(sale, continued, moment, findings);
            return;
        }
        if sale.doubt {
            if let Some(sale) = self.current.take() {
                self.retire(sale, End::Unknown, moment.at);
            }
            return self.begin(named, bytes, moment, findings);
        }
        let evidence = [sale.last.1];
        let (requirement, expected) = match sale.stage {
            Stage::Trying if sale.named.is_same_sale(&named) => {
                ("POS-A2", "a message is repeated with the same sequence number")
            }
            _ if sale.named.goods == named.goods => {
                ("POS-P3", "the same message is repeated, with the same sequence number and time")
            }
            _ => ("POS-P3", "no other sale starts before the one under way is over"),
        };
        findings.judge(requirement, false, || {
            let actual = format!("{named} left as {} after {} as {}", named.seq, sale.named, sale.named.seq);
            moment.violation(requirement, expected, actual, &evidence)
        });
        if sale.named.goods == named.goods {
            sale.named = named;
            sale.bytes = bytes;
            sale.doubt = true;
        } else if let Some(sale) = self.current.take() {
            self.retire(sale, End::Unknown, moment.at);
            self.begin(named, bytes, moment, findings);
        }
    }

    /// A message leaves that is none of the sale under way.
    fn begin(&mut self, named: Named, bytes: Vec<u8>, moment: &Moment<'_>, findings: &mut Findings) {
        if let Some(past) = self.past.iter().rev().find(|past| past.bytes == bytes) {
            if past.life < self.life {
                // Its end may not have been durable; that it is asked about once more does no harm.
                let mut sale = Sale::begun(named, bytes, moment.at, moment.ordinal);
                sale.stage = Stage::Pending;
                sale.doubt = true;
                self.current = Some(sale);
            } else if moment.is_past(past.at) && past.end != End::Unknown {
                findings.judge("POS-A2", false, || {
                    let actual = format!("{named} left again");
                    moment.violation(
                        "POS-A2",
                        "a message whose round has ended is not sent again",
                        actual,
                        &[],
                    )
                });
            }
            return;
        }
        let wished = self.wishes.iter().position(|(goods, _)| *goods == named.goods);
        findings.judge("POS-P3", wished.is_some(), || {
            let expected = "the message that leaves is that of a sale which somebody asked for";
            moment.violation("POS-P3", expected, named.to_string(), &[])
        });
        let wish = wished.and_then(|at| self.wishes.drain(..=at).next_back());
        if let Some(last) = self.last_time {
            findings.judge("POS-P8", named.time.as_ref().is_ok_and(|time| *time > last), || {
                let expected = format!("a time later than that of the last sale, {last}");
                moment.violation("POS-P8", expected, named.to_string(), &[])
            });
        }
        if let Ok(time) = named.time {
            self.last_time = Some(self.last_time.map_or(time, |last| last.max(time)));
        }
        let mut sale = Sale::begun(named, bytes, moment.at, moment.ordinal);
        if wish.is_some_and(|(_, life)| life < self.life) {
            // It was durable, and power went before it left: it is found pending.
            sale.stage = Stage::Pending;
            sale.doubt = true;
        }
        self.current = Some(sale);
    }

    /// People are told that nobody answers.
    pub fn tells_fault(&mut self, moment: &Moment<'_>, room: Room, findings: &mut Findings) {
        let times = &moment.scene.profile.terminal;
        let question = times.ack_timeout * u64::from(times.sends_max) + times.reply_timeout;
        let of_question = self.asked.is_some_and(|at| !moment.is_overdue(at, question));
        let requirement = self.of_booking(room);
        let Some(sale) = &mut self.current else { return };
        if sale.doubt || of_question {
            sale.doubt = true;
            return;
        }
        let evidence = [sale.last.1];
        let (next, from, span) = sale.next(times, Span::ZERO);
        match (sale.stage, next) {
            (Stage::Pending, _) => {}
            (Stage::Trying, Next::Fault) => {
                findings.judge("POS-P3", !moment.is_early(from, span), || {
                    let expected = format!("an answer is waited for {span}");
                    moment.violation(
                        "POS-P3",
                        expected,
                        format!("a fault shown {} after", moment.at - from),
                        &evidence,
                    )
                });
                sale.become_pending(moment.at, times);
            }
            (Stage::Trying, _) => {
                judge_round(sale, moment, findings);
                let bookable = is_bookable(&sale.named.goods, moment) && room == Room::Left;
                findings.judge(requirement, !bookable, || {
                    let expected = "a sale of a card on the white list is booked off line";
                    moment.violation(requirement, expected, format!("{} was given up", sale.named), &evidence)
                });
                if let Some(sale) = self.current.take() {
                    self.retire(sale, End::GivenUp, moment.at);
                }
            }
        }
    }

    /// People are told that there is no room for a record.
    pub fn tells_full(&mut self, moment: &Moment<'_>, room: Room, findings: &mut Findings) {
        let Some(sale) = self.current.take_if(|sale| sale.stage == Stage::Trying) else { return };
        if !sale.doubt {
            judge_round(&sale, moment, findings);
        }
        findings.judge("POS-R7", room != Room::Left, || {
            let expected = "a sale is refused for want of room only when the store is full";
            moment.violation("POS-R7", expected, format!("{} was refused", sale.named), &[sale.last.1])
        });
        self.retire(sale, End::GivenUp, moment.at);
    }

    /// People are told that a sale is booked. What was, if it can be a record.
    ///
    /// Source: POS-R1, POS-R7, POS-P3.
    pub fn tells_booked(
        &mut self,
        amount: &str,
        moment: &Moment<'_>,
        room: Room,
        findings: &mut Findings,
    ) -> Option<Named> {
        let Some(sale) = self.current.take() else {
            findings.judge("POS-P3", false, || {
                let actual = format!("{amount} was shown as sold off line");
                moment.violation("POS-P3", "success is shown for a sale that is under way", actual, &[])
            });
            return None;
        };
        let evidence = [sale.last.1];
        let goods = &sale.named.goods;
        let actual = || format!("{} was shown as sold off line", sale.named);
        let scan = matches!(goods, Goods::Scan(..));
        findings.judge("POS-R7", !scan && room != Room::None, || {
            let expected =
                if scan { "a payment by code is not booked" } else { "a full store books nothing" };
            moment.violation("POS-R7", expected, actual(), &evidence)
        });
        if !scan {
            let sound = is_bookable(goods, moment) && goods.amount().to_string() == amount;
            findings.judge("POS-R1", sound, || {
                moment.violation("POS-R1", "only cards on the white list are booked", actual(), &evidence)
            });
        }
        if !sale.doubt {
            let unanswered = sale.stage == Stage::Trying && sale.is_unacknowledged();
            findings.judge("POS-P3", unanswered, || {
                moment.violation("POS-P3", "what was acknowledged is not booked", actual(), &evidence)
            });
            if unanswered {
                judge_round(&sale, moment, findings);
            }
        }
        let named = sale.named.clone();
        self.retire(sale, End::Booked, moment.at);
        (!scan).then_some(named)
    }
}

/// A message of the sale under way leaves again.
fn repeat(sale: &mut Sale, continued: bool, moment: &Moment<'_>, findings: &mut Findings) {
    let times = &moment.scene.profile.terminal;
    let evidence = [sale.last.1];
    let in_round = sale.sends > 0 && sale.sends < times.sends_max && sale.is_unacknowledged();
    // A tap within a round may be refused, and then the round goes on.
    let continued = continued && (!in_round || moment.is_early(sale.last.0, times.ack_timeout));
    let round = sale.stage == Stage::Pending && (sale.is_new_round(moment) || continued);
    if sale.doubt {
        // Nothing is certain but that it has left.
    } else if round {
        moment.met("POS-P3", findings);
    } else if in_round {
        findings.judge("POS-A2", !moment.is_early(sale.last.0, times.ack_timeout), || {
            let expected = format!("a message is repeated {} after it was sent", times.ack_timeout);
            moment.violation("POS-A2", expected, format!("after {}", moment.at - sale.last.0), &evidence)
        });
    } else {
        // What was just leaving when its 001 came has left.
        let crossed = sale.acked.or(sale.interim).is_some_and(|at| !moment.is_past(at));
        let steady = moment.calm.is_steady(sale.last.0, moment.at, moment.grace());
        findings.judge("POS-A2", crossed || !steady, || {
            let expected =
                "a round ends with its 001, or when the message was sent as often as the profile says";
            let actual = format!("{} left again after {} sends", sale.named, sale.sends);
            moment.violation("POS-A2", expected, actual, &evidence)
        });
    }
    if round {
        sale.begin_round(moment.at);
    }
    sale.sends = sale.sends.saturating_add(1);
    sale.last = (moment.at, moment.ordinal);
    sale.restarted = false;
}

/// A first round ends without 001: was it long enough?
fn judge_round(sale: &Sale, moment: &Moment<'_>, findings: &mut Findings) {
    let times = &moment.scene.profile.terminal;
    let sent = sale.sends >= times.sends_max;
    findings.judge("POS-A2", sent && !moment.is_early(sale.last.0, times.ack_timeout), || {
        let expected = format!("a round of {} sends, {} apart", times.sends_max, times.ack_timeout);
        let actual = format!("it ended {} after send {}", moment.at - sale.last.0, sale.sends);
        moment.violation("POS-A2", expected, actual, &[sale.last.1])
    });
}

/// Whether a sale may be booked off line.
fn is_bookable(goods: &Goods, moment: &Moment<'_>) -> bool {
    let white = |card| moment.scene.cards.iter().any(|(number, spec)| *number == card && spec.white);
    !matches!(goods, Goods::Scan(..)) && goods.card().is_some_and(white)
}
