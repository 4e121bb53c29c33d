//! The gRPC server of the ledger.
//!
//! Reading order: [`settings`] (what can be configured), [`server`] (start and graceful stop), [`service`] (the calls),
//! [`status`] (how faults are told), [`calls`], [`received`], [`connection`] and [`scrape`] (limits), [`metrics`].
#![forbid(unsafe_code)]

pub mod calls;
pub mod connection;
pub mod cursor;
pub mod exposition;
pub mod flags;
pub mod logging;
pub mod metrics;
pub mod pages;
pub mod received;
pub mod scrape;
pub mod server;
pub mod service;
pub mod settings;
pub mod status;
