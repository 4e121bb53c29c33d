//! Submit, SubmitAtomic, SubmitBatch and DryRun.

use ledger_core::unit::Submitted;
use ledger_engine::Pending;
use ledger_proto::v1::{
    DryRunRequest, DryRunResponse, SubmitAtomicRequest, SubmitAtomicResponse, SubmitBatchRequest,
    SubmitBatchResponse, SubmitRequest, SubmitResponse, SubmitResult,
};
use tonic::{Response, Status};

use super::request::{Batch, signed_batch};
use super::{Service, answer, blocking};
use crate::status;

/// How the events of a request belong together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Together {
    /// Each is a unit of its own.
    Singles,
    /// All are one atomic group.
    Group,
}

impl Service {
    pub(super) async fn submit_events(
        &self,
        request: SubmitRequest,
    ) -> Result<Response<SubmitResponse>, Status> {
        let batch = Batch::take(request.events, &self.settings)?;
        let results = self.decided(Together::Singles, batch.events).await?;
        Ok(Response::new(SubmitResponse { results }))
    }

    pub(super) async fn submit_group(
        &self,
        request: SubmitAtomicRequest,
    ) -> Result<Response<SubmitAtomicResponse>, Status> {
        let batch = Batch::take(request.events, &self.settings)?;
        let results = self.decided(Together::Group, batch.events).await?;
        Ok(Response::new(SubmitAtomicResponse { results }))
    }

    pub(super) async fn tried(&self, request: DryRunRequest) -> Result<Response<DryRunResponse>, Status> {
        let DryRunRequest { events, atomic, batch_header } = request;
        let ledger = self.ledger.clone();
        let tried = if let Some(header) = batch_header {
            if atomic {
                return Err(status::malformed("atomic", true, "false beside batch_header"));
            }
            let (header, members) = signed_batch(Some(header), events)?;
            blocking(&self.submitting, move || ledger.dry_run_batch(header, members)).await?
        } else {
            let Batch { events, .. } = Batch::take(events, &self.settings)?;
            let tried = move || if atomic { ledger.dry_run_atomic(events) } else { ledger.dry_run(events) };
            blocking(&self.submitting, tried).await?
        };
        let tried = tried.map_err(|failure| status::failure(&failure))?;
        let results = tried.answers.into_iter().map(answer::result).collect();
        Ok(Response::new(DryRunResponse { results, read_at: tried.read_at.0 }))
    }

    pub(super) async fn submit_signed_batch(
        &self,
        request: SubmitBatchRequest,
    ) -> Result<Response<SubmitBatchResponse>, Status> {
        let (header, members) = signed_batch(request.header, request.events)?;
        self.metrics.events_received.inc_by(members.len() as u64);
        let ledger = self.ledger.clone();
        let handed = blocking(&self.submitting, move || ledger.submit_batch(header, members));
        let pending = handed.await?.map_err(|failure| status::failure(&failure))?;
        Ok(Response::new(SubmitBatchResponse { results: answered(pending).await? }))
    }

    /// Hands events to the engine on a blocking thread: decoding and signatures are work for a processor. Calls made
    /// one after another enter the queue in that order.
    pub(super) async fn hand_over(
        &self,
        together: Together,
        events: Vec<Submitted>,
    ) -> Result<Pending, Status> {
        self.metrics.events_received.inc_by(events.len() as u64);
        let ledger = self.ledger.clone();
        let handed = blocking(&self.submitting, move || match together {
            Together::Singles => ledger.submit(events),
            Together::Group => ledger.submit_atomic(events),
        });
        handed.await?.map_err(|failure| status::failure(&failure))
    }

    async fn decided(&self, together: Together, events: Vec<Submitted>) -> Result<Vec<SubmitResult>, Status> {
        answered(self.hand_over(together, events).await?).await
    }
}

async fn answered(pending: Pending) -> Result<Vec<SubmitResult>, Status> {
    let answers = pending.await.map_err(|failure| status::failure(&failure))?;
    Ok(answers.into_iter().map(answer::result).collect())
}
