//! The face: merchants and their keys, and which requests are for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sign::{SignType, sign};
use super::xml::{self, Fields};
use crate::payments::call::{Call, CallKind, Outcome, Platform};
use crate::payments::face::{Face, Rejected, Spoil};
use crate::payments::http::{Outgoing, Request, Response};
use crate::payments::notice::News;
use crate::seed::Stream;
use crate::time::{Now, Wall};

/// The content type of everything that the platform says.
pub(super) const XML: &str = "text/xml; charset=utf-8";

/// The platform's clocks are those of Beijing.
pub(super) const BEIJING_US: i64 = 8 * 3_600 * 1_000_000;

/// A merchant, as this face knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MerchantKey {
    /// `mch_id`.
    pub mch_id: String,
    /// Every `appid` that it may use.
    pub app_ids: Vec<String>,
    /// The key that both sides sign with.
    pub key: String,
}

/// WeChat Pay v2.
#[derive(Clone, Debug)]
pub struct WechatV2 {
    merchants: BTreeMap<String, MerchantKey>,
    nonces: Stream,
}

impl WechatV2 {
    /// A face with these merchants; its nonces come from the stream.
    pub fn new(merchants: impl IntoIterator<Item = MerchantKey>, nonces: Stream) -> Self {
        let merchants = merchants.into_iter().map(|merchant| (merchant.mch_id.clone(), merchant)).collect();
        Self { merchants, nonces }
    }

    /// The merchants' accounts.
    pub fn merchants(&self) -> impl Iterator<Item = &str> {
        self.merchants.keys().map(String::as_str)
    }

    pub(super) fn merchant(&self, mch_id: &str) -> Option<&MerchantKey> {
        self.merchants.get(mch_id)
    }

    /// Whether any merchant may use this `appid`.
    pub(super) fn knows_app(&self, app_id: &str) -> bool {
        self.merchants.values().any(|merchant| merchant.app_ids.iter().any(|one| one == app_id))
    }

    /// Signs fields with a merchant's key, and writes them.
    pub(super) fn sealed(&mut self, mut fields: Fields, mch_id: &str, by: SignType, spoil: Spoil) -> String {
        fields.push(("nonce_str".to_owned(), self.nonce()));
        let key = self.merchant(mch_id).map_or("", |merchant| merchant.key.as_str());
        let mut signature = sign(&fields, key, by);
        if spoil.signature {
            let first = if signature.starts_with('0') { "1" } else { "0" };
            signature.replace_range(..1, first);
        }
        fields.push(("sign".to_owned(), signature));
        xml::render(&fields)
    }

    fn nonce(&mut self) -> String {
        format!("{:016x}{:016x}", self.nonces.word(), self.nonces.word())
    }
}

impl Face for WechatV2 {
    fn platform(&self) -> Platform {
        Platform::WechatV2
    }

    fn claims(&self, request: &Request) -> bool {
        kind_at(&request.path).is_some()
    }

    fn read(&mut self, now: Now, request: &Request) -> Result<Call, Rejected> {
        self.read_call(now, request)
    }

    fn render(&mut self, now: Now, call: &Call, outcome: &Outcome, spoil: Spoil) -> Response {
        self.render_answer(now, call, outcome, spoil)
    }

    fn render_news(&mut self, _now: Now, news: &News, spoil: Spoil) -> Outgoing {
        self.render_notification(news, spoil)
    }

    fn accepts(&self, response: &Response) -> Result<(), String> {
        if response.status != 200 {
            return Err(format!("HTTP {} in place of 200", response.status));
        }
        let fields = xml::read(&response.body).map_err(|error| error.to_string())?;
        match field(&fields, "return_code") {
            "SUCCESS" => Ok(()),
            other => Err(format!("return_code is {other:?} in place of \"SUCCESS\"")),
        }
    }
}

/// The kind of call of a path.
pub(super) fn kind_at(path: &str) -> Option<CallKind> {
    match path {
        "/pay/micropay" => Some(CallKind::Pay),
        "/pay/unifiedorder" => Some(CallKind::Precreate),
        "/pay/orderquery" => Some(CallKind::Query),
        "/pay/closeorder" => Some(CallKind::Close),
        "/secapi/pay/reverse" => Some(CallKind::Cancel),
        "/secapi/pay/refund" => Some(CallKind::Refund),
        "/pay/refundquery" => Some(CallKind::RefundQuery),
        _ => None,
    }
}

/// A field's value; empty if there is none.
pub(super) fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value.as_str())
}

/// A time in the platform's fourteen digits.
pub(super) fn digits(wall: Wall) -> String {
    wall.stepped(BEIJING_US).digits()
}
