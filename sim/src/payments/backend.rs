//! The platforms as one party: requests come in, answers and notifications go out, and a plan says what goes wrong.
//!
//! It has no clock and no I/O: whoever carries its bytes tells it the time, holds an answer back as long as it says,
//! fetches what is due, and wakes it in time.

mod direct;

pub use direct::{Direct, Told};

use super::call::{Call, CallKind, House, Operation, OrderRef, Outcome, Refusal};
use super::face::{Signature, Spoil};
use super::faces::Faces;
use super::http::{Answer, Outgoing, Reply, Request, Response};
use super::ledger::{Ledger, OrderId};
use super::log::{Known, Log};
use super::notice::{News, NoticeKey, Notices};
use super::plan::{Misbehaviour, Plan};
use super::profile::Profile;
use super::watch::Watch;
use crate::time::{Instant, Now, Span};

/// A notification that is to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Whose result is to be told.
    pub key: NoticeKey,
    /// What is posted.
    pub outgoing: Outgoing,
    /// How soon it has to be answered.
    pub limit: Span,
}

/// The payment platforms.
#[derive(Clone, Debug)]
pub struct Backend {
    profile: Profile,
    ledger: Ledger,
    faces: Faces,
    plan: Plan,
    watch: Watch,
    notices: Notices,
    log: Log,
    /// The oldest order that anything hangs on.
    first: OrderId,
}

impl Backend {
    /// Platforms with these faces, whose ledger has the faces' merchants in it.
    pub fn new(profile: Profile, faces: Faces, plan: Plan) -> Self {
        let mut ledger = Ledger::new(profile.clone());
        for (house, merchant) in faces.merchants() {
            ledger.add_merchant(house, &merchant);
        }
        let (watch, notices, log) = (Watch::default(), Notices::default(), Log::default());
        let first = ledger.first_order();
        Self { profile, ledger, faces, plan, watch, notices, log, first }
    }

    /// Answers a request.
    pub fn handle_request(&mut self, now: Now, request: &Request) -> Reply {
        self.handle_deadline(now);
        let Some(face) = self.faces.claiming(request) else {
            let response =
                Response::new(404, "text/plain; charset=utf-8", "no payment platform has this address\n");
            let reply = at_once(response);
            let known = Known {
                platform: None,
                kind: None,
                merchant: "",
                order: "",
                signature: Signature::Unchecked,
                why: "no face has this address".to_owned(),
            };
            self.log.note(now, request, known, &reply, &self.profile.backend);
            return reply;
        };
        let platform = face.platform();
        match face.read(now, request) {
            Ok(call) => self.answer(now, request, &call),
            Err(rejected) => {
                self.watch.note_rejected(now, platform, &rejected);
                let known = Known {
                    platform: Some(platform),
                    kind: rejected.kind,
                    merchant: &rejected.merchant,
                    order: &rejected.order,
                    signature: rejected.signature,
                    why: rejected.why,
                };
                let reply = at_once(*rejected.response);
                self.log.note(now, request, known, &reply, &self.profile.backend);
                self.forget();
                reply
            }
        }
    }

    /// Lets everything happen that is due by now.
    pub fn handle_deadline(&mut self, now: Now) {
        self.ledger.handle_deadline(now);
        self.note_paid(now);
    }

    /// The next notification that is to be posted now; its result has to be told.
    pub fn poll_posting(&mut self, now: Now) -> Option<Posting> {
        self.handle_deadline(now);
        while let Some(key) = self.notices.poll_due(now) {
            let Some(notice) = self.notices.at(key) else { continue };
            let mut order = self.ledger.order(notice.order).clone();
            let (id, url, first_wall) = (notice.id, notice.url.clone(), notice.made_wall);
            let platform = order.platform;
            let rules = self.profile.house(platform.house());
            let strike = self.plan.strike(platform, CallKind::Notification, &order.terms.number);
            match strike {
                Some(Misbehaviour::Held { by }) => {
                    self.notices.put_off(key, now.mono + by);
                    continue;
                }
                Some(Misbehaviour::NoAnswer { .. }) => {
                    self.notices.leave(now, key, rules.notice_limit, false);
                    let lost = Err("lost on the way, as planned".to_owned());
                    self.notices.handle_result(now, key, lost, &rules.notice_gaps);
                    continue;
                }
                Some(Misbehaviour::Twice { after }) => self.notices.copy(now, key, now.mono + after),
                Some(Misbehaviour::WrongAmount { by_fen }) => {
                    order.terms.amount = order.terms.amount + by_fen;
                }
                _ => {}
            }
            let spoil = Spoil { signature: strike == Some(Misbehaviour::WrongSignature) };
            let spoiled = spoil.signature || matches!(strike, Some(Misbehaviour::WrongAmount { .. }));
            let news = News { id, order, url, first_wall };
            let Some(face) = self.faces.face(platform) else { continue };
            let outgoing = face.render_news(now, &news, spoil);
            self.notices.leave(now, key, rules.notice_limit, spoiled);
            return Some(Posting { key, outgoing, limit: rules.notice_limit });
        }
        None
    }

