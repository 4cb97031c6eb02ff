//! Conformance suite for payment terminals, and the tool that runs it.
//!
//! - [`requirement`] is what is judged, [`case`](mod@case) what is provoked, [`finding`] how it is judged.
//! - [`system`] says what the machinery has to know of a family; [`stage`] is what a case stands on.
//! - [`suite`] lists the cases and mutants of every system: [`water`], [`modem`], [`pos`], [`payments`].
//! - [`trial`] is a case ready to run, [`record`] what a run leaves, [`replay`] the file that runs it again.
//! - [`experiment`] counts what designs do over many swipes, without judging.
//! - [`rig_bench`] runs cases against real parties, [`pics`] says which cases are for one, and [`serve`] makes one of
//!   ours. [`certify`] puts a product through all of it.
//! - [`differential`] holds two benches against each other.
//! - [`shrink`] makes a failing run as small as it can be.
//! - [`campaign`] keeps what very many runs came to, and shares them out; [`branches`] are what they have to reach.
//! - [`run`], [`explore`], [`matrix`], [`twice`] are what the tool does with them; [`cli`] is its command line.

pub mod branches;
pub mod campaign;
pub mod capture;
pub mod case;
pub mod certify;
pub mod cli;
pub mod differential;
pub mod experiment;
pub mod explore;
pub mod finding;
pub mod interrupt;
pub mod listed;
pub mod margins;
pub mod marks;
pub mod matrix;
pub mod modem;
pub mod names;
pub mod outcome;
pub mod panics;
pub mod payments;
pub mod paymod;
pub mod pics;
pub mod plan_file;
pub mod pos;
pub mod progress;
pub mod record;
pub mod redact;
pub mod replay;
pub mod requirement;
pub mod rig_bench;
pub mod run;
pub mod seal;
pub mod serve;
pub mod shrink;
pub mod stage;
pub mod storm;
pub mod suite;
pub mod swarm;
pub mod system;
pub mod trace;
pub mod trial;
pub mod twice;
pub mod verify;
pub mod water;
pub mod work;
