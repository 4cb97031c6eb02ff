//! The driver against exact bus transactions, and on the chip with literal times.

use embedded_hal::i2c::{ErrorKind, I2c, NoAcknowledgeSource};
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};

use super::tests::profile;
use super::{Bus, CAPACITY, Chip, DriverConfig, DriverError, Eeprom24c02};
use crate::time::{Instant, Span};

const ADDRESS_NAK: ErrorKind = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
const DATA_NAK: ErrorKind = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Data);

fn write(bytes: &[u8]) -> Transaction {
    Transaction::write(0x50, bytes.to_vec())
}

/// Lets `act` use a driver on a bus that expects exactly these transactions.
fn with_mock<T>(
    polls_max: u32,
    expected: &[Transaction],
    act: impl FnOnce(&mut Eeprom24c02<Mock>) -> Result<T, DriverError<ErrorKind>>,
) -> Result<T, DriverError<ErrorKind>> {
    let config = DriverConfig { polls_max, ..profile().driver };
    let mut driver = Eeprom24c02::new(Mock::new(expected), config);
    let outcome = act(&mut driver);
    driver.release().done();
    outcome
}

#[test]
fn a_read_is_one_transaction_across_pages() {
    let read = with_mock(1, &[Transaction::write_read(0x50, vec![0x66], vec![1, 2, 3, 4])], |driver| {
        let mut buffer = [0; 4];
        driver.read(0x66, &mut buffer).map(|()| buffer)
    });
    assert_eq!(read, Ok([1, 2, 3, 4]));
}

#[test]
fn a_write_is_split_at_page_ends_and_polled_after_each() {
    let expected = [
        write(&[0x66, 1, 2]),
        write(&[0x66]).with_error(ADDRESS_NAK),
        write(&[0x66]),
        write(&[0x68, 3, 4, 5, 6, 7, 8, 9, 10]),
        write(&[0x68]).with_error(ADDRESS_NAK),
        write(&[0x68]).with_error(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown)),
        write(&[0x68]),
        write(&[0x70, 11]),
        write(&[0x70]),
    ];
    let bytes: Vec<u8> = (1..=11).collect();
    assert_eq!(with_mock(3, &expected, |driver| driver.write(0x66, &bytes)), Ok(()));
}

#[test]
fn a_write_that_fills_its_page_is_not_split() {
    let expected = [write(&[0xF8, 1, 2, 3, 4, 5, 6, 7, 8]), write(&[0xF8])];
    assert_eq!(with_mock(1, &expected, |driver| driver.write(0xF8, &[1, 2, 3, 4, 5, 6, 7, 8])), Ok(()));
}

#[test]
fn the_driver_gives_up_after_its_polls_and_not_one_earlier() {
    let busy = || write(&[0x10]).with_error(ADDRESS_NAK);
    let expected = [write(&[0x10, 7]), busy(), busy(), busy()];
    assert_eq!(
        with_mock(3, &expected, |driver| driver.write(0x10, &[7])),
        Err(DriverError::NotReady { address: 0x10, polls: 3 })
    );
    let expected = [write(&[0x10, 7]), busy(), busy(), write(&[0x10])];
    assert_eq!(with_mock(3, &expected, |driver| driver.write(0x10, &[7])), Ok(()));
}

#[test]
fn nothing_follows_a_page_that_never_got_ready() {
    let expected = [write(&[0x17, 1]), write(&[0x17]).with_error(ADDRESS_NAK)];
    assert_eq!(
        with_mock(1, &expected, |driver| driver.write(0x17, &[1, 2])),
        Err(DriverError::NotReady { address: 0x17, polls: 1 })
    );
}

#[test]
fn cells_that_are_not_there_are_refused_before_anything_is_sent() {
    for (address, len) in [(0xFF, 2), (0xF8, 9), (0x00, 257), (0x80, usize::from(u8::MAX))] {
        let refused = Err(DriverError::OutOfRange { address, len });
        assert_eq!(with_mock(1, &[], |driver| driver.write(address, &vec![0; len])), refused);
        assert_eq!(with_mock(1, &[], |driver| driver.read(address, &mut vec![0; len])), refused);
    }
    assert_eq!(with_mock(1, &[], |driver| driver.write(0xFF, &[])), Ok(()));
    assert_eq!(with_mock(1, &[], |driver| driver.read(0xFF, &mut [])), Ok(()));
    assert_eq!(with_mock(1, &[write(&[0xFF, 9]), write(&[0xFF])], |driver| driver.write(0xFF, &[9])), Ok(()));
    let last = [Transaction::write_read(0x50, vec![0xFF], vec![9])];
    assert_eq!(with_mock(1, &last, |driver| driver.read(0xFF, &mut [0])), Ok(()));
}

