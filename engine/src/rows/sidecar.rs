//! Family `sidecar`: private data beside the log, and what became of it.
//!
//! | row | key | value |
//! |---|---|---|
//! | private data | 0x50, log index u64 of its event | salt 32, metadata |
//! | erasure | 0x58, log index u64 of the event whose data it erases | stage 1, log index u64 of the erasing event |
//!
//! The erasure row is written in the synced write of its event and is never deleted. Its stage is pending until no file
//! holds the data any more.

use ledger_core::sidecar::{SALT_BYTES, Sidecar};

use super::{RowError, only_u64};
use crate::store::family;

const PRIVATE: u8 = 0x50;
const ERASURE: u8 = 0x58;

/// An erasure that was ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Erasure {
    /// How far it is.
    pub(crate) stage: Stage,
    /// Log index of the newest event that ordered it.
    pub(crate) by: u64,
}

/// How far an erasure is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// A file may still hold the data; it is not read any more.
    Pending = 1,
    /// No file holds it.
    Done = 2,
}

/// Key of the private data of an event.
pub(crate) fn private_key(log_index: u64) -> [u8; 9] {
    tagged(PRIVATE, log_index)
}

/// Log index in the key of private data; `None` when it is the key of something else.
pub(crate) fn private_of_key(key: &[u8]) -> Option<u64> {
    key.strip_prefix(&[PRIVATE]).and_then(only_u64)
}

/// Value of private data.
pub(crate) fn private_value(sidecar: &Sidecar) -> Vec<u8> {
    [&sidecar.salt[..], &sidecar.metadata].concat()
}

/// Private data in a value.
pub(crate) fn read_private(value: &[u8]) -> Result<Sidecar, RowError> {
    let (salt, metadata) = value
        .split_at_checked(SALT_BYTES)
        .ok_or_else(|| RowError::new(family::SIDECAR, "private data shorter than its salt"))?;
    Ok(Sidecar { salt: salt.to_vec(), metadata: metadata.to_vec() })
}

/// Key of an erasure.
pub(crate) fn erasure_key(log_index: u64) -> [u8; 9] {
    tagged(ERASURE, log_index)
}

/// Log index in the key of an erasure; `None` when it is the key of something else.
pub(crate) fn erasure_of_key(key: &[u8]) -> Option<u64> {
    key.strip_prefix(&[ERASURE]).and_then(only_u64)
}

/// Value of an erasure.
pub(crate) fn erasure_value(erasure: Erasure) -> [u8; 9] {
    tagged(erasure.stage as u8, erasure.by)
}

/// The erasure in a value.
pub(crate) fn read_erasure(value: &[u8]) -> Result<Erasure, RowError> {
    let read = |value: &[u8]| {
        let (stage, by) = value.split_first()?;
        let stage = [Stage::Pending, Stage::Done].into_iter().find(|known| *known as u8 == *stage)?;
        Some(Erasure { stage, by: only_u64(by)? })
    };
    read(value).ok_or_else(|| RowError::new(family::SIDECAR, "an erasure of another form"))
}

fn tagged(tag: u8, number: u64) -> [u8; 9] {
    let mut bytes = [tag; 9];
    bytes[1..].copy_from_slice(&number.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_round_trip() {
        let sidecar = Sidecar { salt: vec![3; SALT_BYTES], metadata: b"name".to_vec() };
        assert_eq!(read_private(&private_value(&sidecar)), Ok(sidecar));
        assert!(read_private(&[3; SALT_BYTES - 1]).is_err());
        for erasure in
            [Erasure { stage: Stage::Pending, by: 7 }, Erasure { stage: Stage::Done, by: u64::MAX }]
        {
            assert_eq!(read_erasure(&erasure_value(erasure)), Ok(erasure));
        }
        assert!(read_erasure(&[3; 9]).is_err());
        assert!(read_erasure(&[1; 8]).is_err());
        assert!(read_erasure(&[]).is_err());
        assert_eq!(private_of_key(&private_key(9)), Some(9));
        assert_eq!(erasure_of_key(&erasure_key(9)), Some(9));
        assert_eq!((private_of_key(&erasure_key(9)), erasure_of_key(&private_key(9))), (None, None));
    }
}
