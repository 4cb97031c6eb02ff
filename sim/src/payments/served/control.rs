//! What whoever sits at the desk can see and do: a page, and the JSON behind it.
//!
//! Acts come as JSON with its content type, which a page of somebody else cannot send here unasked; and what strangers
//! wrote is shown as text only.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::desk::Desk;
use super::router::Limits;
use super::shown;
use crate::money::Fen;
use crate::payments::backend::Backend;
use crate::payments::call::{House, OrderRef, Refusal};
use crate::payments::ledger::Manner;
use crate::payments::plan::Plan;
use crate::time::Now;

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// Nothing but the page's own script and style, nothing from elsewhere, and no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is asked of the desk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    /// What a payer does.
    act: ActKind,
    /// Whose order it is.
    house: House,
    /// The merchant's account.
    merchant: String,
    /// The merchant's number.
    order: String,
    /// Who scans.
    #[serde(default)]
    payer: Option<String>,
}

/// Which order is asked about.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrailAsk {
    house: House,
    merchant: String,
    order: String,
}

/// What a payer does with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ActKind {
    /// Scans it.
    Scan,
    /// Pays it, whatever its manner.
    Pay,
    /// Goes on as is its manner.
    Proceed,
    /// Says no.
    Refuse,
}

/// Somebody who pays, new or changed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PayerAsk {
    id: String,
    /// How much a new payer has.
    #[serde(default)]
    balance_fen: Option<Fen>,
    #[serde(default)]
    manner: Option<Manner>,
}

/// A code for a payer's telephone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeAsk {
    house: House,
    payer: String,
    /// The code; without it, one is made.
    #[serde(default)]
    code: Option<String>,
}

/// A refusal and its status.
type Refused = (StatusCode, Json<Value>);

pub(super) fn router(desk: Arc<Desk>, limits: Limits) -> Router {
    Router::new()
        .route("/assay", get(async || Redirect::permanent("/assay/")))
        .route("/assay/", get(async || text("text/html; charset=utf-8", PAGE)))
        .route("/assay/page.js", get(async || text("text/javascript; charset=utf-8", SCRIPT)))
        .route("/assay/page.css", get(async || text("text/css; charset=utf-8", STYLE)))
        .route("/assay/api/state", get(state))
        .route("/assay/api/trail", post(trail))
        .route("/assay/api/act", post(act))
        .route("/assay/api/payers", post(payer))
        .route("/assay/api/codes", post(code))
        .route("/assay/api/plan", post(plan))
        .layer(DefaultBodyLimit::max(limits.body_max))
        .layer(middleware::from_fn(move |request: Request, next: Next| within(limits, request, next)))
        .with_state(desk)
}

