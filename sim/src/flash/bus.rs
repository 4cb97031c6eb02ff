//! The wires between firmware and flash, for the length of one input.

use std::convert::Infallible;

use embedded_hal::spi::{ErrorType, Operation, SpiDevice};

use super::{Chip, ERASED};
use crate::time::{Instant, Span};

/// An SPI bus with one flash on it, lent to firmware while it handles one input.
///
/// Each byte takes eight clocks; a transaction is rounded up to a whole microsecond, and what it asks for begins when
/// the part is released.
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
}

impl ErrorType for Bus<'_> {
    type Error = Infallible;
}

impl SpiDevice for Bus<'_> {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        let (mut start, mut count) = (self.at, 0);
        self.chip.select();
        let exchange = |chip: &mut Chip, start: Instant, count: &mut u64, byte: u8| {
            *count += 1;
            chip.exchange(start + chip.bytes_span(*count), byte)
        };
        for operation in operations {
            match operation {
                Operation::Write(bytes) => {
                    for byte in *bytes {
                        exchange(self.chip, start, &mut count, *byte);
                    }
                }
                Operation::Read(buffer) => {
                    if self.chip.give(buffer) {
                        count += buffer.len() as u64;
                    } else {
                        for byte in buffer.iter_mut() {
                            *byte = exchange(self.chip, start, &mut count, ERASED);
                        }
                    }
                }
                Operation::Transfer(buffer, bytes) => {
                    for at in 0..buffer.len().max(bytes.len()) {
                        let byte = bytes.get(at).copied().unwrap_or(ERASED);
                        let back = exchange(self.chip, start, &mut count, byte);
                        if let Some(place) = buffer.get_mut(at) {
                            *place = back;
                        }
                    }
                }
                Operation::TransferInPlace(buffer) => {
                    for byte in buffer.iter_mut() {
                        *byte = exchange(self.chip, start, &mut count, *byte);
                    }
                }
                Operation::DelayNs(ns) => start += Span::us(u64::from(*ns).div_ceil(1_000)),
            }
        }
        self.at = start + self.chip.bytes_span(count);
        self.chip.release(self.at);
        Ok(())
    }
}
