//! AwaitSealed: the second promise. An entry is sealed for a client once a published checkpoint covers it.

use std::time::Duration;

use ledger_core::ids::LogIndex;
use ledger_core::receipt::TlogProof;
use ledger_proto::v1::{AwaitSealedRequest, AwaitSealedResponse, GetReceiptRequest, GetReceiptResponse};
use tonic::{Response, Status};

use super::request::EntryReference;
use super::{Service, about, blocking};
use crate::status;

const DEFAULT_TIMEOUT_MILLIS: u32 = 30_000;
const MAX_TIMEOUT_MILLIS: u32 = 300_000;

impl Service {
    pub(super) async fn sealed(
        &self,
        request: AwaitSealedRequest,
    ) -> Result<Response<AwaitSealedResponse>, Status> {
        let reference = EntryReference::try_from(request.entry)?;
        let timeout = timeout(request.timeout_millis)?;
        let index = self.located(reference).await?;
        let mut published = self.ledger.checkpoints();
        tokio::select! {
            waited = tokio::time::timeout(timeout, published.wait_for(|head| head.size > index.0)) => {
                waited
                    .map_err(|_| status::not_in_time(&reference.to_string(), timeout))?
                    .map_err(|_| status::stopping())?;
            }
            failure = self.failed() => return Err(status::failure(&failure)),
            () = self.stopped() => return Err(status::stopping()),
        }
        let tlog_proof = self.proof(index).await?;
        let proof = TlogProof::parse(&tlog_proof)
            .map_err(|error| status::internal(&format!("receipt of {reference}: {error}")))?;
        Ok(Response::new(AwaitSealedResponse {
            log_index: index.0,
            tlog_proof: tlog_proof.into_bytes(),
            checkpoint: proof.checkpoint,
        }))
    }

    pub(super) async fn receipt(
        &self,
        request: GetReceiptRequest,
    ) -> Result<Response<GetReceiptResponse>, Status> {
        let index = self.located(EntryReference::try_from(request.entry)?).await?;
        let tlog_proof = self.proof(index).await?.into_bytes();
        Ok(Response::new(GetReceiptResponse { log_index: index.0, tlog_proof }))
    }

    /// Where an entry stands. Errors: OUT_OF_RANGE at or after the end of the log.
    async fn located(&self, reference: EntryReference) -> Result<LogIndex, Status> {
        let found = self.read(move |view| {
            let index = reference.resolve(view)?;
            let end = view.next_index();
            if index < end { Ok(index) } else { Err(status::beyond(&reference.to_string(), end.0)) }
        });
        found.await.map(Response::into_inner)
    }

    async fn proof(&self, index: LogIndex) -> Result<String, Status> {
        let ledger = self.ledger.clone();
        let proof = blocking(&self.reading, move || ledger.receipt(index)).await?;
        proof.map_err(about(format_args!("receipt of log index {index}")))
    }
}

fn timeout(millis: u32) -> Result<Duration, Status> {
    match millis {
        0 => Ok(Duration::from_millis(DEFAULT_TIMEOUT_MILLIS.into())),
        1..=MAX_TIMEOUT_MILLIS => Ok(Duration::from_millis(millis.into())),
        _ => Err(status::malformed("timeout_millis", millis, "0 to 300000")),
    }
}
