//! Submitting events one request at a time.

use std::fmt::Display;

use ledger_core::event::Event;
use ledger_core::ids::EventId;
use ledger_core::sidecar::Sidecar;
use ledger_core::unit::Submitted;
use ledger_proto::v1;

use crate::answer::EventAnswer;
use crate::batch::SignedBatch;
use crate::connection::Client;
use crate::error::ClientError;
use crate::retry::call;

impl Client {
    /// Submits events, each a unit of its own, in the order given. The answers come in the same order, when all that
    /// were recorded are durable. Tried again with the same bytes while the server is away or overloaded.
    ///
    /// # Errors
    /// [`ClientError`]; of cause `Unavailable`, some events may have been recorded all the same: submit them again.
    pub async fn submit(&self, events: &[Submitted]) -> Result<Vec<EventAnswer>, ClientError> {
        let request = v1::SubmitRequest { events: messages(events) };
        let response: v1::SubmitResponse = call!(self, submit, "Submit", request)?;
        answers(response.results, &request.events)
    }

    /// Submits one atomic group, made by [`crate::group`]: all members are accepted, or none.
    ///
    /// # Errors
    /// As [`Client::submit`].
    pub async fn submit_atomic(&self, events: &[Submitted]) -> Result<Vec<EventAnswer>, ClientError> {
        let request = v1::SubmitAtomicRequest { events: messages(events) };
        let response: v1::SubmitAtomicResponse = call!(self, submit_atomic, "SubmitAtomic", request)?;
        answers(response.results, &request.events)
    }
}

/// What a submission would be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// One answer per event. Log indices and times are those that the events would get if nothing came in between.
    pub answers: Vec<EventAnswer>,
    /// Number of log entries that were there.
    pub read_at: u64,
}

impl Client {
    /// What [`Client::submit`] would be answered now. Nothing is recorded.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn dry_run(&self, events: &[Submitted]) -> Result<DryRun, ClientError> {
        self.tried(v1::DryRunRequest { events: messages(events), ..Default::default() }).await
    }

    /// What [`Client::submit_atomic`] would be answered now. Nothing is recorded.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn dry_run_atomic(&self, events: &[Submitted]) -> Result<DryRun, ClientError> {
        self.tried(v1::DryRunRequest { events: messages(events), atomic: true, batch_header: None }).await
    }

    /// What [`Client::submit_batch`] would be answered now. Nothing is recorded.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn dry_run_batch(&self, batch: &SignedBatch) -> Result<DryRun, ClientError> {
        let (events, header) = (messages(&batch.members), message(batch.header.clone()));
        self.tried(v1::DryRunRequest { events, atomic: false, batch_header: Some(header) }).await
    }

    async fn tried(&self, request: v1::DryRunRequest) -> Result<DryRun, ClientError> {
        let response: v1::DryRunResponse = call!(self, dry_run, "DryRun", request)?;
        Ok(DryRun { answers: answers(response.results, &request.events)?, read_at: response.read_at })
    }
}

fn messages(events: &[Submitted]) -> Vec<v1::SubmittedEvent> {
    events.iter().cloned().map(message).collect()
}

/// One answer per event, each with the id of its event; an event that is turned away may be without.
pub(crate) fn answers(
    results: Vec<v1::SubmitResult>,
    events: &[v1::SubmittedEvent],
) -> Result<Vec<EventAnswer>, ClientError> {
    if results.len() != events.len() {
        let found = format!("{} results for {} events", results.len(), events.len());
        return Err(ClientError::Malformed { field: "results", found });
    }
    results.into_iter().zip(events).map(|(result, event)| answer_to(result, event)).collect()
}

/// The same of one event.
pub(crate) fn answer(
    result: Option<v1::SubmitResult>,
    event: &v1::SubmittedEvent,
) -> Result<EventAnswer, ClientError> {
    let none = || ClientError::Malformed { field: "result", found: "none".to_owned() };
    answer_to(result.ok_or_else(none)?, event)
}

fn answer_to(result: v1::SubmitResult, event: &v1::SubmittedEvent) -> Result<EventAnswer, ClientError> {
    let answer = EventAnswer::of_message(result)?;
    match (answer.event_id, id_of(event)) {
        (Some(found), Some(submitted)) if found != submitted => Err(other_event(found, submitted)),
        (None, Some(submitted)) if answer.recorded().is_some() => Err(other_event("empty", submitted)),
        _ => Ok(answer),
    }
}

fn other_event(found: impl Display, submitted: EventId) -> ClientError {
    ClientError::Malformed { field: "event_id", found: format!("{found}, submitted was {submitted}") }
}

/// The id of an event whose payload can be read.
fn id_of(event: &v1::SubmittedEvent) -> Option<EventId> {
    let event = Event::decode(&event.payload).ok()?;
    Some(EventId(event.event_id.try_into().ok()?))
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

#[cfg(test)]
mod tests {
    use ledger_core::event::{Body, PaymentVoided};
    use ledger_crypto::SigningKey;

    use super::*;
    use crate::builder::EventBuilder;

    fn event(id: u8) -> v1::SubmittedEvent {
        let body = Body::PaymentVoided(PaymentVoided { reason: "gone".to_owned() });
        let event = EventBuilder::with_id(&[7; 32], EventId([id; 16]), 5, body);
        message(event.sign(&[&SigningKey::from_seed([1; 32])]))
    }

    fn result(id: &[u8], outcome: u32) -> v1::SubmitResult {
        let recorded = v1::Recorded { log_index: 7, outcome, ..Default::default() };
        let answer = Some(v1::submit_result::Answer::Recorded(recorded));
        v1::SubmitResult { event_id: id.to_vec(), answer }
    }

    #[test]
    fn answers_belong_to_the_events_that_were_sent() {
        let events = [event(1), event(2)];
        let results = [result(&[1; 16], 0), result(&[2; 16], 904)];
        assert_eq!(answers(results.to_vec(), &events).unwrap().len(), 2);
        let [first, second] = results;
        let swapped = vec![second.clone(), first.clone()];
        let blank = vec![first.clone(), result(&[], 0)];
        for wrong in [swapped, blank] {
            let error = answers(wrong, &events).unwrap_err();
            assert!(matches!(error, ClientError::Malformed { field: "event_id", .. }), "{error}");
        }
        let error = answers(vec![first.clone()], &events).unwrap_err();
        assert!(matches!(error, ClientError::Malformed { field: "results", .. }), "{error}");
        let rejected = v1::submit_result::Answer::Rejected(v1::Rejected { code: 101, ..Default::default() });
        let rejected = v1::SubmitResult { event_id: Vec::new(), answer: Some(rejected) };
        assert!(answers(vec![first.clone(), rejected], &events).is_ok());
        let unreadable = v1::SubmittedEvent { payload: vec![0xff], ..event(2) };
        assert!(answers(vec![first.clone(), result(&[], 0)], &[event(1), unreadable]).is_ok());
        assert!(answer(Some(first.clone()), &event(1)).is_ok());
        for (result, event, wrong) in [(Some(first), event(2), "event_id"), (None, event(1), "result")] {
            let error = answer(result, &event).unwrap_err();
            assert!(matches!(error, ClientError::Malformed { field, .. } if field == wrong), "{error}");
        }
    }
}
