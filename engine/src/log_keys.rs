//! The keys that sign checkpoints: handed over by the operator before the log names them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use ledger_core::checkpoint::{Checkpoint, CheckpointError};
use ledger_core::ids::LogIndex;
use ledger_crypto::note::{NoteError, VerifierKey};
use ledger_crypto::{KeyBytes, PublicKey, SigningKey};

/// How long the line of the key before stays under checkpoints: 30 days.
const OLD_LINE_NANOS: u64 = 30 * 86_400 * 1_000_000_000;

/// A key that the log names, from an entry on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NamedKey {
    pub(crate) key: KeyBytes,
    /// Its rotation; 0 the genesis.
    pub(crate) log_index: LogIndex,
    /// `recorded_at` of that entry.
    pub(crate) since_nanos: u64,
}

/// Private keys at hand.
#[derive(Default)]
pub(crate) struct LogKeys(RwLock<BTreeMap<KeyBytes, SigningKey>>);

impl LogKeys {
    pub(crate) fn new(keys: impl IntoIterator<Item = SigningKey>) -> Self {
        Self(RwLock::new(keys.into_iter().map(|key| (key.public_bytes(), key)).collect()))
    }

    pub(crate) fn insert(&self, key: SigningKey) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key.public_bytes(), key);
    }

    pub(crate) fn get(&self, key: &KeyBytes) -> Option<SigningKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Who signs the checkpoint of `size` entries at `now_nanos`: the key that its last seal names, then those before it
    /// that are at hand and were in force in the 30 days before. `Err`: the named key, which is not at hand.
    pub(crate) fn signers(
        &self,
        named: &[NamedKey],
        size: u64,
        now_nanos: u64,
    ) -> Result<Vec<SigningKey>, KeyBytes> {
        let mut sealed = named.iter().filter(|named| named.log_index.0 + 1 < size).rev();
        let Some(in_force) = sealed.next() else { return Err(KeyBytes::default()) };
        let mut signers = vec![self.get(&in_force.key).ok_or(in_force.key)?];
        let mut ended_nanos = in_force.since_nanos;
        for before in sealed {
            if ended_nanos.saturating_add(OLD_LINE_NANOS) < now_nanos {
                break;
            }
            signers.extend(self.get(&before.key));
            ended_nanos = before.since_nanos;
        }
        Ok(signers)
    }
}

/// The public keys.
impl fmt::Display for LogKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.write_str(&keys.keys().map(hex::encode).collect::<Vec<_>>().join(", "))
    }
}

/// The verifier keys of all keys that the log names.
pub(crate) fn verifier_keys(origin: &str, named: &[NamedKey]) -> Vec<VerifierKey> {
    let verifier_key = |named: &NamedKey| {
        // A log names only keys that pass the key predicate, and the genesis an origin that may name one.
        VerifierKey::new(origin, &PublicKey::from_bytes(&named.key).ok()?).ok()
    };
    named.iter().filter_map(verifier_key).collect()
}

/// A checkpoint that any of these keys signed; the newest key's complaint when none did.
pub(crate) fn open_checkpoint(
    note: &str,
    origin: &str,
    named: &[NamedKey],
) -> Result<Checkpoint, CheckpointError> {
    let mut result = Err(CheckpointError::Note(NoteError::NoSigner));
    for key in verifier_keys(origin, named) {
        result = Checkpoint::open(note, &key, origin);
        if result.is_ok() {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_the_seal_names_signs_first_and_older_ones_for_thirty_days() {
        let keys = [1, 2, 3].map(|seed| SigningKey::from_seed([seed; 32]));
        let [first, second, third] = keys.each_ref().map(SigningKey::public_bytes);
        let at = |key, log_index, since_nanos| NamedKey { key, log_index: LogIndex(log_index), since_nanos };
        let named = [at(first, 0, 5), at(second, 10, 1_000), at(third, 20, 2_000)];
        let held = LogKeys::new(keys);
        let signers = |size, now_nanos| -> Vec<KeyBytes> {
            let signers = held.signers(&named, size, now_nanos).unwrap();
            signers.iter().map(SigningKey::public_bytes).collect()
        };
        assert_eq!(signers(2, 10), [first]);
        // The seal at 10 does not cover entry 10.
        assert_eq!(signers(11, 1_001), [first]);
        assert_eq!(signers(12, 1_001), [second, first]);
        assert_eq!(signers(22, 2_001), [third, second, first]);
        assert_eq!(signers(22, 1_000 + OLD_LINE_NANOS), [third, second, first]);
        assert_eq!(signers(22, 1_001 + OLD_LINE_NANOS), [third, second]);
        assert_eq!(signers(22, 2_001 + OLD_LINE_NANOS), [third]);

        let only_second = LogKeys::new([SigningKey::from_seed([2; 32])]);
        assert_eq!(only_second.signers(&named, 22, 2_001).unwrap_err(), third);
        assert_eq!(only_second.signers(&named, 12, 1_001).unwrap().len(), 1, "the old key is not at hand");
    }
}
