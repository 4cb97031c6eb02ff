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
mod signed;
#[cfg(test)]
mod tests;

use super::call::CallKind;
use super::http::Request;
pub use face::{Alipay, MerchantKey};
pub use signed::{SignedObject, covered, signed_object};

/// The kind of call of a request; none of one that is not this face's.
pub fn kind_of(request: &Request) -> Option<CallKind> {
    if request.path != face::GATEWAY {
        return None;
    }
    let parameters = parameters::Parameters::read(request).ok()?;
    face::kind_of(parameters.ascii("method")?)
}
