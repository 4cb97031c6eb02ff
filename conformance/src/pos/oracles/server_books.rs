//! Whether the books agree with what was asked and answered: each sale charged once, to the fen.
//!
//! What the server's database shows at rest is held against the opening account of each card, so that a charge which no
//! sale explains is found whatever the server calls it.
//!
//! Source: POS-P1, POS-P2, POS-P4, POS-P5, POS-P7, POS-R3, POS-R4, POS-R5, POS-X1, POS-X4, POS-M1, POS-I2.

use std::collections::{BTreeMap, BTreeSet};

use assay_sim::card::number::CardNumber;
use assay_sim::money::Fen;
use assay_sim::pos::books::{Account, SaleId, Sold, Standing};
use assay_sim::pos::observe::Ledger;
use assay_sim::pos::party::Event;
use assay_sim::tape::Entry;

use super::server_desk::{Desk, SaleSeen};
use super::server_ears::{Unsound, in_words};
use crate::finding::{Findings, Violation};
use crate::pos::scene::Scene;

/// Whether a sale is charged, as far as the tape tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    /// It was answered as made, or its record was deleted.
    Must,
    /// Nobody was told.
    May,
    /// It was refused, and no record came.
    Never,
}

fn charge_of(sale: &SaleSeen) -> Charge {
    let made = sale.finals.iter().any(|(made, ..)| *made);
    match (made || !sale.deleted.is_empty(), sale.finals.is_empty() || !sale.records.is_empty()) {
        (true, _) => Charge::Must,
        (false, true) => Charge::May,
        (false, false) => Charge::Never,
    }
}

/// A card's money, or its counts.
type Purse = (CardNumber, bool);

fn purse_of(sold: &Sold) -> Option<(Purse, i64)> {
    match sold {
        Sold::Money(card, amount) => Some(((*card, false), amount.0)),
        Sold::Count(card) => Some(((*card, true), 1)),
        Sold::Code(..) => None,
    }
}

fn opening(card: CardNumber, scene: &Scene) -> Option<Account> {
    scene.cards.iter().find(|(number, _)| *number == card).map(|(_, spec)| spec.account)
}

fn in_purse(account: Option<Account>, counts: bool) -> i64 {
    account.map_or(0, |account| if counts { account.counts } else { account.balance.0 })
}

/// The most and the least that can be left for a sale, whatever the order in which others were charged.
pub fn left(desk: &Desk, id: &SaleId, scene: &Scene) -> (i64, i64) {
    let Some((purse, _)) = purse_of(&id.sold) else { return (0, 0) };
    let open = in_purse(opening(purse.0, scene), purse.1);
    let (mut most, mut least) = (open, open);
    for (other, sale) in desk.sales.iter().filter(|(other, _)| *other != id) {
        let Some((_, amount)) = purse_of(&other.sold).filter(|(of, _)| *of == purse) else { continue };
        let charge = charge_of(sale);
        most -= if charge == Charge::Must { amount } else { 0 };
        least -= if charge == Charge::Never { 0 } else { amount };
    }
    (most, least)
}

/// What happened on one card.
#[derive(Default)]
struct Column {
    must: i64,
    /// Charges of which nobody was told.
    may: Vec<i64>,
    /// Every amount that was asked for, charged or not.
    amounts: BTreeSet<i64>,
    sales: usize,
    payments: usize,
    made: bool,
    deleted: bool,
    refused: bool,
    /// Whether a record came more than once.
    repeated: bool,
    both: bool,
    unsound: BTreeSet<Unsound>,
    misfits: bool,
    variant: bool,
    /// Whether another machine of the same number has made the same sale.
    shared: bool,
    evidence: Vec<u64>,
}

impl Column {
    fn add(&mut self, desk: &Desk, id: &SaleId, sale: &SaleSeen, amount: i64) {
        match charge_of(sale) {
            Charge::Must => {
                self.must += amount;
                self.sales += 1;
            }
            Charge::May => self.may.push(amount),
            Charge::Never => {}
        }
        self.amounts.insert(amount);
        self.payments += sale.payments.len();
        self.repeated |= sale.records.len() > 1;
        self.made |= sale.finals.iter().any(|(made, ..)| *made);
        self.deleted |= !sale.deleted.is_empty();
        self.refused |= charge_of(sale) == Charge::Never;
        self.both |= !sale.records.is_empty() && !sale.payments.is_empty();
        self.variant |= sale.variant;
        let same = |(other, theirs): (&SaleId, &SaleSeen)| {
            let alike = other.at == id.at && other.sold == id.sold && theirs.machine == sale.machine;
            alike && other.device != id.device
        };
        self.shared |= desk.sales.iter().any(same);
        self.evidence.extend(&sale.payments);
        self.evidence.extend(&sale.records);
    }

    /// Whether this much may be gone.
    fn explains(&self, gone: i64) -> bool {
        let mut sums = BTreeSet::from([self.must]);
        for amount in &self.may {
            let more: Vec<i64> = sums.iter().map(|sum| sum + amount).collect();
            sums.extend(more);
        }
        sums.contains(&gone)
    }

