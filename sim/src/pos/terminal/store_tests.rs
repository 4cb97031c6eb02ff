//! The store over many sales, and after a power cut at every step of each.

use super::clock::Stamp;
use super::entry::{Mark, Marks, Sale, SaleKind};
use super::installed::{Installed, Mode};
use super::policy::EntryCheck;
use super::store::{Content, Session, Store, StoreConfig, StoreError, StoreRules};
use crate::card::number::CardNumber;
use crate::flash::{Chip, ChipConfig, DriverConfig};
use crate::machine::{StoreStep, Torn};
use crate::money::Fen;
use crate::pos::frame::MachineNumber;
use crate::time::{Instant, Span, Wall};

fn rules() -> StoreRules {
    StoreRules {
        config: StoreConfig { install_sectors: 2, sale_sectors: 6, sector_len: 256, records_max: 19 },
        check: EntryCheck::Crc,
        driver: DriverConfig { program_wait: Span::us(20), erase_wait: Span::ms(1), polls_max: 500 },
    }
}

fn card(number: u32) -> CardNumber {
    CardNumber::parse(format!("{number:010}").as_bytes()).unwrap()
}

fn installed() -> Installed {
    let white_list = (1..=80).map(card).collect();
    Installed { machine: MachineNumber::new(2), mode: Mode::Money, white_list }
}

fn chip() -> Chip {
    let mut chip = Chip::new(ChipConfig {
        sectors: 8,
        sector_len: 256.try_into().unwrap(),
        setup: Span::us(30),
        byte: Span::us(3),
        erase: Span::ms(45),
        clock_hz: 8_000_000.try_into().unwrap(),
        endurance: 100_000,
    });
    installed().install(&mut chip);
    chip
}

fn sale(number: u32, kind: SaleKind) -> Sale {
    let time = Stamp::of(Wall::from_us(1_700_000_000_000_000 + i64::from(number) * 1_000_000));
    let code = if kind == SaleKind::Scan { vec![b'7'; 60] } else { Vec::new() };
    let card = if kind == SaleKind::Scan { CardNumber::default() } else { card(number % 7) };
    Sale { number, kind, time, card, amount: Fen(i64::from(number) * 5), seq: number, code }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Begin(SaleKind),
    Mark(Mark),
    Delete,
}

fn content(chip: &Chip) -> Content {
    Store::read_out(chip, rules()).unwrap()
}

/// Everything but the newest sale, which a cut may leave as it was before without harm.
fn effect(content: &Content) -> (Vec<Sale>, Option<Sale>) {
    (content.records.clone(), content.pending.clone())
}

struct Bench {
    chip: Chip,
    store: Store,
    at: Instant,
}

impl Bench {
    fn new(mut chip: Chip) -> Self {
        let mut session = Session::new(&mut chip, Instant::ZERO, rules());
        let store = Store::load(&mut session).unwrap().0;
        Self { at: session.at(), chip, store }
    }

    /// The same after its power was away.
    fn restarted(mut self) -> Self {
        self.chip.cut(self.at, Torn::Neither);
        Self::new(self.chip)
    }

    fn act(&mut self, deed: Deed) -> Result<(), StoreError> {
        self.chip.settle(self.at);
        let mut session = Session::new(&mut self.chip, self.at, rules());
        let outcome = match deed {
            Deed::Begin(kind) => {
                let number = self.store.last().map_or(0, |(sale, _)| sale.number) + 1;
                self.store.append(&mut session, sale(number, kind), Marks::default())
            }
            Deed::Mark(mark) => self.store.mark(&mut session, mark),
            Deed::Delete => {
                let oldest = self.store.oldest().unwrap_or(0);
                self.store.delete(&mut session, oldest)
            }
        };
        self.at = session.at();
        outcome
    }

    fn steps(&self) -> Vec<StoreStep> {
        let mut chip = self.chip.clone();
        std::iter::from_fn(|| chip.poll_step()).collect()
    }
}

/// Cuts at every step of the last deed, with every outcome, and again while what it left is put in order.
fn check_cuts(bench: &Bench, before: &Content, deed: Deed) -> usize {
    let after = content(&bench.chip);
    let mut cuts = 0;
    for step in bench.steps() {
        for (at, torn) in
            Torn::ALL.into_iter().flat_map(|torn| [(step.at, torn), (step.at + Span::us(1), torn)])
        {
            let mut cut = bench.chip.clone();
            cut.cut(at, torn);
            let left = content(&cut);
            let one = effect(&left) == effect(before) || effect(&left) == effect(&after);
            assert!(one, "{deed:?} {step:?} {torn:?}: {left:?}");
            assert!(left.last == before.last || left.last == after.last, "{deed:?} {step:?} {torn:?}");
            cuts += 1;
            check_second_cuts(&cut, &left);
        }
    }
    cuts
}

/// Cuts at every step of putting in order what a first cut left.
fn check_second_cuts(cut: &Chip, left: &Content) {
    let again = Bench::new(cut.clone());
    for step in again.steps() {
        for torn in Torn::ALL {
            let mut twice = again.chip.clone();
            twice.cut(step.at, torn);
            assert_eq!(content(&twice), *left, "{step:?} {torn:?}");
        }
    }
    // Whatever was left, the next sale finds its room, and what was there stays.
    let mut next = again;
    if left.pending.is_none() {
        next.act(Deed::Begin(SaleKind::Pay)).unwrap();
        let content = content(&next.chip);
        assert_eq!(content.records, left.records);
        let number = left.last.as_ref().map_or(0, |(sale, _)| sale.number) + 1;
        assert_eq!(content.pending, Some(sale(number, SaleKind::Pay)));
    }
}

