//! Alipay's gateway: forms in, JSON out, signed with RSA2 both ways.
//!
//! Everything is answered with HTTP 200 and `text/html`; what went wrong is in the body. The signature of an answer
//! covers exactly the bytes of the object under `.._response`, slashes escaped as the gateway escapes them.

mod amount;
mod code;
mod face;
mod notify;
mod parameters;
mod read;
mod render;
#[cfg(test)]
mod tests;

pub use face::{Alipay, MerchantKey};
