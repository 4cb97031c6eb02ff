//! One link outside the bench: two byte ports, and what waits to be written to them.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::fault::Way;
use crate::tape::LineId;

/// A link that ports carry.
pub(super) struct Cable<P> {
    pub(super) line: LineId,
    pub(super) name: String,
    ends: [End<P>; 2],
}

struct End<P> {
    port: P,
    unsent: VecDeque<u8>,
}

impl<P: AsyncRead + AsyncWrite + Unpin> Cable<P> {
    pub(super) fn new(line: LineId, name: String, a: P, b: P) -> Self {
        let end = |port| End { port, unsent: VecDeque::new() };
        Self { line, name, ends: [end(a), end(b)] }
    }

    /// Queues what goes this way; refuses it when more than `unsent_max` bytes would wait.
    pub(super) fn queue(&mut self, way: Way, bytes: &[u8], unsent_max: usize) -> bool {
        let unsent = &mut self.ends[way.index()].unsent;
        let fits = unsent.len() + bytes.len() <= unsent_max;
        if fits {
            unsent.extend(bytes);
        }
        fits
    }

    /// Writes as much of what goes this way as the port at its near end takes without waiting.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>, way: Way) -> io::Result<()> {
        let End { port, unsent } = &mut self.ends[way.index()];
        while !unsent.is_empty() {
            match Pin::new(&mut *port).poll_write(cx, unsent.as_slices().0) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(taken)) => drop(unsent.drain(..taken)),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Reads what has come this way out of the port at its far end; no bytes at all mean that the port was closed.
    pub(super) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        way: Way,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(into);
        let port = &mut self.ends[way.back().index()].port;
        Pin::new(port).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
    }
}
