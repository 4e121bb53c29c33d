//! Sending events as a pipeline, keeping every acknowledgement, stopping at the first event that is not accepted.

use std::collections::VecDeque;
use std::time::Duration;

use indicatif::ProgressBar;
use ledger_client::{Answer, Client, ClientError, EventAnswer, StreamAnswer, SubmitAnswers, Verdict};
use ledger_core::code::Detail;
use ledger_core::ids::{EventId, LogIndex};
use thiserror::Error;

use super::acks::{Acks, AcksError};
use super::derive::{Deriver, Prepared, Signers, Subject};

/// How events are sent, and what came of those sent so far.
pub struct Sending<'a> {
    /// The server.
    pub client: Client,
    /// Signs what is sent.
    pub deriver: &'a Deriver<'a>,
    /// Events of one request.
    pub events: usize,
    /// Events of one signed batch.
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
    /// Events were not accepted, in the order of sending: the first one, and of those that were on their way then.
    #[error("not accepted: {} events", .0.len())]
    Stopped(Vec<Stop>),
}

impl Sending<'_> {
    /// Sends events, each signed by itself, in order and waits for all answers. Whatever has been answered is kept
    /// before the next request goes out. After an event that was not accepted nothing more is sent; what was on its way is still answered.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn singly(
        &mut self,
        mut events: impl Iterator<Item = Prepared>,
        by: Signers,
    ) -> Result<(), SendError> {
        let (mut sender, mut answers) = self.client.submit_stream(self.window);
        let mut waiting: VecDeque<Vec<(EventId, Subject)>> = VecDeque::new();
        let mut stops = Vec::new();
        let mut ended = false;
        loop {
            while let Some(answer) = arrived(&mut answers).await? {
                self.answered(&mut waiting, answer, &mut stops)?;
            }
            ended = ended || !stops.is_empty();
            if !ended && waiting.len() < self.window {
                let next: Vec<_> = events.by_ref().take(self.events).collect();
                ended = next.is_empty();
                if !ended {
                    waiting.push_back(next.iter().map(|event| (event.event_id, event.subject)).collect());
                    let signed = next.into_iter().map(|event| self.deriver.sign(event, by));
                    if let Err(ended) = sender.send(signed.collect()).await {
                        return Err(self.cause(answers, &mut waiting, &mut stops, ended).await);
                    }
                }
            } else if waiting.is_empty() {
                return if stops.is_empty() { Ok(()) } else { Err(SendError::Stopped(stops)) };
            } else {
                let answer = answers.next().await.ok_or(ClientError::StreamEnded)??;
                self.answered(&mut waiting, answer, &mut stops)?;
            }
        }
    }

    /// Why the stream took no more: the last thing that comes out of it. What was answered before is kept.
    async fn cause(
        &mut self,
        mut answers: SubmitAnswers,
        waiting: &mut VecDeque<Vec<(EventId, Subject)>>,
        stops: &mut Vec<Stop>,
        ended: ClientError,
    ) -> SendError {
        while let Some(answer) = answers.next().await {
            let kept = match answer {
                Ok(answer) => self.answered(waiting, answer, stops),
                Err(cause) => return cause.into(),
            };
            if let Err(error) = kept {
                return error;
            }
        }
        ended.into()
    }

    fn answered(
        &mut self,
        waiting: &mut VecDeque<Vec<(EventId, Subject)>>,
        answer: StreamAnswer,
        stops: &mut Vec<Stop>,
    ) -> Result<(), SendError> {
        self.take(waiting.pop_front().unwrap_or_default(), answer.events, stops)
    }

    /// Counts and keeps the answers to what was sent; those that are not of accepted events join `stops`.
    pub(super) fn take(
        &mut self,
        sent: Vec<(EventId, Subject)>,
        answers: Vec<EventAnswer>,
        stops: &mut Vec<Stop>,
    ) -> Result<(), SendError> {
        let mut kept = Vec::with_capacity(sent.len());
        for ((event_id, subject), answer) in sent.into_iter().zip(answers) {
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
                _ => stops.push(stopped(subject, answer)),
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
    }
}
