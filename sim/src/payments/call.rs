//! What a merchant asks for, whichever face it came through, and what came of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ledger::{Order, Refund};
use crate::money::Fen;
use crate::time::Span;

/// Who keeps the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum House {
    /// WeChat Pay, through either of its faces.
    Wechat,
    /// Alipay.
    Alipay,
}

/// A face of a platform: one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// WeChat Pay v2: XML.
    WechatV2,
    /// WeChat Pay v3: JSON.
    WechatV3,
    /// The Alipay gateway.
    Alipay,
}

impl Platform {
    /// Whose face it is.
    pub const fn house(self) -> House {
        match self {
            Self::WechatV2 | Self::WechatV3 => House::Wechat,
            Self::Alipay => House::Alipay,
        }
    }

    /// Its name, as plans and pages write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WechatV2 => "wechat-v2",
            Self::WechatV3 => "wechat-v3",
            Self::Alipay => "alipay",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A kind of call, as a plan of misbehaviour names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallKind {
    /// Pay with the code on a payer's telephone: micropay, codepay, trade.pay.
    Pay,
    /// Make an order that a payer scans: native, precreate.
    Precreate,
    /// Ask what became of an order.
    Query,
    /// Undo an order whatever became of it: reverse, cancel.
    Cancel,
    /// Close an order that is not paid.
    Close,
    /// Give money back.
    Refund,
    /// Ask what became of a refund.
    RefundQuery,
    /// Fetch the platform's certificates.
    Certificates,
    /// The platform's own call to a merchant.
    Notification,
}

impl CallKind {
    /// Its name, as plans and pages write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Precreate => "precreate",
            Self::Query => "query",
            Self::Cancel => "cancel",
            Self::Close => "close",
            Self::Refund => "refund",
            Self::RefundQuery => "refund-query",
            Self::Certificates => "certificates",
            Self::Notification => "notification",
        }
    }
}

/// How an order is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderRef {
    /// By the merchant's number, `out_trade_no`.
    Number(String),
    /// By the platform's, `transaction_id` or `trade_no`.
    Transaction(String),
}

/// The terms of an order: a repeat has to have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The merchant's number, `out_trade_no`.
    pub number: String,
    /// How much.
    pub amount: Fen,
    /// What for.
    pub subject: String,
    /// Where a success is notified.
    pub notify_url: Option<String>,
    /// How long the order can be paid; without it, as the platform has it.
    pub life: Option<Span>,
    /// The counter or machine, as the merchant names it; may be empty.
    pub device: String,
    /// The application in whose name it is made, `appid`.
    pub app_id: String,
    /// What else a repeat must not change and an answer gives back, by the face's own names.
    pub details: BTreeMap<String, String>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Pay with a code.
    Pay {
        /// The order.
        terms: Terms,
        /// The code on the payer's telephone.
        code: String,
    },
    /// Make an order that a payer scans.
    Precreate(Terms),
    /// Ask about an order.
    Query(OrderRef),
    /// Undo an order whatever became of it.
    Cancel(OrderRef),
    /// Close an order that is not paid.
    Close(OrderRef),
    /// Give money back.
    Refund(RefundTerms),
    /// Ask about the refunds of an order, or about one of them.
    RefundQuery {
        /// The order, if it is named.
        order: Option<OrderRef>,
        /// The merchant's number of the refund, `out_refund_no` or `out_request_no`.
        refund: Option<String>,
        /// The platform's number of the refund, `refund_id`.
        refund_id: Option<String>,
    },
    /// Fetch the platform's certificates: nothing that the ledger knows of.
    Certificates,
}

/// The terms of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundTerms {
    /// The order.
    pub order: OrderRef,
    /// The merchant's number of the refund; without it, the order's own number.
    pub number: Option<String>,
    /// How much.
    pub amount: Fen,
    /// How much the order was about, where the merchant has to say so.
    pub total: Option<Fen>,
    /// Why, in the merchant's words.
    pub reason: String,
}

