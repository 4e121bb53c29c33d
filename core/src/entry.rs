//! One leaf of the log.

use ledger_crypto::{Hash, KeyBytes};

use crate::batch::BATCH_TYPE;
use crate::genesis::GENESIS_TYPE;
use crate::ids::PaymentId;
use crate::layout::{Layout, LayoutError};
use crate::seal::Seal;

/// Payload type of an expiry.
pub const EXPIRY_TYPE: &str = "application/vnd.ledger.expiry.v1";

/// Most bytes of an entry.
pub const MAX_ENTRY_BYTES: usize = 32 * 1024;

/// A key and its signature, as they stand in an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntrySignature {
    /// Ed25519 key.
    pub key: KeyBytes,
    /// Ed25519 signature over the DSSE message.
    pub signature: [u8; 64],
}

/// One leaf of the log: what was submitted or derived, and what the ledger assigned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Unix nanoseconds, strictly increasing from entry to entry.
    pub recorded_at_nanos: u64,
    /// 0 accepted, else the refusal code, 701 or more.
    pub outcome: u16,
    /// Members of the atomic group; 1 outside groups.
    pub group_len: u16,
    /// Position in the group, from 0.
    pub group_index: u16,
    /// What the entry holds.
    pub content: Content,
}

/// What an entry holds, by kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// Kind 0: payload of the genesis.
    Genesis {
        /// Bytes of [`crate::genesis::Genesis`].
        payload: Vec<u8>,
    },
    /// Kind 1: a signed event.
    Event {
        /// Ascending by key, equal to `signers`.
        signatures: Vec<EntrySignature>,
        /// Payload type as signed.
        payload_type: String,
        /// Payload as signed.
        payload: Vec<u8>,
    },
    /// Kind 2: header of a block.
    Seal(Box<Seal>),
    /// Kind 3: the hold of a payment ran out.
    Expiry {
        /// The payment.
        payment_id: PaymentId,
    },
    /// Kind 4: header of a signed batch.
    BatchHeader {
        /// Ascending by key, equal to `signers`.
        signatures: Vec<EntrySignature>,
        /// Bytes of [`crate::batch::Batch`].
        payload: Vec<u8>,
    },
    /// Kind 5: a member of a signed batch.
    BatchedEvent {
        /// Position in the batch, from 0.
        position: u32,
        /// Payload type as signed.
        payload_type: String,
        /// Payload as signed.
        payload: Vec<u8>,
    },
}

/// Why bytes are not an entry.
pub type EntryError = LayoutError;

impl Entry {
    /// The bytes of the entry. What [`Entry::decode`] would refuse (nine signatures, a type of more than 255 bytes) gives
    /// bytes that it refuses.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let head = (self.recorded_at_nanos, self.outcome, self.group_len, self.group_index);
        write_head(self.kind(), head, &mut out);
        match &self.content {
            Content::Genesis { payload } => {
                out.push(0);
                write_payload(GENESIS_TYPE, payload, &mut out);
            }
            Content::Event { signatures, payload_type, payload } => {
                write_signatures(signatures, &mut out);
                write_payload(payload_type, payload, &mut out);
            }
            Content::Seal(seal) => seal.write(&mut out),
            Content::Expiry { payment_id } => {
                out.push(0);
                write_payload(EXPIRY_TYPE, &payment_id.0, &mut out);
            }
            Content::BatchHeader { signatures, payload } => {
                write_signatures(signatures, &mut out);
                write_payload(BATCH_TYPE, payload, &mut out);
            }
            Content::BatchedEvent { position, payload_type, payload } => {
                out.push(0);
                out.extend_from_slice(&position.to_be_bytes());
                write_payload(payload_type, payload, &mut out);
            }
        }
        out
    }

    /// Reads an entry strictly: its kind is known, its bounds hold, nothing follows it.
    ///
    /// # Errors
    /// [`EntryError`] names the first field that is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let mut layout = Layout::new("entry", bytes);
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(layout.error("length", bytes.len(), format!("at most {MAX_ENTRY_BYTES}")));
        }
        layout.constant("version", VERSION)?;
        let kind = layout.u8("kind")?;
        let recorded_at_nanos = layout.u64("recorded_at")?;
        let (outcome, group_len, group_index) = read_outcome(kind, &mut layout)?;
        let content = match kind {
            GENESIS => read_genesis(&mut layout)?,
            EVENT => {
                let signatures = read_signatures(&mut layout)?;
                let (payload_type, payload) = read_payload(&mut layout)?;
                Content::Event { signatures, payload_type: payload_type.to_owned(), payload }
            }
            SEAL => Content::Seal(Box::new(Seal::read(&mut layout)?)),
            EXPIRY => read_expiry(&mut layout)?,
            BATCH_HEADER => {
                let signatures = read_signatures(&mut layout)?;
                Content::BatchHeader { signatures, payload: read_typed_payload(BATCH_TYPE, &mut layout)? }
            }
            BATCHED_EVENT => {
                layout.constant("signature_count", 0)?;
                let position = layout.u32("position")?;
                let (payload_type, payload) = read_payload(&mut layout)?;
                Content::BatchedEvent { position, payload_type: payload_type.to_owned(), payload }
            }
            _ => return Err(layout.error("kind", kind, "0 to 5")),
        };
        layout.end()?;
        Ok(Self { recorded_at_nanos, outcome, group_len, group_index, content })
    }

    /// 0 genesis, 1 event, 2 seal, 3 expiry, 4 batch header, 5 batched event.
    pub fn kind(&self) -> u8 {
        match self.content {
            Content::Genesis { .. } => GENESIS,
            Content::Event { .. } => EVENT,
            Content::Seal(_) => SEAL,
            Content::Expiry { .. } => EXPIRY,
            Content::BatchHeader { .. } => BATCH_HEADER,
            Content::BatchedEvent { .. } => BATCHED_EVENT,
        }
    }

    /// Leaf hash of the encoded entry: `H(0x00 ‖ entry)`.
    pub fn leaf_hash(encoded: &[u8]) -> Hash {
        ledger_merkle::leaf_hash(encoded)
    }
}

