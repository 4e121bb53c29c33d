//! Consistency of two checkpoints, proved from tiles that a server gives.

use std::collections::BTreeMap;

use ledger_crypto::Hash;
use ledger_merkle::tile::{self, Nodes, ReadError};
use ledger_merkle::verify::{self, ProofError};

use crate::connection::Client;
use crate::error::ClientError;
use crate::identity::SignedCheckpoint;

/// Why one checkpoint could not be shown to continue another.
#[derive(Debug, thiserror::Error)]
pub enum ConsistencyError {
    /// The tiles could not be had.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The tiles do not prove it.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The sizes or tiles do not fit each other.
    #[error("consistency of {old} and {new} entries: {words}")]
    Tiles {
        /// Size of the older checkpoint.
        old: u64,
        /// Size of the newer one.
        new: u64,
        /// What is wrong.
        words: String,
    },
}

impl Client {
    /// Shows that `new` continues `old`: fetches the tiles that the proof needs (a few per level) and checks it.
    pub(crate) async fn check_consistency(
        &self,
        old: &SignedCheckpoint,
        new: &SignedCheckpoint,
    ) -> Result<(), ConsistencyError> {
        let mut fetched = Fetched::default();
        let path = loop {
            match tile::consistency_path(&fetched, old.size(), new.size()) {
                Ok(path) => break path,
                Err(ReadError::Nodes(Missing { level, index, width })) => {
                    let bytes = self.tile(level, index, width).await?;
                    fetched.0.insert((level, index), hashes_of(&bytes));
                }
                Err(other) => {
                    let words = other.to_string();
                    return Err(ConsistencyError::Tiles { old: old.size(), new: new.size(), words });
                }
            }
        };
        verify::consistency(old.size(), new.size(), old.root(), new.root(), &path)?;
        Ok(())
    }
}

/// Tiles fetched so far.
#[derive(Default)]
struct Fetched(BTreeMap<(u8, u64), Vec<Hash>>);

/// A tile that has to be fetched first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tile {index} of level {level} is not fetched")]
struct Missing {
    level: u8,
    index: u64,
    width: u16,
}

impl Nodes for Fetched {
    type Error = Missing;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Missing> {
        self.0.get(&(level, index)).cloned().ok_or(Missing { level, index, width })
    }
}

/// The whole hashes of a tile; a short one is noticed by the reader.
fn hashes_of(bytes: &[u8]) -> Vec<Hash> {
    let (hashes, _) = bytes.as_chunks::<32>();
    hashes.to_vec()
}
