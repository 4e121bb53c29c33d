//! Family `merkle`: hash tiles of the log tree, height 8 as in C2SP tlog-tiles.
//!
//! | part | bytes |
//! |---|---|
//! | key | level u8, tile index u64 |
//! | value | 1 to 256 hashes of 32 bytes; the rightmost tile of a level grows in place |

use ledger_crypto::Hash;

use super::RowError;

/// Key of a tile.
pub(crate) fn key(level: u8, index: u64) -> [u8; 9] {
    let mut key = [level; 9];
    key[1..].copy_from_slice(&index.to_be_bytes());
    key
}

/// Value of a tile.
pub(crate) fn value(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// Hashes of a tile.
pub(crate) fn read(value: &[u8]) -> Result<Vec<Hash>, RowError> {
    let (hashes, rest) = value.as_chunks::<32>();
    if rest.is_empty() && (1..=256).contains(&hashes.len()) {
        Ok(hashes.to_vec())
    } else {
        Err(RowError::new("merkle", format!("a tile of {} bytes", value.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_round_trip() {
        let hashes = vec![[1; 32], [2; 32]];
        assert_eq!(read(&value(&hashes)).unwrap(), hashes);
        assert!(read(&[0; 31]).is_err());
        assert!(read(&[]).is_err());
        assert_eq!(key(1, 2), [1, 0, 0, 0, 0, 0, 0, 0, 2]);
    }
}
