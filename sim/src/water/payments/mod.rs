//! The payment front: where customers pay, and how the message server gets to know.

mod front;
mod line;
#[cfg(test)]
mod tests;

pub use front::{Payments, PaymentsConfig, PaymentsEvent, PaymentsStimulus, SERVER_PORT};
pub use line::{FEN_MAX, LineFormat, PaymentLine};
