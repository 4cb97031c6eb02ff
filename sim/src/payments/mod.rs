//! Payment platforms as merchants' programs meet them: WeChat Pay and Alipay on one ledger.
//!
//! - [`http`] is what comes and goes, as plain values; [`backend`] is the party.
//! - [`ledger`] keeps the books; a [`face`] reads and writes one protocol.
//! - [`client`] is a program that calls them for a till, [`acquirer`] the backend beside it on a bench, and [`plant`]
//!   draws both with the till; [`http1`] is what goes between them.
//! - [`plan`] says what goes wrong, [`watch`] sees what clients do wrong, [`notice`] tells merchants of successes.

pub mod acquirer;
pub mod alipay;
pub mod backend;
mod beijing;
pub mod bench_profile;
pub mod call;
pub mod client;
pub mod crypto;
pub mod face;
pub mod faces;
mod facts;
pub mod family;
pub mod form;
pub mod http;
pub mod http1;
pub mod ledger;
pub mod log;
pub mod notice;
pub mod observe;
pub mod party;
pub mod plan;
pub mod plant;
pub mod policy;
pub mod profile;
#[cfg(feature = "http")]
pub mod served;
pub mod watch;
pub mod wechat_v2;
pub mod wechat_v3;

pub use backend::{Backend, Posting};
pub use call::{Call, CallKind, House, Operation, OrderRef, Outcome, Platform, Refusal, Terms};
pub use face::{Face, Rejected, Signature, Spoil};
pub use faces::Faces;
pub use http::{Answer, Outgoing, Reply, Request, Response};
pub use ledger::Ledger;
pub use notice::{News, NoticeKey};
pub use plan::{Misbehaviour, Plan, PlanError};
pub use profile::Profile;
