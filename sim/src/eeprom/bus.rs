//! The two wires between firmware and chip, for the length of one input.

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};

use super::Chip;
use crate::time::Instant;

/// An I²C bus with one 24C02 on it, lent to firmware while it handles one input.
///
/// Every START, repeated START and STOP takes one clock, every byte nine, address bytes included, each rounded up to
/// a whole microsecond; a byte counts at the end of its acknowledge, a STOP at its end.
#[derive(Debug)]
pub struct Bus<'a> {
    chip: &'a mut Chip,
    at: Instant,
}

impl<'a> Bus<'a> {
    /// The bus as it is at `at`: the time of the input, or as far as the firmware has run ahead of it.
    pub fn new(chip: &'a mut Chip, at: Instant) -> Self {
        Self { chip, at }
    }

    /// How far the firmware has run ahead on this bus.
    pub fn at(&self) -> Instant {
        self.at
    }

    fn start(&mut self, address: u8, reading: bool) -> Result<(), ErrorKind> {
        self.chip.start();
        self.at += self.chip.clock_span();
        self.at += self.chip.byte_span();
        if self.chip.select(self.at, address, reading) {
            Ok(())
        } else {
            Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address))
        }
    }

    fn stop(&mut self) {
        self.at += self.chip.clock_span();
        self.chip.stop(self.at);
    }

    fn carry(&mut self, operation: &mut Operation<'_>) -> Result<(), ErrorKind> {
        match operation {
            Operation::Write(bytes) => {
                for byte in *bytes {
                    self.at += self.chip.byte_span();
                    if !self.chip.put(self.at, *byte) {
                        return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Data));
                    }
                }
            }
            Operation::Read(buffer) => {
                for byte in buffer.iter_mut() {
                    self.at += self.chip.byte_span();
                    *byte = self.chip.take();
                }
            }
        }
        Ok(())
    }

    /// All of a transaction up to its STOP.
    fn carry_all(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let mut direction = None;
        for operation in operations {
            let reading = matches!(operation, Operation::Read(_));
            if direction != Some(reading) {
                self.start(address, reading)?;
                direction = Some(reading);
            }
            self.carry(operation)?;
        }
        Ok(())
    }
}

impl ErrorType for Bus<'_> {
    type Error = ErrorKind;
}

