//! Journals with literal times, and against a model that steps from event to event.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[derive(Deserialize)]
struct Profile {
    journal: JournalConfig,
}

/// A state that keeps every record.
#[derive(Clone, Debug, Default, PartialEq)]
struct Kept(Vec<u32>);

impl Replay for Kept {
    type Record = u32;
    fn apply(&mut self, record: &u32) {
        self.0.push(*record);
    }
    fn digest(&self, into: &mut Digest) {
        into.word(self.0.len() as u64);
        for record in &self.0 {
            into.word(u64::from(*record));
        }
    }
    fn digest_record(record: &u32, into: &mut Digest) {
        into.word(u64::from(*record));
    }
}

fn us(us: u64) -> Instant {
    Instant::from_us(us)
}

fn journal() -> Journal<Kept> {
    let text = include_str!("../../../fixtures/profiles/water.toml");
    Journal::new(toml::from_str::<Profile>(text).unwrap().journal, Kept::default())
}

fn after_cut(journal: &Journal<Kept>, at: u64, torn: Torn) -> Vec<u32> {
    let mut cut = journal.clone();
    cut.cut(us(at), torn);
    assert_eq!(cut.records().count(), 0);
    cut.state().0.clone()
}

fn steps(journal: &mut Journal<Kept>) -> Vec<(u64, &'static str, u16)> {
    std::iter::from_fn(|| journal.poll_step())
        .map(|StoreStep { at, kind, address }| (at.as_us(), kind, address))
        .collect()
}

#[test]
fn a_record_is_durable_when_its_sync_ends_and_not_a_tick_earlier() {
    let mut journal = journal();
    let record = journal.append(us(100), 1, 41);
    assert_eq!(journal.durable_at(record), None);
    assert_eq!(journal.sync(us(150)), us(2_150));
    assert_eq!(journal.durable_at(record), Some(us(2_150)));
    for torn in Torn::ALL {
        assert_eq!(after_cut(&journal, 149, torn), [0_u32; 0]);
        assert_eq!(after_cut(&journal, 2_150, torn), [41]);
    }
    for at in [150, 2_149] {
        assert_eq!(after_cut(&journal, at, Torn::Old), [0_u32; 0]);
        assert_eq!(after_cut(&journal, at, Torn::New), [41]);
        assert_eq!(after_cut(&journal, at, Torn::Neither), [0_u32; 0]);
    }
    assert_eq!((journal.durable(us(2_149)).0, journal.durable(us(2_150)).0), (vec![], vec![41]));
}

#[test]
fn a_record_without_a_sync_is_lost() {
    let mut journal = journal();
    journal.append(us(100), 1, 41);
    assert_eq!(after_cut(&journal, 9_000_000, Torn::New), [0_u32; 0]);
}

#[test]
fn a_torn_sync_keeps_the_first_half_rounded_down() {
    for (count, kept) in [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2)] {
        let mut journal = journal();
        journal.append(us(0), 1, 99);
        assert_eq!(journal.sync(us(0)), us(2_000));
        for record in 0..count {
            journal.append(us(3_000), 1, record);
        }
        assert_eq!(journal.sync(us(3_000)), us(5_000));
        let expected: Vec<u32> = std::iter::once(99).chain(0..kept).collect();
        assert_eq!(after_cut(&journal, 4_000, Torn::Neither), expected, "{count}");
    }
}

#[test]
fn syncs_asked_for_meanwhile_are_one_that_takes_all_appended_before_it_starts() {
    let mut journal = journal();
    journal.append(us(0), 1, 1);
    assert_eq!(journal.sync(us(0)), us(2_000));
    journal.append(us(500), 1, 2);
    assert_eq!(journal.sync(us(600)), us(4_000));
    let joins = journal.append(us(1_999), 1, 3);
    assert_eq!(journal.durable_at(joins), Some(us(4_000)));
    assert_eq!(journal.sync(us(1_999)), us(4_000));
    // The second sync has started by now, so this one waits for the third.
    let late = journal.append(us(2_000), 1, 4);
    assert_eq!(journal.durable_at(late), None);
    assert_eq!(journal.sync(us(2_000)), us(6_000));

    for (at, torn, left) in [
        (1_999, Torn::New, &[1][..]),
        (1_999, Torn::Old, &[]),
        (2_000, Torn::Old, &[1]),
        (2_000, Torn::New, &[1, 2, 3]),
        (3_999, Torn::Neither, &[1, 2]),
        (4_000, Torn::Old, &[1, 2, 3]),
        (4_000, Torn::New, &[1, 2, 3, 4]),
        (6_000, Torn::Old, &[1, 2, 3, 4]),
    ] {
        assert_eq!(after_cut(&journal, at, torn), left, "{at} {torn:?}");
    }
}

#[test]
fn a_record_appended_right_after_the_request_is_not_covered_by_it() {
    let mut journal = journal();
    journal.append(us(100), 1, 1);
    assert_eq!(journal.sync(us(100)), us(2_100));
    let late = journal.append(us(100), 1, 2);
    assert_eq!(journal.durable_at(late), None);
    assert_eq!(after_cut(&journal, 5_000, Torn::New), [1]);
}

