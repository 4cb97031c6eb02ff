//! Notifications on their way to merchants.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::desk::Desk;
use crate::payments::backend::Posting;
use crate::payments::http::{Outgoing, Response};

/// The longest answer of a merchant that is read.
///
/// Units: bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// How connections to merchants are made.
pub trait Dialer: Clone + Send + Sync + 'static {
    /// A connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Connects to a host and port, over TLS or plainly.
    ///
    /// Errors: nobody is there.
    fn dial(
        &self,
        host: &str,
        port: u16,
        over_tls: bool,
    ) -> impl Future<Output = io::Result<Self::Io>> + Send;
}

/// Posts what is due, for as long as it is polled. A merchant has its full time to answer, whatever the scale.
pub async fn deliver<D: Dialer>(desk: Arc<Desk>, dialer: D) {
    loop {
        while let Some(posting) = desk.look(|backend, now| backend.poll_posting(now)) {
            let (desk, dialer) = (Arc::clone(&desk), dialer.clone());
            tokio::spawn(async move {
                let Posting { key, outgoing, limit } = posting;
                let limit = Duration::from_micros(limit.as_us());
                let answer = match timeout(limit, post(&dialer, outgoing)).await {
                    Ok(answer) => answer,
                    Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
                };
                desk.with(|backend, now| backend.handle_posted(now, key, answer));
            });
        }
        desk.wait().await;
    }
}

/// Posts one notification; an error is told in words.
async fn post<D: Dialer>(dialer: &D, outgoing: Outgoing) -> Result<Response, String> {
    let uri: Uri = outgoing.url.parse().map_err(|_| format!("{:?} is no address", outgoing.url))?;
    let over_tls = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(format!("{:?} is neither http nor https", outgoing.url)),
    };
    let host = uri.host().ok_or_else(|| format!("{:?} names no host", outgoing.url))?;
    let port = uri.port_u16().unwrap_or(if over_tls { 443 } else { 80 });
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let io = dialer.dial(bare, port, over_tls).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(io)).await.map_err(|error| error.to_string())?;
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let authority = uri.authority().map_or(host, |authority| authority.as_str());
    let mut request = Request::post(target).header(header::HOST, authority);
    for (name, value) in &outgoing.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(outgoing.body))).map_err(|error| error.to_string())?;
    let driver = tokio::spawn(connection);
    let answer = answer_to(sender.send_request(request)).await;
    driver.abort();
    answer
}

/// Reads a merchant's answer whole.
async fn answer_to(
    sent: impl Future<Output = hyper::Result<axum::http::Response<Incoming>>>,
) -> Result<Response, String> {
    let (head, body) = sent.await.map_err(|error| error.to_string())?.into_parts();
    let body = Limited::new(body, ANSWER_MAX).collect().await.map_err(|error| error.to_string())?;
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let headers = headers.collect();
    Ok(Response { status: head.status.as_u16(), headers, body: body.to_bytes().to_vec() })
}