impl I2c for Bus<'_> {
    /// Errors: no acknowledge of the address while the part programs, or if no part has that address.
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        if operations.is_empty() {
            return Ok(());
        }
        let outcome = self.carry_all(address, operations);
        self.stop();
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::profile;
    use super::*;
    use crate::eeprom::CAPACITY;
    use crate::machine::StoreStep;
    use crate::time::Span;

    const BUSY: Result<(), ErrorKind> = Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));

    fn chip() -> Chip {
        Chip::new(profile().chip)
    }

    /// A part whose every cell holds its own address.
    fn counting() -> Chip {
        let mut image = [0; CAPACITY];
        for (cell, byte) in image.iter_mut().enumerate() {
            *byte = u8::try_from(cell).unwrap();
        }
        Chip::with_image(profile().chip, image)
    }

    fn bus(chip: &mut Chip, us: u64) -> Bus<'_> {
        Bus::new(chip, Instant::from_us(us))
    }

    fn steps(chip: &mut Chip) -> Vec<(u64, &'static str, u16)> {
        std::iter::from_fn(|| chip.poll_step())
            .map(|StoreStep { at, kind, address }| (at.as_us(), kind, address))
            .collect()
    }

    #[test]
    fn bytes_take_nine_clocks_and_start_and_stop_one() {
        let mut chip = chip();
        let mut wires = bus(&mut chip, 1_000);
        assert_eq!(wires.write(0x50, &[0x68, 0x11, 0x22]), Ok(()));
        assert_eq!(wires.at(), Instant::from_us(1_000 + 10 + 4 * 90 + 10));
        let mut wires = bus(&mut chip, 10_000);
        let mut read = [0; 2];
        assert_eq!(wires.write_read(0x50, &[0x68], &mut read), Ok(()));
        assert_eq!(wires.at(), Instant::from_us(10_000 + 10 + 2 * 90 + 10 + 3 * 90 + 10));
        assert_eq!(read, [0x11, 0x22]);
        assert_eq!(wires.transaction(0x50, &mut []), Ok(()));
        assert_eq!(wires.at(), Instant::from_us(10_480));
    }

    #[test]
    fn clocks_that_are_no_whole_microseconds_are_rounded_up() {
        let mut config = profile().chip;
        config.clock_hz = 400_000.try_into().unwrap();
        let mut chip = Chip::new(config);
        let mut wires = bus(&mut chip, 0);
        assert_eq!(wires.write(0x50, &[0x68]), Ok(()));
        // 2.5 µs a clock, 22.5 µs a byte.
        assert_eq!(wires.at(), Instant::from_us(3 + 2 * 23 + 3));
    }

    #[test]
    fn the_part_answers_nobody_until_its_cycle_ends() {
        let mut chip = chip();
        assert_eq!(bus(&mut chip, 0).write(0x50, &[0x68, 0x11]), Ok(()));
        // STOP at 290, cycle until 5,290; an address byte is acknowledged 100 µs after its START begins.
        assert!(chip.is_busy(Instant::from_us(5_289)) && !chip.is_busy(Instant::from_us(5_290)));
        let mut wires = bus(&mut chip, 290);
        assert_eq!(wires.write(0x50, &[0x68]), BUSY);
        assert_eq!(wires.at(), Instant::from_us(400));
        assert_eq!(bus(&mut chip, 5_189).read(0x50, &mut [0]), BUSY);
        assert_eq!(bus(&mut chip, 5_189).write(0x50, &[0x00, 0x99]), BUSY);
        assert_eq!(bus(&mut chip, 5_190).write(0x50, &[]), Ok(()));
        assert_eq!(chip.image()[0], 0xFF);
    }

    #[test]
    fn only_its_own_address_is_acknowledged() {
        let mut chip = chip();
        for other in [0x00, 0x4F, 0x51, 0xA0, 0xD0] {
            assert_eq!(bus(&mut chip, 0).write(other, &[0x00, 0x99]), BUSY);
        }
        assert_eq!(chip.image(), &[0xFF; CAPACITY]);
        assert_eq!(chip.wear_max(), 0);
    }

    #[test]
    fn a_write_past_the_page_end_wraps_inside_the_page() {
        let mut chip = counting();
        assert_eq!(bus(&mut chip, 0).write(0x50, &[0x66, 0xA0, 0xA1, 0xA2, 0xA3]), Ok(()));
        assert_eq!(chip.image()[0x5F..0x69], [0x5F, 0xA2, 0xA3, 0x62, 0x63, 0x64, 0x65, 0xA0, 0xA1, 0x68]);
        assert_eq!(chip.wear()[0x5F..0x69], [0, 1, 1, 0, 0, 0, 0, 1, 1, 0]);
        assert_eq!(
            steps(&mut chip),
            [
                (280, "eeprom-byte", 0x66),
                (370, "eeprom-byte", 0x67),
                (460, "eeprom-byte", 0x60),
                (550, "eeprom-byte", 0x61),
                (560, "eeprom-stop", 0x66),
                (3_060, "eeprom-cycle", 0x66),
            ]
        );
        assert_eq!(steps(&mut chip), []);
    }

    #[test]
    fn of_more_than_a_page_the_last_bytes_stay_and_each_cell_wears_once() {
        let mut chip = counting();
        let mut bytes = vec![0x6C];
        bytes.extend(0xA0..0xAB);
        assert_eq!(bus(&mut chip, 0).write(0x50, &bytes), Ok(()));
        assert_eq!(chip.image()[0x67..0x71], [0x67, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xA3, 0x70]);
        assert_eq!(chip.wear()[0x67..0x71], [0, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
        let told = steps(&mut chip);
        assert_eq!(told.len(), 13);
        assert_eq!(told[10], (1_180, "eeprom-byte", 0x6E));
    }

    #[test]
    fn adjacent_writes_are_one_page_write_and_a_repeated_start_drops_the_data() {
        let mut chip = counting();
        let mut operations = [Operation::Write(&[0x10]), Operation::Write(&[0xAA, 0xBB])];
        assert_eq!(bus(&mut chip, 0).transaction(0x50, &mut operations), Ok(()));
        assert_eq!(chip.image()[0x10..0x13], [0xAA, 0xBB, 0x12]);
        assert_eq!(steps(&mut chip).len(), 4);

        let mut read = [0; 2];
        assert_eq!(bus(&mut chip, 9_000).write_read(0x50, &[0x20, 0xCC], &mut read), Ok(()));
        assert_eq!(read, [0x21, 0x22]);
        assert_eq!(chip.image()[0x20], 0x20);
        assert_eq!((chip.wear()[0x20], steps(&mut chip).len()), (0, 0));
        assert!(!chip.is_busy(Instant::from_us(9_000)));
    }

    #[test]
    fn a_current_address_read_goes_on_where_the_last_one_ended_and_rolls_over() {
        let mut chip = counting();
        let mut read = [0; 3];
        assert_eq!(bus(&mut chip, 0).read(0x50, &mut read), Ok(()));
        assert_eq!(read, [0x00, 0x01, 0x02]);
        assert_eq!(bus(&mut chip, 1_000).write_read(0x50, &[0xFE], &mut read), Ok(()));
        assert_eq!(read, [0xFE, 0xFF, 0x00]);
        let mut halves = ([0; 1], [0; 2]);
        let mut operations = [Operation::Read(&mut halves.0), Operation::Read(&mut halves.1)];
        assert_eq!(bus(&mut chip, 2_000).transaction(0x50, &mut operations), Ok(()));
        assert_eq!(halves, ([0x01], [0x02, 0x03]));
        // After a write the pointer stands behind the last byte, inside the page.
        assert_eq!(bus(&mut chip, 3_000).write(0x50, &[0x27, 0x99]), Ok(()));
        assert_eq!(bus(&mut chip, 9_000).read(0x50, &mut read), Ok(()));
        assert_eq!(read, [0x20, 0x21, 0x22]);
        assert_eq!(bus(&mut chip, 10_000).write(0x50, &[0x40]), Ok(()));
        assert_eq!(bus(&mut chip, 10_200).read(0x50, &mut read), Ok(()));
        assert_eq!(read, [0x40, 0x41, 0x42]);
    }

    #[test]
    fn a_cell_wears_out_after_its_promised_writes() {
        let mut config = profile().chip;
        config.endurance = 2;
        let mut chip = Chip::new(config);
        for (nth, worn) in [(0, None), (1, None), (2, Some(0x30))] {
            assert_eq!(bus(&mut chip, nth * 10_000).write(0x50, &[0x30, 0x00]), Ok(()));
            assert_eq!(chip.worn_out(), worn);
        }
        assert_eq!(chip.wear_max(), 3);
    }

    #[test]
    fn a_part_without_a_cycle_is_never_busy() {
        let mut config = profile().chip;
        config.cycle = Span::ZERO;
        let mut chip = Chip::new(config);
        assert_eq!(bus(&mut chip, 0).write(0x50, &[0x30, 0x00]), Ok(()));
        // The STOP is at 290, and the next START right behind it.
        assert_eq!(bus(&mut chip, 290).write(0x50, &[0x31, 0x00]), Ok(()));
    }
}
