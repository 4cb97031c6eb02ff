//! What is asked of the platform and what its answers say, in the documents of WeChat Pay v2.

use super::books::Try;
use super::config::ClientSetup;
use super::policy::{Check, Signing};
use crate::money::Fen;
use crate::payments::http::{Request, Response};
use crate::payments::http1::encode_request;
use crate::payments::wechat_v2::sign::{SignType, sign};
use crate::payments::wechat_v2::xml::{self, Fields};

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
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Pay => "/pay/micropay",
            Self::Offer => "/pay/unifiedorder",
            Self::Query => "/pay/orderquery",
            Self::Reverse => "/secapi/pay/reverse",
            Self::Close => "/pay/closeorder",
            Self::Refund => "/secapi/pay/refund",
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "micropay",
            Self::Offer => "unifiedorder",
            Self::Query => "orderquery",
            Self::Reverse => "reverse",
            Self::Close => "closeorder",
            Self::Refund => "refund",
        }
    }
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The order is paid, as it was asked for.
    Paid,
    /// The address that a payer scans.
    Offered(String),
    /// Another state of the order, in the platform's word.
    State(String),
    /// It is done.
    Done,
    /// It is to be called again.
    Again,
    /// It is not done, for this reason.
    Refused(String),
    /// Nothing that can be believed.
    Nothing,
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

/// The bytes of a call.
pub(super) fn request(setup: &ClientSetup, ask: Ask, about: &About) -> Vec<u8> {
    let config = &setup.config;
    let mut fields: Fields = Vec::new();
    let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    add("appid", &config.app_id);
    add("mch_id", &config.mch_id);
    add("nonce_str", &about.nonce);
    add("sign_type", SignType::HmacSha256.as_str());
    add("out_trade_no", &about.order.number());
    let fen = about.amount.0.to_string();
    match ask {
        Ask::Pay | Ask::Offer => {
            add("device_info", "till");
            add("body", "goods");
            add("attach", &about.order.0.0.to_string());
            add("total_fee", &fen);
            add("spbill_create_ip", &config.notify.ip().to_string());
        }
        Ask::Refund => {
            add("out_refund_no", &about.refund);
            add("total_fee", &fen);
            add("refund_fee", &fen);
        }
        Ask::Query | Ask::Reverse | Ask::Close => {}
    }
    match ask {
        Ask::Pay => add("auth_code", about.code.as_deref().unwrap_or("")),
        Ask::Offer => {
            add("trade_type", "NATIVE");
            add("product_id", "goods");
            add("notify_url", &format!("http://{}/notify", config.notify));
        }
        _ => {}
    }
    let counted: Fields = match setup.policy.signing {
        Signing::WithoutType => fields.iter().filter(|(name, _)| name != "sign_type").cloned().collect(),
        Signing::Whole | Signing::Unsigned => fields.clone(),
    };
    if setup.policy.signing != Signing::Unsigned {
        fields.push(("sign".to_owned(), sign(&counted, &config.key, SignType::HmacSha256)));
    }
    let request = Request::post(ask.path(), xml::render(&fields));
    encode_request(&request, &config.platform.to_string())
}

/// What an answer says.
pub(super) fn word(setup: &ClientSetup, ask: Ask, (order, amount): (Try, Fen), response: &Response) -> Word {
    let policy = setup.policy;
    let Some(fields) = believed(setup, &response.body, policy.answer_signature) else { return Word::Nothing };
    if response.status != 200 {
        return Word::Nothing;
    }
    if ask == Ask::Reverse && field(&fields, "recall") == "Y" {
        return Word::Again;
    }
    if field(&fields, "result_code") != "SUCCESS" {
        return Word::Refused(field(&fields, "err_code").to_owned());
    }
    let paid = || {
        let fits = is_ours(setup, &fields, policy.answer_amount, order, amount);
        if fits { Word::Paid } else { Word::Nothing }
    };
    match ask {
        Ask::Pay => paid(),
        Ask::Query => match field(&fields, "trade_state") {
            "SUCCESS" => paid(),
            other => Word::State(other.to_owned()),
        },
        Ask::Offer => match field(&fields, "code_url") {
            "" => Word::Nothing,
            url => Word::Offered(url.to_owned()),
        },
        Ask::Reverse | Ask::Close | Ask::Refund => Word::Done,
    }
}

/// The order of a notification, if it is to be believed.
pub(super) fn notified(setup: &ClientSetup, body: &[u8], amount: impl Fn(Try) -> Option<Fen>) -> Option<Try> {
    let policy = setup.policy;
    let fields = believed(setup, body, policy.notice_signature)?;
    if field(&fields, "result_code") != "SUCCESS" {
        return None;
    }
    let order = Try::of(field(&fields, "out_trade_no"))?;
    is_ours(setup, &fields, policy.notice_amount, order, amount(order)?).then_some(order)
}

/// The fields of a document of the platform, if its signature is good.
fn believed(setup: &ClientSetup, body: &[u8], check: Check) -> Option<Fields> {
    let fields = xml::read(body).ok()?;
    let good = || field(&fields, "sign") == sign(&fields, &setup.config.key, SignType::HmacSha256);
    let fits = field(&fields, "return_code") == "SUCCESS" && (check == Check::Ignored || good());
    fits.then_some(fields)
}

/// Whether a success is about our order, with its amount.
fn is_ours(setup: &ClientSetup, fields: &Fields, check: Check, order: Try, amount: Fen) -> bool {
    let config = &setup.config;
    let named = field(fields, "out_trade_no") == order.number();
    let fits = field(fields, "total_fee") == amount.0.to_string()
        && field(fields, "appid") == config.app_id
        && field(fields, "mch_id") == config.mch_id;
    named && (check == Check::Ignored || fits)
}

fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value.as_str())
}
