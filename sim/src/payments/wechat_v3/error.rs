//! The platform's errors: a status, a code as it is spelt there, words, and where the fault lies.

use serde_json::{Value, json};

use crate::payments::call::{CallKind, Refusal};

/// An error as it is answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) detail: Option<Value>,
}

impl ApiError {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: None }
    }

    /// A field of the body that is missing or wrong; it is named by its JSON pointer.
    pub(super) fn field(field: &str, value: Option<&str>, issue: &str) -> Self {
        Self::place("body", field, value, issue)
    }

    /// The same for a parameter of the query.
    pub(super) fn query(field: &str, value: Option<&str>, issue: &str) -> Self {
        Self::place("query", field, value, issue)
    }

    fn place(location: &str, field: &str, value: Option<&str>, issue: &str) -> Self {
        let shown: String = value.unwrap_or("").chars().take(VALUE_SHOWN_MAX).collect();
        let detail = json!({ "field": field, "value": shown, "issue": issue, "location": location });
        Self {
            status: 400, code: "PARAM_ERROR", message: format!("参数错误：{field}"), detail: Some(detail)
        }
    }

    /// A signature that is not there, or not what it should be.
    pub(super) fn sign(message: impl Into<String>) -> Self {
        Self::new(401, "SIGN_ERROR", message)
    }

    /// A signature that does not fit: with what the platform signed over, as far as it shows it.
    pub(super) fn sign_mismatch(method: &str, target: &str, message: &[u8]) -> Self {
        let shown: String = String::from_utf8_lossy(message).chars().take(SIGNED_SHOWN_MAX).collect();
        let detail = json!({
            "field": "signature",
            "issue": "sign not match",
            "location": "authorization",
            "sign_information": {
                "method": method,
                "url": target,
                "truncated_sign_message": shown,
                "sign_message_length": message.len(),
            },
        });
        Self { detail: Some(detail), ..Self::sign("错误的签名，验签失败") }
    }

    pub(super) fn to_json(&self) -> String {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let Some(detail) = &self.detail {
            body["detail"] = detail.clone();
        }
        body.to_string()
    }

    /// The answer to a call that was understood and not done.
    pub(super) fn of(kind: CallKind, refusal: Refusal, user_paying_status: u16) -> Self {
        let refund = matches!(kind, CallKind::Refund | CallKind::RefundQuery);
        let (status, code, message) = match refusal {
            Refusal::SystemError => (500, "SYSTEM_ERROR", "系统异常，请稍后重试"),
            Refusal::BankError => (500, "BANK_ERROR", "银行系统异常"),
            Refusal::UserPaying => (user_paying_status, "USERPAYING", "用户支付中，需要输入密码"),
            Refusal::NoSuchOrder if refund => (404, "RESOURCE_NOT_EXISTS", "订单不存在"),
            Refusal::NoSuchOrder => (404, "ORDER_NOT_EXIST", "订单不存在"),
            Refusal::OrderPaid => (400, "ORDERPAID", "该订单已支付"),
            Refusal::OrderClosed => (400, "ORDER_CLOSED", "订单已关闭"),
            Refusal::OrderReversed if refund => (400, "INVALID_REQUEST", "订单已撤销"),
            Refusal::OrderReversed => (400, "ORDER_REVERSED", "订单已撤销"),
            Refusal::NumberUsed => (403, "OUT_TRADE_NO_USED", "商户订单号重复"),
            Refusal::CodeExpired => (400, "AUTH_CODE_EXPIRED", "二维码已过期，请用户刷新后重新支付"),
            Refusal::CodeInvalid => (400, "AUTH_CODE_INVALID", "付款码无效，请扫描微信支付付款码"),
            Refusal::CodeUsed => (400, "AUTH_CODE_ERROR", "付款码已使用，请用户刷新后重新支付"),
            Refusal::NotEnough => (403, "NOT_ENOUGH", "余额不足"),
            Refusal::MerchantPoor => (403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"),
            Refusal::PayerRefused => (403, "TRADE_ERROR", "交易错误"),
            Refusal::AmountLimit => (403, "RULE_LIMIT", "交易金额或次数超出限制"),
            Refusal::NotPaid => (400, "INVALID_REQUEST", "订单未支付"),
            Refusal::RefundTooMuch => (400, "INVALID_REQUEST", "申请退款金额大于订单可退金额"),
            Refusal::RefundDiffers => {
                (400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
            }
            Refusal::RefundUnnumbered => (400, "PARAM_ERROR", "参数错误：/out_refund_no"),
            Refusal::NoSuchRefund => (404, "RESOURCE_NOT_EXISTS", "退款单不存在"),
            Refusal::TooLate => (400, "INVALID_REQUEST", "订单已超过可撤销期限"),
        };
        Self::new(status, code, message)
    }
}

/// Units: characters of a wrong value that an answer repeats.
const VALUE_SHOWN_MAX: usize = 64;

/// Units: characters of the signed text that an answer shows.
const SIGNED_SHOWN_MAX: usize = 128;