    /// What a merchant answered to a notification.
    ///
    /// Errors in `answer`: in words, why there was none.
    pub fn handle_posted(&mut self, now: Now, key: NoticeKey, answer: Result<Response, String>) {
        let Some(notice) = self.notices.at(key) else { return };
        let order = self.ledger.order(notice.order);
        let platform = order.platform;
        let Some(face) = self.faces.face(platform) else { return };
        // Whoever refuses what was spoiled does right.
        let wrong = answer.is_ok() && !notice.spoiled;
        let result = answer.and_then(|response| face.accepts(&response));
        match &result {
            Ok(()) => self.watch.settle(order),
            Err(trouble) if wrong => self.watch.note_answer(now, order, trouble),
            Err(_) => {}
        }
        let gaps = &self.profile.house(platform.house()).notice_gaps;
        self.notices.handle_result(now, key, result, gaps);
        self.forget();
    }

    /// When it wants to be woken next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.ledger.poll_timeout(), self.notices.poll_timeout()].into_iter().flatten().min()
    }

    /// The ledger.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The ledger, for what payers do. Whoever changes it wakes the backend afterwards.
    pub const fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// The faces.
    pub const fn faces(&self) -> &Faces {
        &self.faces
    }

    /// The plan with its counts.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Another plan from here on.
    pub fn set_plan(&mut self, plan: Plan) {
        self.plan = plan;
    }

    /// Clients' wrong moves.
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The notifications.
    pub const fn notices(&self) -> &Notices {
        &self.notices
    }

    /// The last requests.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// The numbers that it goes by.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Does a call and answers it, as the plan has it.
    fn answer(&mut self, now: Now, request: &Request, call: &Call) -> Reply {
        self.watch.note_call(now, call, &self.ledger, &self.profile);
        let strike = self.plan.strike(call.platform, call.kind(), call.order());
        let outcome = self.outcome(now, call, strike);
        self.forget_with_ledger();
        let told = !matches!(
            strike,
            Some(Misbehaviour::NoAnswer { .. } | Misbehaviour::Http { .. } | Misbehaviour::Reset { .. })
        );
        if let (Operation::Pay { .. }, false, Some(order)) = (&call.operation, outcome.repeat, &outcome.order)
        {
            self.watch.note_new(order.id, &self.ledger);
        }
        self.watch.note_outcome(now, call, &outcome, told, &self.ledger);
        self.note_paid(now);
        let reply = self.reply(now, call, &outcome, strike);
        let known = Known {
            platform: Some(call.platform),
            kind: Some(call.kind()),
            merchant: &call.merchant,
            order: call.order(),
            signature: Signature::Good,
            why: strike.map_or_else(String::new, |strike| format!("as planned: {strike}")),
        };
        self.log.note(now, request, known, &reply, &self.profile.backend);
        self.forget();
        reply
    }

    /// Does a call as far as the plan lets it be done, and says what is told of it.
    fn outcome(&mut self, now: Now, call: &Call, strike: Option<Misbehaviour>) -> Outcome {
        let effect = strike.is_none_or(Misbehaviour::has_effect);
        if let Some(Misbehaviour::UserPaying { span }) = strike {
            self.ledger.keep_busy(Some(span));
        }
        let mut outcome = if effect {
            self.ledger.handle_call(now, call)
        } else {
            Outcome::bare(Err(Refusal::SystemError))
        };
        self.ledger.keep_busy(None);
        match strike {
            Some(Misbehaviour::SystemError { .. }) => outcome.result = Err(Refusal::SystemError),
            Some(Misbehaviour::BankError { .. }) => outcome.result = Err(Refusal::BankError),
            Some(Misbehaviour::Refuse { refusal }) => outcome.result = Err(refusal),
            Some(Misbehaviour::LateSuccess { after }) => {
                if let Some(order) = &outcome.order {
                    self.ledger.plan_late_success(now, order.id, after);
                }
            }
            Some(Misbehaviour::WrongAmount { by_fen }) => {
                if let Some(order) = &mut outcome.order {
                    order.terms.amount = order.terms.amount + by_fen;
                }
            }
            _ => {}
        }
        outcome
    }

    fn reply(&mut self, now: Now, call: &Call, outcome: &Outcome, strike: Option<Misbehaviour>) -> Reply {
        let spoil = Spoil { signature: strike == Some(Misbehaviour::WrongSignature) };
        let response = match self.faces.face(call.platform) {
            Some(face) => face.render(now, call, outcome, spoil),
            None => Response::new(404, "text/plain; charset=utf-8", ""),
        };
        match strike {
            Some(Misbehaviour::Slow { by }) => Reply { after: by, answer: Answer::Whole(response) },
            Some(Misbehaviour::NoAnswer { .. }) => {
                Reply { after: self.profile.backend.silence, answer: Answer::Silence }
            }
            Some(Misbehaviour::Http { status, .. }) => {
                let page = "<html><body><h1>the gateway has no answer</h1></body></html>\n";
                at_once(Response::new(status, "text/html; charset=utf-8", page))
            }
            Some(Misbehaviour::Reset { at }) => {
                let body_len = at.min(response.body.len());
                Reply { after: Span::ZERO, answer: Answer::Cut { response, body_len } }
            }
            _ => at_once(response),
        }
    }

    /// Makes notifications of what has been paid.
    fn note_paid(&mut self, now: Now) {
        let paid = self.ledger.poll_paid();
        if paid.is_empty() {
            return;
        }
        for id in paid {
            self.tell(now, id);
        }
        self.watch.note_paid(now, &self.ledger);
    }

    /// Tells the merchant of a payment, where the platform does: WeChat does not of orders paid with a code.
    fn tell(&mut self, now: Now, id: OrderId) {
        let order = self.ledger.order(id);
        let told = order.is_scanned() || order.house() == House::Alipay;
        if let Some(url) = order.terms.notify_url.as_ref().filter(|_| told) {
            self.notices.add(now, id, &url.clone());
        }
    }

    /// What hangs on orders is forgotten with them.
    fn forget_with_ledger(&mut self) {
        let first = self.ledger.first_order();
        if first > self.first {
            self.first = first;
            self.watch.forget_before(first);
            self.notices.forget_before(first);
        }
    }

    fn forget(&mut self) {
        let keep = self.profile.backend.shown_max;
        self.watch.forget(keep);
        self.notices.forget(keep);
    }
}

