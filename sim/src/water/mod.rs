//! The prepaid water-card system: terminal, message server, payments, and the frames between them.
//!
//! - [`terminal`], [`server`], [`payments`] and [`peripheral`] are the parties; cards and modems come from their own
//!   modules. [`party::Party`] is any of them.
//! - [`frame`] is what terminal and server say, [`ledger`] and [`tariff`] what the server books.
//! - [`text_port`] is what a real terminal has in the place of card reader, voice and display, and [`desk`] its reader.
//! - [`plant::Plant`] draws a whole installation for a bench, out of a [`profile::Profile`] and a [`policy::Policy`].

pub mod cards;
pub mod desk;
pub mod family;
pub mod frame;
pub mod ledger;
pub mod observe;
pub mod party;
pub mod payments;
pub mod peripheral;
pub mod plant;
pub mod policy;
pub mod profile;
pub mod server;
pub mod tariff;
pub mod terminal;
pub mod text_port;
