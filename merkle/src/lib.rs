//! RFC 6962 Merkle trees over SHA-256: building, proving, verifying, tiles.
//!
//! | Module | Tree |
//! |---|---|
//! | [`build`] | of leaves that are all at hand: a block, a batch |
//! | [`frontier`] | append-only, root only, in O(log n) memory |
//! | [`dense`] | in memory, leaves change in place |
//! | [`tile`] | append-only, stored and served as C2SP tlog-tiles |
//! | [`mod@verify`] | none: what received proofs say. It shares only the hashing with the builders |
#![forbid(unsafe_code)]
#![deny(
    clippy::float_arithmetic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::iter_over_hash_type,
    clippy::disallowed_methods
)]

pub mod build;
pub mod dense;
pub mod frontier;
mod hash;
pub mod tile;
pub mod verify;

pub use hash::{empty_root, leaf_hash, leaf_hash_parts, node_hash};
pub use ledger_crypto::Hash;

#[cfg(test)]
mod definition;
#[cfg(test)]
mod pitfalls;
