//! Submitting events as a pipeline: many requests on their way, answers in order, a bounded number in flight.

use std::collections::VecDeque;

use ledger_core::unit::Submitted;
use ledger_proto::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::answer::EventAnswer;
use crate::connection::Client;
use crate::error::{ClientError, is_transient};
use crate::retry::Attempts;
use crate::submit::{answers, message};

/// The sending half of a pipeline. Dropping it ends the pipeline after the last answer.
#[derive(Debug)]
pub struct SubmitSender {
    batches: mpsc::Sender<v1::SubmitStreamRequest>,
    next_number: u64,
}

/// The answering half of a pipeline.
#[derive(Debug)]
pub struct SubmitAnswers {
    answers: mpsc::Receiver<Result<StreamAnswer, ClientError>>,
}

/// The answers to one [`SubmitSender::send`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamAnswer {
    /// The number that `send` returned.
    pub number: u64,
    /// One per event, same order.
    pub events: Vec<EventAnswer>,
}

impl Client {
    /// Opens a pipeline with at most `in_flight` unanswered requests (at least 1; the server takes a bounded number
    /// ahead too, named in its status). When the connection breaks or the server is overloaded, it is opened again
    /// and what was not answered is sent again, in order and with the same bytes.
    ///
    /// The halves are for two tasks: a `send` waits while `in_flight` requests are unanswered or their answers unread.
    #[must_use]
    pub fn submit_stream(&self, in_flight: usize) -> (SubmitSender, SubmitAnswers) {
        let in_flight = in_flight.max(1);
        let (batches, to_send) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(in_flight);
        let pipeline = Pipeline {
            client: self.clone(),
            attempts: self.retry().begin(),
            unanswered: VecDeque::with_capacity(in_flight),
            in_flight,
            to_send: Some(to_send),
            answered,
        };
        tokio::spawn(pipeline.run());
        (SubmitSender { batches, next_number: 0 }, SubmitAnswers { answers })
    }
}

impl SubmitSender {
    /// Sends events, each a unit of its own; returns the number under which their answers will come.
    ///
    /// # Errors
    /// [`ClientError::StreamEnded`] when the pipeline has failed: [`SubmitAnswers::next`] says why.
    pub async fn send(&mut self, events: Vec<Submitted>) -> Result<u64, ClientError> {
        self.next_number += 1;
        let number = self.next_number;
        let events = events.into_iter().map(message).collect();
        let request = v1::SubmitStreamRequest { number, events };
        self.batches.send(request).await.map_err(|_| ClientError::StreamEnded)?;
        Ok(number)
    }
}

impl SubmitAnswers {
    /// The next answers, in the order of sending; `None` after the last. An error is the last thing that comes.
    pub async fn next(&mut self) -> Option<Result<StreamAnswer, ClientError>> {
        self.answers.recv().await
    }
}

/// What runs between the halves.
struct Pipeline {
    client: Client,
    attempts: Attempts,
    unanswered: VecDeque<v1::SubmitStreamRequest>,
    in_flight: usize,
    /// `None` when the sending half is gone.
    to_send: Option<mpsc::Receiver<v1::SubmitStreamRequest>>,
    answered: mpsc::Sender<Result<StreamAnswer, ClientError>>,
}

/// Why one connection of a pipeline ended.
enum End {
    /// Everything is answered, or nobody reads the answers any more.
    Done,
    Status(Status),
    Failed(ClientError),
}

impl Pipeline {
    async fn run(mut self) {
        loop {
            let failure = match self.connection().await {
                End::Done => return,
                // A server ends a stream that rests too long; the next request opens another.
                End::Status(status) if self.unanswered.is_empty() && is_transient(&status) => {
                    self.attempts.reset();
                    continue;
                }
                End::Failed(failure) => failure,
                End::Status(status) => match self.attempts.wait(status).await {
                    Ok(()) => continue,
                    Err(status) => ClientError::status("SubmitStream")(status),
                },
            };
            // When the reader is gone as well, nobody is left to tell.
            let _ = self.answered.send(Err(failure)).await;
            return;
        }
    }

    /// Opens the call, sends again what is unanswered, and goes on until the call ends.
    async fn connection(&mut self) -> End {
        if self.unanswered.is_empty() && !self.take_next().await {
            return End::Done;
        }
        let (requests, outgoing) = mpsc::channel(self.in_flight);
        for request in &self.unanswered {
            if requests.try_send(request.clone()).is_err() {
                return End::Failed(ClientError::StreamEnded);
            }
        }
        match self.client.service().submit_stream(ReceiverStream::new(outgoing)).await {
            Ok(response) => self.exchange(requests, response.into_inner()).await,
            Err(status) => End::Status(status),
        }
    }

    async fn exchange(
        &mut self,
        requests: mpsc::Sender<v1::SubmitStreamRequest>,
        mut responses: Streaming<v1::SubmitStreamResponse>,
    ) -> End {
        let mut requests = Some(requests);
        loop {
            if self.to_send.is_none() {
                requests = None;
                if self.unanswered.is_empty() {
                    return End::Done;
                }
            }
            let room = self.unanswered.len() < self.in_flight;
            tokio::select! {
                response = responses.message() => match response {
                    Ok(Some(response)) => {
                        if let Err(end) = self.answer(response).await {
                            return end;
                        }
                    }
                    Ok(None) => return End::Status(Status::unavailable("the server ended the stream")),
                    Err(status) => return End::Status(status),
                },
                more = next_of(&mut self.to_send), if room && requests.is_some() => match (more, &requests) {
                    (Some(request), Some(requests)) => {
                        self.unanswered.push_back(request.clone());
                        // A closed channel means that the call ended; its status comes with the next response.
                        let _ = requests.try_send(request);
                    }
                    _ => self.to_send = None,
                },
            }
        }
    }

    async fn take_next(&mut self) -> bool {
        let Some(request) = next_of(&mut self.to_send).await else { return false };
        self.unanswered.push_back(request);
        true
    }

    async fn answer(&mut self, response: v1::SubmitStreamResponse) -> Result<(), End> {
        let expected = self.unanswered.pop_front();
        let Some(request) = expected.filter(|request| request.number == response.number) else {
            let found = format!("{}, which is not the next unanswered one", response.number);
            return Err(End::Failed(ClientError::Malformed { field: "number", found }));
        };
        let events = answers(response.results, &request.events).map_err(End::Failed)?;
        self.attempts.reset();
        let answer = StreamAnswer { number: request.number, events };
        self.answered.send(Ok(answer)).await.map_err(|_| End::Done)
    }
}

async fn next_of(
    to_send: &mut Option<mpsc::Receiver<v1::SubmitStreamRequest>>,
) -> Option<v1::SubmitStreamRequest> {
    to_send.as_mut()?.recv().await
}
