//! Around every gRPC call: how many submissions may be in work, how much and how long a request may be, and what is
//! counted when a call ends.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::{Code, Status};
use tower_layer::Layer;

use crate::metrics::{Call, Method, ServerMetrics};
use crate::received::{Bounds, Received};
use crate::settings::Settings;
use crate::status;

/// Paths that are served, and the names of their methods.
const METHODS: &[(&str, &str)] = &[
    ("/ledger.v1.LedgerService/Submit", "Submit"),
    ("/ledger.v1.LedgerService/SubmitStream", "SubmitStream"),
    ("/ledger.v1.LedgerService/SubmitAtomic", "SubmitAtomic"),
    ("/ledger.v1.LedgerService/EraseMetadata", "EraseMetadata"),
    ("/ledger.v1.LedgerService/GetMetadata", "GetMetadata"),
    ("/ledger.v1.LedgerService/SubmitBatch", "SubmitBatch"),
    ("/ledger.v1.LedgerService/AwaitSealed", "AwaitSealed"),
    ("/ledger.v1.LedgerService/GetReceipt", "GetReceipt"),
    ("/ledger.v1.LedgerService/GetCheckpoint", "GetCheckpoint"),
    ("/ledger.v1.LedgerService/GetTile", "GetTile"),
    ("/ledger.v1.LedgerService/GetEntries", "GetEntries"),
    ("/ledger.v1.LedgerService/GetEvent", "GetEvent"),
    ("/ledger.v1.LedgerService/GetPayment", "GetPayment"),
    ("/ledger.v1.LedgerService/ListPaymentEvents", "ListPaymentEvents"),
    ("/ledger.v1.LedgerService/GetAccount", "GetAccount"),
    ("/ledger.v1.LedgerService/ListAccounts", "ListAccounts"),
    ("/ledger.v1.LedgerService/ListAccountEntries", "ListAccountEntries"),
    ("/ledger.v1.LedgerService/GetBlock", "GetBlock"),
    ("/ledger.v1.LedgerService/ListBlocks", "ListBlocks"),
    ("/ledger.v1.LedgerService/TrialBalance", "TrialBalance"),
    ("/ledger.v1.LedgerService/GetStatus", "GetStatus"),
    ("/ledger.v1.LedgerService/GetStatement", "GetStatement"),
    ("/ledger.v1.LedgerService/ListPayments", "ListPayments"),
    ("/ledger.v1.LedgerService/LookupReference", "LookupReference"),
    ("/ledger.v1.LedgerService/ListUndrained", "ListUndrained"),
    ("/ledger.v1.LedgerService/CheckMoneyConservation", "CheckMoneyConservation"),
    ("/ledger.v1.LedgerService/RebuildPayment", "RebuildPayment"),
    ("/ledger.v1.LedgerService/DryRun", "DryRun"),
    ("/grpc.health.v1.Health/Check", "HealthCheck"),
    ("/grpc.health.v1.Health/Watch", "HealthWatch"),
    ("/grpc.health.v1.Health/List", "HealthList"),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "Reflection"),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "Reflection"),
];

/// Bytes of a request that submits nothing: names, ids, a cursor. With the default number of connections and of calls of
/// each, all such requests together take at most 2 GiB; those that submit have places.
const READ_BYTES: usize = 64 * 1024;

/// Methods that hold a place of `server.max_streams` until their stream has ended.
const STREAMS: [&str; 2] = ["SubmitStream", "GetStatement"];

/// Wraps all services of a server.
#[derive(Clone)]
pub struct Calls {
    metrics: Arc<ServerMetrics>,
    submits: Places,
    streams: Places,
    request_timeout: Duration,
}

/// A bounded number of places for one kind of call.
#[derive(Clone)]
struct Places {
    what: &'static str,
    limit: u32,
    free: Arc<Semaphore>,
}

impl Calls {
    /// With the limits of `settings`.
    pub fn new(settings: &Settings, metrics: Arc<ServerMetrics>) -> Self {
        Self {
            metrics,
            submits: Places::new("server.max_submits", settings.server_max_submits),
            streams: Places::new("server.max_streams", settings.server_max_streams),
            request_timeout: settings.server_request_timeout,
        }
    }

    /// A place for the call, before a byte of its body is read. `None`: this method needs none.
    fn place(&self, method: &str) -> Result<Option<OwnedSemaphorePermit>, Status> {
        match method {
            "Submit" | "SubmitAtomic" | "SubmitBatch" | "DryRun" => self.submits.take().map(Some),
            method if STREAMS.contains(&method) => self.streams.take().map(Some),
            _ => Ok(None),
        }
    }
}

