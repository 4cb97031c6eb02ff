//! Whether payments are answered: at all, with the right word, the same again, and as often as it takes.
//!
//! Source: POS-A3, POS-A5, POS-P2, POS-P4, POS-P5, POS-P7, POS-R5, POS-X1, POS-X3, POS-X4, POS-M1.

use assay_sim::pos::books::{Device, SaleId, Sold, Standing};
use assay_sim::pos::family::Pos;
use assay_sim::pos::frame::Confirmed;
use assay_sim::pos::observe::Observed;
use assay_sim::pos::party::Event;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::{Instant, Span};

use super::server_books::{judge_ledger, left};
use super::server_desk::{About, Calls, Desk, Noticed, Said, SaleSeen};
use super::server_ears::{Unsound, in_words};
use super::server_round::{Confirm, Round};
use crate::finding::{Findings, Oracle, Violation};
use crate::pos::scene::Scene;

/// Follows every payment from its message to the books.
#[derive(Default)]
pub struct ServerSales {
    desk: Desk,
    due: Vec<Due>,
    /// Repeats that call for no answer.
    silent: Vec<(SaleId, Instant, u64)>,
}

/// An answer that is due.
struct Due {
    about: About,
    calls: Calls,
    at: Instant,
    ordinal: u64,
    /// The datagram before it that was no message, if the server has said nothing since.
    junk: Option<u64>,
}

/// Where an entry stands, and where findings go.
struct Place<'a> {
    scene: &'a Scene,
    at: Instant,
    ordinal: u64,
    findings: &'a mut Findings,
}

impl Place<'_> {
    /// Judges what this entry shows, together with earlier ones.
    fn judge(
        &mut self,
        requirement: &'static str,
        holds: bool,
        evidence: &[u64],
        words: impl FnOnce() -> (String, String),
    ) {
        let (at, ordinal) = (self.at, self.ordinal);
        self.findings.judge(requirement, holds, || {
            let (expected, actual) = words();
            let evidence = evidence.iter().copied().chain([ordinal]).collect();
            Violation { requirement, expected, actual, at, evidence }
        });
    }
}

impl Oracle<Pos> for ServerSales {
    fn observe(&mut self, entry: &Entry<Event>, scene: &Scene, findings: &mut Findings) {
        self.expire(entry.at, scene, findings);
        if let Seen::Noted { event: Event::Observed(Observed::Ledger(ledger)), .. } = &entry.what {
            judge_ledger(&self.desk, ledger, entry, scene, findings);
        }
        let mut place = Place { scene, at: entry.at, ordinal: entry.ordinal, findings };
        match self.desk.observe(entry, scene) {
            Noticed::Nothing => {}
            Noticed::Upset => {
                self.due.clear();
                self.silent.clear();
            }
            Noticed::Payment { about, calls } => self.asked(about, calls, &place),
            Noticed::Said(said) => self.said(&said, &mut place),
        }
    }

    fn finish(&mut self, at: Instant, scene: &Scene, findings: &mut Findings) {
        self.expire(at, scene, findings);
    }
}

impl ServerSales {
    fn asked(&mut self, about: About, calls: Calls, place: &Place<'_>) {
        let (at, ordinal) = (place.at, place.ordinal);
        self.supersede(&about, calls, place);
        match (&about, calls) {
            (_, Calls::Either) => {}
            (About::Sale(id), Calls::Nothing) => {
                if self.is_over(id, place) {
                    self.silent.push((id.clone(), at, ordinal));
                }
            }
            // Nothing says how a payment is answered whose time there is not.
            (About::Unsound(place), _) if self.desk.unsound[*place].why == Unsound::Time => {}
            _ => {
                let junk = self.desk.calm.mute;
                self.due.push(Due { about, calls, at, ordinal, junk });
            }
        }
    }

    /// A newer sale of a machine makes `001` alone due for those before it.
    ///
    /// Why: a server that hangs takes them all in at once, when it has answered none of them.
    fn supersede(&mut self, about: &About, calls: Calls, place: &Place<'_>) {
        let newer = matches!(calls, Calls::First | Calls::AfterRecord);
        let About::Sale(SaleId { device, .. }) = about else { return };
        if newer && self.desk.calm.hung(place.at) {
            self.due.retain(|due| due.about == *about || self.desk.owner(&due.about) != Some(device));
        }
    }

