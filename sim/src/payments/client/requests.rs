//! What is asked of the platform and what it says, whatever the face: kinds of calls, and what an answer comes to.

use super::books::Try;
use super::config::ClientSetup;
use super::{alipay, wechat_v2, wechat_v3};
use crate::money::Fen;
use crate::payments::call::{CallKind, Platform};
use crate::payments::http::{Request, Response};
use crate::payments::http1::encode_request;
use crate::time::Now;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ask {
    /// Charge a code.
    Pay,
    /// Make an order that is scanned.
    Offer,
    /// What became of it?
    Query,
    /// Undo it.
    Reverse,
    /// Close it.
    Close,
    /// Give all of it back.
    Refund,
}

impl Ask {
    pub(super) const fn kind(self) -> CallKind {
        match self {
            Self::Pay => CallKind::Pay,
            Self::Offer => CallKind::Precreate,
            Self::Query => CallKind::Query,
            Self::Reverse => CallKind::Cancel,
            Self::Close => CallKind::Close,
            Self::Refund => CallKind::Refund,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        self.kind().as_str()
    }
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The order is paid, as it was asked for.
    Paid,
    /// The address that a payer scans.
    Offered(String),
    /// The order stands otherwise.
    Stands(Stands),
    /// It is done.
    Done,
    /// It is to be called again.
    Again,
    /// It is not done.
    Refused(Refused),
    /// Nothing that can be believed.
    Nothing,
}

/// How an order stands that is not paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// It may still be paid.
    Open,
    /// Nothing can come of it, for this reason.
    Dead(&'static str),
    /// All of it has gone back.
    Refunded,
}

/// Why a call was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) why: Why,
    /// The platform's code.
    pub(super) code: String,
}

/// What a platform's code means to whoever called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The payer is asked for the password.
    Waits,
    /// The order is paid.
    OrderPaid,
    /// The order was made before, and the address that a payer scans is not told again.
    Made,
    /// It is certain that the payer is not charged by this call.
    Certain,
    /// There is no such order.
    Gone,
    /// The order is closed or undone.
    Closed,
    /// Nothing is known.
    Unknown,
}

/// What a call is about.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) order: Try,
    pub(super) amount: Fen,
    pub(super) code: Option<String>,
    /// The number of the refund.
    pub(super) refund: String,
    pub(super) nonce: String,
}

impl About {
    /// What the payer reads on the bill.
    pub(super) const SUBJECT: &'static str = "goods";
    /// The counter.
    pub(super) const DEVICE: &'static str = "till";

    /// What goes along with an order: the till's number of the sale.
    pub(super) fn sale(&self) -> String {
        self.order.0.0.to_string()
    }
}

/// Where the client is told of payments.
pub(super) fn notify_url(setup: &ClientSetup) -> String {
    format!("http://{}/notify", setup.config.notify)
}

/// The bytes of a call.
pub(super) fn request(setup: &ClientSetup, now: Now, ask: Ask, about: &About) -> Vec<u8> {
    let request = match setup.config.face {
        Platform::WechatV2 => wechat_v2::request(setup, ask, about),
        Platform::WechatV3 => wechat_v3::request(setup, now, ask, about),
        Platform::Alipay => alipay::request(setup, now, ask, about),
    };
    encode_request(&request, &setup.config.platform.to_string())
}

/// What an answer says.
pub(super) fn word(setup: &ClientSetup, ask: Ask, of: (Try, Fen), response: &Response) -> Word {
    match setup.config.face {
        Platform::WechatV2 => wechat_v2::word(setup, ask, of, response),
        Platform::WechatV3 => wechat_v3::word(setup, ask, of, response),
        Platform::Alipay => alipay::word(setup, ask, of, response),
    }
}

/// The order of a notification, if it is to be believed.
pub(super) fn notified(
    setup: &ClientSetup,
    request: &Request,
    amount: impl Fn(Try) -> Option<Fen>,
) -> Option<Try> {
    match setup.config.face {
        Platform::WechatV2 => wechat_v2::notified(setup, request, amount),
        Platform::WechatV3 => wechat_v3::notified(setup, request, amount),
        Platform::Alipay => alipay::notified(setup, request, amount),
    }
}

/// The answer to a notification that was taken, as the design has it; to another one, a failure.
pub(super) fn receipt(setup: &ClientSetup, taken: bool) -> Response {
    use super::policy::Receipt;
    let how = if taken { setup.policy.receipt } else { Receipt::Fail };
    match setup.config.face {
        Platform::WechatV2 => wechat_v2::receipt(how),
        Platform::WechatV3 => wechat_v3::receipt(how),
        Platform::Alipay => alipay::receipt(how),
    }
}
