//! Notifications: a form whose signature covers every field but `sign` and `sign_type`.

use super::face::Alipay;
use super::parameters::{Charset, message};
use super::render::{masked, trade_status};
use crate::money::Fen;
use crate::payments::beijing::plain;
use crate::payments::face::Spoil;
use crate::payments::form;
use crate::payments::http::Outgoing;
use crate::payments::notice::News;
use crate::time::Now;

impl Alipay {
    pub(super) fn render_notification(&self, now: Now, news: &News, spoil: Spoil) -> Outgoing {
        let order = &news.order;
        let detail = |name: &str| order.terms.details.get(name).map_or("", String::as_str);
        let charset = Charset::read(detail("charset")).unwrap_or(Charset::Utf8);
        let (payer, amount) = (order.payer.as_deref().unwrap_or(""), order.terms.amount.to_string());
        let seller = self.merchant(&order.merchant).map_or("", |merchant| merchant.seller_id.as_str());
        let texts = [
            ("notify_time", plain(now.wall)),
            ("notify_type", "trade_status_sync".to_owned()),
            ("notify_id", notify_id(news)),
            ("app_id", order.merchant.clone()),
            ("auth_app_id", order.merchant.clone()),
            ("charset", charset.as_str().to_owned()),
            ("version", "1.0".to_owned()),
            ("trade_no", order.transaction.clone()),
            ("out_trade_no", order.terms.number.clone()),
            ("trade_status", trade_status(order).to_owned()),
            ("total_amount", amount.clone()),
            ("receipt_amount", amount.clone()),
            ("invoice_amount", amount.clone()),
            ("buyer_pay_amount", amount.clone()),
            ("point_amount", Fen(0).to_string()),
            ("fund_bill_list", format!("[{{\"amount\":\"{amount}\",\"fundChannel\":\"ALIPAYACCOUNT\"}}]")),
            ("subject", order.terms.subject.clone()),
            ("body", detail("body").to_owned()),
            ("passback_params", detail("passback_params").to_owned()),
            ("buyer_id", payer.to_owned()),
            ("buyer_logon_id", masked(payer)),
            ("seller_id", seller.to_owned()),
            ("gmt_create", plain(order.made_wall)),
            ("gmt_payment", order.paid_wall.map(plain).unwrap_or_default()),
        ];
        let mut fields: form::Fields = texts
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.as_bytes().to_vec(), charset.encode(&value)))
            .collect();

        let covered = message(fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())), &[]);
        fields.push((b"sign_type".to_vec(), b"RSA2".to_vec()));
        fields.push((b"sign".to_vec(), self.sign(&covered, spoil).into_bytes()));
        let body = form::write(fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())));
        let kind = format!("application/x-www-form-urlencoded; charset={}", charset.as_str());
        let headers =
            vec![("content-type".to_owned(), kind), ("user-agent".to_owned(), "Mozilla/4.0".to_owned())];
        Outgoing { url: news.url.clone(), headers, body: body.into_bytes() }
    }
}

/// The same over all tries of one notification.
fn notify_id(news: &News) -> String {
    let day: String = news.first_wall.digits().chars().take(8).collect();
    format!("{day}00222{:020}", news.id)
}
