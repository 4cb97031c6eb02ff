//! The face: merchants and keys, the order of checks, and the signature of every answer.

use std::collections::BTreeMap;

use super::authorization::{Authorization, NonceBook, SCHEME};
use super::error::ApiError;
use super::route::{NoRoute, Route};
use crate::payments::call::{Call, CallKind, Operation, Outcome, Platform};
use crate::payments::crypto::{ApiV3Key, KeyStream, PlatformCertificate, PublicKey, SecretKey};
use crate::payments::face::{Face, Rejected, Signature, Spoil};
use crate::payments::http::{Outgoing, Request, Response};
use crate::payments::notice::News;
use crate::time::Now;

/// How a merchant verifies what the platform signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// With the certificates that it fetches from the platform.
    #[default]
    Certificate,
    /// With the platform's public key, which it takes from the platform's page once.
    PublicKey,
}

/// A merchant, as this face knows it.
#[derive(Clone, Debug)]
pub struct MerchantKey {
    /// `mchid`.
    pub mchid: String,
    /// Every `appid` that it may use.
    pub app_ids: Vec<String>,
    /// The serial number of its certificate.
    pub serial: String,
    /// The key that its signatures are verified with.
    pub public: PublicKey,
    /// The key that results are sealed with.
    pub api_v3_key: ApiV3Key,
    /// How it verifies the platform's signatures; a request that names one of the platform's keys overrides it.
    pub mode: Mode,
}

/// The platform's own keys.
#[derive(Clone, Debug)]
pub struct PlatformKeys {
    /// What it signs with for merchants that go by certificates.
    pub signing: SecretKey,
    /// The certificate of that key.
    pub certificate: PlatformCertificate,
    /// What it signs with for merchants that go by its public key.
    pub public_mode: SecretKey,
    /// The name of that key: `PUB_KEY_ID_` and digits.
    pub public_key_id: String,
}

/// WeChat Pay v3.
#[derive(Clone, Debug)]
pub struct WechatV3 {
    merchants: BTreeMap<String, MerchantKey>,
    keys: PlatformKeys,
    random: KeyStream,
    nonces: NonceBook,
    user_paying_status: u16,
}

impl WechatV3 {
    /// A face with these merchants; its nonces come from the stream.
    ///
    /// `user_paying_status` is the status of an answer that says that the payer types the password: the public
    /// documents do not agree on it.
    pub fn new(
        merchants: impl IntoIterator<Item = MerchantKey>,
        keys: PlatformKeys,
        random: KeyStream,
        user_paying_status: u16,
    ) -> Self {
        let merchants = merchants.into_iter().map(|merchant| (merchant.mchid.clone(), merchant)).collect();
        Self { merchants, keys, random, nonces: NonceBook::default(), user_paying_status }
    }

    /// The merchants' accounts.
    pub fn merchants(&self) -> impl Iterator<Item = &str> {
        self.merchants.keys().map(String::as_str)
    }

    /// The platform's own keys.
    pub const fn keys(&self) -> &PlatformKeys {
        &self.keys
    }

    pub(super) fn merchant(&self, mchid: &str) -> Option<&MerchantKey> {
        self.merchants.get(mchid)
    }

    pub(super) const fn random(&mut self) -> &mut KeyStream {
        &mut self.random
    }

    pub(super) const fn user_paying_status(&self) -> u16 {
        self.user_paying_status
    }

    /// The mode in which to answer a merchant that names this key of the platform.
    pub(super) fn mode_for(&self, mchid: &str, named: Option<&str>) -> Mode {
        match named {
            Some(name) if name == self.keys.public_key_id => Mode::PublicKey,
            Some(name) if name.eq_ignore_ascii_case(self.keys.certificate.serial()) => Mode::Certificate,
            _ => self.merchant(mchid).map_or(Mode::Certificate, |merchant| merchant.mode),
        }
    }

