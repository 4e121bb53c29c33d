//! Family `events`: the log itself, in bundles.
//!
//! | part | bytes |
//! |---|---|
//! | key | log index of the first entry, u64 |
//! | value | per entry: length u16, entry; length 0 is the reserved place of a seal |
//!
//! A bundle holds at most 64 entries and at most 64 KiB (a single larger entry fits: an entry has at most 32 KiB). The
//! next bundle's key is the first index plus the number of entries.

use super::RowError;

/// Most entries of a bundle: a point read reads a whole bundle.
pub(crate) const MAX_ENTRIES: usize = 64;
/// Most bytes of a bundle.
pub(crate) const MAX_BYTES: usize = 64 << 10;

/// Key of the bundle that begins with entry `first`.
pub(crate) fn key(first: u64) -> [u8; 8] {
    first.to_be_bytes()
}

/// Appends an entry; an empty one reserves the place of a seal.
pub(crate) fn push(bundle: &mut Vec<u8>, entry: &[u8]) {
    let length = u16::try_from(entry.len()).expect("an entry has at most 32 KiB");
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
}

/// The entries of a bundle, in order.
pub(crate) fn entries(bundle: &[u8]) -> Result<Vec<&[u8]>, RowError> {
    let malformed = || RowError::new("events", "truncated bundle");
    let mut rest = bundle;
    let mut entries = Vec::with_capacity(MAX_ENTRIES);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or_else(malformed)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() && !entries.is_empty() { Ok(entries) } else { Err(malformed()) }
}

/// Bundles in the making: what a commit group appends to the log.
#[derive(Debug, Default)]
pub(crate) struct Bundles {
    /// First index and bytes of each finished or open bundle.
    pub(crate) bundles: Vec<(u64, Vec<u8>)>,
    entries_in_last: usize,
}

impl Bundles {
    /// Appends the entry at `index`; opens a new bundle when the last one is full.
    pub(crate) fn push(&mut self, index: u64, entry: &[u8]) {
        let full = self.entries_in_last == MAX_ENTRIES
            || self.bundles.last().is_none_or(|(_, bundle)| bundle.len() + 2 + entry.len() > MAX_BYTES);
        if full {
            self.bundles.push((index, Vec::new()));
            self.entries_in_last = 0;
        }
        let (_, bundle) = self.bundles.last_mut().expect("one was pushed");
        push(bundle, entry);
        self.entries_in_last += 1;
    }

    /// The entry at `index`, when it was appended here.
    pub(crate) fn entry(&self, index: u64) -> Option<Vec<u8>> {
        let (first, bundle) = self.bundles.iter().rev().find(|(first, _)| *first <= index)?;
        let entries = entries(bundle).ok()?;
        entries.get(usize::try_from(index - first).ok()?).map(|entry| entry.to_vec())
    }

    /// Whether nothing was appended.
    pub(crate) fn is_empty(&self) -> bool {
        self.bundles.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_round_trip_and_are_bounded() {
        let mut bundles = Bundles::default();
        let entries_in: Vec<Vec<u8>> =
            (0..200u64).map(|i| vec![i as u8; if i % 50 == 49 { 30_000 } else { i as usize % 7 }]).collect();
        for (index, entry) in entries_in.iter().enumerate() {
            bundles.push(1_000 + index as u64, entry);
        }
        let mut next = 1_000;
        let mut out = Vec::new();
        for (first, bytes) in &bundles.bundles {
            assert_eq!(*first, next);
            assert!(bytes.len() <= MAX_BYTES);
            let read = entries(bytes).unwrap();
            assert!(read.len() <= MAX_ENTRIES);
            assert_eq!(bundles.entry(next).as_deref(), read.first().copied());
            next += read.len() as u64;
            out.extend(read.into_iter().map(<[u8]>::to_vec));
        }
        assert_eq!(out, entries_in);
        assert_eq!((bundles.entry(999), bundles.entry(next)), (None, None));
    }

    #[test]
    fn damaged_bundles_are_errors() {
        let mut bundle = Vec::new();
        push(&mut bundle, b"abc");
        for cut in 1..bundle.len() {
            assert!(entries(&bundle[..cut]).is_err(), "{cut}");
        }
        assert!(entries(&[]).is_err());
    }
}
