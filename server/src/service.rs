//! The service `ledger.v1.LedgerService` over an engine.
//!
//! Nothing here decides what a valid event is: requests become calls of the engine, its answers become messages, its
//! faults become statuses ([`crate::status`]). Whatever blocks (signatures, the database) runs off the async threads.

mod answer;
mod await_sealed;
mod budget;
mod log;
mod private;
mod query;
mod request;
mod stream;
mod submit;

use std::pin::Pin;
use std::sync::Arc;

use ledger_engine::{Direction, Failure, Health, Ledger, ReadError, Slice, View};
use ledger_proto::v1::ledger_service_server::LedgerService;
use ledger_proto::v1::*;
use tokio::sync::{Semaphore, watch};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use self::budget::Budget;
use crate::cursor::Cursor;
use crate::metrics::ServerMetrics;
use crate::settings::Settings;
use crate::status;

/// Most bytes of entries in one answer: below the 4 MiB that gRPC clients accept unless told otherwise.
const PAGE_BYTES: usize = 1024 * 1024;
/// What all calls share.
#[derive(Clone)]
pub struct Service {
    ledger: Ledger,
    settings: Arc<Settings>,
    metrics: Arc<ServerMetrics>,
    /// Submissions on the blocking threads at a time; fair, so that a large one does not starve the others.
    submitting: Arc<Semaphore>,
    /// Reads on the blocking threads at a time.
    reading: Arc<Semaphore>,
    /// Checks of everything at a time.
    checking: Arc<Semaphore>,
    /// What all streams together may have in work: half of the engine's queue, so that streams wait for each other
    /// and leave room for single calls.
    stream_budget: Budget,
    /// True once the server is stopping.
    stopping: watch::Receiver<bool>,
}

impl Service {
    /// Over `ledger`, until `stopping` says true.
    pub fn new(
        ledger: Ledger,
        settings: Arc<Settings>,
        metrics: Arc<ServerMetrics>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let stream_budget = Budget::new(settings.queue_max_bytes / 2);
        Self {
            ledger,
            settings,
            metrics,
            submitting: Arc::new(Semaphore::new(processors + 1)),
            reading: Arc::new(Semaphore::new(2 * processors)),
            checking: Arc::new(Semaphore::new(1)),
            stream_budget,
            stopping,
        }
    }

    /// Runs a read on a blocking thread, over a view taken there.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&View) -> Result<T, Status> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let ledger = self.ledger.clone();
        blocking(&self.reading, move || work(&ledger.view())).await?.map(Response::new)
    }

    /// The page that a request asks for.
    fn page(&self, cursor: Cursor, from: &[u8], limit: u32) -> Result<Page, Status> {
        let limit = self.page_limit(limit)?;
        let from = cursor.read(from)?;
        Ok(Page { cursor, from, limit })
    }

    /// The number of elements of a page that a request gets.
    fn page_limit(&self, limit: u32) -> Result<usize, Status> {
        let most = self.settings.page_max;
        match limit {
            0 => Ok(most as usize),
            _ if limit <= most => Ok(limit as usize),
            _ => Err(status::malformed("limit", limit, &format!("0 to {most}"))),
        }
    }

    /// Resolves once the ledger has stopped for good: nothing will be sealed any more.
    async fn failed(&self) -> Failure {
        let mut healths = self.ledger.healths();
        let stopped = healths.wait_for(|health| matches!(health, Health::Stopped(_))).await;
        match stopped.as_deref() {
            Ok(Health::Stopped(failure)) => failure.clone(),
            _ => Failure::ShuttingDown,
        }
    }

    /// Resolves once the server is stopping.
    async fn stopped(&self) {
        // The sender lives as long as the server, so an error means that it is gone as well.
        let _ = self.stopping.clone().wait_for(|stopping| *stopping).await;
    }
}

/// Runs `work` on a blocking thread when one of `places` is free.
async fn blocking<T: Send + 'static>(
    places: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Status> {
    let place = Arc::clone(places).acquire_owned().await;
    let worked = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    worked.await.map_err(|error| {
        tracing::error!(%error, "a call panicked");
        status::internal("the call panicked")
    })
}

/// A function that turns a read error about `what` into a status.
fn about(what: impl std::fmt::Display) -> impl FnOnce(ReadError) -> Status {
    move |error| status::read(&error, &what.to_string())
}

/// A page of a list.
struct Page {
    cursor: Cursor,
    from: Option<u64>,
    limit: usize,
}

impl Page {
    /// What the page holds.
    fn slice(&self) -> Slice {
        Slice { from: self.from, direction: self.cursor.direction(), limit: self.limit }
    }

    /// The same and one element more, which tells where the next page begins.
    fn slice_and_next(&self) -> Slice {
        Slice { limit: self.limit + 1, ..self.slice() }
    }
}

/// Which end of a list comes first.
fn direction(descending: bool) -> Direction {
    if descending { Direction::Descending } else { Direction::Ascending }
}

type Answers = Pin<Box<dyn Stream<Item = Result<SubmitStreamResponse, Status>> + Send>>;
type StatementParts = Pin<Box<dyn Stream<Item = Result<GetStatementResponse, Status>> + Send>>;