/// Appends the entry of a submitted event to `out`, without building an [`Entry`].
#[expect(clippy::too_many_arguments, reason = "the fields of the layout, in its order")]
pub fn encode_event(
    recorded_at_nanos: u64,
    outcome: u16,
    group_len: u16,
    group_index: u16,
    signatures: &[EntrySignature],
    payload_type: &str,
    payload: &[u8],
    out: &mut Vec<u8>,
) {
    write_head(EVENT, (recorded_at_nanos, outcome, group_len, group_index), out);
    write_signatures(signatures, out);
    write_payload(payload_type, payload, out);
}

/// Appends the entry of a batch's header to `out`.
pub fn encode_batch_header(
    recorded_at_nanos: u64,
    signatures: &[EntrySignature],
    payload: &[u8],
    out: &mut Vec<u8>,
) {
    write_head(BATCH_HEADER, (recorded_at_nanos, 0, 1, 0), out);
    write_signatures(signatures, out);
    write_payload(BATCH_TYPE, payload, out);
}

/// Appends the entry of a member of a batch to `out`.
#[expect(clippy::too_many_arguments, reason = "the fields of the layout, in its order")]
pub fn encode_batched_event(
    recorded_at_nanos: u64,
    outcome: u16,
    group_len: u16,
    group_index: u16,
    position: u32,
    payload_type: &str,
    payload: &[u8],
    out: &mut Vec<u8>,
) {
    write_head(BATCHED_EVENT, (recorded_at_nanos, outcome, group_len, group_index), out);
    out.push(0);
    out.extend_from_slice(&position.to_be_bytes());
    write_payload(payload_type, payload, out);
}

/// Appends the entry of an expiry to `out`.
pub fn encode_expiry(recorded_at_nanos: u64, payment_id: &PaymentId, out: &mut Vec<u8>) {
    write_head(EXPIRY, (recorded_at_nanos, 0, 1, 0), out);
    out.push(0);
    write_payload(EXPIRY_TYPE, &payment_id.0, out);
}

/// Most bytes of a payload that an entry with the signatures of `signers` keys has room for.
pub fn payload_room(payload_type: &str, signers: usize) -> usize {
    let signatures = signers.clamp(1, MAX_SIGNATURES) * SIGNATURE_BYTES;
    MAX_ENTRY_BYTES - HEAD_BYTES - 1 - signatures - 1 - payload_type.len() - 4
}

/// The same of an entry without signatures but with a position: a member of a batch.
pub fn batched_payload_room(payload_type: &str) -> usize {
    MAX_ENTRY_BYTES - HEAD_BYTES - 1 - 4 - 1 - payload_type.len() - 4
}

