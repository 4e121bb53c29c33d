//! What the server itself counts; the engine's metrics stand beside it in the same registry.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Labels of a finished call.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct Call {
    /// Method, such as `Submit`; `other` for paths that are not served.
    pub method: &'static str,
    /// gRPC status, such as `OK`; `CANCELLED` also when the client went away.
    pub status: &'static str,
}

/// Labels of a histogram of calls.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct Method {
    /// As in [`Call`].
    pub method: &'static str,
}

/// Counters and gauges of the gRPC side.
pub struct ServerMetrics {
    /// Finished calls by method and status.
    pub calls: Family<Call, Counter>,
    /// Time of calls, from their headers to their last byte.
    pub call_seconds: Family<Method, Histogram, fn() -> Histogram>,
    /// Calls in work.
    pub calls_in_work: Gauge,
    /// Open connections.
    pub connections: Gauge,
    /// Connections closed at once because too many were open.
    pub connections_refused: Counter,
    /// Events received, before anything is known of them.
    pub events_received: Counter,
}

impl ServerMetrics {
    /// All at zero, every method known.
    pub fn new() -> Self {
        Self {
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.0005, 2.0, 16))
            }),
            calls_in_work: Gauge::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            events_received: Counter::default(),
        }
    }

    /// Adds all to a registry whose prefix is `ledger`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("grpc_requests", "Finished gRPC calls by method and status", self.calls.clone());
        registry.register_with_unit(
            "grpc_request_duration",
            "Time of a gRPC call from its headers to its last byte",
            Unit::Seconds,
            self.call_seconds.clone(),
        );
        registry.register(
            "grpc_requests_in_flight",
            "gRPC calls in work, open streams included",
            self.calls_in_work.clone(),
        );
        registry.register("grpc_connections", "Open gRPC connections", self.connections.clone());
        registry.register(
            "grpc_connections_refused",
            "Connections closed at once because too many were open",
            self.connections_refused.clone(),
        );
        registry.register(
            "grpc_events_received",
            "Events received, whatever became of them",
            self.events_received.clone(),
        );
    }
}

impl Default for ServerMetrics {
    fn default() -> Self {
        Self::new()
    }
}
