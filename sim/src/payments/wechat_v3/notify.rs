//! Notifications: the result sealed with the merchant's APIv3 key, in an envelope that is signed like an answer.

use serde_json::json;

use super::face::{JSON, WechatV3};
use super::render::{nonce, transaction};
use crate::payments::beijing::rfc3339;
use crate::payments::face::Spoil;
use crate::payments::http::Outgoing;
use crate::payments::notice::News;
use crate::time::Now;

impl WechatV3 {
    pub(super) fn render_notification(&mut self, now: Now, news: &News, spoil: Spoil) -> Outgoing {
        let order = &news.order;
        let nonce = nonce(self);
        let text = transaction(order).to_string();
        let ciphertext = self.merchant(&order.merchant).map_or_else(String::new, |merchant| {
            merchant.api_v3_key.seal(&nonce, "transaction", text.as_bytes())
        });
        let body = json!({
            "id": format!("EV-{:020}", news.id),
            "create_time": rfc3339(news.first_wall),
            "resource_type": "encrypt-resource",
            "event_type": "TRANSACTION.SUCCESS",
            "summary": "支付成功",
            "resource": {
                "original_type": "transaction",
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": ciphertext,
                "associated_data": "transaction",
                "nonce": String::from_utf8_lossy(&nonce),
            },
        })
        .to_string();
        let mode = self.mode_for(&order.merchant, None);
        let mut headers = vec![
            ("content-type".to_owned(), JSON.to_owned()),
            ("accept".to_owned(), "*/*".to_owned()),
            ("user-agent".to_owned(), "Mozilla/4.0".to_owned()),
        ];
        headers.extend(self.stamp(now, mode, body.as_bytes(), spoil));
        Outgoing { url: news.url.clone(), headers, body: body.into_bytes() }
    }
}
