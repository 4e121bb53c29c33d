//! RFC 6962 trees, proofs and tiles.
#![forbid(unsafe_code)]
