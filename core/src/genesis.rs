//! The genesis: entry 0 of a ledger, which fixes its origin, operators, currencies and limits.

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
