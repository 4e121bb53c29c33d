//! Rust SDK of the ledger: build and sign events, submit them, wait until they are sealed, check receipts offline,
//! mirror the log and remember its last checkpoint.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use ledger_client::{Client, EventBuilder};
//! use ledger_core::event::{AccountOpened, Body};
//! use ledger_core::number::AccountKind;
//!
//! let client = Client::connect("http://127.0.0.1:7400").await?;
//! let key = ledger_crypto::keyfile::load("operator.key".as_ref())?;
//! let ledger_id = [0; 32]; // the one that you pinned
//! let body = Body::AccountOpened(AccountOpened {
//!     account: "alice".to_owned(),
//!     currency: "USD".to_owned(),
//!     kind: Some(AccountKind::Customer),
//!     limit: 0,
//! });
//! let event = EventBuilder::new(&ledger_id, body)?.sign(&[&key]);
//! let answers = client.submit(&[event]).await?;
//! println!("{:?}", answers[0].verdict());
//! # Ok(())
//! # }
//! ```
//!
//! A submission that fails with an unknown outcome may be repeated any number of times: the same bytes with the same
//! ids are recorded once. [`Client::submit`], [`Client::submit_atomic`], [`Client::submit_batch`] and
//! [`Client::submit_stream`] do so on their own.
#![forbid(unsafe_code)]

mod answer;
mod batch;
mod builder;
mod connection;
mod disk;
mod error;
mod identity;
mod memory;
mod mirror;
mod private;
mod read;
mod retry;
mod sealed;
mod statement;
mod stream;
mod submit;
mod tiles;
mod uuid;

/// Messages of the service, as reads return them.
pub use ledger_proto::v1 as messages;

pub use crate::answer::{Answer, EventAnswer, Recorded, Verdict};
pub use crate::batch::SignedBatch;
pub use crate::builder::{EventBuilder, add_signatures, group};
pub use crate::connection::Client;
pub use crate::disk::{sync_folder_of, write_durably};
pub use crate::error::{Cause, ClientError};
pub use crate::identity::{LogIdentity, SignedCheckpoint};
pub use crate::memory::{CheckpointMemory, Evidence, MemoryError};
pub use crate::mirror::{MirrorError, Mirrored};
pub use crate::private::{Metadata, sidecar};
pub use crate::read::{AsOf, Direction, EntryRef, Page, PaymentFilter};
pub use crate::retry::RetryPolicy;
pub use crate::sealed::{ReceiptError, SealedReceipt};
pub use crate::statement::{Statement, StatementRange};
pub use crate::stream::{StreamAnswer, SubmitAnswers, SubmitSender};
pub use crate::submit::DryRun;
pub use crate::tiles::ConsistencyError;
pub use crate::uuid::{IdError, new_batch_id, new_event_id, new_payment_id, now_nanos, v7};
