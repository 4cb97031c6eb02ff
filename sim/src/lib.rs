//! Virtual payment terminals, modems, cards and servers as plain state machines, and the bench that runs them.
//!
//! - [`machine`] is the contract: start there.
//! - [`time`], [`seed`], [`money`], [`digest`], [`timers`], [`wire`], [`short`] are the vocabulary.
//! - [`card`], [`eeprom`], [`flash`], [`journal`], [`modem`] are parts that several systems use.
//! - [`water`] is the prepaid water-card system, [`pos`] the UDP POS system.
//! - [`payments`] is WeChat Pay and Alipay as merchants' programs meet them.

pub mod bench;
pub mod card;
pub mod digest;
#[cfg(feature = "drive")]
pub mod drive;
pub mod eeprom;
pub mod fault;
pub mod flash;
pub mod journal;
pub mod link;
pub mod machine;
pub mod modem;
pub mod money;
pub mod payments;
pub mod paymod;
pub mod policy;
pub mod pos;
pub mod probe;
pub mod profile;
mod queue;
pub mod seed;
pub mod short;
pub mod tabletop;
pub mod tape;
pub mod time;
pub mod timers;
pub mod water;
pub mod wire;
#[cfg(feature = "world")]
pub mod world;