const fn at_once(response: Response) -> Reply {
    Reply { after: Span::ZERO, answer: Answer::Whole(response) }
}

impl Backend {
    /// A payer scans an order, named as merchants name it.
    ///
    /// Errors: there is nothing to scan.
    pub fn scan(&mut self, now: Now, house: House, order: (&str, &str), payer: &str) -> Result<(), Refusal> {
        let id = self.named(house, order)?;
        let scanned = self.ledger.handle_scan(now, id, payer);
        self.handle_deadline(now);
        if scanned { Ok(()) } else { Err(Refusal::OrderClosed) }
    }

    /// A payer pays an order that it has before it.
    ///
    /// Errors: there is nothing to pay, or the payer has too little.
    pub fn pay(&mut self, now: Now, house: House, order: (&str, &str)) -> Result<(), Refusal> {
        let id = self.named(house, order)?;
        let paid = self.ledger.handle_pay(now, id);
        self.handle_deadline(now);
        paid
    }

    /// A payer says no to an order that it has before it.
    ///
    /// Errors: it has none before it.
    pub fn refuse(&mut self, now: Now, house: House, order: (&str, &str)) -> Result<(), Refusal> {
        let id = self.named(house, order)?;
        let refused = self.ledger.handle_refuse(now, id);
        self.handle_deadline(now);
        if refused { Ok(()) } else { Err(Refusal::OrderClosed) }
    }

    fn named(&self, house: House, (merchant, number): (&str, &str)) -> Result<OrderId, Refusal> {
        let order = OrderRef::Number(number.to_owned());
        self.ledger.find(house, merchant, &order).ok_or(Refusal::NoSuchOrder)
    }
}
