//! Entry bundles: up to 256 entries, each after its length in two bytes, big-endian.

use super::WIDTH;

/// Why a bundle was not written or not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// A bundle has 1 to 256 entries.
    #[error("bundle of {count} entries: it must have 1 to {limit}", limit = WIDTH)]
    Count {
        /// The refused number.
        count: usize,
    },
    /// An entry that its length field cannot hold.
    #[error("entry {position} of the bundle: {length} bytes, more than {limit}", limit = u16::MAX)]
    EntryTooLong {
        /// Its position in the bundle.
        position: usize,
        /// Its length in bytes.
        length: usize,
    },
    /// The bytes end within an entry or before it.
    #[error("entry {position} of the bundle: the bytes end before it does")]
    Truncated {
        /// Its position in the bundle.
        position: usize,
    },
    /// Bytes follow the last entry.
    #[error("bundle: {length} bytes after the last entry")]
    TrailingBytes {
        /// How many.
        length: usize,
    },
}

/// The bytes of a bundle.
///
/// # Errors
/// [`BundleError::Count`], [`BundleError::EntryTooLong`].
pub fn encode_bundle(entries: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, BundleError> {
    check_count(entries.len())?;
    let length = entries.iter().map(|entry| 2 + entry.as_ref().len()).sum();
    let mut bundle = Vec::with_capacity(length);
    for (position, entry) in entries.iter().map(AsRef::as_ref).enumerate() {
        let length = entry.len();
        let prefix = u16::try_from(length).map_err(|_| BundleError::EntryTooLong { position, length })?;
        bundle.extend_from_slice(&prefix.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Ok(bundle)
}

/// The `count` entries of a bundle, which must be exactly its bytes.
///
/// # Errors
/// [`BundleError::Count`], [`BundleError::Truncated`], [`BundleError::TrailingBytes`].
pub fn decode_bundle(bundle: &[u8], count: usize) -> Result<Vec<&[u8]>, BundleError> {
    check_count(count)?;
    let mut rest = bundle;
    let mut entries = Vec::with_capacity(count);
    for position in 0..count {
        let (entry, after) = split_entry(rest).ok_or(BundleError::Truncated { position })?;
        entries.push(entry);
        rest = after;
    }
    if !rest.is_empty() {
        let length = rest.len();
        return Err(BundleError::TrailingBytes { length });
    }
    Ok(entries)
}

fn check_count(count: usize) -> Result<(), BundleError> {
    if (1..=usize::from(WIDTH)).contains(&count) {
        return Ok(());
    }
    Err(BundleError::Count { count })
}

/// The next entry of a bundle and what follows it; `None` when the bytes end within it.
pub fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (prefix, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*prefix)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bundle_is_its_entries_after_their_lengths() {
        let entries: [&[u8]; 3] = [b"abc", b"", b"d"];
        let bundle = b"\x00\x03abc\x00\x00\x00\x01d";
        assert_eq!(encode_bundle(&entries), Ok(bundle.to_vec()));
        assert_eq!(decode_bundle(bundle, 3), Ok(entries.to_vec()));
    }

    #[test]
    fn other_bytes_are_refused() {
        let bundle = b"\x00\x03abc\x00\x01d";
        let trailing = Err(BundleError::TrailingBytes { length: 3 });
        assert_eq!(decode_bundle(bundle, 1), trailing);
        assert_eq!(decode_bundle(bundle, 3), Err(BundleError::Truncated { position: 2 }));
        assert_eq!(decode_bundle(&bundle[..7], 2), Err(BundleError::Truncated { position: 1 }));
        assert_eq!(decode_bundle(&bundle[..1], 1), Err(BundleError::Truncated { position: 0 }));
        assert_eq!(decode_bundle(b"", 0), Err(BundleError::Count { count: 0 }));
        assert_eq!(decode_bundle(b"", 257), Err(BundleError::Count { count: 257 }));
    }

    #[test]
    fn entries_that_do_not_fit_are_refused() {
        let long = vec![0; 65_536];
        let refused = Err(BundleError::EntryTooLong { position: 1, length: 65_536 });
        assert_eq!(encode_bundle(&[&long[1..], &long]), refused);
        assert!(encode_bundle(&[&long[1..]]).is_ok());
        let many = vec![[0]; 257];
        assert_eq!(encode_bundle(&many), Err(BundleError::Count { count: 257 }));
        assert!(encode_bundle(&many[1..]).is_ok());
        assert_eq!(encode_bundle(&many[..0]), Err(BundleError::Count { count: 0 }));
    }

    proptest! {
        #[test]
        fn entries_come_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..=256)) {
            let bundle = encode_bundle(&entries).unwrap();
            let expected: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(decode_bundle(&bundle, entries.len()), Ok(expected));
        }

        #[test]
        fn what_reads_is_written_the_same(bytes in prop::collection::vec(0u8..3, 0..40), count in 0usize..20) {
            if let Ok(entries) = decode_bundle(&bytes, count) {
                prop_assert_eq!(encode_bundle(&entries), Ok(bytes));
            }
        }
    }
}
