//! EraseMetadata and GetMetadata.

use ledger_core::event::{Body, Event};
use ledger_core::ids::EventId;
use ledger_core::unit::Submitted;
use ledger_engine::{Answer, Kept};
use ledger_proto::v1::{
    EraseMetadataRequest, EraseMetadataResponse, GetMetadataRequest, GetMetadataResponse, NeverKept, Sidecar,
    get_metadata_response,
};
use tonic::{Response, Status};

use super::request::{event_id, submitted};
use super::submit::Together;
use super::{Service, about, answer};
use crate::status;

impl Service {
    pub(super) async fn erase(
        &self,
        request: EraseMetadataRequest,
    ) -> Result<Response<EraseMetadataResponse>, Status> {
        let event = request.event.ok_or_else(|| status::malformed("event", "none", "a MetadataErased"))?;
        let event = submitted(event);
        let target = erased(&event)?;
        let pending = self.hand_over(Together::Singles, vec![event]).await?;
        let answered = pending.await.map_err(|failure| status::failure(&failure))?;
        let answered =
            answered.into_iter().next().ok_or_else(|| status::internal("an event has no answer"))?;
        let accepted = matches!(answered.answer, Answer::Recorded { outcome: 0, .. });
        if let Some(target) = target.filter(|_| accepted) {
            self.erased(target).await?;
        }
        let erased = accepted && target.is_some();
        Ok(Response::new(EraseMetadataResponse { result: Some(answer::result(answered)), erased }))
    }

    pub(super) async fn metadata(
        &self,
        request: GetMetadataRequest,
    ) -> Result<Response<GetMetadataResponse>, Status> {
        if !self.settings.private_read {
            return Err(status::not_allowed("private.read is off: this server gives out no private data"));
        }
        let id = event_id(&request.event_id)?;
        let found = self.read(move |view| {
            let what = format!("event {id}");
            let found = view.private(&id).map_err(about(&what))?.ok_or_else(|| status::not_found(&what))?;
            let kept = match found.kept {
                Kept::Here(sidecar) => {
                    let sidecar = Sidecar { salt: sidecar.salt, metadata: sidecar.metadata };
                    get_metadata_response::Kept::Here(sidecar)
                }
                Kept::Never => get_metadata_response::Kept::Never(NeverKept {}),
                Kept::Erased(by) => get_metadata_response::Kept::ErasedBy(by.0),
            };
            let commitment = found.commitment.map(|hash| hash.to_vec()).unwrap_or_default();
            Ok(GetMetadataResponse { log_index: found.log_index.0, commitment, kept: Some(kept) })
        });
        found.await
    }

    /// Waits until no file holds the private data of an event whose erasure is accepted.
    async fn erased(&self, target: EventId) -> Result<(), Status> {
        let what = format!("event {target}");
        let located = self.read(move |view| {
            let known = view.event(&target).map_err(about(&what))?;
            Ok(known.ok_or_else(|| status::not_found(&what))?.log_index)
        });
        let log_index = located.await?.into_inner();
        let ended = tokio::select! {
            ended = self.ledger.erasing(log_index) => ended,
            failure = self.failed() => Err(failure),
        };
        ended.map_err(|failure| status::failure(&failure))
    }
}

/// The event whose private data it erases, if that is an id. Errors: INVALID_ARGUMENT for an event of another type; one
/// that does not decode is left to the ledger.
fn erased(event: &Submitted) -> Result<Option<EventId>, Status> {
    match Event::decode(&event.payload).map(|event| event.body) {
        Ok(Body::MetadataErased(body)) => Ok(body.event_id.try_into().ok().map(EventId)),
        Ok(other) => Err(status::malformed("event", other.name(), "a MetadataErased")),
        Err(_) => Ok(None),
    }
}