#[test]
fn a_cut_at_every_step_of_every_change_leaves_the_state_before_or_after_it() {
    let mut bench = Bench::new(chip());
    let (mut cuts, mut erasures, mut records_most) = (0, 0, 0);
    for round in 0..80_u32 {
        let kind = if round % 11 == 3 { SaleKind::Scan } else { SaleKind::Pay };
        let off_line = kind == SaleKind::Pay && round % 3 != 0 && bench.store.records_len() < 19;
        let ends: &[Deed] = if off_line { &[Deed::Mark(Mark::Booked)] } else { &[Deed::Mark(Mark::Done)] };
        let drained = if (40..46).contains(&round) || round > 75 { 4 } else { 0 };
        for deed in
            [Deed::Begin(kind)].iter().chain(ends).chain(std::iter::repeat_n(&Deed::Delete, drained)).copied()
        {
            let before = content(&bench.chip);
            bench.act(deed).unwrap();
            erasures += bench.steps().iter().filter(|step| step.kind == "flash-erase").count();
            cuts += check_cuts(&bench, &before, deed);
            let read = content(&bench.chip);
            records_most = records_most.max(read.records.len());
            assert_eq!(read.records.len(), bench.store.records_len());
            assert_eq!(read.pending.as_ref(), bench.store.pending());
        }
    }
    assert!(cuts > 15_000 && erasures > 15 && records_most == 19, "{cuts} {erasures} {records_most}");
}

#[test]
fn restarts_at_every_deed_lose_nothing_and_number_on() {
    let mut bench = Bench::new(chip());
    let mut booked = Vec::new();
    for number in 1..=400 {
        bench.act(Deed::Begin(SaleKind::Pay)).unwrap();
        bench = bench.restarted();
        assert_eq!(bench.store.pending(), Some(&sale(number, SaleKind::Pay)));
        if booked.len() < 19 && number % 2 == 0 {
            bench.act(Deed::Mark(Mark::Booked)).unwrap();
            booked.push(sale(number, SaleKind::Pay));
        } else {
            bench.act(Deed::Mark(Mark::Done)).unwrap();
        }
        bench = bench.restarted();
        if number % 5 == 0 && !booked.is_empty() {
            bench.act(Deed::Delete).unwrap();
            booked.remove(0);
        }
        let Content { installed: read, records, pending, .. } = content(&bench.chip);
        assert_eq!((read, records, pending), (installed(), booked.clone(), None));
    }
    // Every sector has been through several rounds, and none much oftener than the others.
    let erasures: Vec<u32> = bench.chip.erasures().values().copied().collect();
    assert_eq!(erasures.len(), 6);
    assert!(erasures.iter().all(|count| *count > 5), "{erasures:?}");
}

#[test]
fn a_scanned_code_comes_back_whole_and_too_long_a_one_is_refused() {
    let mut bench = Bench::new(chip());
    for number in 1..=9 {
        bench.act(Deed::Begin(SaleKind::Scan)).unwrap();
        bench = bench.restarted();
        assert_eq!(bench.store.pending(), Some(&sale(number, SaleKind::Scan)));
        bench.act(Deed::Mark(Mark::Done)).unwrap();
    }
    let long = Sale { code: vec![b'1'; 7 * 24], ..sale(10, SaleKind::Scan) };
    let mut session = Session::new(&mut bench.chip, bench.at, rules());
    assert_eq!(bench.store.append(&mut session, long, Marks::default()), Err(StoreError::Full));
    let read = content(&bench.chip);
    assert_eq!((read.pending, read.last.map(|(sale, _)| sale.number)), (None, Some(9)));
}

#[test]
fn marks_survive_being_moved() {
    let mut bench = Bench::new(chip());
    bench.act(Deed::Begin(SaleKind::Pay)).unwrap();
    bench.act(Deed::Mark(Mark::Booked)).unwrap();
    let first = bench.store.last().map(|(sale, _)| sale.clone());
    for _ in 0..100 {
        bench.act(Deed::Begin(SaleKind::Pay)).unwrap();
        bench.act(Deed::Mark(Mark::Refused)).unwrap();
        bench.act(Deed::Mark(Mark::Done)).unwrap();
    }
    assert_eq!(content(&bench.chip).records, first.into_iter().collect::<Vec<_>>());
    let last = content(&bench.chip).last.unwrap();
    assert_eq!(last, (sale(101, SaleKind::Pay), Marks::with(&[Mark::Refused, Mark::Done])));
}

#[test]
fn a_damaged_installation_is_refused_and_too_small_a_division_as_well() {
    let mut damaged = chip();
    damaged.install(300, &[0x55]);
    let read = Store::read_out(&damaged, rules());
    assert_eq!(read, Err(StoreError::BadInstallation));
    let blank = Store::read_out(&Chip::new(*chip().config()), rules());
    assert_eq!(blank, Err(StoreError::BadInstallation));
    assert_eq!(rules().config.check(), Ok(()));
    for (sale_sectors, records_max) in [(6, 20), (2, 1), (0, 0)] {
        let config = StoreConfig { sale_sectors, records_max, ..rules().config };
        assert!(config.check().is_err(), "{sale_sectors} {records_max}");
    }
}
