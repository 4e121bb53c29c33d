//! Receipts: proof that an entry is in the log, checkable offline. File form: C2SP `tlog-proof.md`.

mod member;
mod place;

use base64::engine::{Engine, general_purpose::STANDARD};
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, PublicKey, dsse};
use ledger_merkle::verify::{self, ProofError};

use crate::batch::{BATCH_TYPE, Batch};
use crate::checkpoint::{Checkpoint, CheckpointError, parse_decimal, parse_hash};
use crate::code::Refusal;
use crate::entry::{Content, Entry, EntryError, EntrySignature};
use crate::event::{EVENT_TYPE, Event};

pub use member::MemberReceipt;
use place::{check_batch, check_group, check_place};

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

impl VerifiedReceipt {
    /// Whether the entry says which ledger it is of, and so was checked for that. A seal after the first and an expiry
    /// do not: that they are of the ledger rests on the log key signing for no other.
    pub fn names_ledger(&self) -> bool {
        match &self.entry.content {
            Content::Seal(seal) => seal.height.0 == 0,
            Content::Expiry { .. } => false,
            Content::Genesis { .. }
            | Content::Event { .. }
            | Content::BatchHeader { .. }
            | Content::BatchedEvent { .. } => true,
        }
    }
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
        let mut text = format!("{MAGIC}\n");
        if !self.extra.is_empty() {
            text.push_str(&format!("extra {}\n", STANDARD.encode(&self.extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.path {
            text.push_str(&STANDARD.encode(hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Reads the text of a file strictly; the checkpoint is not looked at.
    ///
    /// # Errors
    /// [`ReceiptError::Form`].
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        let mut lines = Lines { rest: text, number: 0 };
        if lines.next()? != MAGIC {
            return Err(lines.refuse("c2sp.org/tlog-proof@v1"));
        }
        let mut line = lines.next()?;
        let mut extra = Vec::new();
        if let Some(encoded) = line.strip_prefix("extra ") {
            let decoded = STANDARD.decode(encoded).ok().filter(|extra| !extra.is_empty());
            extra =
                decoded.ok_or_else(|| lines.refuse("\"extra \" and standard base64 of at least a byte"))?;
            line = lines.next()?;
        }
        let index = line.strip_prefix("index ").and_then(parse_decimal);
        let index = index.ok_or_else(|| lines.refuse("\"index \" and a number without leading zeros"))?;
        let mut path = Vec::new();
        loop {
            let line = lines.next()?;
            if line.is_empty() {
                break;
            }
            if path.len() == MAX_PATH {
                return Err(lines.refuse("an empty line after at most 64 hashes"));
            }
            path.push(parse_hash(line).ok_or_else(|| lines.refuse("a hash in standard base64"))?);
        }
        Ok(Self { extra, index, path, checkpoint: lines.rest.to_owned() })
    }

    /// Checks that `leaf` is proved under a checkpoint signed by `key`, whose name is the origin.
    ///
    /// # Errors
    /// [`ReceiptError::Checkpoint`], [`ReceiptError::Proof`].
    pub fn verify(&self, leaf: &[u8], key: &VerifierKey) -> Result<Checkpoint, ReceiptError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key, &key.name)?;
        verify::inclusion(leaf, self.index, checkpoint.size, &self.path, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

/// Checks the text of a receipt, of an entry that holds its own signatures or of a member of a batch. Entries begin
/// with their version; what travels with a member begins with a length, so with 0.
///
/// # Errors
/// [`ReceiptError`].
pub fn verify_text(text: &str, key: &VerifierKey, ledger_id: &Hash) -> Result<VerifiedReceipt, ReceiptError> {
    let proof = TlogProof::parse(text)?;
    if proof.extra.first() == Some(&0) {
        return MemberReceipt::from_proof(proof)?.verify(key, ledger_id);
    }
    Receipt::from_proof(proof)?.verify(key, ledger_id)
}

impl Receipt {
    /// The text of the file.
    pub fn to_text(&self) -> String {
        self.clone().into_proof().to_text()
    }

    /// Reads the text of a file strictly.
    ///
    /// # Errors
    /// [`ReceiptError::Form`], for a file without an entry too.
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        Self::from_proof(TlogProof::parse(text)?)
    }

    fn from_proof(proof: TlogProof) -> Result<Self, ReceiptError> {
        let TlogProof { extra, index, path, checkpoint } = proof;
        if extra.is_empty() {
            return Err(ReceiptError::Form { line: 2, clause: "\"extra \" and the entry" });
        }
        Ok(Self { index, entry: extra, path, checkpoint })
    }

    /// Checks everything that can be checked offline: the checkpoint's signature and origin (the name of `key`), the
    /// proof, the entry's form, that such an entry may stand at its index (entry 0 is the genesis of this ledger, entry 1
    /// its seal, the last one a seal), and, of an event or the header of a batch, its ledger id, its signers and every
    /// signature. Whether the signers were allowed to sign needs
    /// their certificates, whether the rules were kept needs the log. Other seals and expiries name no ledger:
    /// [`VerifiedReceipt::names_ledger`].
    ///
    /// # Errors
    /// [`ReceiptError`]. A member of a batch is refused: its signatures stand in the header.
    pub fn verify(&self, key: &VerifierKey, ledger_id: &Hash) -> Result<VerifiedReceipt, ReceiptError> {
        let checkpoint = self.clone().into_proof().verify(&self.entry, key)?;
        let entry = Entry::decode(&self.entry)?;
        check_place(self.index, checkpoint.size, &entry)?;
        let event = match &entry.content {
            Content::Genesis { .. } => {
                expect_ledger(&Entry::leaf_hash(&self.entry), ledger_id)?;
                None
            }
            Content::Event { signatures, payload_type, payload } => {
                if payload_type != EVENT_TYPE {
                    return Err(field("type", payload_type, EVENT_TYPE));
                }
                let event = Event::decode(payload)?;
                expect_ledger(&event.ledger_id, ledger_id)?;
                check_signatures(EVENT_TYPE, payload, &event.signers, signatures)?;
                check_group(&entry, &event)?;
                Some(event)
            }
            Content::BatchHeader { signatures, payload } => {
                let batch = Batch::decode(payload)?;
                expect_ledger(&batch.ledger_id, ledger_id)?;
                check_signatures(BATCH_TYPE, payload, &batch.signers, signatures)?;
                check_batch(Some(self.index), &batch, checkpoint.size)?;
                None
            }
            Content::Seal(seal) => {
                if seal.height.0 == 0 {
                    expect_ledger(&seal.previous_seal, ledger_id)?;
                }
                None
            }
            Content::Expiry { .. } => None,
            Content::BatchedEvent { .. } => {
                return Err(field("kind", entry.kind(), "an entry that holds its own signatures"));
            }
        };
        Ok(VerifiedReceipt { index: self.index, entry, event, checkpoint })
    }

    fn into_proof(self) -> TlogProof {
        let Self { index, entry, path, checkpoint } = self;
        TlogProof { extra: entry, index, path, checkpoint }
    }
}

/// First line of the file.
const MAGIC: &str = "c2sp.org/tlog-proof@v1";
/// A tree of less than 2^64 leaves has no longer path.
const MAX_PATH: usize = 64;

struct Lines<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    /// The next line, which must end in a newline.
    fn next(&mut self) -> Result<&'a str, ReceiptError> {
        self.number += 1;
        let (line, rest) = self.rest.split_once('\n').ok_or_else(|| self.refuse("a line and a newline"))?;
        self.rest = rest;
        Ok(line)
    }

    /// The line that was read last is not what it should be.
    fn refuse(&self, clause: &'static str) -> ReceiptError {
        ReceiptError::Form { line: self.number, clause }
    }
}

fn expect_ledger(found: &[u8], expected: &Hash) -> Result<(), ReceiptError> {
    if found == expected {
        return Ok(());
    }
    Err(field("ledger_id", hex::encode(found), hex::encode(expected)))
}

/// Exactly one valid signature for each of `signers`, and no other.
fn check_signatures(
    payload_type: &str,
    payload: &[u8],
    signers: &[Vec<u8>],
    signatures: &[EntrySignature],
) -> Result<(), ReceiptError> {
    let keys = signatures.iter().map(|signature| signature.key.as_slice());
    if !keys.eq(signers.iter().map(Vec::as_slice)) {
        return Err(field("signers", "other keys than those of the signatures", "the same keys"));
    }
    let message = dsse::message(payload_type, payload);
    for EntrySignature { key, signature } in signatures {
        let public = PublicKey::from_bytes(key).map_err(|error| field("key", error, "a valid key"))?;
        public
            .verify(&message, signature)
            .map_err(|error| field("signature", error, format!("a signature of {}", hex::encode(key))))?;
    }
    Ok(())
}

fn field(field: &'static str, found: impl ToString, expected: impl ToString) -> ReceiptError {
    ReceiptError::Field { field, found: found.to_string(), expected: expected.to_string() }
}