/// Whoever sends a body more slowly than a platform would wait is told so.
async fn within(limits: Limits, request: Request, next: Next) -> Response {
    let answer = timeout(limits.body_within, next.run(request)).await;
    answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

fn text(kind: &'static str, text: &'static str) -> Response {
    let policy = (HeaderName::from_static("content-security-policy"), POLICY);
    let kind = (header::CONTENT_TYPE, kind);
    ([kind, policy, (header::X_CONTENT_TYPE_OPTIONS, "nosniff"), (header::CACHE_CONTROL, "no-store")], text)
        .into_response()
}

async fn state(State(desk): State<Arc<Desk>>) -> Json<Value> {
    // What is due by now has happened for whoever looks.
    Json(desk.with(|backend, now| {
        backend.handle_deadline(now);
        shown::state(backend, now)
    }))
}

async fn trail(
    State(desk): State<Arc<Desk>>,
    ask: Result<Json<TrailAsk>, JsonRejection>,
) -> Result<Json<Value>, Refused> {
    let Json(ask) = ask.map_err(unreadable)?;
    desk.look(|backend, _| {
        let order = OrderRef::Number(ask.order.clone());
        let id = backend
            .ledger()
            .find(ask.house, &ask.merchant, &order)
            .ok_or_else(|| no_order(&ask.merchant, &ask.order))?;
        Ok(Json(shown::trail(backend, id)))
    })
}

async fn act(
    State(desk): State<Arc<Desk>>,
    ask: Result<Json<Ask>, JsonRejection>,
) -> Result<Json<Value>, Refused> {
    let Json(ask) = ask.map_err(unreadable)?;
    desk.with(|backend, now| done(backend, now, &ask).map(|()| Json(json!({ "done": true }))))
}

fn done(backend: &mut Backend, now: Now, ask: &Ask) -> Result<(), Refused> {
    let order = (ask.merchant.as_str(), ask.order.as_str());
    let name = OrderRef::Number(ask.order.clone());
    let id = backend
        .ledger()
        .find(ask.house, &ask.merchant, &name)
        .ok_or_else(|| no_order(&ask.merchant, &ask.order))?;
    let refusal = match ask.act {
        ActKind::Scan => {
            let payer = ask.payer.as_deref().unwrap_or("");
            if !backend.ledger().payers().any(|one| one.id == payer) {
                return Err(refused(StatusCode::NOT_FOUND, format!("there is no payer {payer:?}")));
            }
            backend.scan(now, ask.house, order, payer)
        }
        ActKind::Pay => backend.pay(now, ask.house, order),
        ActKind::Refuse => backend.refuse(now, ask.house, order),
        ActKind::Proceed => {
            let goes_on = backend.ledger_mut().handle_proceed(now, id);
            backend.handle_deadline(now);
            if goes_on { Ok(()) } else { Err(Refusal::OrderClosed) }
        }
    };
    refusal.map_err(|refusal| {
        let standing = backend.ledger().order(id).state.as_str();
        let words = format!("order {} is {standing}, so that cannot be done: {refusal:?}", ask.order);
        refused(StatusCode::CONFLICT, words)
    })
}

async fn payer(
    State(desk): State<Arc<Desk>>,
    ask: Result<Json<PayerAsk>, JsonRejection>,
) -> Result<Json<Value>, Refused> {
    let Json(ask) = ask.map_err(unreadable)?;
    desk.with(|backend, _| {
        let ledger = backend.ledger_mut();
        let known = ledger.payers().any(|one| one.id == ask.id);
        match (known, ask.balance_fen) {
            (false, Some(balance)) if balance >= Fen(0) && !ask.id.is_empty() => {
                ledger.add_payer(&ask.id, balance, ask.manner.unwrap_or_default());
            }
            (false, _) => {
                let words = "a new payer needs an `id` and a `balance_fen` of zero or more".to_owned();
                return Err(refused(StatusCode::BAD_REQUEST, words));
            }
            (true, Some(_)) => {
                let words =
                    format!("there is a payer {:?}; its balance changes by what it pays only", ask.id);
                return Err(refused(StatusCode::CONFLICT, words));
            }
            (true, None) => {
                if let Some(manner) = ask.manner {
                    ledger.set_manner(&ask.id, manner);
                }
            }
        }
        Ok(Json(json!({ "done": true })))
    })
}

async fn code(
    State(desk): State<Arc<Desk>>,
    ask: Result<Json<CodeAsk>, JsonRejection>,
) -> Result<Json<Value>, Refused> {
    let Json(ask) = ask.map_err(unreadable)?;
    desk.with(|backend, now| {
        let code = ask.code.clone().unwrap_or_else(|| backend.ledger().next_code(ask.house));
        if backend.ledger_mut().show_code(now, &ask.payer, &code) {
            return Ok(Json(json!({ "code": code })));
        }
        let words = format!("there is no payer {:?}, or the code has been shown before", ask.payer);
        Err(refused(StatusCode::CONFLICT, words))
    })
}

/// Another plan of misbehaviour, as the TOML of a plan file.
async fn plan(
    State(desk): State<Arc<Desk>>,
    ask: Result<Json<PlanAsk>, JsonRejection>,
) -> Result<Json<Value>, Refused> {
    let Json(ask) = ask.map_err(unreadable)?;
    let plan = Plan::read(&ask.plan)
        .map_err(|error| refused(StatusCode::BAD_REQUEST, format!("the plan does not read: {error}")))?;
    let strikes = plan.misbehave.len();
    desk.with(|backend, _| backend.set_plan(plan));
    Ok(Json(json!({ "strikes": strikes })))
}

/// A plan of misbehaviour.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanAsk {
    plan: String,
}

fn no_order(merchant: &str, order: &str) -> Refused {
    refused(StatusCode::NOT_FOUND, format!("merchant {merchant:?} has no order {order:?}"))
}

fn unreadable(why: JsonRejection) -> Refused {
    (why.status(), Json(json!({ "error": why.body_text() })))
}

fn refused(status: StatusCode, words: String) -> Refused {
    (status, Json(json!({ "error": words })))
}