#[tonic::async_trait]
impl LedgerService for Service {
    type SubmitStreamStream = Answers;
    type GetStatementStream = StatementParts;

    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        self.submit_events(request.into_inner()).await
    }

    async fn submit_stream(
        &self,
        request: Request<Streaming<SubmitStreamRequest>>,
    ) -> Result<Response<Answers>, Status> {
        Ok(Response::new(self.answers(request)))
    }

    async fn submit_atomic(
        &self,
        request: Request<SubmitAtomicRequest>,
    ) -> Result<Response<SubmitAtomicResponse>, Status> {
        self.submit_group(request.into_inner()).await
    }

    async fn submit_batch(
        &self,
        request: Request<SubmitBatchRequest>,
    ) -> Result<Response<SubmitBatchResponse>, Status> {
        self.submit_signed_batch(request.into_inner()).await
    }

    async fn erase_metadata(
        &self,
        request: Request<EraseMetadataRequest>,
    ) -> Result<Response<EraseMetadataResponse>, Status> {
        self.erase(request.into_inner()).await
    }

    async fn get_metadata(
        &self,
        request: Request<GetMetadataRequest>,
    ) -> Result<Response<GetMetadataResponse>, Status> {
        self.metadata(request.into_inner()).await
    }

    async fn await_sealed(
        &self,
        request: Request<AwaitSealedRequest>,
    ) -> Result<Response<AwaitSealedResponse>, Status> {
        self.sealed(request.into_inner()).await
    }

    async fn get_receipt(
        &self,
        request: Request<GetReceiptRequest>,
    ) -> Result<Response<GetReceiptResponse>, Status> {
        self.receipt(request.into_inner()).await
    }

    async fn get_checkpoint(
        &self,
        _: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        Ok(Response::new(self.checkpoint()))
    }

    async fn get_tile(&self, request: Request<GetTileRequest>) -> Result<Response<GetTileResponse>, Status> {
        self.tile(request.into_inner()).await
    }

    async fn get_entries(
        &self,
        request: Request<GetEntriesRequest>,
    ) -> Result<Response<GetEntriesResponse>, Status> {
        self.entries(request.into_inner()).await
    }

    async fn get_event(
        &self,
        request: Request<GetEventRequest>,
    ) -> Result<Response<GetEventResponse>, Status> {
        self.event(request.into_inner()).await
    }

    async fn get_payment(
        &self,
        request: Request<GetPaymentRequest>,
    ) -> Result<Response<GetPaymentResponse>, Status> {
        self.payment(request.into_inner()).await
    }

    async fn list_payment_events(
        &self,
        request: Request<ListPaymentEventsRequest>,
    ) -> Result<Response<ListPaymentEventsResponse>, Status> {
        self.payment_events(request.into_inner()).await
    }

    async fn get_account(
        &self,
        request: Request<GetAccountRequest>,
    ) -> Result<Response<GetAccountResponse>, Status> {
        self.account(request.into_inner()).await
    }

    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsResponse>, Status> {
        self.accounts(request.into_inner()).await
    }

    async fn list_account_entries(
        &self,
        request: Request<ListAccountEntriesRequest>,
    ) -> Result<Response<ListAccountEntriesResponse>, Status> {
        self.account_lines(request.into_inner()).await
    }

    async fn get_block(
        &self,
        request: Request<GetBlockRequest>,
    ) -> Result<Response<GetBlockResponse>, Status> {
        self.block(request.into_inner()).await
    }

    async fn list_blocks(
        &self,
        request: Request<ListBlocksRequest>,
    ) -> Result<Response<ListBlocksResponse>, Status> {
        self.blocks(request.into_inner()).await
    }

    async fn trial_balance(
        &self,
        request: Request<TrialBalanceRequest>,
    ) -> Result<Response<TrialBalanceResponse>, Status> {
        self.balance(request.into_inner()).await
    }

    async fn get_status(&self, _: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        self.status().await
    }

    async fn get_statement(
        &self,
        request: Request<GetStatementRequest>,
    ) -> Result<Response<StatementParts>, Status> {
        self.statement(request).await
    }

    async fn list_payments(
        &self,
        request: Request<ListPaymentsRequest>,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        self.payments(request.into_inner()).await
    }

    async fn lookup_reference(
        &self,
        request: Request<LookupReferenceRequest>,
    ) -> Result<Response<LookupReferenceResponse>, Status> {
        self.reference(request.into_inner()).await
    }

    async fn list_undrained(
        &self,
        request: Request<ListUndrainedRequest>,
    ) -> Result<Response<ListUndrainedResponse>, Status> {
        self.undrained(request.into_inner()).await
    }

    async fn check_money_conservation(
        &self,
        _: Request<CheckMoneyConservationRequest>,
    ) -> Result<Response<CheckMoneyConservationResponse>, Status> {
        self.conservation().await
    }

    async fn rebuild_payment(
        &self,
        request: Request<RebuildPaymentRequest>,
    ) -> Result<Response<RebuildPaymentResponse>, Status> {
        self.rebuilt(request.into_inner()).await
    }

    async fn dry_run(&self, request: Request<DryRunRequest>) -> Result<Response<DryRunResponse>, Status> {
        self.tried(request.into_inner()).await
    }
}
