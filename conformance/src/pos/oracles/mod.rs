//! The judges of the POS system.

pub mod drain;
pub mod facts;
pub mod money;
pub mod server_acks;
pub mod server_books;
pub mod server_clock;
pub mod server_desk;
pub mod server_ears;
pub mod server_platform;
pub mod server_records;
pub mod server_round;
pub mod server_sales;
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