    /// Whether no sending of a sale's answer can be on its way for an earlier reason.
    fn is_over(&self, id: &SaleId, place: &Place<'_>) -> bool {
        let server = &place.scene.profile.server;
        let all = server.confirm_timeout * u64::from(server.sends_max) + place.scene.profile.bench.tolerance;
        let sale = self.desk.sales.get(id);
        let quiet = |said: Instant| self.desk.calm.due(said, all) < place.at;
        // A server that hangs sends what was due before it reads what comes meanwhile.
        let awake = !self.desk.calm.hung(place.at);
        awake && sale.is_none_or(|sale| sale.confirm == Confirm::Sure || sale.said_at.is_none_or(quiet))
    }

    fn said(&mut self, said: &Said, place: &mut Place<'_>) {
        let about = &said.about;
        if said.what == Confirmed::Display && said.device.is_none() {
            return;
        }
        self.settle_due(about, place);
        let silent = |(id, ..): &&(SaleId, Instant, u64)| About::Sale(id.clone()) == *about;
        if let Some((id, _, asked)) = self.silent.iter().find(silent).cloned() {
            place.judge("POS-A3", false, &[asked], || {
                let expected = "001 alone: the sale is confirmed, or the machine has made a newer one";
                (expected.to_owned(), format!("another answer about {}", in_words(&id)))
            });
            self.silent.retain(|(known, ..)| *known != id);
        }
        let shared = said.device.as_ref().is_some_and(|device| self.shares_number(device));
        if said.device.is_some() {
            for (requirement, tested) in [("POS-X3", true), ("POS-M1", shared)] {
                if tested {
                    let to = path_in_words(said.path, place.scene);
                    place.judge(requirement, said.in_place, &[], || {
                        ("an answer to where the device was heard".to_owned(), format!("one to {to}"))
                    });
                }
            }
        }
        match about {
            About::Nothing => place.judge("POS-P2", false, &[], || {
                ("an answer to what was asked".to_owned(), "one about a sale that nobody has made".to_owned())
            }),
            About::Sale(id) if !said.interim => self.ended(id, said, place),
            About::Unsound(number) => self.refused_for_good(*number, said, place),
            About::Sale(_) | About::Tap => {}
        }
        self.count_sends(said, place);
    }

    /// What was due is there.
    fn settle_due(&mut self, about: &About, place: &mut Place<'_>) {
        for due in self.due.extract_if(.., |due| due.about == *about) {
            let variant =
                matches!(about, About::Sale(id) if self.desk.sales.get(id).is_some_and(|sale| sale.variant));
            for requirement in due.requirements(variant) {
                place.judge(requirement, true, &[], || unreachable!("it holds"));
            }
        }
    }

    /// A sale is said to be made or refused.
    fn ended(&self, id: &SaleId, said: &Said, place: &mut Place<'_>) {
        let Some(sale) = self.desk.sales.get(id) else { return };
        let made = said.what == Confirmed::Done;
        // Two sales that differ in nothing but the device's serial number, which was damaged on its way, have the same
        // answers: whose this is nobody can say.
        let twin = |(other, seen): (&SaleId, &SaleSeen)| {
            other.device != id.device
                && seen.machine == sale.machine
                && (&other.sold, other.at) == (&id.sold, id.at)
        };
        let twinned = self.desk.sales.iter().any(twin);
        let before = sale.finals.len().checked_sub(2).and_then(|last| sale.finals.get(last));
        let before = before.filter(|_| !twinned);
        let stored = !sale.records.is_empty();
        if let Some((was_made, ordinal, bytes)) = before {
            let excused = stored && !was_made && made;
            place.judge("POS-P2", *was_made == made || excused, &[*ordinal], || {
                let word = |made: bool| if made { "made" } else { "refused" };
                (format!("{}: {}", in_words(id), word(*was_made)), format!("{} as well", word(made)))
            });
            let same = sale.finals.last().is_some_and(|(.., last)| last == bytes);
            if *was_made == made {
                place.judge("POS-A3", same, &[*ordinal], || {
                    let expected = format!("the same answer about {}", in_words(id));
                    (expected, "one in other words, as if the sale were new".to_owned())
                });
            }
        } else if !stored && !twinned {
            self.first_word(id, sale, said, place);
        }
        if let Sold::Count(_) = id.sold
            && made
        {
            let named = said.amount.as_ref().and_then(|amount| amount.as_ref().ok());
            place.judge("POS-P7", named.is_some_and(|amount| amount.0 == 0), &sale.payments, || {
                let actual = named.map_or("no amount".to_owned(), ToString::to_string);
                (format!("0.00 as the amount of {}", in_words(id)), actual)
            });
        }
        if sale.finals.len() == 1 && stored {
            place.judge("POS-R5", made, &sale.records, || {
                (format!("008: {} was stored as a record before", in_words(id)), "006".to_owned())
            });
        }
    }

