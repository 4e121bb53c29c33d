//! The embeddable ledger: RocksDB store, single writer, sealer, recovery, queries, export.
//!
//! The way of one event, top to bottom: `intake` (decode, verify signatures, reserve room in the queue), `writer` (the
//! one thread that orders, admits and applies), `commit` (one synced write per group, then publish, then answer),
//! `sealer` (seals blocks, signs checkpoints, flushes the tail). Readers take a [`View`].
//!
//! ```
//! use ledger_core::genesis::{Currency, Genesis, Limits, Operator};
//! use ledger_crypto::SigningKey;
//! use ledger_engine::{Config, Ledger};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let config = Config::new(folder.path().join("ledger"));
//! let (log_key, operator) = (SigningKey::generate()?, SigningKey::generate()?);
//! let genesis = Genesis {
//!     origin: "ledger.example/doc".into(),
//!     log_key: log_key.public_bytes().to_vec(),
//!     operators: vec![Operator { key: operator.public_bytes().to_vec(), party: "operations".into() }],
//!     operator_threshold: 1,
//!     currencies: vec![Currency { code: "EUR".into(), exponent: 2 }],
//!     rules_version: 1,
//!     limits: Some(Limits { group_members: 1_000, batch_members: 65_535 }),
//!     nonce: vec![7; 32],
//!     predecessor: Vec::new(),
//! };
//! let ledger_id = Ledger::create(&config, &genesis, &log_key)?;
//! let ledger = Ledger::open(config, log_key)?;
//! assert_eq!(ledger.status().ledger_id, ledger_id);
//! assert_eq!(ledger.view().next_index().0, 2, "genesis and its seal are there");
//! ledger.close()?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate self as ledger_engine;

mod account_read;
mod answer;
mod as_of;
mod base;
mod block;
mod check;
mod clock;
mod commit;
mod config;
mod conservation;
#[cfg(test)]
mod crash_points;
mod create;
mod dry_run;
mod erase;
mod export;
mod flush;
mod head;
mod intake;
#[cfg(test)]
mod invariants;
mod ledger;
mod log_keys;
mod log_read;
pub mod metrics;
mod open;
mod payment_read;
mod private;
mod rebuild;
mod recover;
mod rows;
mod sealer;
mod sequencer;
mod slice;
mod statement;
mod store;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
mod tail;
mod trial_balance;
mod view;
mod writer;

pub use account_read::{AccountThen, Undrained};
pub use answer::{Answer, EventAnswer, Failure, Pending};
pub use as_of::AsOf;
pub use check::{CheckError, Checked, check_store};
pub use clock::{Clock, ManualClock, SystemClock};
pub use config::Config;
pub use conservation::Conservation;
pub use create::CreateError;
pub use dry_run::DryRun;
pub use erase::Erasing;
pub use export::{ExportError, Exported};
pub use intake::queued_bytes;
pub use ledger::{Health, Ledger, Status};
pub use log_read::ReadError;
pub use open::OpenError;
pub use payment_read::PaymentFilter;
pub use private::{Kept, Private};
pub use rebuild::Rebuilt;
pub use rows::index::DatedLine;
pub use sealer::Published;
pub use slice::{Direction, Found, Slice};
pub use statement::{Statement, StatementRange};
pub use trial_balance::TrialRow;
pub use view::{BlockRead, View};
