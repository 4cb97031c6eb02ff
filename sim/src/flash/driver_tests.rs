//! The driver against exact bus transactions, and on the chip with literal times.

use embedded_hal::spi::{Operation, SpiDevice};
use embedded_hal_mock::eh1::spi::{Mock, Transaction};

use super::tests::small;
use super::{Bus, Chip, DriverConfig, DriverError, Flash25};
use crate::machine::StoreStep;
use crate::time::Instant;

type Seen = Vec<Transaction<u8>>;

fn sent(parts: &[&[u8]]) -> Seen {
    let inner = parts.iter().map(|part| Transaction::write_vec(part.to_vec()));
    std::iter::once(Transaction::transaction_start())
        .chain(inner)
        .chain([Transaction::transaction_end()])
        .collect()
}

fn poll(pause_ns: u32, status: u8) -> Seen {
    vec![
        Transaction::transaction_start(),
        Transaction::delay(pause_ns),
        Transaction::write_vec(vec![0x05]),
        Transaction::read_vec(vec![status]),
        Transaction::transaction_end(),
    ]
}

/// Lets `act` use a driver on a bus that expects exactly these transactions.
fn with_mock<T>(polls_max: u32, expected: &[Seen], act: impl FnOnce(&mut Flash25<Mock<u8>>) -> T) -> T {
    let config = DriverConfig { polls_max, ..small().driver };
    let mut driver = Flash25::new(Mock::new(&expected.concat()), config);
    let outcome = act(&mut driver);
    driver.release().done();
    outcome
}

#[test]
fn a_read_is_one_transaction_across_pages() {
    let expected = vec![
        Transaction::transaction_start(),
        Transaction::write_vec(vec![0x03, 0x01, 0x02, 0xFE]),
        Transaction::read_vec(vec![1, 2, 3, 4]),
        Transaction::transaction_end(),
    ];
    let mut buffer = [0; 4];
    assert_eq!(with_mock(1, &[expected], |driver| driver.read(0x01_02_FE, &mut buffer)), Ok(()));
    assert_eq!(buffer, [1, 2, 3, 4]);
}

#[test]
fn a_write_is_split_at_page_ends_enabled_each_time_and_polled_after_each() {
    let expected = [
        sent(&[&[0x06]]),
        sent(&[&[0x02, 0, 1, 0xFE], &[7, 8]]),
        poll(20_000, 3),
        poll(20_000, 0),
        sent(&[&[0x06]]),
        sent(&[&[0x02, 0, 2, 0], &[9]]),
        poll(20_000, 0),
    ];
    assert_eq!(with_mock(2, &expected, |driver| driver.program(0x1FE, &[7, 8, 9])), Ok(()));
}

#[test]
fn the_driver_gives_up_after_its_polls_and_not_one_earlier() {
    let start = [sent(&[&[0x06]]), sent(&[&[0x20, 0, 0x12, 0x34]])];
    let busy = || poll(1_000_000, 3);
    let gives_up = [&start[..], &[busy(), busy(), busy()]].concat();
    let failed = Err(DriverError::NotReady { address: 0x1234, polls: 3 });
    assert_eq!(with_mock(3, &gives_up, |driver| driver.erase(0x1234)), failed);
    let just_in_time = [&start[..], &[busy(), busy(), poll(1_000_000, 0)]].concat();
    assert_eq!(with_mock(3, &just_in_time, |driver| driver.erase(0x1234)), Ok(()));
}

fn driver(chip: &mut Chip, us: u64) -> Flash25<Bus<'_>> {
    Flash25::new(Bus::new(chip, Instant::from_us(us)), small().driver)
}

fn bytes<const N: usize>(chip: &Chip, address: usize) -> [u8; N] {
    let mut bytes = [0; N];
    chip.read_out(address, &mut bytes);
    bytes
}

#[test]
fn programming_clears_bits_and_never_sets_one() {
    let mut chip = Chip::new(small().chip);
    driver(&mut chip, 0).program(0x1FE, &[0xF0, 0x55, 0x12]).unwrap();
    driver(&mut chip, 1_000).program(0x1FE, &[0x3C, 0xAA, 0xFF]).unwrap();
    assert_eq!(bytes(&chip, 0x1FC), [0xFF, 0xFF, 0x30, 0x00, 0x12, 0xFF]);
    let mut read = [0; 3];
    driver(&mut chip, 2_000).read(0x1FE, &mut read).unwrap();
    assert_eq!(read, [0x30, 0x00, 0x12]);
}