#[test]
fn a_sync_with_nothing_to_cover_does_not_start() {
    let mut journal = journal();
    assert_eq!(journal.sync(us(70)), us(70));
    journal.append(us(100), 1, 1);
    assert_eq!(journal.sync(us(100)), us(2_100));
    assert_eq!(journal.sync(us(900)), us(2_100));
    assert_eq!(journal.sync(us(2_099)), us(2_100));
    assert_eq!(journal.sync(us(2_101)), us(2_101));
    assert_eq!(
        steps(&mut journal),
        [(100, "journal-append", 1), (100, "journal-sync", 1), (2_100, "journal-synced", 1)]
    );
}

#[test]
fn a_request_stamped_before_its_predecessor_counts_at_its_predecessors_time() {
    let mut journal = journal();
    journal.append(us(500), 1, 1);
    assert_eq!(journal.sync(us(100)), us(2_500));
    assert_eq!(steps(&mut journal)[1], (500, "journal-sync", 1));
}

#[test]
fn steps_come_in_order_of_time_and_name_kinds_and_counts() {
    let mut journal = journal();
    journal.append(us(0), 7, 1);
    journal.append(us(0), 8, 2);
    journal.sync(us(0));
    journal.append(us(500), 9, 3);
    journal.sync(us(500));
    journal.append(us(1_000), 7, 4);
    journal.append(us(2_500), 8, 5);
    assert_eq!(
        steps(&mut journal),
        [
            (0, "journal-append", 7),
            (0, "journal-append", 8),
            (0, "journal-sync", 2),
            (500, "journal-append", 9),
            (1_000, "journal-append", 7),
            (2_000, "journal-synced", 2),
            (2_000, "journal-sync", 2),
            (2_500, "journal-append", 8),
            (4_000, "journal-synced", 2),
        ]
    );
    journal.sync(us(2_500));
    assert_eq!(steps(&mut journal), [(4_000, "journal-sync", 1), (6_000, "journal-synced", 1)]);
}

#[test]
fn settling_folds_durable_records_and_keeps_memory_flat() {
    let mut journal = journal();
    for nth in 0..10_000_u64 {
        let now = us(nth * 1_000);
        journal.settle(now);
        let record = journal.append(now, 1, u32::try_from(nth).unwrap());
        let durable = journal.sync(now);
        assert_eq!(journal.durable_at(record), Some(durable));
        assert!(journal.pending.len() <= 4 && journal.syncs.len() <= 2, "{nth}");
        let untold = steps(&mut journal.clone()).len();
        assert!(untold <= 8, "{nth}: {untold}");
    }
    journal.settle(us(20_000_000));
    assert_eq!(journal.records().count(), 0);
    assert_eq!(steps(&mut journal), []);
    assert!(journal.lag.len() < LAG_MAX);
    let all: Vec<u32> = (0..10_000).collect();
    assert_eq!(journal.durable(us(20_000_000)).0, all);
    journal.cut(us(20_000_000), Torn::Old);
    assert_eq!(journal.state().0, all);
}

#[test]
fn a_folded_record_is_durable_by_the_last_settling() {
    let mut journal = journal();
    let first = journal.append(us(0), 1, 1);
    journal.sync(us(0));
    let second = journal.append(us(1_000), 1, 2);
    journal.settle(us(1_999));
    assert_eq!(journal.durable_at(first), Some(us(2_000)));
    assert_eq!(journal.records().map(|(_, record)| *record).collect::<Vec<_>>(), [1, 2]);
    journal.settle(us(2_500));
    assert_eq!((journal.durable_at(first), journal.durable_at(second)), (Some(us(2_500)), None));
    assert_eq!(journal.records().collect::<Vec<_>>(), [(second, &2)]);
}

#[test]
fn after_a_cut_the_journal_goes_on_behind_what_is_left() {
    let mut journal = journal();
    journal.append(us(0), 1, 1);
    journal.sync(us(0));
    journal.append(us(5_000), 1, 2);
    journal.sync(us(5_000));
    journal.cut(us(4_000), Torn::New);
    assert_eq!(journal.state().0, [1]);
    assert_eq!(steps(&mut journal), []);
    // The request of 5,000 was never made, so it does not hold up this one.
    journal.append(us(4_100), 3, 3);
    assert_eq!(journal.sync(us(4_100)), us(6_100));
    assert_eq!(
        steps(&mut journal),
        [(4_100, "journal-append", 3), (4_100, "journal-sync", 1), (6_100, "journal-synced", 1)]
    );
    assert_eq!(after_cut(&journal, 6_100, Torn::Old), [1, 3]);
}

#[test]
fn a_medium_without_delay_is_durable_at_once() {
    let mut journal = Journal::new(JournalConfig { sync: Span::ZERO }, Kept::default());
    journal.append(us(10), 1, 1);
    assert_eq!(journal.sync(us(10)), us(10));
    assert_eq!(after_cut(&journal, 10, Torn::Old), [1]);
    let kinds: Vec<_> = steps(&mut journal).into_iter().map(|(_, kind, _)| kind).collect();
    assert_eq!(kinds, ["journal-append", "journal-sync", "journal-synced"]);
}

