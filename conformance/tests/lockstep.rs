//! Programs in lockstep seats: the worked examples pass, their planted defects are found, and hopeless programs get
//! the right verdict in bounded time.

#[path = "lockstep/examples.rs"]
mod examples;
#[path = "lockstep/hopeless.rs"]
mod hopeless;
#[path = "lockstep/seat.rs"]
mod seat;
