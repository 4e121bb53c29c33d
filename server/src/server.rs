//! A server from start to graceful stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ledger_crypto::keyfile::{self, KeyFileError};
use ledger_engine::{Config, Failure, Health, Ledger, OpenError};
use ledger_proto::v1::ledger_service_server::LedgerServiceServer;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::server::Router;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower_layer::Stack;

use crate::calls::Calls;
use crate::connection::Connections;
use crate::metrics::ServerMetrics;
use crate::pages;
use crate::scrape::Scrapes;
use crate::service::Service;
use crate::settings::Settings;

/// Name that health checks ask for; the empty name means the whole server.
const SERVICE: &str = "ledger.v1.LedgerService";
/// Bytes that a client may send ahead on one call, and on all calls of one connection, before anybody has read them. What
/// a call has read of its request is bounded by [`Calls`].
const STREAM_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Bytes of the headers of a call.
const HEADER_BYTES: u32 = 16 * 1024;

/// Protections that an operator can give up for one start; never by configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Accepted {
    /// The head file is gone.
    pub head_loss: bool,
    /// The clock is far after the last entry.
    pub clock: bool,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum StartError {
    #[error("log key: {0}")]
    Key(#[from] KeyFileError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{key} {address}: {source}")]
    Listen { key: &'static str, address: SocketAddr, source: std::io::Error },
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    #[error("opening the ledger panicked")]
    Panicked,
}

/// Why a server did not stop well.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum StopError {
    #[error("the ledger failed: {0}")]
    Ledger(Failure),
    #[error("gRPC: {0}")]
    Grpc(#[from] tonic::transport::Error),
    #[error("{0} panicked")]
    Panicked(&'static str),
}

/// A running server.
pub struct Server {
    ledger: Ledger,
    settings: Arc<Settings>,
    health: HealthReporter,
    stopping: watch::Sender<bool>,
    grpc: (SocketAddr, JoinHandle<Result<(), tonic::transport::Error>>),
    pages: (SocketAddr, JoinHandle<()>),
    watcher: JoinHandle<()>,
}

impl Server {
    /// Opens the ledger and serves it. When this returns, both addresses answer.
    pub async fn start(settings: Settings, accepted: Accepted) -> Result<Self, StartError> {
        let settings = Arc::new(settings);
        let grpc_listener = listen("listen", settings.listen).await?;
        let pages_listener = listen("metrics_listen", settings.metrics_listen).await?;
        let ledger = open(&settings, accepted).await?;

        let metrics = Arc::new(ServerMetrics::new());
        let registry = Arc::new(registry(&metrics, &ledger));
        let (stopping, stop) = watch::channel(false);
        let (health, router) = services(&settings, &ledger, &metrics, stop.clone())?;
        let grpc_address = address("listen", &grpc_listener, settings.listen)?;
        let connections = Connections::new(
            grpc_listener,
            settings.server_max_connections,
            settings.server_handshake_timeout,
            Arc::clone(&metrics),
        );
        let serving = router.serve_with_incoming_shutdown(connections, stopped(stop.clone()));
        let pages_address = address("metrics_listen", &pages_listener, settings.metrics_listen)?;
        let scrapes =
            Scrapes::new(pages_listener, settings.server_max_scrapes, settings.server_scrape_timeout);
        let pages = pages::serve(scrapes, registry, stopped(stop.clone()));
        let watcher = tokio::spawn(watch_health(ledger.clone(), health.clone(), stop));
        Ok(Self {
            ledger,
            settings,
            health,
            stopping,
            grpc: (grpc_address, tokio::spawn(serving)),
            pages: (pages_address, tokio::spawn(pages)),
            watcher,
        })
    }

    /// Address of the gRPC service.
    pub fn grpc(&self) -> SocketAddr {
        self.grpc.0
    }

    /// Address of `GET /metrics`.
    pub fn metrics(&self) -> SocketAddr {
        self.pages.0
    }

    /// Resolves when the engine has given up: nothing more can be recorded, the process must end.
    pub async fn failed(&self) {
        let mut healths = self.ledger.healths();
        // The ledger lives as long as this server.
        let _ = healths.wait_for(|health| matches!(health, Health::Stopped(_))).await;
    }

    /// Hands the key file `log_key_next` to the ledger: from then on a rotation to it is taken.
    pub fn take_next_log_key(&self) {
        let path = next_key_path(&self.settings);
        match keyfile::load(&path) {
            Ok(key) => {
                tracing::info!(key = %key.public(), "the next log key is at hand");
                self.ledger.hand_log_key(key);
            }
            Err(error) => tracing::error!(path = %path.display(), %error, "no next log key"),
        }
    }

    /// Stops without losing anything: no new calls, those in work are answered, streams end after the answers of what
    /// they had taken, then the ledger makes everything durable and seals it. Takes `server.drain_timeout` at most
    /// for the calls, and as long as the ledger needs.
    pub async fn stop(self) -> Result<(), StopError> {
        tracing::info!("stopping");
        for name in ["", SERVICE] {
            self.health.set_service_status(name, ServingStatus::NotServing).await;
        }
        // Nothing is left to receive it when both servers have ended by themselves.
        let _ = self.stopping.send(true);
        end_health_watches(self.health).await;
        let (_, mut serving) = self.grpc;
        let drained = match tokio::time::timeout(self.settings.server_drain_timeout, &mut serving).await {
            Ok(joined) => joined.map_err(|_| StopError::Panicked("gRPC"))?.map_err(StopError::from),
            Err(_) => {
                tracing::warn!("calls still in work after server.drain_timeout are cut off");
                serving.abort();
                Ok(())
            }
        };
        let ledger = self.ledger.clone();
        let closed = tokio::task::spawn_blocking(move || ledger.close()).await;
        self.watcher.abort();
        let (_, pages) = self.pages;
        pages.abort();
        closed.map_err(|_| StopError::Panicked("closing the ledger"))?.map_err(StopError::Ledger)?;
        tracing::info!("stopped: everything is durable");
        drained
    }
}

async fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { key, address, source })
}

fn address(key: &'static str, listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|source| StartError::Listen { key, address, source })
}

async fn open(settings: &Settings, accepted: Accepted) -> Result<Ledger, StartError> {
    let key_path: PathBuf = settings.log_key.clone().unwrap_or_else(|| settings.dir.join("log.key"));
    let next_path = next_key_path(settings);
    let config = config(settings, accepted);
    tracing::info!(dir = %settings.dir.display(), "opening the ledger");
    let opened = tokio::task::spawn_blocking(move || {
        let mut keys = vec![keyfile::load(&key_path)?];
        if next_path.exists() {
            keys.push(keyfile::load(&next_path)?);
        }
        Ok::<_, StartError>(Ledger::open_with_keys(config, keys)?)
    });
    let ledger = opened.await.map_err(|_| StartError::Panicked)??;
    let standing = ledger.status();
    tracing::info!(
        ledger_id = %hex::encode(standing.ledger_id),
        next_log_index = standing.next_index.0,
        checkpoint_size = standing.checkpoint_size,
        "the ledger is open"
    );
    Ok(ledger)
}

fn next_key_path(settings: &Settings) -> PathBuf {
    settings.log_key_next.clone().unwrap_or_else(|| settings.dir.join("log.key.next"))
}

fn config(settings: &Settings, accepted: Accepted) -> Config {
    let defaults = Config::new(&settings.dir);
    let workers = match settings.workers {
        0 => defaults.workers,
        given => given as usize,
    };
    Config {
        head_path: settings.head_path.clone(),
        block_max_entries: settings.block_max_entries,
        block_max_age: settings.block_max_age,
        checkpoint_interval: settings.checkpoint_interval,
        flush_max_entries: settings.flush_max_entries,
        flush_max_bytes: settings.flush_max_bytes,
        commit_max_bytes: settings.commit_max_bytes as usize,
        queue_max_bytes: settings.queue_max_bytes as usize,
        request_max_bytes: settings.request_max_bytes as usize,
        unit_max_bytes: settings.unit_max_bytes as usize,
        page_max: settings.page_max as usize,
        workers,
        accept_head_loss: accepted.head_loss,
        accept_clock: accepted.clock,
        ..defaults
    }
}

fn registry(metrics: &ServerMetrics, ledger: &Ledger) -> Registry {
    let mut registry = Registry::with_prefix("ledger");
    metrics.register(&mut registry);
    ledger.metrics().register(&mut registry);
    registry
}

/// All gRPC services with the limits around them.
fn services(
    settings: &Arc<Settings>,
    ledger: &Ledger,
    metrics: &Arc<ServerMetrics>,
    stop: watch::Receiver<bool>,
) -> Result<(HealthReporter, Router<Stack<Calls, tower_layer::Identity>>), StartError> {
    let service = Service::new(ledger.clone(), Arc::clone(settings), Arc::clone(metrics), stop);
    let service =
        LedgerServiceServer::new(service).max_decoding_message_size(settings.request_max_bytes as usize);
    let (health, health_service) = tonic_health::server::health_reporter();
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(ledger_proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let router = tonic::transport::Server::builder()
        .max_concurrent_streams(settings.server_max_connection_calls)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_keepalive_interval(Some(settings.server_keepalive_interval))
        .http2_keepalive_timeout(Some(settings.server_keepalive_timeout))
        .layer(Calls::new(settings, Arc::clone(metrics)))
        .add_service(service)
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    Ok((health, router))
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // The sender is dropped with the server, which is a stop too.
    let _ = stop.wait_for(|stopping| *stopping).await;
}

/// Carries the health of the engine over to health checks, until the server stops.
async fn watch_health(ledger: Ledger, health: HealthReporter, stop: watch::Receiver<bool>) {
    let mut healths = ledger.healths();
    let stopped = stopped(stop);
    tokio::pin!(stopped);
    loop {
        let now = healths.borrow_and_update().clone();
        let status = match &now {
            Health::Serving => ServingStatus::Serving,
            Health::NotServing(failure) | Health::Stopped(failure) => {
                tracing::error!(%failure, "not serving");
                ServingStatus::NotServing
            }
        };
        for name in ["", SERVICE] {
            health.set_service_status(name, status).await;
        }
        tokio::select! {
            changed = healths.changed() => if changed.is_err() { return },
            () = &mut stopped => return,
        }
    }
}

/// Ends the streams of health watchers, who would keep their connections open for ever.
async fn end_health_watches(mut health: HealthReporter) {
    for name in ["", SERVICE] {
        health.clear_service_status(name).await;
    }
}
