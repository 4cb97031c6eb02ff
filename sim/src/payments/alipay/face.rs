//! The face: applications and keys, the order of checks, and the signature of every answer.

use std::collections::BTreeMap;

use super::code::ResultCode;
use super::parameters::{Charset, Parameters};
use super::read;
use crate::payments::beijing;
use crate::payments::call::{Call, CallKind, Outcome, Platform};
use crate::payments::crypto::{PublicKey, SecretKey};
use crate::payments::face::{Face, Rejected, Signature, Spoil};
use crate::payments::http::{Outgoing, Request, Response};
use crate::payments::notice::News;
use crate::time::Now;

/// An application of a merchant, as this face knows it.
#[derive(Clone, Debug)]
pub struct MerchantKey {
    /// `app_id`.
    pub app_id: String,
    /// The merchant's own number, `seller_id`.
    pub seller_id: String,
    /// The key that its signatures are verified with.
    pub public: PublicKey,
}

/// Alipay.
#[derive(Clone, Debug)]
pub struct Alipay {
    merchants: BTreeMap<String, MerchantKey>,
    signing: SecretKey,
}

impl Alipay {
    /// A face with these applications, which signs with this key.
    pub fn new(merchants: impl IntoIterator<Item = MerchantKey>, signing: SecretKey) -> Self {
        let merchants = merchants.into_iter().map(|merchant| (merchant.app_id.clone(), merchant)).collect();
        Self { merchants, signing }
    }

    /// The applications.
    pub fn merchants(&self) -> impl Iterator<Item = &str> {
        self.merchants.keys().map(String::as_str)
    }

    /// The key that merchants verify its signatures with.
    pub const fn public(&self) -> &PublicKey {
        self.signing.public()
    }

    pub(super) fn merchant(&self, app_id: &str) -> Option<&MerchantKey> {
        self.merchants.get(app_id)
    }

    /// A signature, spoiled if that is the plan.
    pub(super) fn sign(&self, message: &[u8], spoil: Spoil) -> String {
        let mut signature = self.signing.sign(message);
        if spoil.signature {
            let first = if signature.starts_with('A') { "B" } else { "A" };
            signature.replace_range(..1, first);
        }
        signature
    }

    /// An answer with its signature: `name` is that of the object, `content` the object.
    pub(super) fn sealed(&self, charset: Charset, (name, content): (&str, &str), spoil: Spoil) -> Response {
        let content = charset.encode(content);
        let signature = self.sign(&content, spoil);
        let mut body = format!("{{\"{name}\":").into_bytes();
        body.extend_from_slice(&content);
        body.extend_from_slice(format!(",\"sign\":\"{signature}\"}}").as_bytes());
        Response::new(200, &content_type(charset), body)
    }

    fn read_call(&self, now: Now, request: &Request) -> Result<Call, Rejected> {
        let parameters = match Parameters::read(request) {
            Ok(parameters) => parameters,
            Err(trouble) => {
                let result = ResultCode::new("40002", "isv.invalid-parameter", trouble.to_string());
                return Err(unsigned("", &result));
            }
        };
        let method = parameters.ascii("method").unwrap_or("");
        let kind = kind_of(method);
        let app_id = parameters.ascii("app_id").unwrap_or("").to_owned();
        let order = read::named(&parameters);
        let known = |rejected: Rejected| Rejected {
            kind,
            merchant: app_id.clone(),
            order: order.clone(),
            ..rejected
        };
        let (merchant, charset) = self.check(&parameters).map_err(|(result, signature)| {
            let shown = if kind.is_some() { method } else { "" };
            known(Rejected { signature, ..unsigned(shown, &result) })
        })?;
        let operation = match kind {
            Some(kind) => read::operation(now, kind, &parameters, charset, merchant),
            None => Err(ResultCode::new("40002", "isv.invalid-method", "不存在的方法名")),
        };
        operation
            .map(|operation| {
                let named = [("method", method), ("charset", charset.as_str())];
                let echo = named.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
                Call { platform: Platform::Alipay, merchant: app_id.clone(), operation, echo }
            })
            .map_err(|result| {
                let shown = if kind.is_some() { method } else { "" };
                let content = super::render::failure(&result).to_string();
                let content = (response_name(shown), escaped(&content));
                let answer = self.sealed(charset, (&content.0, &content.1), Spoil::default());
                let why = format!("{}: {}", result.sub_code, result.sub_msg);
                known(Rejected { signature: Signature::Good, ..Rejected::unread(answer, why) })
            })
    }

