//! Messages of the platforms' protocols in the terms that all faces share, read anew and with no code of a client's.

mod alipay;
mod wechat_v2;
mod wechat_v3;

use assay_sim::money::Fen;
use assay_sim::payments::call::{CallKind, Platform};
use assay_sim::payments::http::{Request, Response};

use crate::payments::scene::Scene;

/// A document, and whether its signature is good.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    pub(super) signed: bool,
    pub(super) genuine: bool,
    /// The status that it came with; 0 for a request.
    pub(super) status: u16,
    /// The merchant's number of the order.
    pub(super) number: String,
    /// What the merchant attached: the till's number of the sale.
    pub(super) sale: String,
    pub(super) amount: Option<Fen>,
    /// The payer's code.
    pub(super) code: String,
    /// The number of the refund.
    pub(super) refund: String,
    /// What no other request has.
    pub(super) nonce: String,
    /// Whether it names our merchant.
    pub(super) ours: bool,
    pub(super) says: Says,
    /// The platform's own word for that.
    pub(super) word: String,
}

/// What an answer, a notification or a receipt says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Says {
    /// Nothing that this platform would say.
    #[default]
    Nothing,
    /// It is done; of a receipt, that the notification is taken.
    Done,
    /// The order is paid.
    Paid,
    /// The order may still be paid.
    Open,
    /// Nothing can come of the order, or all of it has gone back.
    Dead,
    /// It is to be called again.
    Again,
    /// It is not done.
    Refused(Why),
}

/// What a platform's refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Nothing can be told from it.
    Unknown,
    /// The order is paid.
    OrderPaid,
    /// There is no such order.
    Gone,
    /// It is closed or undone.
    Closed,
    /// The payer is certainly not charged.
    Certain,
}

impl Document {
    /// A call.
    pub(super) fn call(request: &Request, scene: &Scene) -> Self {
        match scene.face() {
            Platform::WechatV2 => wechat_v2::call(request, scene),
            Platform::WechatV3 => wechat_v3::call(request, scene),
            Platform::Alipay => alipay::call(request, scene),
        }
    }

    /// An answer to a call of this kind.
    pub(super) fn answer(kind: CallKind, response: &Response, scene: &Scene) -> Self {
        let document = match scene.face() {
            Platform::WechatV2 => wechat_v2::answer(kind, response, scene),
            Platform::WechatV3 => wechat_v3::answer(kind, response, scene),
            Platform::Alipay => alipay::answer(kind, response, scene),
        };
        Self { status: response.status, ..document }
    }

    /// A notification.
    pub(super) fn notice(request: &Request, scene: &Scene) -> Self {
        match scene.face() {
            Platform::WechatV2 => wechat_v2::notice(request, scene),
            Platform::WechatV3 => wechat_v3::notice(request, scene),
            Platform::Alipay => alipay::notice(request, scene),
        }
    }

    /// What a client answers to one: whether it is the exact success.
    pub(super) fn receipt(response: &Response, scene: &Scene) -> Self {
        let taken = match scene.face() {
            Platform::WechatV2 => wechat_v2::is_success(response),
            Platform::WechatV3 => matches!(response.status, 200 | 204),
            Platform::Alipay => response.status == 200 && response.body == b"success",
        };
        let says = if taken { Says::Done } else { Says::Nothing };
        let word = String::from_utf8_lossy(&response.body).chars().take(64).collect();
        Self { status: response.status, says, word, ..Self::default() }
    }

    /// Whether it is about the order with this amount, and ours.
    pub(super) fn is_right(&self, amount: Fen) -> bool {
        self.ours && self.amount == Some(amount)
    }
}