#[test]
fn digests_tell_states_apart_and_forget_how_they_came_about() {
    let digest = |journal: &Journal<Kept>, at: u64| {
        let mut digest = Digest::new(us(at));
        journal.digest(us(at), &mut digest);
        digest.finish()
    };
    let synced = |at: u64, kind, record| {
        let mut journal = journal();
        journal.append(us(at), kind, record);
        journal.sync(us(at));
        journal
    };
    let one = synced(0, 1, 41);
    assert_eq!(digest(&one, 100), digest(&synced(900, 1, 41), 1_000));
    assert_ne!(digest(&one, 100), digest(&one, 101));
    assert_ne!(digest(&one, 100), digest(&synced(0, 2, 41), 100));
    assert_ne!(digest(&one, 100), digest(&synced(0, 1, 42), 100));
    let mut settled = one.clone();
    settled.settle(us(2_000));
    assert_eq!(digest(&one, 2_000), digest(&settled, 2_000));
    assert_eq!(digest(&one, 2_000), digest(&synced(0, 2, 41), 9_000));
    assert_ne!(digest(&one, 2_000), digest(&synced(0, 1, 42), 2_000));
    let mut told = one.clone();
    assert!(told.poll_step().is_some());
    assert_ne!(digest(&one, 100), digest(&told, 100));
}

/// A journal that is stepped through its events, and counts what is on the medium.
#[derive(Default)]
struct Model {
    durable: Vec<u32>,
    dirty: Vec<u32>,
    running: Option<(u64, Vec<u32>)>,
    asked: bool,
}

impl Model {
    /// Lets every sync end that ends at or before `at`, and those start that waited for it.
    fn advance(&mut self, at: u64, sync_us: u64) {
        while let Some((end, _)) = self.running
            && end <= at
        {
            self.durable.extend(self.running.take().into_iter().flat_map(|(_, records)| records));
            if std::mem::take(&mut self.asked) {
                self.running = Some((end + sync_us, std::mem::take(&mut self.dirty)));
            }
        }
    }

    /// Asks for a sync; gives the time at which everything so far is durable.
    fn sync(&mut self, at: u64, sync_us: u64) -> u64 {
        match (&self.running, self.dirty.is_empty()) {
            (None, true) => at,
            (Some((end, _)), true) => *end,
            (Some((end, _)), false) => {
                self.asked = true;
                end + sync_us
            }
            (None, false) => {
                self.running = Some((at + sync_us, std::mem::take(&mut self.dirty)));
                at + sync_us
            }
        }
    }

    fn cut(mut self, torn: Torn) -> Vec<u32> {
        if let Some((_, records)) = self.running {
            let kept = match torn {
                Torn::Old => 0,
                Torn::New => records.len(),
                Torn::Neither => records.len() / 2,
            };
            self.durable.extend(&records[..kept]);
        }
        self.durable
    }
}

proptest! {
    /// Random appends and syncs, cut at a random time at or after the last: what is left, and every promise on the
    /// way, are those of the model, however often the journal is settled.
    #[test]
    fn a_journal_keeps_its_promises(
        requests in vec((0_u64..1_500, any::<bool>(), any::<bool>()), 1..40),
        sync_us in prop::sample::select(&[0_u64, 1, 700, 2_000][..]),
        cut_after in 0_u64..6_000,
        torn in prop::sample::select(&Torn::ALL[..]),
    ) {
        let config = JournalConfig { sync: Span::us(sync_us) };
        let mut journal = Journal::new(config, Kept::default());
        let mut model = Model::default();
        let mut at = 0;
        let (mut appended, mut promised) = (Vec::new(), Vec::new());
        for (record, (gap, is_sync, settles)) in (0..).zip(requests) {
            at += gap;
            model.advance(at, sync_us);
            if settles {
                journal.settle(us(at));
            }
            if is_sync {
                let durable = journal.sync(us(at));
                prop_assert_eq!(durable, us(model.sync(at, sync_us)));
                promised.push((durable, record));
            } else {
                journal.append(us(at), 1, record);
                model.dirty.push(record);
                appended.push(record);
            }
            prop_assert_eq!(journal.durable(us(at)).0, {
                // A sync without delay ends at the time of its request.
                model.advance(at, sync_us);
                model.durable.clone()
            });
        }
        let told: Vec<_> = std::iter::from_fn(|| journal.poll_step()).map(|step| step.at).collect();
        prop_assert!(told.is_sorted());

        let cut = at + cut_after;
        model.advance(cut, sync_us);
        journal.cut(us(cut), torn);
        let left = journal.state().0.clone();
        for (durable, before) in promised {
            if durable <= us(cut) {
                prop_assert!(appended.iter().filter(|record| **record < before).all(|record| left.contains(record)));
            }
        }
        prop_assert_eq!(left, model.cut(torn));
    }
}
