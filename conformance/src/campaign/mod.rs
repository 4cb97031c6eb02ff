//! Campaigns: very many runs, stated in a plan, shared out among workers, and kept in a store until all are there.
//!
//! - [`plan`] is the campaign, [`shard`] the share of it that one worker makes.
//! - [`store`] keeps what each run came to, [`outcome`] says in which words; [`keeper`] stands between it and workers.
//! - [`make`](mod@make) makes the runs, [`standing`] says how far it is, [`reach`] what had to be reached; [`export`]
//!   makes the report, and [`work`] is what the tool does with all of it.

pub mod export;
pub mod keeper;
pub mod make;
pub mod outcome;
pub mod plan;
pub mod reach;
mod refusal;
pub mod shard;
pub mod standing;
pub mod store;
pub mod work;

pub use keeper::{Keeper, Kept, Made, Mode, Share};
pub use outcome::{Came, Outcome};
pub use plan::{CampaignPlan, Kind};
pub use shard::Shard;
pub use store::{RunKey, Store, StoreError, Unit};
pub use work::{Act, CampaignError, CampaignJob};