    /// Whose request it is, and whether it is well formed and well signed. The application comes first.
    fn check(&self, parameters: &Parameters) -> Result<(&MerchantKey, Charset), (ResultCode, Signature)> {
        let unchecked = |result| (result, Signature::Unchecked);
        let missing = |sub_code, words: &str| unchecked(ResultCode::new("40001", sub_code, words));
        let invalid = |sub_code, words: &str| unchecked(ResultCode::new("40002", sub_code, words));
        let app_id =
            parameters.ascii("app_id").ok_or_else(|| missing("isv.missing-app-id", "缺少AppID参数"))?;
        let merchant =
            self.merchants.get(app_id).ok_or_else(|| invalid("isv.invalid-app-id", "无效的AppID参数"))?;
        if parameters.bytes("method").is_none() {
            return Err(missing("isv.missing-method", "缺少方法名参数"));
        }
        let charset = parameters.ascii("charset").and_then(Charset::read);
        let charset = charset.ok_or_else(|| invalid("isv.invalid-charset", "字符集错误"))?;
        match parameters.ascii("sign_type") {
            Some("RSA2") => {}
            Some(_) => return Err(invalid("isv.invalid-signature-type", "无效的签名类型")),
            None => return Err(missing("isv.missing-signature-type", "缺少签名类型参数")),
        }
        let Some(signature) = parameters.ascii("sign") else {
            let (result, _) = missing("isv.missing-signature", "缺少签名参数");
            return Err((result, Signature::Missing));
        };
        let Some(timestamp) = parameters.ascii("timestamp") else {
            return Err(missing("isv.missing-timestamp", "缺少时间戳参数"));
        };
        if beijing::parse_plain(timestamp).is_err() {
            return Err(invalid("isv.invalid-timestamp", "非法的时间戳参数"));
        }
        match parameters.ascii("version") {
            Some("1.0") => {}
            Some(_) => return Err(invalid("isv.invalid-parameter", "参数无效：version")),
            None => return Err(missing("isv.missing-version", "缺少版本参数")),
        }
        let format = parameters.ascii("format").unwrap_or("JSON");
        if !format.eq_ignore_ascii_case("json") {
            return Err(invalid("isv.invalid-format", "无效的数据格式"));
        }
        let message = parameters.message();
        if merchant.public.verify(&message, signature).is_err() {
            let shown: String = String::from_utf8_lossy(&message).chars().take(SIGNED_SHOWN_MAX).collect();
            let words = format!(
                "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：{shown}"
            );
            return Err((ResultCode::new("40002", "isv.invalid-signature", words), Signature::Bad));
        }
        Ok((merchant, charset))
    }
}

impl Face for Alipay {
    fn platform(&self) -> Platform {
        Platform::Alipay
    }

    fn claims(&self, request: &Request) -> bool {
        request.path == GATEWAY
    }

    fn read(&mut self, now: Now, request: &Request) -> Result<Call, Rejected> {
        self.read_call(now, request)
    }

    fn render(&mut self, _now: Now, call: &Call, outcome: &Outcome, spoil: Spoil) -> Response {
        let content = escaped(&super::render::content(call, outcome).to_string());
        let name = response_name(call.echo.get("method").map_or("", String::as_str));
        let charset = call.echo.get("charset").and_then(|name| Charset::read(name));
        self.sealed(charset.unwrap_or(Charset::Utf8), (&name, &content), spoil)
    }

    fn render_news(&mut self, now: Now, news: &News, spoil: Spoil) -> Outgoing {
        self.render_notification(now, news, spoil)
    }

    /// Source: the seven bytes `success`, and nothing else.
    fn accepts(&self, response: &Response) -> Result<(), String> {
        if response.status != 200 {
            return Err(format!("HTTP {} in place of 200", response.status));
        }
        if response.body == b"success" {
            return Ok(());
        }
        let shown: String = String::from_utf8_lossy(&response.body).chars().take(64).collect();
        Err(format!("the body is {shown:?} in place of \"success\""))
    }
}

/// The only path there is.
pub(super) const GATEWAY: &str = "/gateway.do";

/// Units: characters of the signed text that an answer shows.
const SIGNED_SHOWN_MAX: usize = 512;

/// The kind of call of a method.
pub(super) fn kind_of(method: &str) -> Option<CallKind> {
    match method {
        "alipay.trade.pay" => Some(CallKind::Pay),
        "alipay.trade.precreate" => Some(CallKind::Precreate),
        "alipay.trade.query" => Some(CallKind::Query),
        "alipay.trade.cancel" => Some(CallKind::Cancel),
        "alipay.trade.close" => Some(CallKind::Close),
        "alipay.trade.refund" => Some(CallKind::Refund),
        "alipay.trade.fastpay.refund.query" => Some(CallKind::RefundQuery),
        _ => None,
    }
}

/// The name of the object that answers a method; a method that there is not has `error_response`.
fn response_name(method: &str) -> String {
    if method.is_empty() {
        "error_response".to_owned()
    } else {
        format!("{}_response", method.replace('.', "_"))
    }
}

/// JSON as the gateway writes it: with every slash escaped, so that the signature is of these bytes and no others.
fn escaped(json: &str) -> String {
    json.replace('/', "\\/")
}

fn content_type(charset: Charset) -> String {
    format!("text/html;charset={}", charset.as_str())
}

/// The answer to a request whose signature is not good: it bears none either.
fn unsigned(method: &str, result: &ResultCode) -> Rejected {
    let content = escaped(&super::render::failure(result).to_string());
    let body = format!("{{\"{}\":{content}}}", response_name(method));
    let response = Response::new(200, &content_type(Charset::Utf8), body);
    Rejected::unread(response, format!("{}: {}", result.sub_code, result.sub_msg))
}
