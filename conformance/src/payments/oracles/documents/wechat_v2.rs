//! Documents of WeChat Pay v2.

use assay_sim::money::Fen;
use assay_sim::payments::call::CallKind;
use assay_sim::payments::http::{Request, Response};
use assay_sim::payments::wechat_v2::sign::{SignType, sign};
use assay_sim::payments::wechat_v2::xml::{self, Fields};

use super::{Document, Says, Why};
use crate::payments::scene::Scene;

pub(super) fn call(request: &Request, scene: &Scene) -> Document {
    of(&xml::read(&request.body).unwrap_or_default(), scene)
}

pub(super) fn answer(kind: CallKind, response: &Response, scene: &Scene) -> Document {
    let fields = xml::read(&response.body).unwrap_or_default();
    let field = |name| field(&fields, name);
    let document = of(&fields, scene);
    if response.status != 200 || field("return_code") != "SUCCESS" {
        return document;
    }
    let done = field("result_code") == "SUCCESS";
    let says = match kind {
        _ if !done => Says::Refused(why(kind, field("err_code"))),
        CallKind::Cancel if field("recall") == "Y" => Says::Again,
        CallKind::Pay => Says::Paid,
        CallKind::Query => match field("trade_state") {
            "SUCCESS" => Says::Paid,
            "CLOSED" | "REVOKED" | "PAYERROR" | "REFUND" => Says::Dead,
            _ => Says::Open,
        },
        _ => Says::Done,
    };
    let word = if done { field("trade_state") } else { field("err_code") }.to_owned();
    Document { says, word, ..document }
}

pub(super) fn notice(request: &Request, scene: &Scene) -> Document {
    let fields = xml::read(&request.body).unwrap_or_default();
    let paid = field(&fields, "return_code") == "SUCCESS" && field(&fields, "result_code") == "SUCCESS";
    Document { says: if paid { Says::Paid } else { Says::Nothing }, ..of(&fields, scene) }
}

pub(super) fn is_success(response: &Response) -> bool {
    let fields = xml::read(&response.body).unwrap_or_default();
    response.status == 200 && field(&fields, "return_code") == "SUCCESS"
}

fn of(fields: &Fields, scene: &Scene) -> Document {
    let by = SignType::read(field(fields, "sign_type")).unwrap_or_default();
    // An answer does not say how it is signed: as its request was.
    let both = [by, SignType::HmacSha256, SignType::Md5];
    let client = &scene.profile.client;
    let said = field(fields, "sign");
    let text = |name| field(fields, name).to_owned();
    Document {
        signed: !said.is_empty(),
        genuine: both.into_iter().any(|by| sign(fields, &client.key, by) == said),
        number: text("out_trade_no"),
        sale: text("attach"),
        amount: field(fields, "total_fee").parse().ok().map(Fen),
        code: text("auth_code"),
        refund: text("out_refund_no"),
        nonce: text("nonce_str"),
        ours: field(fields, "mch_id") == client.mch_id && field(fields, "appid") == client.app_id,
        ..Document::default()
    }
}

fn why(kind: CallKind, code: &str) -> Why {
    match code {
        "ORDERPAID" => Why::OrderPaid,
        "ORDERNOTEXIST" => Why::Gone,
        "ORDERCLOSED" | "ORDERREVERSED" => Why::Closed,
        "SYSTEMERROR" | "BANKERROR" | "USERPAYING" | "OUT_TRADE_NO_USED" => Why::Unknown,
        _ if kind == CallKind::Pay => Why::Certain,
        _ => Why::Unknown,
    }
}

fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value.as_str())
}
