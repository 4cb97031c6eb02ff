//! TLS with the generated authority: servers show its certificate, clients may show one that it has signed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use assay_sim::payments::served::{Listener, Peer};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// What a server needs for TLS, as PEM.
#[derive(Clone, Debug)]
pub struct Secured {
    /// The authority's certificate: clients' certificates have to come from it.
    pub authority: String,
    /// The server's certificate.
    pub certificate: String,
    /// The server's key.
    pub key: String,
}

/// Keys or certificates that do not fit.
#[derive(Debug, Error)]
pub enum TlsError {
    /// Not PEM.
    #[error("the {0} is no PEM: {1}")]
    Pem(&'static str, tokio_rustls::rustls::pki_types::pem::Error),
    /// Not for TLS.
    #[error("the keys do not serve for TLS: {0}")]
    Config(String),
}

impl TlsError {
    fn config(error: impl std::fmt::Display) -> Self {
        Self::Config(error.to_string())
    }
}

fn roots(keys: &Secured) -> Result<Arc<RootCertStore>, TlsError> {
    let authority = CertificateDer::from_pem_slice(keys.authority.as_bytes());
    let authority = authority.map_err(|error| TlsError::Pem("authority's certificate", error))?;
    let mut roots = RootCertStore::empty();
    roots.add(authority).map_err(TlsError::config)?;
    Ok(Arc::new(roots))
}

/// For connections to merchants, whose certificates have to come from the same authority.
pub(super) fn connector(keys: &Secured) -> Result<TlsConnector, TlsError> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::config)?;
    let config = config.with_root_certificates(roots(keys)?).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

pub(super) async fn connect(connector: &TlsConnector, host: &str, plain: TcpStream) -> io::Result<Stream> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "no name of a host"))?;
    let stream = connector.connect(name, plain).await?;
    Ok(Stream::Client(Box::new(stream)))
}

/// A listener with TLS.
pub(super) struct TlsDoor {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl TlsDoor {
    pub(super) fn new(listener: TcpListener, keys: &Secured) -> Result<Self, TlsError> {
        let certificate = CertificateDer::from_pem_slice(keys.certificate.as_bytes());
        let certificate = certificate.map_err(|error| TlsError::Pem("server's certificate", error))?;
        let key = PrivateKeyDer::from_pem_slice(keys.key.as_bytes());
        let key = key.map_err(|error| TlsError::Pem("server's key", error))?;
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots(keys)?, Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(TlsError::config)?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::config)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate], key)
            .map_err(TlsError::config)?;
        Ok(Self { listener, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

/// A connection that may still have its handshake before it.
pub(super) enum Arrival {
    /// As it came.
    Raw(TcpStream, TlsAcceptor),
    /// After the handshake.
    Greeted(Box<server::TlsStream<TcpStream>>),
}

impl Listener for TlsDoor {
    type Io = Arrival;

    async fn accept(&mut self) -> Option<Arrival> {
        Some(Arrival::Raw(super::accept(&self.listener).await, self.acceptor.clone()))
    }

    async fn greet(io: Arrival) -> Option<(Arrival, Peer)> {
        let Arrival::Raw(plain, acceptor) = io else { return None };
        let stream = acceptor.accept(plain).await.ok()?;
        let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let peer = Peer { over_tls: true, certificate: shown.map(|certificate| certificate.to_vec()) };
        Some((Arrival::Greeted(Box::new(stream)), peer))
    }

    fn reset(io: Arrival) {
        let plain = match &io {
            Arrival::Raw(plain, _) => plain,
            Arrival::Greeted(stream) => stream.get_ref().0,
        };
        let _ = plain.set_zero_linger();
    }
}

impl Arrival {
    fn greeted(self: Pin<&mut Self>) -> io::Result<Pin<&mut server::TlsStream<TcpStream>>> {
        match self.get_mut() {
            Self::Greeted(stream) => Ok(Pin::new(stream.as_mut())),
            Self::Raw(..) => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl AsyncRead for Arrival {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.greeted()?.poll_read(cx, into)
    }
}

impl AsyncWrite for Arrival {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.greeted()?.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.greeted()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.greeted()?.poll_shutdown(cx)
    }
}

/// A connection to a merchant.
pub(super) enum Stream {
    /// Without TLS.
    Plain(TcpStream),
    /// With it.
    Client(Box<client::TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Client(stream) => Pin::new(stream.as_mut()).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Client(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Client(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Client(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
