use super::*;
use crate::flash::ChipConfig;
use crate::machine::Torn;
use crate::time::Span;

const CONFIG: StoreConfig = StoreConfig { sectors: 3, sector_len: 256 };
const DRIVER: DriverConfig =
    DriverConfig { program_wait: Span::us(20), erase_wait: Span::ms(1), polls_max: 500 };
const TERMS: Terms = Terms { amount: 1_250, channel: 1, relay: 2, pulse_ms: 500 };

fn chip() -> Chip {
    let text = "sectors = 3\nsector_len = 256\nsetup = \"30 us\"\nbyte = \"3 us\"\nerase = \"45 ms\"\n\
                clock_hz = 8_000_000\nendurance = 100_000";
    Chip::new(toml::from_str::<ChipConfig>(text).unwrap())
}

fn memory(chip: &mut Chip, us: u64) -> Memory<'_> {
    Memory::new(chip, Instant::from_us(us), DRIVER, CONFIG)
}

fn standings(store: &Store) -> Vec<(u64, State)> {
    store.orders().map(|(order, kept)| (order.as_str().parse().unwrap(), kept.state)).collect()
}

#[test]
fn what_is_marked_is_found_again() {
    let mut chip = chip();
    let order = OrderNumber::of(7);
    let mut memory = memory(&mut chip, 0);
    let mut store = Store::load(&mut memory).unwrap();
    assert_eq!(store.order(order), None);
    store.append(&mut memory, order, TERMS).unwrap();
    for state in [State::LinkReq, State::AwaitPay, State::Paid, State::Delivering, State::Delivered] {
        store.mark(&mut memory, order, state).unwrap();
        let again = Store::load(&mut memory).unwrap();
        assert_eq!((again.order(order), again.order(order).unwrap().terms), (store.order(order), TERMS));
    }
    store.mark(&mut memory, order, State::Settled).unwrap();
    let again = Store::load(&mut memory).unwrap();
    let kept = again.order(order).unwrap();
    assert_eq!((kept.state, kept.standing()), (State::Settled, State::Delivered));
}

#[test]
fn a_full_ring_keeps_what_lives_and_forgets_what_is_settled() {
    let mut chip = chip();
    let mut memory = memory(&mut chip, 0);
    let mut store = Store::load(&mut memory).unwrap();
    store.append(&mut memory, OrderNumber::of(1), TERMS).unwrap();
    store.mark(&mut memory, OrderNumber::of(1), State::AwaitPay).unwrap();
    for number in 2..30 {
        store.append(&mut memory, OrderNumber::of(number), TERMS).unwrap();
        store.mark(&mut memory, OrderNumber::of(number), State::Settled).unwrap();
        let again = Store::load(&mut memory).unwrap();
        assert_eq!(standings(&again), standings(&store));
        assert_eq!(again.order(OrderNumber::of(1)).map(|kept| kept.state), Some(State::AwaitPay));
        assert_eq!(again.order(OrderNumber::of(number)).map(|kept| kept.state), Some(State::Settled));
    }
}

#[test]
fn a_ring_full_of_what_lives_says_so() {
    let mut chip = chip();
    let mut memory = memory(&mut chip, 0);
    let mut store = Store::load(&mut memory).unwrap();
    let results: Vec<_> =
        (1..=9).map(|number| store.append(&mut memory, OrderNumber::of(number), TERMS)).collect();
    assert_eq!(results.iter().position(|result| *result == Err(StoreError::Full)), Some(6));
    assert_eq!(standings(&Store::load(&mut memory).unwrap())[..6], standings(&store)[..6]);
}

/// Power is cut in every microsecond of appending, marking, moving and erasing, with every outcome.
#[test]
fn a_cut_at_any_instant_loses_nothing_that_was_done() {
    let mut chip = chip();
    let mut at = 0;
    {
        let mut memory = memory(&mut chip, at);
        let mut store = Store::load(&mut memory).unwrap();
        store.append(&mut memory, OrderNumber::of(1), TERMS).unwrap();
        store.mark(&mut memory, OrderNumber::of(1), State::AwaitPay).unwrap();
        for number in 2..=6 {
            store.append(&mut memory, OrderNumber::of(number), TERMS).unwrap();
            store.mark(&mut memory, OrderNumber::of(number), State::Settled).unwrap();
        }
        at = memory.at().as_us();
    }
    chip.settle(Instant::from_us(at));
    // The seventh order opens the last sector, moves the first order there, and later one sector is erased.
    let mut ahead = chip.clone();
    let mut steps = Vec::new();
    {
        let mut memory = memory(&mut ahead, at);
        let mut store = Store::load(&mut memory).unwrap();
        store.append(&mut memory, OrderNumber::of(7), TERMS).unwrap();
        store.mark(&mut memory, OrderNumber::of(7), State::LinkReq).unwrap();
        store.mark(&mut memory, OrderNumber::of(1), State::Paid).unwrap();
    }
    while let Some(step) = ahead.poll_step() {
        steps.push(step.at);
    }
    assert!(steps.len() > 80, "{}", steps.len());
    for step in steps {
        for torn in Torn::ALL {
            for before in [0, 1] {
                let mut cut = ahead.clone();
                cut.cut(Instant::from_us(step.as_us() - before), torn);
                let store = Store::load(&mut memory(&mut cut, 0)).unwrap();
                let first = store.order(OrderNumber::of(1)).map(|kept| kept.state);
                assert!(matches!(first, Some(State::AwaitPay | State::Paid)), "{step} {torn:?} {first:?}");
                let seventh = store.order(OrderNumber::of(7));
                let fits = seventh.is_none_or(|kept| {
                    kept.terms == TERMS && matches!(kept.state, State::New | State::LinkReq)
                });
                assert!(fits, "{step} {torn:?} {seventh:?}");
                let paid = first == Some(State::Paid);
                assert!(!paid || seventh.is_some_and(|kept| kept.state == State::LinkReq));
            }
        }
    }
}

#[test]
fn every_mark_lies_four_bits_from_erased() {
    for state in State::ALL {
        assert_eq!(state.mark().count_zeros(), 4, "{state:?}");
        assert_eq!(State::of_mark(state.mark()), Some(state));
    }
    assert_eq!(State::of_mark(ERASED), None);
}
