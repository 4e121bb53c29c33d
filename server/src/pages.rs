//! The HTTP side: `GET /metrics` for Prometheus.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

use crate::exposition::{self, CLASSIC, OPEN_METRICS};
use crate::scrape::Scrapes;

/// Serves the metrics of `registry` until `stop`.
pub async fn serve(
    connections: Scrapes,
    registry: Arc<Registry>,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let router = Router::new().route("/metrics", get(metrics)).with_state(registry);
    if let Err(error) = axum::serve(connections, router).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the metrics endpoint ended");
    }
}

/// One answer for each connection, which is short: the next scrape opens another.
async fn metrics(State(registry): State<Arc<Registry>>, headers: HeaderMap) -> Response {
    let mut body = String::with_capacity(64 * 1024);
    if text::encode(&mut body, &registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (form, body) = if accepted.contains("application/openmetrics-text") {
        (OPEN_METRICS, body)
    } else {
        (CLASSIC, exposition::classic(&body))
    };
    ([(header::CONTENT_TYPE, form), (header::CONNECTION, "close")], body).into_response()
}
