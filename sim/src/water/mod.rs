//! The prepaid water-card system: terminal, message server, payments, and the frames between them.

pub mod frame;
pub mod ledger;
pub mod number;
pub mod payments;
pub mod server;
pub mod tariff;
