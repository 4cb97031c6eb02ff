//! The judges of the POS system.

pub mod terminal;
pub mod terminal_bits;
pub mod terminal_clock;
pub mod terminal_notices;
pub mod terminal_records;
pub mod terminal_sale;
pub mod terminal_sales;
pub mod terminal_sold;
pub mod terminal_talk;
pub mod wire;
