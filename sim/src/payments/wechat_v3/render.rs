//! How outcomes become JSON.

use serde_json::{Value, json};

use super::face::WechatV3;
use crate::money::Fen;
use crate::payments::beijing::rfc3339;
use crate::payments::call::{Call, CallKind, Outcome};
use crate::payments::ledger::{Order, Refund, State};
use crate::time::Wall;

impl WechatV3 {
    /// The status and the body of a call that was done.
    pub(super) fn answer_of(&mut self, call: &Call, outcome: &Outcome) -> (u16, String) {
        let body = match (call.kind(), &outcome.order) {
            (CallKind::Certificates, _) => self.certificates(&call.merchant),
            (CallKind::Close, _) => return (204, String::new()),
            (CallKind::Pay | CallKind::Query, Some(order)) => transaction(order),
            (CallKind::Precreate, Some(order)) => {
                json!({ "code_url": format!("weixin://wxpay/bizpayurl?pr={}", order.transaction) })
            }
            (CallKind::Cancel, Some(order)) => {
                let app_id = call.echo.get("appid").map_or("", String::as_str);
                let mut body = json!({
                    "appid": app_id,
                    "mchid": call.merchant,
                    "out_trade_no": order.terms.number,
                });
                if order.paid_wall.is_some() {
                    body["transaction_id"] = json!(order.transaction);
                }
                body
            }
            (CallKind::Refund | CallKind::RefundQuery, Some(order)) => {
                outcome.refund.as_ref().map_or(Value::Null, |refund| refund_body(order, refund))
            }
            (_, _) => json!({}),
        };
        (200, body.to_string())
    }

    /// The platform's certificates, sealed for a merchant.
    fn certificates(&mut self, mchid: &str) -> Value {
        let nonce = nonce(self);
        let certificate = self.keys().certificate.clone();
        let ciphertext = self.merchant(mchid).map_or_else(String::new, |merchant| {
            merchant.api_v3_key.seal(&nonce, "certificate", certificate.pem().as_bytes())
        });
        let time = |at: jiff::Timestamp| rfc3339(Wall::from_us(at.as_microsecond()));
        json!({ "data": [{
            "serial_no": certificate.serial(),
            "effective_time": time(certificate.effective()),
            "expire_time": time(certificate.expires()),
            "encrypt_certificate": {
                "algorithm": "AEAD_AES_256_GCM",
                "nonce": String::from_utf8_lossy(&nonce),
                "associated_data": "certificate",
                "ciphertext": ciphertext,
            },
        }]})
    }
}

/// Twelve letters or digits for a seal.
pub(super) fn nonce(face: &mut WechatV3) -> [u8; 12] {
    let text = face.random().text(12);
    let mut nonce = [b'0'; 12];
    nonce.copy_from_slice(&text.as_bytes()[..12]);
    nonce
}

/// What is told of an order: by a query, by an answer to a payment, in a notification.
pub(super) fn transaction(order: &Order) -> Value {
    let (state, words) = trade_state(order);
    let mut body = json!({
        "appid": order.terms.app_id,
        "mchid": order.merchant,
        "out_trade_no": order.terms.number,
        "trade_state": state,
        "trade_state_desc": words,
        "promotion_detail": [],
        "scene_info": { "device_id": order.terms.device },
        "amount": { "total": order.terms.amount.0, "currency": "CNY", "payer_currency": "CNY" },
    });
    if let Some(attach) = order.terms.details.get("attach") {
        body["attach"] = json!(attach);
    }
    if let Some(paid) = order.paid_wall {
        body["transaction_id"] = json!(order.transaction);
        body["trade_type"] = json!(if order.is_scanned() { "NATIVE" } else { "MICROPAY" });
        body["bank_type"] = json!("OTHERS");
        body["success_time"] = json!(rfc3339(paid));
        body["payer"] = json!({ "openid": order.payer.as_deref().unwrap_or("") });
        body["amount"]["payer_total"] = json!(order.terms.amount.0);
    }
    body
}

fn trade_state(order: &Order) -> (&'static str, &'static str) {
    match order.state {
        State::Waiting if !order.is_scanned() => ("USERPAYING", "用户支付中，需要输入密码"),
        State::Unscanned | State::Waiting => ("NOTPAY", "订单未支付"),
        State::Paid if order.refunded > Fen(0) => ("REFUND", "转入退款"),
        State::Paid => ("SUCCESS", "支付成功"),
        State::Closed => ("CLOSED", "订单已关闭"),
        State::Reversed => ("REVOKED", "订单已撤销"),
        State::Failed => ("PAYERROR", "支付失败"),
    }
}

fn refund_body(order: &Order, refund: &Refund) -> Value {
    let (total, back) = (order.terms.amount.0, refund.amount.0);
    let mut body = json!({
        "refund_id": refund.id,
        "out_refund_no": refund.number,
        "transaction_id": order.transaction,
        "out_trade_no": order.terms.number,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": rfc3339(refund.made_wall),
        "status": if refund.settled { "SUCCESS" } else { "PROCESSING" },
        "funds_account": "AVAILABLE",
        "amount": {
            "total": total,
            "refund": back,
            "payer_total": total,
            "payer_refund": back,
            "settlement_total": total,
            "settlement_refund": back,
            "discount_refund": 0,
            "currency": "CNY",
        },
        "promotion_detail": [],
    });
    if refund.settled {
        body["success_time"] = json!(rfc3339(refund.settles_wall));
    }
    body
}
