//! The genesis: entry 0 of a ledger, which fixes its origin, operators, currencies and limits.

use ledger_crypto::Hash;

use crate::code::Refusal;
use crate::entry::EntryError;
use crate::view::Constants;

/// Payload type of the genesis.
pub const GENESIS_TYPE: &str = "application/vnd.ledger.genesis.v1+protobuf";

/// The decoded genesis. `ledger_id` is the leaf hash of the entry that holds it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Genesis {
    /// Checkpoint origin and key name.
    pub origin: String,
    /// Ed25519 key that signs checkpoints, 32 bytes.
    pub log_key: Vec<u8>,
    /// First operators, ascending by key.
    pub operators: Vec<Operator>,
    /// How many operator keys sign what operators sign together, 1 to 6.
    pub operator_threshold: u32,
    /// Currencies of the ledger, ascending by code.
    pub currencies: Vec<Currency>,
    /// Version of the rules, 1.
    pub rules_version: u32,
    /// Bounds of groups and batches.
    pub limits: Option<Limits>,
    /// 32 random bytes.
    pub nonce: Vec<u8>,
    /// Last witnessed checkpoint of the ledger that this one replaces, or empty.
    pub predecessor: Vec<u8>,
}

/// A first operator.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Operator {
    /// Ed25519 key, 32 bytes.
    pub key: Vec<u8>,
    /// Name of the party, 1 to 35 printable characters.
    pub party: String,
}

/// A currency and its number of decimals.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Currency {
    /// Three capitals.
    pub code: String,
    /// Decimals, 0 to 4.
    pub exponent: u32,
}

/// Bounds that admission checks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Most members of an atomic group, 2 to 1,000.
    pub group_members: u32,
    /// Most members of a signed batch, 1 to 65,535.
    pub batch_members: u32,
}

/// Why a genesis is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GenesisError {
    /// The entry's bytes are not those of a genesis.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The payload is not canonical.
    #[error("genesis: {0}")]
    Payload(#[from] Refusal),
    /// A field breaks a condition.
    #[error("genesis, {field}: {found}, expected {expected}")]
    Field {
        /// Which field.
        field: String,
        /// What is there.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// Made for rules that this software does not know.
    #[error("genesis: rules version {found} is not known here, only {known}")]
    RulesVersion {
        /// The version.
        found: u32,
        /// The version that is known.
        known: u32,
    },
}

impl Genesis {
    /// Decodes the payload of entry 0. Errors: 301, 302, 303.
    pub fn decode(payload: &[u8]) -> Result<Self, Refusal> {
        todo!("core bytes")
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        todo!("core bytes")
    }

    /// Checks every condition of the schema, keys included.
    pub fn check(&self, ledger_id: Hash) -> Result<Constants, GenesisError> {
        todo!("core bytes")
    }

    /// Bytes of entry 0. Its leaf hash is the ledger id.
    pub fn to_entry(&self, recorded_at_nanos: u64) -> Vec<u8> {
        todo!("core bytes")
    }

    /// Reads entry 0: decodes it, takes its leaf hash as ledger id, and checks the genesis. Returns its time as well.
    pub fn from_entry(entry: &[u8]) -> Result<(Constants, u64), GenesisError> {
        todo!("core bytes")
    }
}