const VERSION: u8 = 1;
/// Version, kind, time, outcome, group.
const HEAD_BYTES: usize = 16;
/// Key and signature.
const SIGNATURE_BYTES: usize = 96;
const MAX_SIGNATURES: usize = 8;
/// The lowest code that stands in the log.
const FIRST_LOGGED_CODE: u16 = 701;

const GENESIS: u8 = 0;
const EVENT: u8 = 1;
const SEAL: u8 = 2;
const EXPIRY: u8 = 3;
const BATCH_HEADER: u8 = 4;
const BATCHED_EVENT: u8 = 5;

fn read_outcome(kind: u8, layout: &mut Layout<'_>) -> Result<(u16, u16, u16), EntryError> {
    let outcome = layout.u16("outcome")?;
    let group_len = layout.u16("group_len")?;
    let group_index = layout.u16("group_index")?;
    if matches!(kind, EVENT | BATCHED_EVENT) {
        if outcome != 0 && outcome < FIRST_LOGGED_CODE {
            return Err(layout.error("outcome", outcome, format!("0, or {FIRST_LOGGED_CODE} or more")));
        }
        if group_len == 0 {
            return Err(layout.error("group_len", group_len, "1 or more"));
        }
    } else {
        if outcome != 0 {
            return Err(layout.error("outcome", outcome, 0));
        }
        if group_len != 1 {
            return Err(layout.error("group_len", group_len, 1));
        }
    }
    if group_index >= group_len {
        return Err(layout.error("group_index", group_index, format!("below {group_len}")));
    }
    Ok((outcome, group_len, group_index))
}

fn read_genesis(layout: &mut Layout<'_>) -> Result<Content, EntryError> {
    layout.constant("signature_count", 0)?;
    Ok(Content::Genesis { payload: read_typed_payload(GENESIS_TYPE, layout)? })
}

fn read_expiry(layout: &mut Layout<'_>) -> Result<Content, EntryError> {
    layout.constant("signature_count", 0)?;
    let payload = read_typed_payload(EXPIRY_TYPE, layout)?;
    match <[u8; 16]>::try_from(payload) {
        Ok(id) => Ok(Content::Expiry { payment_id: PaymentId(id) }),
        Err(payload) => Err(layout.error("payload", format!("{} bytes", payload.len()), "16 bytes")),
    }
}

fn read_signatures(layout: &mut Layout<'_>) -> Result<Vec<EntrySignature>, EntryError> {
    let count = usize::from(layout.u8("signature_count")?);
    if !(1..=MAX_SIGNATURES).contains(&count) {
        return Err(layout.error("signature_count", count, format!("1 to {MAX_SIGNATURES}")));
    }
    let mut signatures: Vec<EntrySignature> = Vec::with_capacity(count);
    for _ in 0..count {
        let key = layout.array("key")?;
        if signatures.last().is_some_and(|before| before.key >= key) {
            return Err(layout.error("key", hex::encode(key), "keys in ascending order"));
        }
        signatures.push(EntrySignature { key, signature: layout.array("signature")? });
    }
    Ok(signatures)
}

fn read_typed_payload(expected: &str, layout: &mut Layout<'_>) -> Result<Vec<u8>, EntryError> {
    match read_payload(layout)? {
        (payload_type, payload) if payload_type == expected => Ok(payload),
        (payload_type, _) => Err(layout.error("type", payload_type, expected)),
    }
}

fn read_payload<'a>(layout: &mut Layout<'a>) -> Result<(&'a str, Vec<u8>), EntryError> {
    let payload_type = layout.text("type")?;
    let length = layout.u32("payload_length")?;
    let payload = layout.bytes("payload", usize::try_from(length).unwrap_or(usize::MAX))?;
    Ok((payload_type, payload.to_vec()))
}

