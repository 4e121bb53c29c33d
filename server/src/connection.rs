//! Accepted TCP connections: how many there may be, and how long one may stay silent at first.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tokio_stream::Stream;
use tonic::transport::server::Connected;

use crate::metrics::ServerMetrics;

/// Length of the HTTP/2 connection preface, RFC 9113 section 3.4.
const PREFACE_BYTES: usize = 24;
/// How long to wait after an accept that failed.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections of a listener, at most so many at a time; one more is closed at once, so that its client fails over
/// instead of waiting.
pub struct Connections {
    listener: TcpListener,
    free: Arc<Semaphore>,
    handshake_timeout: Duration,
    /// After an accept that failed, such as for want of file descriptors: not before this.
    pause: Option<Pin<Box<Sleep>>>,
    metrics: Arc<ServerMetrics>,
}

impl Connections {
    /// Accepts from `listener`, up to `most` open connections.
    pub fn new(
        listener: TcpListener,
        most: u32,
        handshake_timeout: Duration,
        metrics: Arc<ServerMetrics>,
    ) -> Self {
        let free = Arc::new(Semaphore::new(most as usize));
        Self { listener, free, handshake_timeout, pause: None, metrics }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) -> Option<io::Result<Connection>> {
        let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() else {
            self.metrics.connections_refused.inc();
            tracing::warn!(%peer, "connection refused: too many are open");
            return None;
        };
        if let Err(error) = stream.set_nodelay(true) {
            return Some(Err(error));
        }
        self.metrics.connections.inc();
        let given_up = Arc::new(Notify::new());
        Some(Ok(Connection {
            stream,
            ended: Box::pin(Arc::clone(&given_up).notified_owned()),
            peer: Peer { given_up },
            silence: Some(Silence {
                deadline: Box::pin(tokio::time::sleep(self.handshake_timeout)),
                missing: PREFACE_BYTES,
            }),
            metrics: Arc::clone(&self.metrics),
            _permit: permit,
        }))
    }
}

impl Stream for Connections {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match ready!(self.listener.poll_accept(cx)) {
                Ok((stream, peer)) => {
                    if let Some(connection) = self.admit(stream, peer) {
                        return Poll::Ready(Some(connection));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    self.pause = Some(Box::pin(tokio::time::sleep(ACCEPT_PAUSE)));
                }
            }
        }
    }
}

/// An open connection; its place is free again when it is dropped.
pub struct Connection {
    stream: TcpStream,
    /// Resolves when a call has given the peer up.
    ended: Pin<Box<OwnedNotified>>,
    silence: Option<Silence>,
    peer: Peer,
    metrics: Arc<ServerMetrics>,
    _permit: OwnedSemaphorePermit,
}

/// Who is at the other end of a connection, as its calls know it.
#[derive(Clone)]
pub struct Peer {
    given_up: Arc<Notify>,
}

impl Peer {
    /// Closes the connection with all its calls: an answer that is never taken ends no other way, since HTTP/2 asks
    /// for more of it only when the peer has made room.
    pub fn give_up(&self) {
        self.given_up.notify_one();
    }
}

/// What a connection still has to send before pings watch over it.
struct Silence {
    deadline: Pin<Box<Sleep>>,
    missing: usize,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.metrics.connections.dec();
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl Connection {
    /// An error once the peer was given up. Reads and writes ask, whichever of them the connection is waiting for.
    fn check_ended(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.ended.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_ended(cx)?;
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let Some(silence) = &mut self.silence else { return polled };
        if polled.is_pending() {
            ready!(silence.deadline.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        silence.missing = silence.missing.saturating_sub(buffer.filled().len() - before);
        if silence.missing == 0 {
            self.silence = None;
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check_ended(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_ended(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
