//! The auditor's offline program: whether an export or a receipt of a ledger holds, judged from nothing but its bytes,
//! a verifier key of the log and the ledger's id.
//!
//! | Module | What it does |
//! |---|---|
//! | [`archive`](check_archive) | an export: prechecks, then every entry in order |
//! | [`receipt`](check_receipt) | one entry, offline, from its proof |
//! | [`rotation`](follow_rotations) | changes of the log's key |
//! | `checkpoint` | opens the signed tree head of either |
//! | `folder` | reads the files of an export, each with a bound |
//! | `stream` | entries in order; what needs no order is done ahead, in parallel |
//! | `bundle` | one bundle beside its hash tile |
//! | `tiles` | the levels of hash tiles above the leaves |
//! | `chain` | roots and seals alone, for `--hashes-only` |
//! | [`trust`](Trust) | what the auditor brings along |
//! | [`report`](Report) | verdict and finding, in words and as JSON |
//!
//! Memory is bounded by the state of the replay (accounts, payments, event ids), the unit in work, and a window of
//! bundles: four for each worker and four more, each at most 24 MiB with what is decoded of it ahead of its turn. A
//! unit is held until its last entry, decoded, so the limits of the genesis bound it and nothing else. The log itself is
//! read once, front to back.
#![forbid(unsafe_code)]

mod archive;
mod bundle;
mod chain;
mod checkpoint;
mod folder;
mod receipt;
mod report;
mod rotation;
mod stream;
mod tiles;
mod trust;

pub use archive::{Checks, check_archive};
pub use ledger_core::replay::Finding;
pub use receipt::check_receipt;
pub use report::{Report, Verdict};
pub use rotation::follow_rotations;
pub use trust::{Trust, TrustError};