/// What the body of a method's request may be.
fn bounds(method: &str, request_timeout: Duration) -> Bounds {
    let streams = ["SubmitStream", "Reflection"].contains(&method);
    Bounds { bytes: (!submits(method)).then_some(READ_BYTES), time: (!streams).then_some(request_timeout) }
}

fn submits(method: &str) -> bool {
    method.starts_with("Submit") || method == "DryRun"
}

impl Places {
    fn new(what: &'static str, limit: u32) -> Self {
        Self { what, limit, free: Arc::new(Semaphore::new(limit as usize)) }
    }

    fn take(&self) -> Result<OwnedSemaphorePermit, Status> {
        Arc::clone(&self.free).try_acquire_owned().map_err(|_| status::too_many(self.what, self.limit))
    }
}

impl<S> Layer<S> for Calls {
    type Service = CountedService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CountedService { inner, calls: self.clone() }
    }
}

/// The services with [`Calls`] around them.
#[derive(Clone)]
pub struct CountedService<S> {
    inner: S,
    calls: Calls,
}

impl<S> Service<Request<Body>> for CountedService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<CountedBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = method_of(request.uri().path());
        let mut open = OpenCall::begin(method, Arc::clone(&self.calls.metrics));
        match self.calls.place(method) {
            Ok(place) => open.place = place,
            Err(status) => {
                return Box::pin(std::future::ready(Ok(open.counted(status.into_http()))));
            }
        }
        let bounds = bounds(method, self.calls.request_timeout);
        let answered = self.inner.call(request.map(|body| Body::new(Received::new(body, bounds))));
        Box::pin(async move { answered.await.map(|response| open.counted(response)) })
    }
}

/// A call in work. Dropped without a status, it was cancelled.
struct OpenCall {
    method: &'static str,
    began: Instant,
    status: Option<Code>,
    place: Option<OwnedSemaphorePermit>,
    metrics: Arc<ServerMetrics>,
}

impl OpenCall {
    fn begin(method: &'static str, metrics: Arc<ServerMetrics>) -> Self {
        metrics.calls_in_work.inc();
        Self { method, began: Instant::now(), status: None, place: None, metrics }
    }

    /// Watches the body for the status, unless the headers have it. The codec names a message above the limit
    /// OUT_OF_RANGE, which means something else here; none of the submitting methods use that status themselves.
    ///
    /// A call of one message gives its place back here: its events are decided, and a client that does not read the
    /// answer keeps nobody out. A stream keeps it to its end.
    fn counted(mut self, response: Response<Body>) -> Response<CountedBody> {
        if !STREAMS.contains(&self.method) {
            self.place = None;
        }
        let (mut head, body) = response.into_parts();
        let early = status_of(&head.headers);
        self.status = early.as_ref().map(Status::code);
        if let Some(status) = early.filter(|one| one.code() == Code::OutOfRange && submits(self.method)) {
            let larger = status::too_large(status.message());
            self.status = Some(larger.code());
            head = larger.into_http::<Body>().into_parts().0;
        }
        Response::from_parts(head, CountedBody { inner: body, open: self })
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.metrics.calls_in_work.dec();
        let status = status::name(self.status.unwrap_or(Code::Cancelled));
        self.metrics.calls.get_or_create(&Call { method: self.method, status }).inc();
        let seconds = self.metrics.call_seconds.get_or_create(&Method { method: self.method });
        let elapsed = self.began.elapsed().as_secs_f64();
        seconds.observe(elapsed);
        tracing::debug!(method = self.method, status, seconds = elapsed, "call");
    }
}

/// A response body whose trailers tell how the call ended.
pub struct CountedBody {
    inner: Body,
    open: OpenCall,
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Ok(frame)) = &polled
            && let Some(trailers) = frame.trailers_ref()
        {
            self.open.status = status_of(trailers).map(|status| status.code());
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn status_of(headers: &HeaderMap) -> Option<Status> {
    Status::from_header_map(headers)
}

fn method_of(path: &str) -> &'static str {
    METHODS.iter().find(|(served, _)| *served == path).map_or("other", |(_, method)| method)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn every_method_of_the_contract_is_known() {
        let contract = prost_types::FileDescriptorSet::decode(ledger_proto::FILE_DESCRIPTOR_SET).unwrap();
        for file in &contract.file {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    assert_eq!(method_of(&path), method.name());
                }
            }
        }
        assert_eq!(method_of("/ledger.v1.LedgerService/Nope"), "other");
    }
}
