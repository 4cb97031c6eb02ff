//! WeChat Pay v3: JSON over HTTP, signed with RSA both ways, with results sealed under a merchant's APIv3 key.
//!
//! The direct merchants' form is served. The partners' form (`/v3/pay/partner/..`) is refused as the platform refuses
//! a merchant that is no partner.

mod authorization;
mod body;
mod error;
mod face;
mod notify;
mod read;
mod render;
mod route;
#[cfg(test)]
mod tests;

use super::call::CallKind;
use super::http::Request;
pub use authorization::{Authorization, AuthorizationError, NonceBook, SCHEME};
pub use face::{MerchantKey, Mode, PlatformKeys, WechatV3};

/// The kind of call of a request; none of one that is not this face's.
pub fn kind_of(request: &Request) -> Option<CallKind> {
    route::Route::of(&request.method, &request.path).ok().map(|route| route.kind())
}
