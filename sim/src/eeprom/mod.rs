//! The 24C02 EEPROM: the driver that firmware uses, and the chip as a behaving model.
