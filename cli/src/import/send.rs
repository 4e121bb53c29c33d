//! Sending events as a pipeline, keeping every acknowledgement, stopping at the first event that is not accepted.

use std::collections::VecDeque;
use std::time::Duration;

use indicatif::ProgressBar;
use ledger_client::{Answer, Client, ClientError, EventAnswer, StreamAnswer, SubmitAnswers, Verdict};
use ledger_core::code::Detail;
use ledger_core::ids::{EventId, LogIndex};
use thiserror::Error;

use super::acks::{Acks, AcksError};
use super::derive::{Prepared, Subject};

/// How events are sent, and what came of those sent so far.
pub struct Sending<'a> {
    /// The server.
    pub client: Client,
    /// Events of one request.
    pub batch: usize,
    /// Requests on their way at a time.
    pub window: usize,
    /// Where acknowledgements are kept.
    pub acks: Option<Acks>,
    /// Names a subject in the file of acknowledgements.
    pub name: &'a dyn Fn(Subject) -> String,
    /// Moves by one per event.
    pub progress: ProgressBar,
    /// Events recorded now.
    pub new: u64,
    /// Events that had been recorded before.
    pub already_there: u64,
}

/// An event that was not accepted.
#[derive(Debug)]
pub struct Stop {
    /// What it was for.
    pub subject: Subject,
    /// Why.
    pub verdict: Verdict,
    /// Where its refusal stands in the log, when it does.
    pub log_index: Option<LogIndex>,
    /// Field, value and limit.
    pub detail: Detail,
}

/// Why sending ended early.
#[derive(Debug, Error)]
pub enum SendError {
    /// The server cannot be reached, or answered something wrong. Which of the unanswered events were recorded is not
    /// known; another run finds out.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An acknowledgement could not be kept, or contradicts an earlier one.
    #[error(transparent)]
    Acks(#[from] AcksError),
    /// An event was not accepted.
    #[error("not accepted: {}", .0.verdict)]
    Stopped(Box<Stop>),
}

impl Sending<'_> {
    /// Sends events in order and waits for all answers. Whatever has been answered is kept before the next request
    /// goes out. After an event that was not accepted nothing more is sent; what was on its way is still answered.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn all(&mut self, mut events: impl Iterator<Item = Prepared>) -> Result<(), SendError> {
        let (mut sender, mut answers) = self.client.submit_stream(self.window);
        let mut waiting: VecDeque<Vec<(EventId, Subject)>> = VecDeque::new();
        let mut stop = None;
        let mut ended = false;
        loop {
            while let Some(answer) = arrived(&mut answers).await? {
                self.answered(&mut waiting, answer, &mut stop)?;
            }
            ended = ended || stop.is_some();
            if !ended && waiting.len() < self.window {
                let batch: Vec<_> = events.by_ref().take(self.batch).collect();
                ended = batch.is_empty();
                if !ended {
                    waiting.push_back(batch.iter().map(|event| (event.event_id, event.subject)).collect());
                    sender.send(batch.into_iter().map(|event| event.submitted).collect()).await?;
                }
            } else if waiting.is_empty() {
                return stop.map_or(Ok(()), |stop| Err(SendError::Stopped(stop)));
            } else {
                let answer = answers.next().await.ok_or(ClientError::StreamEnded)??;
                self.answered(&mut waiting, answer, &mut stop)?;
            }
        }
    }

    fn answered(
        &mut self,
        waiting: &mut VecDeque<Vec<(EventId, Subject)>>,
        answer: StreamAnswer,
        stop: &mut Option<Box<Stop>>,
    ) -> Result<(), SendError> {
        let sent = waiting.pop_front().unwrap_or_default();
        let mut kept = Vec::with_capacity(sent.len());
        for ((event_id, subject), answer) in sent.into_iter().zip(answer.events) {
            self.progress.inc(1);
            match (answer.verdict(), answer.recorded()) {
                (Verdict::Accepted, Some(recorded)) => {
                    self.new += 1;
                    kept.push((event_id, recorded.log_index, subject));
                }
                (Verdict::AlreadyExists, Some(recorded)) => {
                    self.already_there += 1;
                    kept.push((event_id, recorded.log_index, subject));
                }
                _ if stop.is_none() => *stop = Some(Box::new(stopped(subject, answer))),
                _ => {}
            }
        }
        if let Some(acks) = &mut self.acks {
            acks.keep(kept.into_iter().map(|(id, index, subject)| (id, index, (self.name)(subject))))?;
        }
        Ok(())
    }
}

/// An answer that is there already.
async fn arrived(answers: &mut SubmitAnswers) -> Result<Option<StreamAnswer>, ClientError> {
    match tokio::time::timeout(Duration::ZERO, answers.next()).await {
        Ok(Some(answer)) => answer.map(Some),
        Ok(None) => Err(ClientError::StreamEnded),
        Err(_) => Ok(None),
    }
}

fn stopped(subject: Subject, answer: EventAnswer) -> Stop {
    let verdict = answer.verdict();
    match answer.answer {
        Answer::Recorded(recorded) => {
            Stop { subject, verdict, log_index: Some(recorded.log_index), detail: recorded.detail }
        }
        Answer::Rejected { detail, .. } => Stop { subject, verdict, log_index: None, detail },
        Answer::Unimplemented { event_type } => {
            let detail = Detail { value: event_type, ..Detail::default() };
            Stop { subject, verdict, log_index: None, detail }
        }
    }
}
