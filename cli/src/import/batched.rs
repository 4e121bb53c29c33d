//! Sending events in signed batches: one signature for many rows.
//!
//! One batch is on its way at a time: should it turn out that some of its events are known already, from a run with
//! other boundaries, the rest of it goes first, before any row after it.

use ledger_client::{Cause, EntryRef, EventAnswer, Verdict};
use ledger_core::code::Code;
use ledger_core::ids::EventId;

use super::derive::{Prepared, Signers, Subject};
use super::send::{SendError, Sending, Stop};

/// What a batch was made of, in order.
type Members = Vec<(EventId, Subject)>;

impl Sending<'_> {
    /// Sends events in order, so many in a signed batch, and waits for all answers. After an event that was not
    /// accepted nothing more is sent; what stood in its batch is decided all the same.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn in_batches(
        &mut self,
        mut events: impl Iterator<Item = Prepared>,
        by: Signers,
    ) -> Result<(), SendError> {
        let count = self.batch;
        let mut next = || events.by_ref().take(count).collect::<Vec<_>>();
        let mut members = next();
        while !members.is_empty() {
            members = self.batch(members, by, &mut next).await?;
        }
        Ok(())
    }

    /// Sends a batch, and prepares the next one meanwhile.
    async fn batch(
        &mut self,
        events: Vec<Prepared>,
        by: Signers,
        next: &mut impl FnMut() -> Vec<Prepared>,
    ) -> Result<Vec<Prepared>, SendError> {
        let members = members_of(&events);
        let signed = self.deriver.sign_batch(events.clone(), by);
        let (answers, following) = tokio::join!(self.client.submit_batch(&signed), async { next() });
        let answers = answers?;
        if is_known_in_part(&answers) {
            self.split(events, by).await?;
        } else {
            self.finish(members, answers)?;
        }
        Ok(following)
    }

    /// Sends what is known one by one, so that the event that was recorded with other bytes is found, and the rest as a
    /// batch of its own.
    async fn split(&mut self, events: Vec<Prepared>, by: Signers) -> Result<(), SendError> {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for event in events {
            match self.client.event(EntryRef::Event(event.event_id)).await {
                Ok(_) => known.push(event),
                Err(error) if error.cause() == Cause::Missing => unknown.push(event),
                Err(error) => return Err(error.into()),
            }
        }
        self.singly(known.into_iter(), by).await?;
        if unknown.is_empty() {
            return Ok(());
        }
        let members = members_of(&unknown);
        let signed = self.deriver.sign_batch(unknown, by);
        let answers = self.client.submit_batch(&signed).await?;
        self.finish(members, answers)
    }

    /// Counts and keeps the answers to a batch. Of one that was turned away, the member that failed it is named alone.
    fn finish(&mut self, members: Members, answers: Vec<EventAnswer>) -> Result<(), SendError> {
        let mut stops = Vec::new();
        self.take(members, answers, &mut stops)?;
        let failed_with_it = |stop: &Stop| stop.verdict == Verdict::Rejected(Code::GroupMemberFailed);
        if !stops.iter().all(failed_with_it) {
            stops.retain(|stop| !failed_with_it(stop));
        }
        if stops.is_empty() { Ok(()) } else { Err(SendError::Stopped(stops)) }
    }
}

fn members_of(events: &[Prepared]) -> Members {
    events.iter().map(|event| (event.event_id, event.subject)).collect()
}

/// The ledger takes a batch whose members are all new, and answers one whose members are all known.
fn is_known_in_part(answers: &[EventAnswer]) -> bool {
    answers.iter().any(|answer| answer.verdict() == Verdict::Rejected(Code::EventIdConflict))
}
