//! The driver of a 25 series flash, as firmware uses it on any SPI device.

use embedded_hal::spi::{Operation, SpiDevice};
use thiserror::Error;

use super::{DriverConfig, PAGE_LEN, command};
use crate::time::Span;

/// A blocking driver: page splits and status polling included.
#[derive(Clone, Debug)]
pub struct Flash25<SPI> {
    spi: SPI,
    config: DriverConfig,
}

/// Why a read, a write or an erasure failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DriverError<E> {
    /// The bus failed.
    #[error("bus error at flash address {address:#08x}: {source:?}")]
    Bus {
        /// The first byte of the transaction.
        address: u32,
        /// What the bus says.
        r#source: E,
    },
    /// The part was still busy at the last poll.
    #[error("flash still busy after {polls} polls behind the command to address {address:#08x}")]
    NotReady {
        /// The first byte of the command.
        address: u32,
        /// How often the part was asked.
        polls: u32,
    },
}

impl<SPI: SpiDevice> Flash25<SPI> {
    /// The driver on its bus.
    pub fn new(spi: SPI, config: DriverConfig) -> Self {
        Self { spi, config }
    }

    /// The bus.
    pub fn spi(&self) -> &SPI {
        &self.spi
    }

    /// Gives the bus back.
    pub fn release(self) -> SPI {
        self.spi
    }

    /// Reads bytes from `address` on, in one transaction.
    ///
    /// Errors: [`DriverError::Bus`].
    pub fn read(&mut self, address: u32, buffer: &mut [u8]) -> Result<(), DriverError<SPI::Error>> {
        let head = with_address(command::READ, address);
        self.spi
            .transaction(&mut [Operation::Write(&head), Operation::Read(buffer)])
            .map_err(|source| DriverError::Bus { address, source })
    }

    /// Programs bytes from `address` on, page by page, and returns when the last is programmed. Bits that are
    /// already clear stay so.
    ///
    /// Errors: [`DriverError`]; the pages before the named address are programmed, those behind it are untouched.
    pub fn program(&mut self, address: u32, bytes: &[u8]) -> Result<(), DriverError<SPI::Error>> {
        let (mut at, mut rest) = (address, bytes);
        while !rest.is_empty() {
            let room = PAGE_LEN - at as usize % PAGE_LEN;
            let (page, behind) = rest.split_at(rest.len().min(room));
            let head = with_address(command::PROGRAM, at);
            self.enable(at)?;
            self.spi
                .transaction(&mut [Operation::Write(&head), Operation::Write(page)])
                .map_err(|source| DriverError::Bus { address: at, source })?;
            self.wait_ready(at, self.config.program_wait)?;
            at = at.wrapping_add(u32::try_from(page.len()).unwrap_or(0));
            rest = behind;
        }
        Ok(())
    }

    /// Erases the sector that holds `address`, and returns when it is erased.
    ///
    /// Errors: [`DriverError`]; after [`DriverError::NotReady`] the sector may hold anything.
    pub fn erase(&mut self, address: u32) -> Result<(), DriverError<SPI::Error>> {
        self.enable(address)?;
        self.spi
            .write(&with_address(command::ERASE, address))
            .map_err(|source| DriverError::Bus { address, source })?;
        self.wait_ready(address, self.config.erase_wait)
    }

    fn enable(&mut self, address: u32) -> Result<(), DriverError<SPI::Error>> {
        self.spi.write(&[command::WRITE_ENABLE]).map_err(|source| DriverError::Bus { address, source })
    }

    /// Looks at the status, with a pause before each look, until the part is ready.
    fn wait_ready(&mut self, address: u32, pause: Span) -> Result<(), DriverError<SPI::Error>> {
        let pause_ns = u32::try_from(pause.as_us().saturating_mul(1_000)).unwrap_or(u32::MAX);
        for _ in 0..self.config.polls_max {
            let mut status = [0];
            self.spi
                .transaction(&mut [
                    Operation::DelayNs(pause_ns),
                    Operation::Write(&[command::STATUS]),
                    Operation::Read(&mut status),
                ])
                .map_err(|source| DriverError::Bus { address, source })?;
            if status[0] & command::BUSY == 0 {
                return Ok(());
            }
        }
        Err(DriverError::NotReady { address, polls: self.config.polls_max })
    }
}

/// A command and its 24-bit address.
const fn with_address(command: u8, address: u32) -> [u8; 4] {
    let [_, high, middle, low] = address.to_be_bytes();
    [command, high, middle, low]
}
