//! SubmitStream: a pipeline with a bounded number of messages and bytes between intake and answer.

use ledger_engine::Pending;
use ledger_proto::v1::{SubmitStreamRequest, SubmitStreamResponse};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::budget::Share;
use super::request::Batch;
use super::submit::Together;
use super::{Answers, Service, answer};
use crate::status;

/// A message that the engine has and has not answered.
struct InWork {
    number: u64,
    pending: Pending,
    _share: Share,
}

impl Service {
    /// Answers of a stream, in the order of its messages. The first status ends it; every message taken before that
    /// is answered first.
    pub(super) fn answers(&self, messages: Streaming<SubmitStreamRequest>) -> Answers {
        let (taken, in_work) = mpsc::channel(self.settings.server_stream_messages as usize);
        tokio::spawn(self.clone().take_all(messages, taken));
        let answers = ReceiverStream::new(in_work).then(|taken| async {
            let InWork { number, pending, _share } = taken?;
            let answers = pending.await.map_err(|failure| status::failure(&failure))?;
            let results = answers.into_iter().map(answer::result).collect();
            Ok(SubmitStreamResponse { number, results })
        });
        Box::pin(answers)
    }

    async fn take_all(
        self,
        mut messages: Streaming<SubmitStreamRequest>,
        taken: mpsc::Sender<Result<InWork, Status>>,
    ) {
        let mut last = None;
        loop {
            let message = tokio::select! {
                biased;
                () = self.stopped() => Err(status::stopping()),
                () = taken.closed() => return,
                message = messages.message() => message.map_err(from_codec),
            };
            let work = match message {
                Ok(Some(message)) => self.take_one(message, &mut last).await,
                Ok(None) => return,
                Err(status) => Err(status),
            };
            let ended = work.is_err();
            if taken.send(work).await.is_err() || ended {
                return;
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
        Ok(InWork { number, pending, _share: share })
    }
}

/// The codec names a message above the limit OUT_OF_RANGE, which means something else here.
fn from_codec(fault: Status) -> Status {
    match fault.code() {
        tonic::Code::OutOfRange => status::too_large(fault.message()),
        _ => fault,
    }
}
