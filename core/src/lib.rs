//! Rules and bytes of the ledger: no I/O, no clock, no async, no randomness.
//!
//! Reading order: [`event`] (what a payment service signs), [`entry`] (one leaf of the log), [`record`] (the state
//! that is committed to), [`view`] (how the rules see state), [`admit`] and [`apply`] (the rules), [`replay`] (the
//! same rules over a whole log), [`seal`] (what a block's header says).
#![forbid(unsafe_code)]
#![deny(
    clippy::float_arithmetic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::iter_over_hash_type,
    clippy::disallowed_methods
)]

mod account;
pub mod admit;
pub mod apply;
pub mod batch;
pub mod books;
pub mod checkpoint;
pub mod code;
pub mod date;
pub mod entry;
pub mod event;
pub mod export;
pub mod genesis;
pub mod ids;
pub mod invariants;
mod key;
pub mod layout;
pub mod line;
pub mod money;
pub mod number;
pub mod original;
mod overlay;
mod payment;
pub mod posting;
pub mod rebuild;
pub mod receipt;
pub mod record;
pub mod replay;
pub mod rotation;
pub mod seal;
pub mod sidecar;
pub mod state;
pub mod unit;
pub mod view;
mod wire;
