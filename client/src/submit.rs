//! Submitting events one request at a time.

use ledger_core::sidecar::Sidecar;
use ledger_core::unit::Submitted;
use ledger_proto::v1;

use crate::answer::EventAnswer;
use crate::connection::Client;
use crate::error::ClientError;

impl Client {
    /// Submits events, each a unit of its own, in the order given. The answers come in the same order, when all that
    /// were recorded are durable. Tried again with the same bytes while the server is away or overloaded.
    ///
    /// # Errors
    /// [`ClientError`]; of cause `Unavailable`, some events may have been recorded all the same: submit them again.
    pub async fn submit(&self, events: &[Submitted]) -> Result<Vec<EventAnswer>, ClientError> {
        let request = v1::SubmitRequest { events: messages(events) };
        let mut attempts = self.retry().begin();
        loop {
            match self.service().submit(request.clone()).await {
                Ok(response) => return answers(response.into_inner().results, events.len()),
                Err(status) => attempts.wait(status).await.map_err(ClientError::status("Submit"))?,
            }
        }
    }

    /// Submits one atomic group, made by [`crate::group`]: all members are accepted, or none.
    ///
    /// # Errors
    /// As [`Client::submit`].
    pub async fn submit_atomic(&self, events: &[Submitted]) -> Result<Vec<EventAnswer>, ClientError> {
        let request = v1::SubmitAtomicRequest { events: messages(events) };
        let mut attempts = self.retry().begin();
        loop {
            match self.service().submit_atomic(request.clone()).await {
                Ok(response) => return answers(response.into_inner().results, events.len()),
                Err(status) => attempts.wait(status).await.map_err(ClientError::status("SubmitAtomic"))?,
            }
        }
    }
}

fn messages(events: &[Submitted]) -> Vec<v1::SubmittedEvent> {
    events.iter().cloned().map(message).collect()
}

pub(crate) fn answers(
    results: Vec<v1::SubmitResult>,
    submitted: usize,
) -> Result<Vec<EventAnswer>, ClientError> {
    if results.len() != submitted {
        let found = format!("{} results for {submitted} events", results.len());
        return Err(ClientError::Malformed { field: "results", found });
    }
    results.into_iter().map(EventAnswer::of_message).collect()
}

pub(crate) fn message(event: Submitted) -> v1::SubmittedEvent {
    let signatures = event.signatures.into_iter();
    let sidecar = event.sidecar.map(|Sidecar { salt, metadata }| v1::Sidecar { salt, metadata });
    v1::SubmittedEvent {
        payload_type: event.payload_type,
        payload: event.payload,
        signatures: signatures.map(|(key, signature)| v1::Signature { key, signature }).collect(),
        sidecar,
    }
}
