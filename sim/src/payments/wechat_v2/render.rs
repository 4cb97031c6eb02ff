//! How outcomes become answers, with the platform's codes as it spells them.

use super::face::{WechatV2, XML, digits};
use super::sign::SignType;
use super::xml::Fields;
use crate::money::Fen;
use crate::payments::call::{Call, CallKind, Outcome, Refusal};
use crate::payments::face::Spoil;
use crate::payments::http::{Outgoing, Response};
use crate::payments::ledger::{Order, Refund, State};
use crate::payments::notice::News;
use crate::time::Now;

impl WechatV2 {
    pub(super) fn render_answer(
        &mut self,
        _now: Now,
        call: &Call,
        outcome: &Outcome,
        spoil: Spoil,
    ) -> Response {
        let mut fields = Writer::default();
        fields.add("return_code", "SUCCESS");
        fields.add("return_msg", "OK");
        for name in ["appid", "mch_id", "sub_appid", "sub_mch_id", "device_info"] {
            fields.add(name, call.echo.get(name).map_or("", String::as_str));
        }
        match outcome.result {
            Ok(()) => {
                fields.add("result_code", "SUCCESS");
                fields.add_outcome(call.kind(), outcome);
            }
            Err(refusal) => {
                let (code, words) = error(call.kind(), refusal);
                fields.add("result_code", "FAIL");
                fields.add("err_code", code);
                fields.add("err_code_des", words);
            }
        }
        if call.kind() == CallKind::Cancel {
            let again = outcome.again || outcome.result.is_err_and(Refusal::is_unknown);
            fields.add("recall", if again { "Y" } else { "N" });
        }
        let by = sign_type(call.echo.get("sign_type"));
        Response::new(200, XML, self.sealed(fields.0, &call.merchant, by, spoil))
    }

    pub(super) fn render_notification(&mut self, news: &News, spoil: Spoil) -> Outgoing {
        let order = &news.order;
        let mut fields = Writer::default();
        fields.add("return_code", "SUCCESS");
        fields.add("appid", &order.terms.app_id);
        fields.add("mch_id", &order.merchant);
        fields.add("device_info", &order.terms.device);
        fields.add("result_code", "SUCCESS");
        fields.add_payment(order);
        let by = sign_type(order.terms.details.get("sign_type"));
        let body = self.sealed(fields.0, &order.merchant, by, spoil).into_bytes();
        let headers = vec![("content-type".to_owned(), XML.to_owned())];
        Outgoing { url: news.url.clone(), headers, body }
    }
}

fn sign_type(text: Option<&String>) -> SignType {
    text.and_then(|text| SignType::read(text)).unwrap_or_default()
}

/// Fields in order; empty ones are left out.
#[derive(Default)]
struct Writer(Fields);

impl Writer {
    fn add(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    fn add_fen(&mut self, name: &str, amount: Fen) {
        self.add(name, &amount.0.to_string());
    }

    fn add_outcome(&mut self, kind: CallKind, outcome: &Outcome) {
        let Some(order) = &outcome.order else { return };
        match kind {
            CallKind::Pay => self.add_payment(order),
            CallKind::Precreate => {
                self.add("trade_type", "NATIVE");
                self.add("prepay_id", &format!("wx{}", order.transaction));
                self.add("code_url", &format!("weixin://wxpay/bizpayurl?pr={}", order.transaction));
            }
            CallKind::Query => {
                self.add("trade_state", trade_state(order));
                self.add("trade_state_desc", trade_state_words(order));
                if order.paid_wall.is_some() {
                    self.add_payment(order);
                } else {
                    self.add("out_trade_no", &order.terms.number);
                    self.add_fen("total_fee", order.terms.amount);
                    self.add("attach", detail(order, "attach"));
                }
            }
            CallKind::Refund => {
                self.add_order(order);
                if let Some(refund) = &outcome.refund {
                    self.add("out_refund_no", &refund.number);
                    self.add("refund_id", &refund.id);
                    self.add_fen("refund_fee", refund.amount);
                    self.add_fen("cash_refund_fee", refund.amount);
                }
                self.add_fen("total_fee", order.terms.amount);
                self.add_fen("cash_fee", order.terms.amount);
            }
            CallKind::RefundQuery => {
                self.add_order(order);
                self.add_fen("total_fee", order.terms.amount);
                self.add_fen("cash_fee", order.terms.amount);
                self.add_fen("refund_fee", order.refunded);
                self.add("refund_count", &outcome.refunds.len().to_string());
                for (place, refund) in outcome.refunds.iter().enumerate() {
                    self.add_refund(place, refund);
                }
            }
            CallKind::Cancel | CallKind::Close | CallKind::Certificates | CallKind::Notification => {}
        }
    }

    fn add_order(&mut self, order: &Order) {
        self.add("transaction_id", &order.transaction);
        self.add("out_trade_no", &order.terms.number);
    }

    /// What is told of a payment.
    fn add_payment(&mut self, order: &Order) {
        self.add("openid", order.payer.as_deref().unwrap_or(""));
        self.add("is_subscribe", "N");
        self.add("trade_type", if order.is_scanned() { "NATIVE" } else { "MICROPAY" });
        self.add("bank_type", "OTHERS");
        self.add("fee_type", "CNY");
        self.add_fen("total_fee", order.terms.amount);
        self.add("cash_fee_type", "CNY");
        self.add_fen("cash_fee", order.terms.amount);
        self.add_order(order);
        self.add("attach", detail(order, "attach"));
        self.add("time_end", &order.paid_wall.map(digits).unwrap_or_default());
    }

    fn add_refund(&mut self, place: usize, refund: &Refund) {
        self.add(&format!("out_refund_no_{place}"), &refund.number);
        self.add(&format!("refund_id_{place}"), &refund.id);
        self.add(&format!("refund_channel_{place}"), "ORIGINAL");
        self.add_fen(&format!("refund_fee_{place}"), refund.amount);
        self.add(&format!("refund_status_{place}"), if refund.settled { "SUCCESS" } else { "PROCESSING" });
        self.add(&format!("refund_recv_accout_{place}"), "支付用户零钱");
        if refund.settled {
            self.add(&format!("refund_success_time_{place}"), &dashed(&digits(refund.settles_wall)));
        }
    }
}

fn detail<'a>(order: &'a Order, name: &str) -> &'a str {
    order.terms.details.get(name).map_or("", String::as_str)
}

