//! The driver of a 24C02, as firmware uses it on any I²C bus.

use embedded_hal::i2c::{Error as _, ErrorKind, I2c, NoAcknowledgeSource};
use thiserror::Error;

use super::{CAPACITY, DriverConfig, PAGE_LEN_MAX};

/// A blocking driver: page splits and ACK polling included.
#[derive(Clone, Debug)]
pub struct Eeprom24c02<I2C> {
    i2c: I2C,
    config: DriverConfig,
}

/// Why a read or a write failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DriverError<E> {
    /// The bus failed, or the part did not acknowledge.
    #[error("bus error at EEPROM cell {address:#04x}: {source:?}")]
    Bus {
        /// The first cell of the transaction.
        address: u8,
        /// What the bus says.
        r#source: E,
    },
    /// The part was still busy at the last poll after a page write; the page may hold the old or the new bytes.
    #[error("EEPROM still busy after {polls} polls behind the write to cell {address:#04x}")]
    NotReady {
        /// The first cell of the page write.
        address: u8,
        /// How often the part was asked.
        polls: u32,
    },
    /// Cells that the part does not have; nothing was sent.
    #[error("{len} bytes from EEPROM cell {address:#04x} run past the last cell")]
    OutOfRange {
        /// The first cell.
        address: u8,
        /// How many were asked for.
        len: usize,
    },
}

impl<I2C: I2c> Eeprom24c02<I2C> {
    /// The driver on its bus.
    pub fn new(i2c: I2C, config: DriverConfig) -> Self {
        Self { i2c, config }
    }

    /// The bus.
    pub fn i2c(&self) -> &I2C {
        &self.i2c
    }

    /// Gives the bus back.
    pub fn release(self) -> I2C {
        self.i2c
    }

    /// Reads cells from `address` on, in one transaction. An empty buffer costs nothing.
    ///
    /// Errors: [`DriverError::OutOfRange`] before anything is sent, else [`DriverError::Bus`].
    pub fn read(&mut self, address: u8, buffer: &mut [u8]) -> Result<(), DriverError<I2C::Error>> {
        check_range(address, buffer.len())?;
        if buffer.is_empty() {
            return Ok(());
        }
        self.i2c
            .write_read(self.config.device_address, &[address], buffer)
            .map_err(|source| DriverError::Bus { address, source })
    }

    /// Writes cells from `address` on, page by page, and returns when the last page is programmed.
    ///
    /// Errors: [`DriverError::OutOfRange`] before anything is sent; after any other error the pages before
    /// the named cell are programmed and those behind it are untouched.
    pub fn write(&mut self, address: u8, bytes: &[u8]) -> Result<(), DriverError<I2C::Error>> {
        check_range(address, bytes.len())?;
        let page_len = self.config.page_len;
        let (mut address, mut rest) = (address, bytes);
        while !rest.is_empty() {
            let room = page_len.get() - page_len.offset(address);
            let (page, behind) = rest.split_at(rest.len().min(usize::from(room)));
            self.write_page(address, page)?;
            // Wraps to zero only behind the last cell, where nothing is left to write.
            address = address.wrapping_add(room);
            rest = behind;
        }
        Ok(())
    }

    /// Writes bytes that lie in one page, and waits until they are programmed.
    fn write_page(&mut self, address: u8, bytes: &[u8]) -> Result<(), DriverError<I2C::Error>> {
        let mut sent = [0; 1 + PAGE_LEN_MAX];
        sent[0] = address;
        sent[1..=bytes.len()].copy_from_slice(bytes);
        self.i2c
            .write(self.config.device_address, &sent[..=bytes.len()])
            .map_err(|source| DriverError::Bus { address, source })?;
        self.wait_ready(address)
    }

    /// Asks until the part acknowledges its address again.
    ///
    /// Why: a poll carries the cell address, since several bus implementations refuse an empty write; without data
    /// it programs nothing.
    fn wait_ready(&mut self, address: u8) -> Result<(), DriverError<I2C::Error>> {
        for _ in 0..self.config.polls_max {
            match self.i2c.write(self.config.device_address, &[address]) {
                Ok(()) => return Ok(()),
                Err(source) if is_busy(source.kind()) => {}
                Err(source) => return Err(DriverError::Bus { address, source }),
            }
        }
        Err(DriverError::NotReady { address, polls: self.config.polls_max })
    }
}

/// Whether a failed poll only says that the part is not ready yet.
fn is_busy(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address | NoAcknowledgeSource::Unknown))
}

fn check_range<E>(address: u8, len: usize) -> Result<(), DriverError<E>> {
    if len <= CAPACITY - usize::from(address) {
        Ok(())
    } else {
        Err(DriverError::OutOfRange { address, len })
    }
}