    /// The first final answer to a payment tells whether the card is good for it.
    fn first_word(&self, id: &SaleId, sale: &SaleSeen, said: &Said, place: &mut Place<'_>) {
        let (card, asked) = match id.sold {
            Sold::Money(card, amount) => (card, amount.0),
            Sold::Count(card) => (card, 1),
            Sold::Code(..) => return,
        };
        let made = said.what == Confirmed::Done;
        let account =
            place.scene.cards.iter().find(|(number, _)| *number == card).map(|(_, spec)| spec.account);
        let (most, least) = left(&self.desk, id, place.scene);
        let (must_refuse, why) = match account.map(|account| account.standing) {
            None => (true, "unknown".to_owned()),
            Some(Standing::Lost) => (true, "reported lost".to_owned()),
            Some(Standing::Expired) => (true, "expired".to_owned()),
            Some(Standing::Good) => (asked > most, format!("good for {}", amount_in(id, most))),
        };
        let may_refuse = must_refuse || asked > least;
        let holds = if made { !must_refuse } else { may_refuse && !said.text.is_empty() };
        place.judge("POS-P4", holds, &sale.payments, || {
            let expected = match (must_refuse, may_refuse) {
                (true, _) => format!("006 with a reason for {}: the card is {why}", in_words(id)),
                (false, true) => format!("a reason with the 006 for {}", in_words(id)),
                (false, false) => format!("008 for {}: the card is {why}", in_words(id)),
            };
            (
                expected,
                if made { "008".to_owned() } else { format!("006 with {} bytes of text", said.text.len()) },
            )
        });
    }

    /// An answer to what can never be a sale.
    fn refused_for_good(&self, number: usize, said: &Said, place: &mut Place<'_>) {
        let Some(seen) = self.desk.unsound.get(number) else { return };
        let refused = said.what == Confirmed::Refused;
        let (requirement, wrong) = match seen.why {
            Unsound::Amount => ("POS-P5", "the amount is none"),
            Unsound::Card => ("POS-P4", "the card's number is none"),
            Unsound::Time => ("POS-X1", "there is no such time"),
        };
        place.judge(requirement, refused, &[seen.ordinal], || {
            let amount = said.amount.as_ref().map_or_else(String::new, |amount| match amount {
                Ok(amount) => format!(" with the amount {amount}"),
                Err(bytes) => format!(" with the amount {}", bytes.escape_ascii()),
            });
            (format!("006, because {wrong}"), format!("008{amount}"))
        });
    }

    /// How often an answer is sent, and how far apart.
    fn count_sends(&self, said: &Said, place: &mut Place<'_>) {
        let server = &place.scene.profile.server;
        let tolerance = place.scene.profile.bench.tolerance;
        let Some(device) = said.device.as_ref().filter(|device| self.desk.is_alone(device)) else { return };
        let Some(round) = self.desk.devices.get(device).and_then(|known| known.round.as_ref()) else {
            return;
        };
        let most = usize::from(server.sends_max) * round.asked;
        if round.sends.len() == most + 1 {
            let first = &round.sends[0];
            place.judge("POS-A5", false, &[first.0], || {
                let expected = format!("an answer {} times in all", server.sends_max);
                (expected, format!("{} times", round.sends.len()))
            });
        }
        let late =
            round.confirmed_at.filter(|at| round.asked == 1 && self.desk.calm.due(*at, tolerance) < place.at);
        if let Some(confirmed) = late {
            place.judge("POS-A5", false, &[], || {
                let expected = format!("no more of an answer that was confirmed at {confirmed}");
                (expected, "another sending".to_owned())
            });
        }
        if let [.., (_, before), (_, last)] = round.sends[..]
            && round.asked == 1
            && server.confirm_timeout > tolerance
            && !self.desk.calm.hung(before)
        {
            place.judge("POS-A5", last >= before + (server.confirm_timeout - tolerance), &[], || {
                let expected = format!("the next sending {} after the one before", server.confirm_timeout);
                (expected, format!("{} after it", last.since(before)))
            });
        }
        if round.sends.len() - round.before == usize::from(server.sends_max) {
            place.judge("POS-A5", true, &[], || unreachable!("it holds"));
        }
    }

