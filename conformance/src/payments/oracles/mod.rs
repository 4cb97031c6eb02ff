//! The judges of clients and of the platforms that they call.

pub mod backend;
pub mod calls;
mod documents;
pub mod notices;
mod orders;
pub mod sales;
mod talk;
pub mod wrong_moves;
