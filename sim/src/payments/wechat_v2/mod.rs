//! WeChat Pay v2: XML in which every field is signed with a key that both sides share.
//!
//! - [`xml`] reads and writes the one form of document there is; [`sign`] makes and checks signatures.
//! - `read` makes calls of requests, `render` answers of outcomes, with the platform's codes and their misspellings.

mod face;
mod read;
mod render;
pub mod sign;
#[cfg(test)]
mod tests;
pub mod xml;

use super::call::CallKind;
use super::http::Request;
pub use face::{MerchantKey, WechatV2};

/// The kind of call of a request; none of one that is not this face's.
pub fn kind_of(request: &Request) -> Option<CallKind> {
    face::kind_at(&request.path)
}
