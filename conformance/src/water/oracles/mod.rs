//! The judges of the water system.

pub mod facts;
pub mod frames;
pub mod server;
pub mod server_ears;
pub mod server_frames;
pub mod server_negatives;
pub mod server_prices;
pub mod server_worlds;