    fn judge(&self, purse: Purse, gone: i64, judged: &Judged<'_>, findings: &mut Findings) {
        let exact = self.explains(gone);
        let not_over = exact || gone < self.must;
        let not_under = gone >= self.must;
        let restarted = judged.desk.calm.restarts > 0;
        let tested = [
            ("POS-P1", self.payments > 0, not_over),
            ("POS-P2", self.made, not_under),
            ("POS-P2", self.refused, not_over),
            ("POS-P4", self.refused || self.unsound.contains(&Unsound::Card), not_over),
            ("POS-P5", self.unsound.contains(&Unsound::Amount), not_over),
            ("POS-P7", purse.1 && self.payments > 0, exact),
            ("POS-R3", self.deleted, not_under),
            ("POS-R3", self.repeated, not_over),
            ("POS-R4", self.misfits, not_over),
            ("POS-R5", self.both, exact),
            ("POS-X1", !judged.desk.junk.is_empty(), exact),
            ("POS-X4", self.variant, exact),
            ("POS-M1", self.shared, not_under),
            ("POS-I2", restarted, exact),
        ];
        for (requirement, _, holds) in tested.into_iter().filter(|(_, tested, _)| *tested) {
            findings.judge(requirement, holds, || Violation {
                requirement,
                expected: self.expected(purse),
                actual: self.in_words(purse, gone),
                at: judged.entry.at,
                evidence: self.evidence.iter().copied().chain([judged.entry.ordinal]).collect(),
            });
        }
    }

    fn expected(&self, purse: Purse) -> String {
        let sure = self.in_words(purse, self.must);
        let more: i64 = self.may.iter().sum();
        match (self.may.is_empty(), purse.1) {
            (true, _) => sure,
            (false, true) => format!("{sure}, and at most {more} more"),
            (false, false) => format!("{sure}, and at most {} more", Fen(more)),
        }
    }

    /// `card 8888888888 charged 3 × 5.50`
    fn in_words(&self, (card, counts): Purse, gone: i64) -> String {
        if counts {
            return format!("card {card} charged {gone} counts");
        }
        let one = self.amounts.first().copied().filter(|one| self.amounts.len() == 1 && *one > 0);
        match one.filter(|one| gone > 0 && gone % one == 0) {
            Some(one) => format!("card {card} charged {} × {}", gone / one, Fen(one)),
            None if gone == 0 => format!("card {card} not charged"),
            None => format!("card {card} charged {} in all", Fen(gone)),
        }
    }
}

/// What the books are held against.
struct Judged<'a> {
    desk: &'a Desk,
    ledger: &'a Ledger,
    entry: &'a Entry<Event>,
}

/// Holds the ledger against everything that was heard and said.
pub fn judge_ledger(
    desk: &Desk,
    ledger: &Ledger,
    entry: &Entry<Event>,
    scene: &Scene,
    findings: &mut Findings,
) {
    let judged = Judged { desk, ledger, entry };
    let mut columns = BTreeMap::<Purse, Column>::new();
    let known = scene.cards.iter().map(|(card, _)| *card);
    for card in known.chain(ledger.accounts.iter().map(|(card, _)| *card)) {
        columns.entry((card, false)).or_default();
        columns.entry((card, true)).or_default();
    }
    for (id, sale) in &desk.sales {
        if let Some((purse, amount)) = purse_of(&id.sold) {
            columns.entry(purse).or_default().add(desk, id, sale, amount);
        }
    }
    for ((card, _), column) in &mut columns {
        let digits = card.digits();
        let of_card = desk.unsound.iter().filter(|seen| *seen.key == digits);
        column.unsound.extend(of_card.map(|seen| seen.why));
        column.misfits = desk.misfits.keys().any(|(.., says)| says.starts_with(&digits));
    }
    for (purse, column) in &columns {
        let now = ledger.accounts.iter().find(|(card, _)| *card == purse.0).map(|(_, account)| *account);
        let gone = in_purse(opening(purse.0, scene), purse.1) - in_purse(now, purse.1);
        column.judge(*purse, gone, &judged, findings);
    }
    judge_set_aside(&judged, findings);
    judge_flags(&judged, scene, findings);
}

/// Records that make no sense are kept apart, each once.
fn judge_set_aside(judged: &Judged<'_>, findings: &mut Findings) {
    let misfits = &judged.desk.misfits;
    if misfits.is_empty() {
        return;
    }
    let least = misfits.values().filter(|answered| answered.is_some()).count();
    let aside = judged.ledger.set_aside;
    findings.judge("POS-R4", (least..=misfits.len()).contains(&aside), || Violation {
        requirement: "POS-R4",
        expected: format!("{least} records set aside"),
        actual: format!("{aside}"),
        at: judged.entry.at,
        evidence: misfits.values().flatten().copied().chain([judged.entry.ordinal]).collect(),
    });
}

/// A sale that was refused, or whose card is no good, and whose record came, is charged and flagged.
fn judge_flags(judged: &Judged<'_>, scene: &Scene, findings: &mut Findings) {
    for (id, sale) in judged.desk.sales.iter().filter(|(_, sale)| !sale.deleted.is_empty()) {
        let Some(((card, _), _)) = purse_of(&id.sold) else { continue };
        let made = sale.finals.first().is_some_and(|(made, ..)| *made);
        let refused = sale.finals.first().is_some_and(|(made, ..)| !made);
        let bad = opening(card, scene).is_none_or(|account| account.standing != Standing::Good);
        if made || !(refused || bad) {
            continue;
        }
        let same = |(known, _): &&(SaleId, _)| known.at == id.at && known.sold == id.sold;
        let flagged = judged.ledger.sales.iter().find(same).is_some_and(|(_, sale)| sale.flag.is_some());
        findings.judge("POS-R5", flagged, || Violation {
            requirement: "POS-R5",
            expected: format!("{} charged by its record, and flagged", in_words(id)),
            actual: "it is not flagged".to_owned(),
            at: judged.entry.at,
            evidence: sale.records.iter().copied().chain([judged.entry.ordinal]).collect(),
        });
    }
}
