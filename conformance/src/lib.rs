//! Conformance suite for payment terminals.
//!
//! - [`requirement`] is what is judged, [`case`](mod@case) what is provoked, [`finding`] how it is judged.
//! - [`stage`] is what a case stands on, [`scene`] who is who on it.
//! - [`suite`] lists the cases and mutants of every system: [`water`], [`modem`].

pub mod case;
pub mod finding;
pub mod modem;
pub mod requirement;
pub mod scene;
pub mod stage;
pub mod suite;
pub mod water;