    /// The headers that sign a body.
    pub(super) fn stamp(&mut self, now: Now, mode: Mode, body: &[u8], spoil: Spoil) -> Vec<(String, String)> {
        let timestamp = now.wall.as_us().div_euclid(1_000_000).to_string();
        let nonce = self.random.text(32);
        let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        let (key, serial) = match mode {
            Mode::Certificate => (&self.keys.signing, self.keys.certificate.serial()),
            Mode::PublicKey => (&self.keys.public_mode, self.keys.public_key_id.as_str()),
        };
        let mut signature = key.sign(&message);
        if spoil.signature {
            let first = if signature.starts_with('A') { "B" } else { "A" };
            signature.replace_range(..1, first);
        }
        [
            ("wechatpay-timestamp", timestamp),
            ("wechatpay-nonce", nonce),
            ("wechatpay-signature", signature),
            ("wechatpay-signature-type", SCHEME.to_owned()),
            ("wechatpay-serial", serial.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// An answer with its signature.
    pub(super) fn sealed(
        &mut self,
        now: Now,
        mode: Mode,
        (status, body): (u16, String),
        spoil: Spoil,
    ) -> Response {
        let mut headers = self.stamp(now, mode, body.as_bytes(), spoil);
        headers.push(("request-id".to_owned(), format!("08{}", self.random.text(30))));
        if status != 204 {
            headers.insert(0, ("content-type".to_owned(), JSON.to_owned()));
        }
        Response { status, headers, body: body.into_bytes() }
    }

    fn refuse(&mut self, now: Now, mode: Mode, error: &ApiError) -> Rejected {
        let response = self.sealed(now, mode, (error.status, error.to_json()), Spoil::default());
        let place = error.detail.as_ref().and_then(|detail| detail["issue"].as_str()).unwrap_or("");
        let why = format!("{}: {} {place}", error.code, error.message);
        Rejected::unread(response, why.trim_end())
    }

    fn read_call(&mut self, now: Now, request: &Request) -> Result<Call, Rejected> {
        let route = match Route::of(&request.method, &request.path) {
            Ok(route) => route,
            Err(nowhere) => {
                let mode = self.mode_for("", request.header("wechatpay-serial"));
                return Err(self.refuse(now, mode, &no_route(nowhere)));
            }
        };
        let named = request.header("wechatpay-serial").map(str::to_owned);
        let known = |rejected: Rejected, mchid: &str| Rejected {
            kind: Some(route.kind()),
            merchant: mchid.to_owned(),
            order: route.named(&request.body),
            ..rejected
        };
        let (mchid, checked) = self.check(now, request);
        let mode = self.mode_for(&mchid, named.as_deref());
        if let Err((error, signature)) = checked {
            let rejected = self.refuse(now, mode, &error);
            return Err(Rejected { signature, ..known(rejected, &mchid) });
        }
        match self.operation(now, &route, request, &mchid) {
            Ok((operation, mut echo)) => {
                echo.extend(named.map(|name| (NAMED_KEY.to_owned(), name)));
                Ok(Call { platform: Platform::WechatV3, merchant: mchid, operation, echo })
            }
            Err(error) => {
                let rejected = self.refuse(now, mode, &error);
                Err(Rejected { signature: Signature::Good, ..known(rejected, &mchid) })
            }
        }
    }

    /// Who a request is from, and whether it is well formed and well signed.
    fn check(&mut self, now: Now, request: &Request) -> (String, Result<(), (ApiError, Signature)>) {
        if let Err(error) = check_headers(request) {
            return (String::new(), Err((error, Signature::Unchecked)));
        }
        let Some(header) = request.header("authorization") else {
            return (String::new(), Err((ApiError::sign("Http头缺少Authorization"), Signature::Missing)));
        };
        let read = match Authorization::read(header) {
            Ok(read) => read,
            Err(trouble) => {
                let error = ApiError::sign(format!("Http头Authorization值格式错误：{trouble}"));
                return (String::new(), Err((error, Signature::Bad)));
            }
        };
        let checked = self.check_signature(now, request, &read).map_err(|error| (error, Signature::Bad));
        (read.mchid, checked)
    }

    fn check_signature(&mut self, now: Now, request: &Request, read: &Authorization) -> Result<(), ApiError> {
        let merchant = self.merchants.get(&read.mchid).ok_or_else(|| ApiError::sign("商户号不存在"))?;
        if !merchant.serial.eq_ignore_ascii_case(&read.serial) {
            return Err(ApiError::sign("商户证书序列号有误，请使用签名私钥匹配的证书序列号"));
        }
        if !read.is_timely(now) {
            return Err(ApiError::sign("Http头Authorization中的timestamp与发起请求的时间相差超过5分钟"));
        }
        let target = request.target();
        let message = read.message(&request.method, &target, &request.body);
        if merchant.public.verify(&message, &read.signature).is_err() {
            return Err(ApiError::sign_mismatch(&request.method, &target, &message));
        }
        if !self.nonces.enter(now, read) {
            return Err(ApiError::sign("Http头Authorization中的nonce_str重复"));
        }
        Ok(())
    }
}

impl Face for WechatV3 {
    fn platform(&self) -> Platform {
        Platform::WechatV3
    }

    fn claims(&self, request: &Request) -> bool {
        request.path.starts_with("/v3/")
    }

    fn read(&mut self, now: Now, request: &Request) -> Result<Call, Rejected> {
        self.read_call(now, request)
    }

    fn render(&mut self, now: Now, call: &Call, outcome: &Outcome, spoil: Spoil) -> Response {
        let answer = match outcome.result {
            Ok(()) => self.answer_of(call, outcome),
            Err(refusal) => {
                let error = ApiError::of(call.kind(), refusal, self.user_paying_status());
                (error.status, error.to_json())
            }
        };
        let mode = self.mode_for(&call.merchant, call.echo.get(NAMED_KEY).map(String::as_str));
        self.sealed(now, mode, answer, spoil)
    }

    fn render_news(&mut self, now: Now, news: &News, spoil: Spoil) -> Outgoing {
        self.render_notification(now, news, spoil)
    }

    /// Source: the platform takes 200 and 204 for done, whatever the body, and repeats after everything else.
    fn accepts(&self, response: &Response) -> Result<(), String> {
        match response.status {
            200 | 204 => Ok(()),
            status => Err(format!("HTTP {status} in place of 200 or 204")),
        }
    }
}

/// The content type of everything that the platform says.
pub(super) const JSON: &str = "application/json; charset=utf-8";

/// Under this name a call keeps which of the platform's keys the request named.
const NAMED_KEY: &str = "wechatpay-serial";

fn no_route(nowhere: NoRoute) -> ApiError {
    match nowhere {
        NoRoute::Partner => ApiError::new(403, "NO_AUTH", "商户无服务商权限，请使用直连商户接口"),
        NoRoute::Method => ApiError::new(405, "METHOD_NOT_ALLOWED", "请求方法不支持"),
        NoRoute::Unknown => ApiError::new(404, "NOT_FOUND", "接口不存在"),
    }
}

/// What a request has to say of itself before its signature is looked at.
fn check_headers(request: &Request) -> Result<(), ApiError> {
    let (accept, agent) = (request.header("accept"), request.header("user-agent"));
    let (Some(accept), Some(_)) = (accept, agent) else {
        return Err(ApiError::new(400, "PARAM_ERROR", "Http头缺少Accept或User-Agent"));
    };
    if !accept.contains("application/json") && !accept.contains("*/*") {
        return Err(ApiError::new(406, "PARAM_ERROR", "Http头Accept不是application/json"));
    }
    let kind = request.header("content-type").unwrap_or("");
    if request.method == "POST" && !kind.trim_start().starts_with("application/json") {
        return Err(ApiError::new(415, "PARAM_ERROR", "Http头Content-Type不是application/json"));
    }
    Ok(())
}

/// What a face makes of a request: what is asked for, and what the answer gives back.
pub(super) type Asked = (Operation, BTreeMap<String, String>);

impl WechatV3 {
    fn operation(&self, now: Now, route: &Route, request: &Request, mchid: &str) -> Result<Asked, ApiError> {
        let merchant = self.merchant(mchid).ok_or_else(|| ApiError::sign("商户号不存在"))?;
        let by_certificate = self.mode_for(mchid, None) == Mode::Certificate;
        if route.kind() == CallKind::Certificates && !by_certificate {
            let words = "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥";
            return Err(ApiError::new(404, "RESOURCE_NOT_EXISTS", words));
        }
        super::read::operation(now, route, request, merchant)
    }
}
