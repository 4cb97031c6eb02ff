//! Requests from a network: read within stated bounds, handed to the backend, answered or left as its plan has it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{
    HeaderName, HeaderValue, Request as HttpRequest, Response as HttpResponse, StatusCode, header,
};
use axum::routing::any;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::{Sleep, sleep, timeout};
use tower::ServiceExt as _;

use super::control;
use super::desk::Desk;
use crate::payments::http::{Answer, Request, Response};

/// How long the part of an answer that is sent before a reset is given to leave.
const LEAVES_WITHIN: Duration = Duration::from_millis(20);

/// What a client may take of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest body.
    ///
    /// Units: bytes.
    pub body_max: usize,
    /// How long a request's head may take.
    pub head_within: Duration,
    /// How long its body may take.
    pub body_within: Duration,
    /// How many connections there may be at once; more wait to be taken.
    pub connections_max: usize,
}

impl Default for Limits {
    /// More than any request of the platforms needs.
    fn default() -> Self {
        let (head_within, body_within) = (Duration::from_secs(10), Duration::from_secs(10));
        Self { body_max: 256 * 1024, head_within, body_within, connections_max: 1_024 }
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Whether it came over TLS.
    pub over_tls: bool,
    /// Its certificate in DER, checked.
    pub certificate: Option<Vec<u8>>,
}

/// Where connections come from.
pub trait Listener: Send + 'static {
    /// A connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection; none if no more will come.
    fn accept(&mut self) -> impl Future<Output = Option<Self::Io>> + Send;

    /// What is done with a connection before its first request, by its own task: a handshake.
    fn greet(io: Self::Io) -> impl Future<Output = Option<(Self::Io, Peer)>> + Send {
        async { Some((io, Peer::default())) }
    }

    /// Ends a connection with a reset; where it cannot be reset, it is dropped.
    fn reset(io: Self::Io) {
        drop(io);
    }
}

/// Everything there is: the platforms' own addresses, and below `/assay/` the page and the interface of whoever sits at
/// the desk.
pub fn router(desk: Arc<Desk>, limits: Limits) -> Router {
    let platforms = Router::new().fallback(any(platform)).with_state((Arc::clone(&desk), limits));
    control::router(desk, limits).merge(platforms)
}

/// Serves connections until none will come any more.
pub async fn serve<L: Listener>(mut listener: L, router: Router, limits: Limits) {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Some(io) = listener.accept().await else { return };
        let router = router.clone();
        tokio::spawn(async move {
            let _place = place;
            if let Ok(Some((io, peer))) = timeout(limits.head_within, L::greet(io)).await {
                converse::<L>(io, peer, router, limits).await;
            }
        });
    }
}

async fn converse<L: Listener>(io: L::Io, peer: Peer, router: Router, limits: Limits) {
    let breaks = Arc::new(AtomicBool::new(false));
    let breaking = Arc::clone(&breaks);
    let service = service_fn(move |mut request: HttpRequest<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        let answer = router.clone().oneshot(request.map(Body::new));
        let breaking = Arc::clone(&breaking);
        async move {
            let answer = answer.await.unwrap_or_else(|never| match never {});
            match answer.extensions().get::<Ends>() {
                Some(Ends::HangsUp) => return Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
                Some(Ends::Breaks) => breaking.store(true, Ordering::Relaxed),
                None => {}
            }
            Ok(answer)
        }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(limits.head_within).max_buf_size(64 * 1024);
    let mut connection = server.serve_connection(TokioIo::new(io), service);
    // A connection that ends early is the client's affair, or was meant to end so.
    let _ = (&mut connection).await;
    if breaks.load(Ordering::Relaxed) {
        L::reset(connection.into_parts().io.into_inner());
    }
}

/// Marks an answer with which its connection ends.
#[derive(Clone, Copy, Debug)]
enum Ends {
    /// It is none, and the connection is closed.
    HangsUp,
    /// It breaks off, and the connection is reset.
    Breaks,
}

/// A request to a platform.
async fn platform(
    State((desk, limits)): State<(Arc<Desk>, Limits)>,
    request: HttpRequest<Body>,
) -> HttpResponse<Body> {
    let (head, body) = request.into_parts();
    let peer = head.extensions.get::<Peer>().cloned().unwrap_or_default();
    // A length that is told is believed, so that nothing of such a body is read.
    if HttpBody::size_hint(&body).lower() > limits.body_max as u64 {
        return refused(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let body = match timeout(limits.body_within, Limited::new(body, limits.body_max).collect()).await {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return refused(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => return refused(StatusCode::BAD_REQUEST),
        Err(_) => return refused(StatusCode::REQUEST_TIMEOUT),
    };
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let request = Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or("").to_owned(),
        headers: headers.collect(),
        body,
        over_tls: peer.over_tls,
        client_certificate: peer.certificate,
    };
    let reply = desk.with(|backend, now| backend.handle_request(now, &request));
    if reply.after.as_us() > 0 {
        sleep(desk.pace().real(reply.after)).await;
    }
    match reply.answer {
        Answer::Whole(response) => whole(response, Body::from),
        Answer::Cut { response, body_len } => {
            let mut part = whole(response, |body| Body::new(CutBody::new(&body, body_len)));
            part.extensions_mut().insert(Ends::Breaks);
            part
        }
        Answer::Silence => {
            let mut none = HttpResponse::new(Body::empty());
            none.extensions_mut().insert(Ends::HangsUp);
            none
        }
    }
}

/// The answer to what is no request within bounds; the connection is of no more use.
fn refused(status: StatusCode) -> HttpResponse<Body> {
    let mut answer = HttpResponse::new(Body::empty());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn whole(response: Response, body: impl FnOnce(Vec<u8>) -> Body) -> HttpResponse<Body> {
    let mut answer = HttpResponse::new(body(response.body));
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}

/// A body that breaks off.
struct CutBody {
    part: Option<Bytes>,
    len: u64,
    leaves: Pin<Box<Sleep>>,
}

impl CutBody {
    fn new(body: &[u8], part: usize) -> Self {
        let (part, len) = (Bytes::copy_from_slice(&body[..part.min(body.len())]), body.len() as u64);
        Self { part: Some(part), len, leaves: Box::pin(sleep(LEAVES_WITHIN)) }
    }
}

impl HttpBody for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(part) = self.part.take().filter(|part| !part.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        // What was written is sent while this waits; an error at once would take it back.
        match self.leaves.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len)
    }
}
