//! The payment platforms on this computer's sockets, plainly and over TLS.

pub mod authority;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use assay_sim::payments::backend::Backend;
use assay_sim::payments::served::{Desk, Dialer, Limits, Listener, Pace, deliver, router, serve};
use assay_sim::time::Wall;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};

pub use tls::{Secured, TlsError};
use tls::{Stream, TlsDoor};

/// How often it is looked whether somebody has asked for a stop.
const LOOK_UP: Duration = Duration::from_millis(50);

/// How the platforms are served.
pub struct Serving {
    /// The platforms.
    pub backend: Backend,
    /// Where they listen.
    pub http: Option<SocketAddr>,
    /// Where they listen for TLS, and with which keys.
    pub https: Option<(SocketAddr, Secured)>,
    /// How many times as fast as the clock their time passes.
    pub time_scale: u32,
    /// What the calendar says at the beginning.
    pub wall: Wall,
}

/// Platforms that cannot be served.
#[derive(Debug, Error)]
pub enum ServingError {
    /// An address that cannot be listened at.
    #[error("could not listen at {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// No runtime.
    #[error("could not begin: {0}")]
    Runtime(io::Error),
    /// Keys that do not fit.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Serves until somebody asks for a stop; `ready` is told the addresses once they can be reached.
///
/// Errors: [`ServingError`].
pub fn run(
    serving: Serving,
    ready: impl FnOnce(Option<SocketAddr>, Option<SocketAddr>),
    stop: impl Fn() -> bool,
) -> Result<(), ServingError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(ServingError::Runtime)?;
    let result = runtime.block_on(async {
        let limits = Limits::default();
        let desk = Arc::new(Desk::new(serving.backend, Pace::new(serving.wall, serving.time_scale)));
        let router = router(Arc::clone(&desk), limits);
        let (mut plain, mut secured) = (None, None);
        if let Some(at) = serving.http {
            let listener = listen(at).await?;
            plain = listener.local_addr().ok();
            tokio::spawn(serve(PlainDoor(listener), router.clone(), limits));
        }
        let mut trusted = None;
        if let Some((at, keys)) = serving.https {
            let listener = listen(at).await?;
            secured = listener.local_addr().ok();
            trusted = Some(tls::connector(&keys)?);
            tokio::spawn(serve(TlsDoor::new(listener, &keys)?, router, limits));
        }
        tokio::spawn(deliver(desk, Sockets { trusted }));
        ready(plain, secured);
        while !stop() {
            tokio::time::sleep(LOOK_UP).await;
        }
        Ok(())
    });
    runtime.shutdown_background();
    result
}

async fn listen(at: SocketAddr) -> Result<TcpListener, ServingError> {
    TcpListener::bind(at).await.map_err(|error| ServingError::Listen(at, error))
}

/// Connections as they come. An error of accepting passes: a client that has gone again, or no descriptors for now.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(_) => tokio::time::sleep(LOOK_UP).await,
        }
    }
}

/// A listener without TLS.
struct PlainDoor(TcpListener);

impl Listener for PlainDoor {
    type Io = TcpStream;

    async fn accept(&mut self) -> Option<TcpStream> {
        Some(accept(&self.0).await)
    }

    fn reset(io: TcpStream) {
        // Without it the connection would end in good order.
        let _ = io.set_zero_linger();
    }
}

/// Connections to merchants.
#[derive(Clone)]
struct Sockets {
    /// Whom a merchant's certificate has to come from; without it there is no TLS.
    trusted: Option<tokio_rustls::TlsConnector>,
}

impl Dialer for Sockets {
    type Io = Stream;

    async fn dial(&self, host: &str, port: u16, over_tls: bool) -> io::Result<Stream> {
        let plain = TcpStream::connect((host, port)).await?;
        if !over_tls {
            return Ok(Stream::Plain(plain));
        }
        let Some(connector) = &self.trusted else {
            let words = "an https address needs the platforms to be served with --https";
            return Err(io::Error::new(io::ErrorKind::Unsupported, words));
        };
        tls::connect(connector, host, plain).await
    }
}