#[test]
fn a_transfer_that_is_not_acknowledged_names_its_cell() {
    let bus = |address, source| Err(DriverError::Bus { address, source });
    for kind in [ADDRESS_NAK, DATA_NAK, ErrorKind::ArbitrationLoss] {
        let expected = [write(&[0x17, 1]), write(&[0x17]), write(&[0x18, 2]).with_error(kind)];
        assert_eq!(with_mock(1, &expected, |driver| driver.write(0x17, &[1, 2])), bus(0x18, kind));
        let expected = [Transaction::write_read(0x50, vec![0x20], vec![0]).with_error(kind)];
        assert_eq!(with_mock(1, &expected, |driver| driver.read(0x20, &mut [0])), bus(0x20, kind));
    }
    // A poll that fails otherwise than by a busy part is no poll to repeat.
    for kind in [DATA_NAK, ErrorKind::ArbitrationLoss, ErrorKind::Bus] {
        let expected = [write(&[0x17, 1]), write(&[0x17]).with_error(kind)];
        assert_eq!(with_mock(9, &expected, |driver| driver.write(0x17, &[1])), bus(0x17, kind));
    }
}

#[test]
fn errors_name_cell_and_cause() {
    let texts = [
        DriverError::Bus { address: 0x68, source: ADDRESS_NAK }.to_string(),
        DriverError::<ErrorKind>::NotReady { address: 0x68, polls: 200 }.to_string(),
        DriverError::<ErrorKind>::OutOfRange { address: 0xFF, len: 2 }.to_string(),
    ];
    assert_eq!(
        texts,
        [
            "bus error at EEPROM cell 0x68: NoAcknowledge(Address)",
            "EEPROM still busy after 200 polls behind the write to cell 0x68",
            "2 bytes from EEPROM cell 0xff run past the last cell",
        ]
    );
}

fn driver(chip: &mut Chip, us: u64, polls_max: u32) -> Eeprom24c02<Bus<'_>> {
    let config = DriverConfig { polls_max, ..profile().driver };
    Eeprom24c02::new(Bus::new(chip, Instant::from_us(us)), config)
}

#[test]
fn on_the_chip_a_write_takes_until_the_first_poll_behind_its_cycle() {
    // STOP at 380, cycle until 5,380; the 46th poll has its address acknowledged at 5,430.
    let mut chip = Chip::new(profile().chip);
    let mut on_chip = driver(&mut chip, 0, 46);
    assert_eq!(on_chip.write(0x68, &[0x11, 0x22]), Ok(()));
    assert_eq!(on_chip.i2c().at(), Instant::from_us(5_530));
    assert_eq!(chip.image()[0x67..0x6B], [0xFF, 0x11, 0x22, 0xFF]);

    let mut chip = Chip::new(profile().chip);
    let refused = driver(&mut chip, 0, 45).write(0x68, &[0x11, 0x22]);
    assert_eq!(refused, Err(DriverError::NotReady { address: 0x68, polls: 45 }));
}

#[test]
fn a_part_of_older_make_is_waited_for_with_the_profile_as_it_is() {
    let mut config = profile();
    config.chip.cycle = Span::ms(10);
    let mut chip = Chip::new(config.chip);
    let mut on_chip = Eeprom24c02::new(Bus::new(&mut chip, Instant::ZERO), config.driver);
    assert_eq!(on_chip.write(0x68, &[0x11, 0x22]), Ok(()));
    assert_eq!(on_chip.i2c().at(), Instant::from_us(10_480));
}

#[test]
fn on_the_chip_what_was_written_reads_back_and_neighbours_stay() {
    let mut chip = Chip::new(profile().chip);
    let body: Vec<u8> = (1..=63).collect();
    assert_eq!(driver(&mut chip, 0, 200).write(104, &body), Ok(()));
    assert_eq!(chip.image()[104..167], body);
    assert!(chip.image()[..104].iter().chain(&chip.image()[167..]).all(|byte| *byte == 0xFF));
    assert_eq!((chip.wear_max(), chip.wear().iter().sum::<u32>()), (1, 63));
    let mut all = [0; CAPACITY];
    let mut on_chip = driver(&mut chip, 100_000, 200);
    assert_eq!(on_chip.read(0, &mut all), Ok(()));
    assert_eq!(on_chip.i2c().at(), Instant::from_us(100_000 + 30 + 3 * 90 + 256 * 90));
    assert_eq!(&all, chip.image());
}

#[test]
fn a_driver_with_too_long_a_page_runs_round_the_page_end() {
    let mut chip = Chip::new(profile().chip);
    let config = DriverConfig { page_len: 16.try_into().unwrap(), ..profile().driver };
    let mut wrong = Eeprom24c02::new(Bus::new(&mut chip, Instant::ZERO), config);
    assert_eq!(wrong.write(0x60, &[1, 2, 3, 4, 5, 6, 7, 8, 9]), Ok(()));
    assert_eq!(chip.image()[0x60..0x6A], [9, 2, 3, 4, 5, 6, 7, 8, 0xFF, 0xFF]);
}

#[test]
fn a_busy_part_fails_a_read_and_a_write_at_once() {
    let mut chip = Chip::new(profile().chip);
    assert_eq!(Bus::new(&mut chip, Instant::ZERO).write(0x50, &[0x10, 0x00]), Ok(()));
    let refused = Err(DriverError::Bus { address: 0x20, source: ADDRESS_NAK });
    assert_eq!(driver(&mut chip, 1_000, 200).read(0x20, &mut [0]), refused);
    assert_eq!(driver(&mut chip, 2_000, 200).write(0x20, &[0]), refused);
}
