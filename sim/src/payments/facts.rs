//! What a body says, for people who read a tape: the fields by which one goes, whatever the form.

use serde_json::Value;

use super::form;
use super::wechat_v2::xml;

/// The names of what is told, in this order.
const TOLD: [&str; 15] = [
    "method",
    "out_trade_no",
    "total_fee",
    "total",
    "total_amount",
    "result_code",
    "err_code",
    "code",
    "sub_code",
    "trade_state",
    "trade_status",
    "recall",
    "retry_flag",
    "action",
    "event_type",
];

/// The fields of a body that are told, by name; none of what cannot be read.
pub(super) fn facts(body: &[u8]) -> Vec<(&'static str, String)> {
    let fields = fields(body);
    let told = TOLD.into_iter().filter_map(|name| {
        let field = fields.iter().find(|(one, value)| one == name && !value.is_empty());
        field.map(|(_, value)| (name, value.clone()))
    });
    told.collect()
}

fn fields(body: &[u8]) -> Vec<(String, String)> {
    match body.first() {
        Some(b'<') => xml::read(body).unwrap_or_default(),
        Some(b'{') => serde_json::from_slice(body).map(|value| flattened(&value)).unwrap_or_default(),
        Some(_) => {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            let form = form::read(body).unwrap_or_default();
            let mut fields: Vec<_> =
                form.into_iter().map(|(name, value)| (text(name), text(value))).collect();
            let content = fields.iter().find(|(name, _)| name == "biz_content");
            let content = content.and_then(|(_, value)| serde_json::from_str(value).ok());
            fields.extend(content.map(|value| flattened(&value)).unwrap_or_default());
            fields
        }
        None => Vec::new(),
    }
}

/// The fields of an object, and of the objects in it.
fn flattened(value: &Value) -> Vec<(String, String)> {
    let Value::Object(object) = value else { return Vec::new() };
    let mut fields = Vec::new();
    for (name, value) in object {
        match value {
            Value::String(text) => fields.push((name.clone(), text.clone())),
            Value::Object(inner) => fields.extend(inner.iter().filter_map(|(name, value)| {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => return None,
                };
                Some((name.clone(), text))
            })),
            _ => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> String {
        facts(body.as_bytes()).into_iter().map(|(name, value)| format!("{name}={value};")).collect()
    }

    #[test]
    fn every_form_tells_what_it_is_about() {
        let xml = "<xml><total_fee>5</total_fee><out_trade_no>T1</out_trade_no><sign>X</sign></xml>";
        assert_eq!(told(xml), "out_trade_no=T1;total_fee=5;");
        assert_eq!(told(r#"{"out_trade_no":"T1","amount":{"total":5}}"#), "out_trade_no=T1;total=5;");
        let answer = r#"{"a_response":{"code":"10003","out_trade_no":"T1"},"sign":"X"}"#;
        assert_eq!(told(answer), "out_trade_no=T1;code=10003;");
        let form = "method=alipay.trade.query&biz_content=%7B%22out_trade_no%22%3A%22T1%22%7D";
        assert_eq!(told(form), "method=alipay.trade.query;out_trade_no=T1;");
        for nothing in ["", "<xml>", "{", "{}", "[]", "junk", "%"] {
            assert_eq!(told(nothing), "", "{nothing}");
        }
    }
}
