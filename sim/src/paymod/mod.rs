//! The scan-to-pay system: a host with a pay module, the module's server, and the payment platforms behind it.
//!
//! - [`frame`] is what travels between host, module and server; [`store`] is what a module keeps in flash.
//! - [`module`] is the pay module, [`server`] its server, [`host`] a vending machine that orders through it.
//! - [`plant`] draws them on a bench, [`profile`] has every open value, [`policy`] the named designs.
//! - [`platform`] is WeChat Pay and Alipay as the server meets them, on the ledger of the payments system.

pub mod family;
pub mod frame;
pub mod host;
pub mod module;
pub mod observe;
pub mod party;
pub mod plant;
pub mod platform;
pub mod platform_line;
pub mod policy;
pub mod profile;
pub mod server;
pub mod store;
#[cfg(test)]
mod tests;
pub mod text_port;
