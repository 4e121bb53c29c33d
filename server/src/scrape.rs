//! Connections of the metrics port: few and short, since they share the process's file descriptors with the ledger.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

use crate::connection::ACCEPT_PAUSE;

/// Connections of a listener, at most so many at a time, each for one request; one more is closed at once.
pub struct Scrapes {
    listener: TcpListener,
    free: Arc<Semaphore>,
    lifetime: Duration,
}

impl Scrapes {
    /// Accepts from `listener`, up to `most` open connections, each cut off after `lifetime`.
    pub fn new(listener: TcpListener, most: u32, lifetime: Duration) -> Self {
        Self { listener, free: Arc::new(Semaphore::new(most as usize)), lifetime }
    }
}

impl Listener for Scrapes {
    type Io = Scrape;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Scrape, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => match Arc::clone(&self.free).try_acquire_owned() {
                    Ok(place) => {
                        let end = Box::pin(tokio::time::sleep(self.lifetime));
                        return (Scrape { stream, end, _place: place }, peer);
                    }
                    Err(_) => tracing::warn!(%peer, "scrape refused: too many connections are open"),
                },
                Err(error) => {
                    tracing::warn!(%error, "a scrape could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// An open connection; its place is free again when it is dropped.
pub struct Scrape {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Scrape {
    /// What the socket says; once it has to wait, no longer than the connection lives.
    fn in_time<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_pending() && self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl AsyncRead for Scrape {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.in_time(cx, polled)
    }
}

impl AsyncWrite for Scrape {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