fn write_head(kind: u8, head: (u64, u16, u16, u16), out: &mut Vec<u8>) {
    let (recorded_at_nanos, outcome, group_len, group_index) = head;
    out.extend_from_slice(&[VERSION, kind]);
    out.extend_from_slice(&recorded_at_nanos.to_be_bytes());
    for number in [outcome, group_len, group_index] {
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn write_signatures(signatures: &[EntrySignature], out: &mut Vec<u8>) {
    out.push(signatures.len() as u8);
    for EntrySignature { key, signature } in signatures {
        out.extend_from_slice(key);
        out.extend_from_slice(signature);
    }
}

fn write_payload(payload_type: &str, payload: &[u8], out: &mut Vec<u8>) {
    out.push(payload_type.len() as u8);
    out.extend_from_slice(payload_type.as_bytes());
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(content: Content) -> Vec<u8> {
        Entry { recorded_at_nanos: 5, outcome: 0, group_len: 1, group_index: 0, content }.encode()
    }

    fn signatures(keys: &[u8]) -> Vec<EntrySignature> {
        keys.iter().map(|key| EntrySignature { key: [*key; 32], signature: [7; 64] }).collect()
    }

    fn event(keys: &[u8]) -> Vec<u8> {
        let payload_type = "a type".to_owned();
        encoded(Content::Event { signatures: signatures(keys), payload_type, payload: vec![1, 2, 3] })
    }

    fn refused(bytes: &[u8]) -> &'static str {
        Entry::decode(bytes).unwrap_err().field
    }

    #[test]
    fn each_bound_has_its_field() {
        let seal_like = encoded(Content::Expiry { payment_id: PaymentId([9; 16]) });
        let member = encoded(Content::BatchedEvent {
            position: 1,
            payload_type: "a type".to_owned(),
            payload: vec![1, 2, 3],
        });
        let with = |entry: &[u8], at: usize, bytes: &[u8]| {
            let mut entry = entry.to_vec();
            entry[at..at + bytes.len()].copy_from_slice(bytes);
            entry
        };
        for (entry, at, bytes, field) in [
            (&event(&[1]), 0, [2].as_slice(), "version"),
            (&event(&[1]), 1, &[6], "kind"),
            (&event(&[1]), 10, &[2, 188], "outcome"),
            (&event(&[1]), 10, &[0, 1], "outcome"),
            (&seal_like, 10, &[2, 189], "outcome"),
            (&seal_like, 12, &[0, 2], "group_len"),
            (&event(&[1]), 12, &[0, 0], "group_len"),
            (&event(&[1]), 14, &[0, 1], "group_index"),
            (&event(&[1]), 12, &[0, 2, 0, 2], "group_index"),
            (&event(&[1]), 16, &[0], "signature_count"),
            (&event(&[1]), 16, &[9], "signature_count"),
            (&seal_like, 16, &[1], "signature_count"),
            (&member, 16, &[1], "signature_count"),
            (&seal_like, 18, b"b", "type"),
            (&event(&[1]), 114, &[0x1F], "type"),
            (&event(&[1]), 123, &[4], "payload"),
            (&event(&[1]), 123, &[2], "end"),
        ] {
            assert_eq!(refused(&with(entry, at, bytes)), field, "{at}: {bytes:?}");
        }
        for keys in [[2, 1].as_slice(), &[1, 1]] {
            assert_eq!(refused(&event(keys)), "key");
        }
        assert_eq!(refused(&event(&[1, 2, 3, 4, 5, 6, 7, 8, 9])), "signature_count");
        assert_eq!(refused(&vec![1; MAX_ENTRY_BYTES + 1]), "length");
        assert!(Entry::decode(&with(&event(&[1]), 10, &[2, 189, 0, 2, 0, 1])).is_ok());
        assert!(Entry::decode(&event(&[1, 2, 3, 4, 5, 6, 7, 8])).is_ok());
    }

    #[test]
    fn the_writers_path_gives_the_same_bytes() {
        let mut out = vec![0xEE];
        encode_event(5, 0, 1, 0, &signatures(&[1, 2]), "a type", &[1, 2, 3], &mut out);
        assert_eq!(out[1..], event(&[1, 2]));
        out.clear();
        encode_batch_header(5, &signatures(&[1, 2]), &[4, 5], &mut out);
        assert_eq!(
            out,
            encoded(Content::BatchHeader { signatures: signatures(&[1, 2]), payload: vec![4, 5] })
        );
        out.clear();
        encode_batched_event(5, 0, 1, 0, 7, "a type", &[1, 2, 3], &mut out);
        let payload_type = "a type".to_owned();
        assert_eq!(out, encoded(Content::BatchedEvent { position: 7, payload_type, payload: vec![1, 2, 3] }));
        out.clear();
        encode_expiry(5, &PaymentId([9; 16]), &mut out);
        assert_eq!(out, encoded(Content::Expiry { payment_id: PaymentId([9; 16]) }));
    }
}
