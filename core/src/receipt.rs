//! Receipts: proof that an entry is in the log, checkable offline. File form: C2SP `tlog-proof.md`.

use ledger_crypto::Hash;
use ledger_crypto::note::VerifierKey;
use ledger_merkle::verify::ProofError;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::code::Refusal;
use crate::entry::{Entry, EntryError};
use crate::event::Event;

/// A `.tlog-proof` file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlogProof {
    /// What the application adds; in a receipt, the entry.
    pub extra: Vec<u8>,
    /// Log index of the proved leaf.
    pub index: u64,
    /// Audit path, lowest hash first.
    pub path: Vec<Hash>,
    /// The checkpoint, a signed note, verbatim.
    pub checkpoint: String,
}

/// Proof that an entry is in the log: its `extra` is the entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Log index of the entry.
    pub index: u64,
    /// Bytes of the entry.
    pub entry: Vec<u8>,
    /// Audit path, lowest hash first.
    pub path: Vec<Hash>,
    /// The checkpoint, a signed note, verbatim.
    pub checkpoint: String,
}

/// A receipt that holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedReceipt {
    /// Log index of the entry.
    pub index: u64,
    /// The entry.
    pub entry: Entry,
    /// The event in it, when it holds one.
    pub event: Option<Event>,
    /// The checkpoint that it is proved under.
    pub checkpoint: Checkpoint,
}

/// Why a receipt does not hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Not a `.tlog-proof` file.
    #[error("receipt, line {line}: {clause}")]
    Form {
        /// Number of the line, from 1.
        line: usize,
        /// What it should be.
        clause: &'static str,
    },
    /// The checkpoint is not one of the expected log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not the leaf at that index.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The entry's bytes are malformed.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The payload's bytes are malformed.
    #[error(transparent)]
    Payload(#[from] Refusal),
    /// A field of the entry is not what it must be.
    #[error("receipt, {field}: {found}, expected {expected}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is there.
        found: String,
        /// What would be right.
        expected: String,
    },
}

impl TlogProof {
    /// The text of the file.
    pub fn to_text(&self) -> String {
        todo!("core bytes")
    }

    /// Reads the text of a file strictly.
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        todo!("core bytes")
    }

    /// Checks that `leaf` is proved under a checkpoint of `key`.
    pub fn verify(&self, leaf: &[u8], key: &VerifierKey) -> Result<Checkpoint, ReceiptError> {
        todo!("core bytes")
    }
}

impl Receipt {
    /// The text of the file.
    pub fn to_text(&self) -> String {
        todo!("core bytes")
    }

    /// Reads the text of a file strictly.
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        todo!("core bytes")
    }

    /// Checks everything that can be checked offline: the checkpoint's signature and origin (the name of `key`), the
    /// proof, the entry's form, and, of an event, its ledger id, its signers and every signature.
    pub fn verify(&self, key: &VerifierKey, ledger_id: &Hash) -> Result<VerifiedReceipt, ReceiptError> {
        todo!("core bytes")
    }
}
