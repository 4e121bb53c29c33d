//! A connection to a server.

use std::time::Duration;

use ledger_proto::v1::ledger_service_client::LedgerServiceClient;
use tonic::transport::{Channel, Endpoint};

use crate::error::ClientError;
use crate::retry::RetryPolicy;

/// Largest answer that is taken: a page of entries or of lines stays below it.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Largest request that is sent; the server has its own limit, named in its status.
const MAX_REQUEST_BYTES: usize = 64 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client of one server. Clones share the connection, which is made anew when it breaks.
#[derive(Clone, Debug)]
pub struct Client {
    service: LedgerServiceClient<Channel>,
    retry: RetryPolicy,
}

impl Client {
    /// Connects to a server, such as `http://127.0.0.1:7400`.
    ///
    /// # Errors
    /// [`ClientError::Endpoint`] when that is no URL; [`ClientError::Status`] when nobody answers there.
    pub async fn connect(endpoint: &str) -> Result<Self, ClientError> {
        let client = Self::lazy(endpoint)?;
        client.status().await?;
        Ok(client)
    }

    /// A client that connects with its first call.
    ///
    /// # Errors
    /// [`ClientError::Endpoint`]. Must be called within a tokio runtime.
    pub fn lazy(endpoint: &str) -> Result<Self, ClientError> {
        let address = Endpoint::from_shared(endpoint.to_owned()).ok();
        let address = address.filter(|address| address.uri().scheme_str() == Some("http"));
        let channel = address
            .ok_or_else(|| ClientError::Endpoint { endpoint: endpoint.to_owned() })?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20)
            .connect_lazy();
        let service = LedgerServiceClient::new(channel)
            .max_decoding_message_size(MAX_ANSWER_BYTES)
            .max_encoding_message_size(MAX_REQUEST_BYTES);
        Ok(Self { service, retry: RetryPolicy::default() })
    }

    /// The same with another policy for trying again.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    pub(crate) fn retry(&self) -> RetryPolicy {
        self.retry
    }

    pub(crate) fn service(&self) -> LedgerServiceClient<Channel> {
        self.service.clone()
    }
}
