//! The gateway's codes, spelt as it spells them.

use crate::payments::call::{CallKind, Refusal};

/// A result: code and, where it is no success, sub-code with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResultCode {
    pub(super) code: &'static str,
    pub(super) sub_code: &'static str,
    pub(super) sub_msg: String,
}

impl ResultCode {
    pub(super) fn new(code: &'static str, sub_code: &'static str, sub_msg: impl Into<String>) -> Self {
        Self { code, sub_code, sub_msg: sub_msg.into() }
    }

    pub(super) const fn success() -> Self {
        Self { code: "10000", sub_code: "", sub_msg: String::new() }
    }

    /// A parameter of `biz_content` that is missing or wrong.
    pub(super) fn invalid(name: &str) -> Self {
        Self::new("40004", "ACQ.INVALID_PARAMETER", format!("参数无效：{name}"))
    }

    /// The words of the code.
    pub(super) fn msg(&self) -> &'static str {
        match self.code {
            "10000" => "Success",
            "10003" => " order success pay inprocess",
            "20000" => "Service Currently Unavailable",
            "40001" => "Missing Required Arguments",
            "40002" => "Invalid Arguments",
            "40006" => "Insufficient Permissions",
            _ => "Business Failed",
        }
    }

    /// What a refusal is answered with.
    pub(super) fn of(kind: CallKind, refusal: Refusal) -> Self {
        let business = |sub_code, sub_msg: &str| Self::new("40004", sub_code, sub_msg);
        let closing = matches!(kind, CallKind::Close);
        match refusal {
            Refusal::SystemError => Self::new("20000", "aop.unknow-error", "系统繁忙"),
            // The prefix is misspelt in answers to cancel, and only there.
            Refusal::BankError if kind == CallKind::Cancel => business("AQC.SYSTEM_ERROR", "系统错误"),
            Refusal::BankError => business("ACQ.SYSTEM_ERROR", "系统错误"),
            Refusal::UserPaying => Self { code: "10003", ..Self::success() },
            Refusal::NoSuchOrder if kind == CallKind::Cancel => Self::success(),
            Refusal::NoSuchOrder => business("ACQ.TRADE_NOT_EXIST", "交易不存在"),
            Refusal::OrderPaid if closing => business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
            Refusal::OrderPaid => business("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"),
            Refusal::OrderClosed | Refusal::OrderReversed if closing => {
                business("ACQ.REASON_TRADE_STATUS_INVALID", "交易状态异常")
            }
            Refusal::OrderClosed | Refusal::OrderReversed if kind == CallKind::Refund => {
                business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
            }
            Refusal::OrderClosed | Refusal::OrderReversed => business("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
            Refusal::NumberUsed => business("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"),
            Refusal::CodeExpired | Refusal::CodeInvalid | Refusal::CodeUsed => business(
                "ACQ.PAYMENT_AUTH_CODE_INVALID",
                "支付失败，获取顾客账户信息失败，请顾客刷新付款码后重新收款",
            ),
            Refusal::NotEnough => business("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足"),
            Refusal::PayerRefused => business("ACQ.PAYMENT_FAIL", "支付失败"),
            Refusal::AmountLimit => business("ACQ.TOTAL_FEE_EXCEED", "订单总金额超过限额"),
            Refusal::NotPaid => business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
            Refusal::RefundTooMuch => business("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效"),
            Refusal::RefundDiffers => business("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求"),
            Refusal::RefundUnnumbered => business("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
            Refusal::NoSuchRefund => Self::success(),
            Refusal::MerchantPoor => business("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"),
            Refusal::TooLate if kind == CallKind::Cancel => {
                business("ACQ.TRADE_CANCEL_TIME_OUT", "超过撤销时间范围")
            }
            Refusal::TooLate => business("ACQ.TRADE_HAS_FINISHED", "交易已完结"),
        }
    }
}
