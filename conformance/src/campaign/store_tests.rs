use proptest::prelude::*;

use super::*;
use crate::campaign::standing::root;

fn came(tape: u128, violated: &[&str]) -> Came {
    let violated = violated.iter().map(|id| (*id).to_owned()).collect();
    Came { tape, outcome: Arc::new(Outcome { violated, ..Outcome::default() }) }
}

fn key(number: u64) -> RunKey {
    RunKey { unit: 0, number }
}

fn unit(runs: u64) -> Unit {
    Unit { unit: 0, name: "water/topup/clean".to_owned(), runs, detail: String::new() }
}

/// What a run comes to is a function of its number, as it is of a seed.
fn put(store: &mut Store, number: u64) {
    let violated: &[&str] = if number.is_multiple_of(5) { &["WAT-I1"] } else { &[] };
    let causes: Vec<(&str, &str)> = violated.iter().map(|id| (*id, "drop at `a> b`")).collect();
    let mark = format!("Terminal::Kind{}", number % 3);
    let marks = [Mark::Branch(&mark), Mark::Judged("WAT-I1")];
    store.put(key(number), &came(u128::from(number) << 70, violated), &causes, &marks).unwrap();
}

fn own(name: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("assay-{}-{name}.db", std::process::id()));
    let _ = std::fs::remove_file(&file);
    file
}

#[test]
fn what_is_put_is_read_again() {
    let file = own("again");
    let mut store = Store::begin(&file, "id", &[("plan", "p")]).unwrap();
    store.put_units(&[unit(20)]).unwrap();
    (0..20).for_each(|number| put(&mut store, number));
    let before = root(&store).unwrap();
    drop(store);
    let store = Store::open(&file).unwrap();
    assert_eq!(root(&store).unwrap(), before);
    assert_eq!(store.runs(0).unwrap()[5], (5, came(5 << 70, &["WAT-I1"])));
    assert_eq!(store.run(key(20)).unwrap(), None);
    let failures = store.failures().unwrap();
    assert_eq!((failures.len(), failures[0].count, failures[0].first), (1, 4, key(0)));
    assert_eq!(store.reached().unwrap().len(), 4);
    assert_eq!(store.about("plan").unwrap(), "p");
    std::fs::remove_file(file).unwrap();
}

#[test]
fn a_run_that_comes_again_must_be_the_same() {
    let mut store = Store::in_memory("id").unwrap();
    assert!(store.put(key(1), &came(7, &[]), &[], &[]).unwrap());
    assert!(!store.put(key(1), &came(7, &[]), &[], &[]).unwrap());
    for other in [came(8, &[]), came(7, &["WAT-I1"])] {
        assert!(matches!(store.put(key(1), &other, &[], &[]), Err(StoreError::Differs { .. })));
    }
    store.put_units(&[unit(3)]).unwrap();
    store.put_units(&[unit(3)]).unwrap();
    assert!(matches!(store.put_units(&[unit(4)]), Err(StoreError::OtherUnit { unit: 0, .. })));
}

#[test]
fn stores_that_cannot_be_used_say_why() {
    let file = own("refused");
    assert!(matches!(Store::open(&file), Err(StoreError::NotThere(_))));
    std::fs::write(&file, "this is no database, and long enough to be looked at by whoever opens it")
        .unwrap();
    assert!(matches!(Store::open(&file), Err(StoreError::NotAStore(_))));
    std::fs::remove_file(&file).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(other);
    assert!(matches!(Store::begin(&file, "id", &[]), Err(StoreError::NotAStore(_))));
    std::fs::remove_file(&file).unwrap();
    // A file that was made and nothing more, as a kill can leave it, is begun.
    std::fs::write(&file, "").unwrap();
    let store = Store::begin(&file, "id", &[]).unwrap();
    assert!(matches!(Store::begin(&file, "id", &[]), Err(StoreError::InUse(_))));
    store.sql(|connection| connection.pragma_update(None, "user_version", VERSION + 1)).unwrap();
    drop(store);
    assert!(
        matches!(Store::open(&file), Err(StoreError::OtherVersion { found, .. }) if found == VERSION + 1)
    );
    std::fs::remove_file(&file).unwrap();
    drop(Store::begin(&file, "id", &[]).unwrap());
    assert!(matches!(Store::begin(&file, "other", &[]), Err(StoreError::OtherCampaign { .. })));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[200..].fill(0xFF);
    std::fs::write(&file, bytes).unwrap();
    assert!(matches!(Store::open(&file), Err(StoreError::Damaged { .. })));
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let file = own("full");
    let mut store = Store::begin(&file, "id", &[]).unwrap();
    store.put_units(&[unit(1_000_000)]).unwrap();
    store.fill(20);
    let mut done = 0;
    let error = loop {
        match store.put(key(done), &came(u128::from(done), &[]), &[], &[]) {
            Ok(_) => done += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    drop(store);
    assert_eq!(Store::open(&file).unwrap().done().unwrap()[&0], done);
    assert!(done > 100);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn stores_of_different_campaigns_are_not_merged() {
    let (mut one, other) = (Store::in_memory("one").unwrap(), Store::in_memory("other").unwrap());
    assert!(matches!(one.merge(&other), Err(StoreError::OtherCampaign { .. })));
    let mut other = Store::in_memory("one").unwrap();
    one.put(key(1), &came(1, &[]), &[], &[]).unwrap();
    other.put(key(0), &came(1, &[]), &[], &[]).unwrap();
    other.put(key(1), &came(2, &[]), &[], &[]).unwrap();
    let before = root(&one).unwrap();
    assert!(matches!(one.merge(&other), Err(StoreError::Differs { .. })));
    assert_eq!(root(&one).unwrap(), before, "a merge is whole or not at all");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the runs are dealt out, in whatever order they are made and merged, and however often: the root is that
    /// of one worker who made them all.
    #[test]
    fn a_merged_campaign_has_one_root(
        workers in 1_usize..5,
        owners in prop::collection::vec(prop::collection::vec(0_usize..5, 1..3), 30),
        order in Just((0_u64..30).collect::<Vec<_>>()).prop_shuffle(),
        merges in prop::collection::vec(0_usize..5, 0..6),
    ) {
        let begin = || {
            let mut store = Store::in_memory("id").unwrap();
            store.put_units(&[unit(30)]).unwrap();
            store
        };
        let mut alone = begin();
        (0..30).for_each(|number| put(&mut alone, number));
        let mut packs: Vec<Store> = (0..workers).map(|_| begin()).collect();
        for number in order {
            for owner in &owners[usize::try_from(number).unwrap()] {
                put(&mut packs[owner % workers], number);
            }
        }
        let mut all = Store::in_memory("id").unwrap();
        for pack in merges.iter().map(|pack| pack % workers).chain(0..workers) {
            all.merge(&packs[pack]).unwrap();
        }
        prop_assert_eq!(root(&all).unwrap(), root(&alone).unwrap());
        prop_assert_eq!(all.failures().unwrap(), alone.failures().unwrap());
        // The other way round, into one that has a part already.
        let mut last = packs.pop().unwrap();
        last.merge(&all).unwrap();
        prop_assert_eq!(root(&last).unwrap(), root(&alone).unwrap());
    }
}
