//! The body of a request: so many bytes, all of them there in time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;

use crate::status;

/// Bounds of a request's body.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bounds {
    /// Bytes of all its messages; `None` where the codec bounds each message.
    pub bytes: Option<usize>,
    /// Time from the headers to the last byte; `None` for a stream of messages.
    pub time: Option<Duration>,
}

/// A body that fails once it is beyond its bounds.
pub struct Received {
    inner: Body,
    bounds: Bounds,
    bytes: usize,
    deadline: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Received {
    /// The clock starts now.
    pub fn new(inner: Body, bounds: Bounds) -> Self {
        let deadline = bounds.time.map(|time| (time, Box::pin(tokio::time::sleep(time))));
        Self { inner, bounds, bytes: 0, deadline }
    }

    fn counted(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Status> {
        self.bytes += frame.data_ref().map_or(0, Bytes::len);
        match self.bounds.bytes {
            Some(most) if self.bytes > most => {
                Err(status::too_large(&format!("a request of this method has at most {most} bytes")))
            }
            _ => Ok(frame),
        }
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(self.counted(frame))),
            Poll::Pending => match &mut self.deadline {
                Some((time, deadline)) => {
                    deadline.as_mut().poll(cx).map(|()| Some(Err(status::not_received(*time))))
                }
                None => Poll::Pending,
            },
            ended => ended,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
