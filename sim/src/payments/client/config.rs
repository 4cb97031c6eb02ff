//! What a client is built with.

use std::net::SocketAddrV4;

use serde::Deserialize;

use super::policy::ClientPolicy;
use crate::journal::JournalConfig;
use crate::payments::call::Platform;
use crate::payments::crypto::{ApiV3Key, PublicKey, SecretKey};
use crate::time::Span;

/// Times and names of a client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// Where the platform is.
    pub platform: SocketAddrV4,
    /// Where the client itself is told of payments.
    pub notify: SocketAddrV4,
    /// Through which face it calls.
    pub face: Platform,
    /// The application, `appid` or `app_id`.
    pub app_id: String,
    /// The merchant, `mch_id` or `seller_id`.
    pub mch_id: String,
    /// The key that both sides sign with in WeChat Pay v2.
    pub key: String,
    /// The key that results are sealed with in WeChat Pay v3.
    pub api_v3_key: ApiV3Key,
    /// The number of the merchant's certificate there.
    pub serial: String,
    /// The name of the platform's public key there.
    pub platform_key_id: String,
    /// How long an order can be paid, as Alipay is told; in whole minutes.
    pub order_life: Span,
    /// How long a call waits for its answer.
    pub call_timeout: Span,
    /// How long after a connection that never stood the next is asked for.
    pub reconnect: Span,
    /// How long a pay call is tried that never reached the platform.
    pub connect_window: Span,
    /// How long after a call's end an order is asked about for the first time.
    pub query_after: Span,
    /// How long after a query's end the next is made.
    pub query_gap: Span,
    /// How long after the pay call an order is given up that is not paid.
    pub pay_window: Span,
    /// The same of an order that is scanned.
    pub scan_window: Span,
    /// How long after the pay call an order is undone at the earliest.
    pub undo_after: Span,
    /// How long after it was made an order is closed at the earliest.
    pub close_after: Span,
    /// How long after a call that undoes, closes or refunds and was not done the next is made.
    pub again_after: Span,
    /// How often an order is asked about that was given up.
    pub watch_gap: Span,
    /// For how long.
    pub watch: Span,
}

/// Keys for the faces that sign with RSA.
#[derive(Clone, Debug)]
pub struct ClientKeys {
    /// The merchant's own.
    pub own: SecretKey,
    /// The platform's.
    pub platform: PublicKey,
}

/// Everything that a client is built with.
#[derive(Clone, Debug)]
pub struct ClientSetup {
    /// Times and names.
    pub config: ClientConfig,
    /// The medium of the journal.
    pub journal: JournalConfig,
    /// Keys.
    pub keys: ClientKeys,
    /// The design.
    pub policy: ClientPolicy,
}
