//! Digests, Ed25519 keys, DSSE, signed notes, and the one check of a signature.
//!
//! Nothing here knows what a payment is. Every function that reads bytes from outside returns an
//! error for bytes that it does not understand; none panics.
#![forbid(unsafe_code)]
#![deny(
    clippy::float_arithmetic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::iter_over_hash_type,
    clippy::disallowed_methods
)]

mod digest;
pub mod domain;
pub mod dsse;
pub mod keyfile;
pub mod note;
mod pem;
mod public_key;
mod signing_key;

pub use digest::{Hash, Hasher, sha256};
pub use pem::PemError;
pub use public_key::{KeyBytes, KeyError, PublicKey, SignatureBytes, SignatureInvalid};
pub use signing_key::{RandomnessError, SigningKey};
