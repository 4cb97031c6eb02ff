//! Which call a method and a path are.

use percent_encoding::percent_decode_str;

use crate::payments::call::CallKind;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `POST /v3/pay/transactions/codepay`
    CodePay,
    /// `POST /v3/pay/transactions/native`
    Native,
    /// `GET /v3/pay/transactions/out-trade-no/{number}`
    QueryNumber(String),
    /// `GET /v3/pay/transactions/id/{transaction}`
    QueryTransaction(String),
    /// `POST /v3/pay/transactions/out-trade-no/{number}/reverse`
    Reverse(String),
    /// `POST /v3/pay/transactions/out-trade-no/{number}/close`
    Close(String),
    /// `POST /v3/refund/domestic/refunds`
    Refund,
    /// `GET /v3/refund/domestic/refunds/{number}`
    RefundQuery(String),
    /// `GET /v3/certificates`
    Certificates,
}

/// A path that leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// The partners' form.
    Partner,
    /// The path is there, for another method.
    Method,
    /// Nothing is there.
    Unknown,
}

impl Route {
    pub(super) fn of(method: &str, path: &str) -> Result<Self, NoRoute> {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let (wanted, route) = match parts.as_slice() {
            ["v3", "pay", "partner", ..] => return Err(NoRoute::Partner),
            ["v3", "certificates"] => ("GET", Self::Certificates),
            ["v3", "pay", "transactions", "codepay"] => ("POST", Self::CodePay),
            ["v3", "pay", "transactions", "native"] => ("POST", Self::Native),
            ["v3", "pay", "transactions", "id", number] => ("GET", Self::QueryTransaction(decoded(number)?)),
            ["v3", "pay", "transactions", "out-trade-no", number] => {
                ("GET", Self::QueryNumber(decoded(number)?))
            }
            ["v3", "pay", "transactions", "out-trade-no", number, "reverse"] => {
                ("POST", Self::Reverse(decoded(number)?))
            }
            ["v3", "pay", "transactions", "out-trade-no", number, "close"] => {
                ("POST", Self::Close(decoded(number)?))
            }
            ["v3", "refund", "domestic", "refunds"] => ("POST", Self::Refund),
            ["v3", "refund", "domestic", "refunds", number] => ("GET", Self::RefundQuery(decoded(number)?)),
            _ => return Err(NoRoute::Unknown),
        };
        if method == wanted { Ok(route) } else { Err(NoRoute::Method) }
    }

    pub(super) const fn kind(&self) -> CallKind {
        match self {
            Self::CodePay => CallKind::Pay,
            Self::Native => CallKind::Precreate,
            Self::QueryNumber(_) | Self::QueryTransaction(_) => CallKind::Query,
            Self::Reverse(_) => CallKind::Cancel,
            Self::Close(_) => CallKind::Close,
            Self::Refund => CallKind::Refund,
            Self::RefundQuery(_) => CallKind::RefundQuery,
            Self::Certificates => CallKind::Certificates,
        }
    }

    /// The order that a request names, in its path or its body, signed or not; empty if it names none.
    pub(super) fn named(&self, body: &[u8]) -> String {
        if !self.order().is_empty() {
            return self.order().to_owned();
        }
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        body["out_trade_no"].as_str().unwrap_or("").to_owned()
    }

    /// The order that the path names.
    const fn order(&self) -> &str {
        match self {
            Self::QueryNumber(number)
            | Self::QueryTransaction(number)
            | Self::Reverse(number)
            | Self::Close(number) => number.as_str(),
            Self::CodePay | Self::Native | Self::Refund | Self::RefundQuery(_) | Self::Certificates => "",
        }
    }
}

fn decoded(part: &str) -> Result<String, NoRoute> {
    let text = percent_decode_str(part).decode_utf8().map_err(|_| NoRoute::Unknown)?;
    if text.is_empty() { Err(NoRoute::Unknown) } else { Ok(text.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_the_documents_say() {
        let base = "/v3/pay/transactions";
        for (method, path, route) in [
            ("POST", format!("{base}/codepay"), Route::CodePay),
            ("POST", format!("{base}/native"), Route::Native),
            ("GET", format!("{base}/out-trade-no/T%7C1"), Route::QueryNumber("T|1".into())),
            ("GET", format!("{base}/id/4200"), Route::QueryTransaction("4200".into())),
            ("POST", format!("{base}/out-trade-no/T1/reverse"), Route::Reverse("T1".into())),
            ("POST", format!("{base}/out-trade-no/T1/close"), Route::Close("T1".into())),
            ("POST", "/v3/refund/domestic/refunds".into(), Route::Refund),
            ("GET", "/v3/refund/domestic/refunds/R1".into(), Route::RefundQuery("R1".into())),
            ("GET", "/v3/certificates".into(), Route::Certificates),
        ] {
            let other = if method == "GET" { "POST" } else { "GET" };
            assert_eq!(Route::of(method, &path), Ok(route));
            // `POST` of the refunds and `GET` of one of them are two paths; each refuses the other's method.
            assert_eq!(Route::of(other, &path), Err(NoRoute::Method), "{path}");
        }
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "/v3/pay/transactions",
            "/v3/pay/transactions/codepay/",
            "/v3/pay/transactions/out-trade-no/",
            "/v3/pay/transactions/out-trade-no/%FF",
            "/v3/pay/transactions/out-trade-no/T1/undo",
            "/v3",
            "/",
            "",
        ] {
            assert_eq!(Route::of("GET", path), Err(NoRoute::Unknown), "{path}");
        }
        assert_eq!(Route::of("POST", "/v3/pay/partner/transactions/codepay"), Err(NoRoute::Partner));
    }
}