fn trade_state(order: &Order) -> &'static str {
    match order.state {
        State::Waiting if !order.is_scanned() => "USERPAYING",
        State::Unscanned | State::Waiting => "NOTPAY",
        State::Paid if order.refunded > Fen(0) => "REFUND",
        State::Paid => "SUCCESS",
        State::Closed => "CLOSED",
        State::Reversed => "REVOKED",
        State::Failed => "PAYERROR",
    }
}

fn trade_state_words(order: &Order) -> &'static str {
    match trade_state(order) {
        "USERPAYING" => "用户支付中，需要输入密码",
        "NOTPAY" => "订单未支付",
        "REFUND" => "转入退款",
        "SUCCESS" => "支付成功",
        "CLOSED" => "订单已关闭",
        "REVOKED" => "订单已撤销",
        _ => "支付失败",
    }
}

/// Fourteen digits as `YYYY-MM-DD hh:mm:ss`.
fn dashed(digits: &str) -> String {
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or("00");
    let (day, time) = ((part(0, 4), part(4, 6), part(6, 8)), (part(8, 10), part(10, 12), part(12, 14)));
    format!("{}-{}-{} {}:{}:{}", day.0, day.1, day.2, time.0, time.1, time.2)
}

/// The platform's code and words for a refusal.
fn error(kind: CallKind, refusal: Refusal) -> (&'static str, &'static str) {
    match refusal {
        Refusal::SystemError => ("SYSTEMERROR", "系统超时"),
        Refusal::BankError => ("BANKERROR", "银行端超时"),
        Refusal::UserPaying => ("USERPAYING", "需要用户输入支付密码"),
        Refusal::NoSuchOrder => ("ORDERNOTEXIST", "此交易订单号不存在"),
        Refusal::OrderPaid => ("ORDERPAID", "订单已支付"),
        Refusal::OrderClosed => ("ORDERCLOSED", "订单已关闭"),
        Refusal::OrderReversed if kind == CallKind::Refund => ("TRADE_STATE_ERROR", "订单状态错误"),
        Refusal::OrderReversed => ("ORDERREVERSED", "订单已撤销"),
        Refusal::NumberUsed => ("OUT_TRADE_NO_USED", "商户订单号重复"),
        Refusal::CodeExpired => ("AUTHCODEEXPIRE", "二维码已过期，请用户刷新后重新支付"),
        Refusal::CodeInvalid => ("AUTH_CODE_INVALID", "请扫描微信支付被扫条码/二维码"),
        Refusal::CodeUsed => ("AUTH_CODE_ERROR", "请用户刷新二维码后重新支付"),
        Refusal::NotEnough | Refusal::MerchantPoor => ("NOTENOUGH", "余额不足"),
        Refusal::PayerRefused => ("TRADE_ERROR", "交易错误"),
        Refusal::AmountLimit => ("RULELIMIT", "交易金额或次数超出限制"),
        Refusal::NotPaid => ("TRADE_STATE_ERROR", "订单状态错误"),
        Refusal::RefundTooMuch => ("INVALID_REQUEST", "累计退款金额大于支付金额"),
        Refusal::RefundDiffers => ("REFUND_FEE_MISMATCH", "订单金额或退款金额与之前请求不一致"),
        Refusal::RefundUnnumbered => ("PARAM_ERROR", "out_refund_no"),
        Refusal::NoSuchRefund => ("REFUNDNOTEXIST", "退款订单查询失败"),
        Refusal::TooLate if kind == CallKind::Cancel => ("REVERSE_EXPIRE", "订单无法撤销"),
        Refusal::TooLate => ("TRADE_OVERDUE", "订单已经超过退款期限"),
    }
}