#[test]
fn works_take_their_time_and_steps_are_told_when_bytes_are_begun() {
    let mut chip = Chip::new(small().chip);
    let mut on_chip = driver(&mut chip, 1_000);
    on_chip.program(0x200, &[1, 2]).unwrap();
    // Enabled at 1,001, released at 1,007, programmed from 1,037 to 1,043; the second look ends at 1,051.
    assert_eq!(on_chip.spi().at(), Instant::from_us(1_051));
    let steps: Vec<_> = std::iter::from_fn(|| chip.poll_step()).collect();
    let step = |us, kind, address| StoreStep { at: Instant::from_us(us), kind, address };
    assert_eq!(steps, [step(1_037, "flash-byte", 2), step(1_040, "flash-byte", 2)]);
    let mut on_chip = driver(&mut chip, 2_000);
    on_chip.erase(0x2FF).unwrap();
    // Released at 2,005, erased at 47,005; the look that is complete at 47,095 is the 45th.
    assert_eq!(on_chip.spi().at(), Instant::from_us(47_095));
    assert_eq!(chip.poll_step(), Some(step(24_505, "flash-erase", 1)));
    assert_eq!(bytes(&chip, 0x200), [0xFF, 0xFF]);
    assert_eq!(chip.erasures().get(&1), Some(&1));
    assert_eq!(chip.pages_used(), 0);
}

#[test]
fn a_busy_part_tells_its_status_and_does_nothing_else() {
    let mut chip = Chip::new(small().chip);
    let mut bus = Bus::new(&mut chip, Instant::ZERO);
    bus.write(&[0x06]).unwrap();
    // Released at 6, busy until 39.
    bus.write(&[0x02, 0, 0, 0, 0x11]).unwrap();
    let mut status = [0];
    bus.transaction(&mut [Operation::Write(&[0x05]), Operation::Read(&mut status)]).unwrap();
    assert_eq!(status, [3]);
    bus.write(&[0x06]).unwrap();
    bus.write(&[0x02, 0, 0, 1, 0x22]).unwrap();
    let mut read = [0];
    bus.transaction(&mut [Operation::Write(&[0x03, 0, 0, 0]), Operation::Read(&mut read)]).unwrap();
    assert_eq!((read, bus.at()), ([0xFF], Instant::from_us(19)));
    for (us, expected) in [(36, 3), (37, 0)] {
        let mut bus = Bus::new(&mut chip, Instant::from_us(us));
        bus.transaction(&mut [Operation::Write(&[0x05]), Operation::Read(&mut status)]).unwrap();
        assert_eq!(status, [expected], "looked at {} us", us + 2);
    }
    assert_eq!(bytes(&chip, 0), [0x11, 0xFF]);
}

#[test]
fn nothing_is_written_unless_enabled_just_before() {
    let mut chip = Chip::new(small().chip);
    let mut bus = Bus::new(&mut chip, Instant::ZERO);
    for command in [&[0x02, 0, 0, 0, 0x11][..], &[0x06], &[0x04], &[0x02, 0, 0, 0, 0x11], &[0x20, 0, 0, 0]] {
        bus.write(command).unwrap();
    }
    // An erasure with a byte too many or too few, and a program command without data.
    for command in [&[0x20, 0, 0, 0, 0][..], &[0x20, 0, 0], &[0x02, 0, 0, 0]] {
        bus.write(&[0x06]).unwrap();
        bus.write(command).unwrap();
    }
    assert_eq!((chip.pages_used(), chip.erasures().len(), chip.poll_step()), (0, 0, None));
    let mut bus = Bus::new(&mut chip, Instant::from_us(1_000));
    bus.write(&[0x06]).unwrap();
    bus.write(&[0x02, 0, 0, 0, 0x11]).unwrap();
    let mut later = Bus::new(&mut chip, Instant::from_us(2_000));
    later.write(&[0x02, 0, 0, 1, 0x22]).unwrap();
    assert_eq!(bytes(&chip, 0), [0x11, 0xFF]);
}

#[test]
fn data_past_the_page_end_wraps_inside_the_page_and_reads_run_round_the_part() {
    let mut chip = Chip::new(small().chip);
    let mut bus = Bus::new(&mut chip, Instant::ZERO);
    bus.write(&[0x06]).unwrap();
    bus.write(&[0x02, 0, 0x07, 0xFE, 1, 2, 3]).unwrap();
    assert_eq!((bytes(&chip, 0x700), bytes(&chip, 0x7FE)), ([3, 0xFF], [1, 2]));
    chip.install(0, &[9]);
    let mut read = [0; 3];
    driver(&mut chip, 1_000).read(0x7FE, &mut read).unwrap();
    assert_eq!(read, [1, 2, 9]);
}

#[test]
fn a_fork_shares_pages_until_it_writes() {
    let mut chip = Chip::new(small().chip);
    chip.install(0, &[1, 2, 3]);
    let fork = chip.clone();
    driver(&mut chip, 0).program(0, &[0]).unwrap();
    assert_eq!((bytes(&chip, 0), bytes(&fork, 0)), ([0, 2, 3], [1, 2, 3]));
}