/// A call that is well formed and well signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The face.
    pub platform: Platform,
    /// The merchant's account: `mch_id`, `mchid`, or the `app_id` of Alipay.
    pub merchant: String,
    /// What is asked for.
    pub operation: Operation,
    /// What the answer has to give back, by the face's own names.
    pub echo: BTreeMap<String, String>,
}

impl Call {
    /// Its kind.
    pub const fn kind(&self) -> CallKind {
        match self.operation {
            Operation::Pay { .. } => CallKind::Pay,
            Operation::Precreate(_) => CallKind::Precreate,
            Operation::Query(_) => CallKind::Query,
            Operation::Cancel(_) => CallKind::Cancel,
            Operation::Close(_) => CallKind::Close,
            Operation::Refund(_) => CallKind::Refund,
            Operation::RefundQuery { .. } => CallKind::RefundQuery,
            Operation::Certificates => CallKind::Certificates,
        }
    }

    /// The order as the call names it; empty if it names none.
    pub fn order(&self) -> &str {
        match &self.operation {
            Operation::Pay { terms, .. } | Operation::Precreate(terms) => &terms.number,
            Operation::Query(order) | Operation::Cancel(order) | Operation::Close(order) => order.as_str(),
            Operation::Refund(terms) => terms.order.as_str(),
            Operation::RefundQuery { order, .. } => order.as_ref().map_or("", OrderRef::as_str),
            Operation::Certificates => "",
        }
    }
}

impl OrderRef {
    /// The number, whosever it is.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Number(text) | Self::Transaction(text) => text,
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it was done.
    pub result: Result<(), Refusal>,
    /// The order as it stands, if there is one and the call may see it.
    pub order: Option<Order>,
    /// The refund that the call made or asked about.
    pub refund: Option<Refund>,
    /// All refunds of the order, the oldest first; of a query for refunds only.
    pub refunds: Vec<Refund>,
    /// What undoing an order came to.
    pub undone: Option<Undone>,
    /// The same call was made before, and this one changed nothing.
    pub repeat: bool,
    /// The merchant has to call again: `recall`, `retry_flag`.
    pub again: bool,
}

impl Outcome {
    /// An outcome without an order.
    pub const fn bare(result: Result<(), Refusal>) -> Self {
        let (order, refund, undone) = (None, None, None);
        Self { result, order, refund, refunds: Vec::new(), undone, repeat: false, again: false }
    }

    /// An outcome about an order.
    pub fn of(result: Result<(), Refusal>, order: &Order) -> Self {
        Self { order: Some(order.clone()), ..Self::bare(result) }
    }
}

/// What undoing an order came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// It was not paid and is closed.
    Closed,
    /// It was paid, and the money went back.
    Refunded,
}

/// Why a call was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The platform does not know itself: ask again.
    SystemError,
    /// The bank does not know.
    BankError,
    /// The payer is asked for a password.
    UserPaying,
    /// No such order.
    NoSuchOrder,
    /// The order is paid.
    OrderPaid,
    /// The order is closed.
    OrderClosed,
    /// The order was undone.
    OrderReversed,
    /// The number belongs to an order with other terms.
    NumberUsed,
    /// The code is too old.
    CodeExpired,
    /// There is no such code.
    CodeInvalid,
    /// The code has been used.
    CodeUsed,
    /// The payer has too little.
    NotEnough,
    /// The payer typed a wrong password, or said no.
    PayerRefused,
    /// The amount is more than may be paid.
    AmountLimit,
    /// The order is not paid, so that nothing can be given back.
    NotPaid,
    /// More would be given back than was paid.
    RefundTooMuch,
    /// The refund's number belongs to another refund.
    RefundDiffers,
    /// Part of an order is to be given back, and the refund has no number.
    RefundUnnumbered,
    /// No such refund.
    NoSuchRefund,
    /// The merchant has too little for a refund.
    MerchantPoor,
    /// It is too late to undo the order.
    TooLate,
}

impl Refusal {
    /// Whether the merchant cannot know from this whether the payer was charged.
    pub const fn is_unknown(self) -> bool {
        matches!(self, Self::SystemError | Self::BankError | Self::UserPaying)
    }
}