    fn expire(&mut self, now: Instant, scene: &Scene, findings: &mut Findings) {
        let profile = &scene.profile;
        let tolerance = profile.bench.tolerance;
        let within = profile.terminal.reply_timeout + tolerance;
        let desk = &self.desk;
        for due in self.due.extract_if(.., |due| desk.calm.due(due.at, within) < now) {
            let at = desk.calm.due(due.at, within);
            let (variant, words) = match &due.about {
                About::Sale(id) => (desk.sales.get(id).is_some_and(|sale| sale.variant), in_words(id)),
                _ => (false, "a payment that can be no sale".to_owned()),
            };
            let mute = desk.calm.mute.is_some();
            for requirement in due.requirements(variant).filter(|id| !mute || *id == "POS-X1") {
                findings.judge(requirement, false, || Violation {
                    requirement,
                    expected: format!("a 006 or 008 for {words} until {at}"),
                    actual: "none".to_owned(),
                    at,
                    evidence: due.junk.into_iter().chain([due.ordinal]).collect(),
                });
            }
        }
        for _ in self.silent.extract_if(.., |(_, asked, _)| desk.calm.due(*asked, tolerance) < now) {
            findings.judge("POS-A3", true, || unreachable!("it holds"));
        }
        self.expire_rounds(now, scene, findings);
    }

    /// An answer that nobody confirms has to be sent again.
    fn expire_rounds(&mut self, now: Instant, scene: &Scene, findings: &mut Findings) {
        let server = &scene.profile.server;
        let within = server.confirm_timeout + scene.profile.bench.tolerance;
        if self.desk.calm.mute.is_some() {
            return;
        }
        let most = usize::from(server.sends_max);
        let over: Vec<Device> = self
            .desk
            .devices
            .iter()
            .filter(|(_, known)| {
                known.round.as_ref().is_some_and(|round| self.is_ripe(round, now, within, most))
            })
            .map(|(of, _)| of.clone())
            .collect();
        for device in over.into_iter().filter(|device| self.desk.is_alone(device)).collect::<Vec<_>>() {
            let Some(known) = self.desk.devices.get_mut(&device) else { continue };
            let Some(round) = &mut known.round else { continue };
            let Some((_, last)) = round.sends.last() else { continue };
            let sent = round.sends.len() - round.before;
            let at = self.desk.calm.due(round.confirmed_at.unwrap_or(*last), within);
            if round.has_ended() {
                round.judged = true;
                findings.judge("POS-A5", true, || unreachable!("it holds"));
            }
            if !round.is_open() || sent >= most {
                continue;
            }
            round.judged = true;
            findings.judge("POS-A5", false, || Violation {
                requirement: "POS-A5",
                expected: format!("an answer that nobody confirms {} times in all", server.sends_max),
                actual: format!("{sent} times until {at}"),
                at,
                evidence: round.sends.iter().map(|(ordinal, _)| *ordinal).collect(),
            });
        }
    }

    /// Whether there is something to say of a round by now.
    fn is_ripe(&self, round: &Round, now: Instant, within: Span, most: usize) -> bool {
        let Some((_, last)) = round.sends.last().filter(|_| !round.judged) else { return false };
        let wanting = round.is_open() && round.sends.len() - round.before < most;
        let at = self.desk.calm.due(round.confirmed_at.unwrap_or(*last), within);
        (wanting || round.has_ended()) && at < now
    }

    /// Whether another device bears the same number.
    fn shares_number(&self, device: &Device) -> bool {
        let machine = self.desk.devices.get(device).map(|known| known.machine);
        self.desk.devices.iter().any(|(other, known)| other != device && Some(known.machine) == machine)
    }
}

impl Due {
    /// What it puts to the test.
    fn requirements(&self, variant: bool) -> impl Iterator<Item = &'static str> {
        let main = match (self.calls, &self.about) {
            (Calls::Again, _) => "POS-A3",
            (Calls::AfterRecord, _) => "POS-R5",
            _ => "POS-M1",
        };
        let all = [(main, true), ("POS-X4", variant), ("POS-X1", self.junk.is_some())];
        all.into_iter().filter(|(_, tested)| *tested).map(|(requirement, _)| requirement)
    }
}

fn path_in_words(path: usize, scene: &Scene) -> String {
    scene
        .terminals
        .get(path)
        .map_or_else(|| format!("path {}", path + 1), |cast| format!("terminal {}", cast.letter))
}

/// An amount of what a sale is about.
fn amount_in(id: &SaleId, amount: i64) -> String {
    match id.sold {
        Sold::Count(_) => format!("{amount} counts"),
        _ => assay_sim::money::Fen(amount).to_string(),
    }
}
