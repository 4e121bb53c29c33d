//! SubmitStream: a pipeline with a bounded number of messages and bytes between intake and answer.

use std::time::Duration;

use ledger_engine::{EventAnswer, Failure};
use ledger_proto::v1::{SubmitStreamRequest, SubmitStreamResponse};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, Streaming};

use super::request::Batch;
use super::submit::Together;
use super::{Answers, Service, answer};
use crate::connection::Peer;
use crate::status;

/// A message that the engine has, and whose answer nobody has taken.
struct InWork {
    number: u64,
    answered: JoinHandle<Result<Vec<EventAnswer>, Failure>>,
}

/// What comes out of the pipeline: a message, the status that ends it, or `None`, its end.
type Taken = Option<Result<InWork, Status>>;

/// The client takes no answers.
struct Stalled;

impl Service {
    /// Answers of a stream, in the order of its messages. The first status ends it; every message taken before that
    /// is answered first. A client that takes no answers loses its connection after `server.stream_timeout`.
    pub(super) fn answers(&self, request: Request<Streaming<SubmitStreamRequest>>) -> Answers {
        let peer = request.extensions().get::<Peer>().cloned();
        let (taken, in_work) = mpsc::channel(self.settings.server_stream_messages as usize);
        let (service, messages) = (self.clone(), request.into_inner());
        tokio::spawn(async move {
            if let (Err(Stalled), Some(peer)) = (service.take_all(messages, taken).await, peer) {
                tracing::warn!("a stream's answers are not taken: its connection is closed");
                peer.give_up();
            }
        });
        Box::pin(ReceiverStream::new(in_work).map_while(|taken| taken).then(answer_of))
    }

    /// Takes messages until the client is gone or has got its last answer.
    async fn take_all(
        &self,
        mut messages: Streaming<SubmitStreamRequest>,
        taken: mpsc::Sender<Taken>,
    ) -> Result<(), Stalled> {
        let longest_rest = self.settings.server_stream_timeout;
        let mut last = None;
        loop {
            let message = tokio::select! {
                biased;
                () = self.stopped() => Err(status::stopping()),
                () = taken.closed() => return Ok(()),
                message = messages.message() => message.map_err(from_codec),
                () = sleep(longest_rest) => Err(status::rested(longest_rest)),
            };
            let work = match message {
                Ok(Some(message)) => Some(self.take_one(message, &mut last).await),
                Ok(None) => None,
                Err(status) => Some(Err(status)),
            };
            let ended = !matches!(work, Some(Ok(_)));
            match timeout(longest_rest, taken.send(work)).await {
                Ok(Ok(())) if ended => return all_taken(&taken, longest_rest).await,
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Ok(()),
                Err(_) => return Err(Stalled),
            }
        }
    }

    async fn take_one(&self, message: SubmitStreamRequest, last: &mut Option<u64>) -> Result<InWork, Status> {
        let number = message.number;
        if let Some(before) = last.replace(number).filter(|before| *before >= number) {
            return Err(status::malformed("number", number, &format!("more than {before}, the one before")));
        }
        let batch = Batch::take(message.events, &self.settings)?;
        let share = self.stream_budget.take(batch.bytes).await?;
        let pending = self.hand_over(Together::Singles, batch.events).await?;
        // The share is free when the engine has answered, whenever the client reads that.
        let answered = tokio::spawn(async move {
            let answers = pending.await;
            drop(share);
            answers
        });
        Ok(InWork { number, answered })
    }
}

async fn answer_of(taken: Result<InWork, Status>) -> Result<SubmitStreamResponse, Status> {
    let InWork { number, answered } = taken?;
    let answers = answered.await.map_err(|_| status::internal("waiting for the engine panicked"))?;
    let answers = answers.map_err(|failure| status::failure(&failure))?;
    Ok(SubmitStreamResponse { number, results: answers.into_iter().map(answer::result).collect() })
}

/// Waits until the client has everything, as long as it goes on taking.
async fn all_taken(taken: &mpsc::Sender<Taken>, longest_rest: Duration) -> Result<(), Stalled> {
    loop {
        let left = taken.capacity();
        tokio::select! {
            () = taken.closed() => return Ok(()),
            () = sleep(longest_rest) => if taken.capacity() == left { return Err(Stalled) },
        }
    }
}

/// The codec names a message above the limit OUT_OF_RANGE, which means something else here.
fn from_codec(fault: Status) -> Status {
    match fault.code() {
        tonic::Code::OutOfRange => status::too_large(fault.message()),
        _ => fault,
    }
}
