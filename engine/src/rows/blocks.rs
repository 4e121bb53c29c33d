//! Family `blocks`: seals.
//!
//! | row | key | value |
//! |---|---|---|
//! | seal | 0x48, height u64 | log index u64, entry of the seal |
//! | height | 0x49, log index of the seal u64 | height u64 |

use super::{RowError, only_u64, split_u64};

const SEAL: u8 = 0x48;
const HEIGHT: u8 = 0x49;

fn tagged(tag: u8, number: u64) -> [u8; 9] {
    let mut key = [tag; 9];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

/// Key of the seal at a height.
pub(crate) fn seal_key(height: u64) -> [u8; 9] {
    tagged(SEAL, height)
}

/// A key after every seal: where a search for the newest begins.
pub(crate) fn after_seals() -> [u8; 9] {
    tagged(HEIGHT, 0)
}

/// Key of the height of the seal at a log index.
pub(crate) fn height_key(log_index: u64) -> [u8; 9] {
    tagged(HEIGHT, log_index)
}

/// Height in the key of a seal; `None` when it is the key of something else.
pub(crate) fn height_of_key(key: &[u8]) -> Option<u64> {
    key.strip_prefix(&[SEAL]).and_then(only_u64)
}

/// Value of a seal's row.
pub(crate) fn seal_value(log_index: u64, entry: &[u8]) -> Vec<u8> {
    [&log_index.to_be_bytes(), entry].concat()
}

/// Log index and entry of a seal.
pub(crate) fn read_seal(value: &[u8]) -> Result<(u64, &[u8]), RowError> {
    split_u64(value).ok_or_else(|| RowError::new("blocks", "truncated seal"))
}

/// Height in the value of a height row.
pub(crate) fn read_height(value: &[u8]) -> Result<u64, RowError> {
    only_u64(value).ok_or_else(|| RowError::new("blocks", "height of another length than 8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_round_trip() {
        assert_eq!(height_of_key(&seal_key(7)), Some(7));
        assert_eq!(height_of_key(&height_key(7)), None);
        let value = seal_value(9, b"entry");
        assert_eq!(read_seal(&value), Ok((9, &b"entry"[..])));
        assert_eq!(read_height(&5u64.to_be_bytes()), Ok(5));
        assert!(read_seal(&value[..7]).is_err());
        assert!(seal_key(u64::MAX).as_slice() < after_seals().as_slice());
    }
}
