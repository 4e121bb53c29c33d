//! Rows of the store: one module per column family, each with its layout and a round trip.

pub(crate) mod blocks;
pub(crate) mod events;
pub(crate) mod index;
pub(crate) mod of_entry;
pub(crate) mod sidecar;
pub(crate) mod state;
pub(crate) mod tiles;

/// A row of the store that does not have its layout: damaged, or of another version.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a row of {family} is malformed: {what}")]
pub(crate) struct RowError {
    /// Column family.
    pub(crate) family: &'static str,
    /// What about it.
    pub(crate) what: String,
}

impl RowError {
    pub(crate) fn new(family: &'static str, what: impl Into<String>) -> Self {
        Self { family, what: what.into() }
    }
}

/// Big-endian u64 from the front of `bytes`, and the rest.
pub(crate) fn split_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), rest))
}

/// Big-endian u64 that fills `bytes`.
pub(crate) fn only_u64(bytes: &[u8]) -> Option<u64> {
    split_u64(bytes).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number)
}
