//! The genesis: entry 0 of a ledger, which fixes its origin, operators, currencies and limits.

use ledger_crypto::{Hash, KeyBytes, PublicKey};

use crate::code::Refusal;
use crate::entry::{Content, Entry, EntryError};
use crate::ids::CurrencyCode;
use crate::money::{self, IsoCurrency, MAX_EXPONENT};
use crate::view::Constants;
use crate::wire;

/// Payload type of the genesis.
pub const GENESIS_TYPE: &str = "application/vnd.ledger.genesis.v1+protobuf";

wire::message! {
    /// The decoded genesis. `ledger_id` is the leaf hash of the entry that holds it.
    pub struct Genesis {
        /// Checkpoint origin and key name.
        1 origin: String,
        /// Ed25519 key that signs checkpoints, 32 bytes.
        2 log_key: Vec<u8>,
        /// First operators, ascending by key.
        3 operators: Vec<Operator>,
        /// How many operator keys sign what operators sign together, 1 to 6.
        4 operator_threshold: u32,
        /// Currencies of the ledger, ascending by code.
        5 currencies: Vec<Currency>,
        /// Version of the rules, 1.
        6 rules_version: u32,
        /// Bounds of groups and batches.
        7 limits: Option<Limits>,
        /// 32 random bytes.
        8 nonce: Vec<u8>,
        /// Last witnessed checkpoint of the ledger that this one replaces, or empty.
        9 predecessor: Vec<u8>,
    }
}

wire::message! {
    /// A first operator.
    pub struct Operator {
        /// Ed25519 key, 32 bytes.
        1 key: Vec<u8>,
        /// Name of the party, 1 to 35 printable characters.
        2 party: String,
    }
}

wire::message! {
    /// A currency and its number of decimals.
    pub struct Currency {
        /// Three capitals.
        1 code: String,
        /// Decimals, 0 to 4.
        2 exponent: u32,
    }
}

wire::message! {
    /// Bounds that admission checks.
    pub struct Limits {
        /// Most members of an atomic group, 2 to 1,000.
        1 group_members: u32,
        /// Most members of a signed batch, 1 to 65,535.
        2 batch_members: u32,
    }
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
    /// Decodes the payload of entry 0.
    ///
    /// # Errors
    /// 302, 303.
    pub fn decode(payload: &[u8]) -> Result<Self, Refusal> {
        wire::decode(payload)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// Bytes of entry 0. Its leaf hash is the ledger id.
    pub fn to_entry(&self, recorded_at_nanos: u64) -> Vec<u8> {
        let content = Content::Genesis { payload: self.encode() };
        Entry { recorded_at_nanos, outcome: 0, group_len: 1, group_index: 0, content }.encode()
    }

    /// Reads entry 0: decodes it, takes its leaf hash as ledger id, and checks the genesis. Returns its time as well.
    ///
    /// # Errors
    /// [`GenesisError`].
    pub fn from_entry(entry: &[u8]) -> Result<(Constants, u64), GenesisError> {
        let decoded = Entry::decode(entry)?;
        let kind = decoded.kind();
        let Content::Genesis { payload } = decoded.content else {
            return Err(field("kind", kind, "0, a genesis"));
        };
        let constants = Self::decode(&payload)?.check(Entry::leaf_hash(entry))?;
        Ok((constants, decoded.recorded_at_nanos))
    }

    /// Checks every condition, the keys included, and gives what the rules need in checked types.
    ///
    /// # Errors
    /// [`GenesisError::Field`] or [`GenesisError::RulesVersion`], in the order of the fields.
    pub fn check(&self, ledger_id: Hash) -> Result<Constants, GenesisError> {
        let origin_byte = |byte: u8| (0x21..=0x7E).contains(&byte) && byte != b'+';
        if !(1..=64).contains(&self.origin.len()) || !self.origin.bytes().all(origin_byte) {
            return Err(field("origin", &self.origin, "1 to 64 printable characters, no space, no '+'"));
        }
        check_key("log_key", &self.log_key)?;
        self.check_operators()?;
        let currencies = self.checked_currencies()?;
        if self.rules_version != RULES_VERSION {
            return Err(GenesisError::RulesVersion { found: self.rules_version, known: RULES_VERSION });
        }
        let limits = self.checked_limits()?;
        if self.nonce.len() != 32 {
            return Err(field("nonce", format!("{} bytes", self.nonce.len()), "32 bytes"));
        }
        let operator_threshold = self.operator_threshold;
        Ok(Constants { genesis: self.clone(), ledger_id, operator_threshold, currencies, limits })
    }

    fn check_operators(&self) -> Result<(), GenesisError> {
        if !(1..=MAX_THRESHOLD).contains(&self.operator_threshold) {
            let expected = format!("1 to {MAX_THRESHOLD}");
            return Err(field("operator_threshold", self.operator_threshold, expected));
        }
        if (self.operators.len() as u64) < u64::from(self.operator_threshold) {
            let expected = format!("at least operator_threshold, {}", self.operator_threshold);
            return Err(field("operators", self.operators.len(), expected));
        }
        let mut before: Option<&[u8]> = None;
        for (position, operator) in self.operators.iter().enumerate() {
            let name = format!("operators[{position}].key");
            check_key(&name, &operator.key)?;
            if operator.key == self.log_key {
                return Err(field(name, hex::encode(&operator.key), "another key than log_key"));
            }
            if before.is_some_and(|before| before >= operator.key.as_slice()) {
                return Err(field(name, hex::encode(&operator.key), "keys in ascending order"));
            }
            before = Some(&operator.key);
            if !(1..=35).contains(&operator.party.len()) || !is_printable(&operator.party) {
                let name = format!("operators[{position}].party");
                return Err(field(name, &operator.party, "1 to 35 printable characters"));
            }
        }
        Ok(())
    }

    fn checked_currencies(&self) -> Result<Vec<(CurrencyCode, u8)>, GenesisError> {
        let mut currencies: Vec<(CurrencyCode, u8)> = Vec::with_capacity(self.currencies.len());
        for (position, Currency { code, exponent }) in self.currencies.iter().enumerate() {
            let name = format!("currencies[{position}].code");
            let Some(known) = CurrencyCode::parse(code) else {
                return Err(field(name, code, "three capitals"));
            };
            if !matches!(money::iso_currency(known), Some(IsoCurrency::Decimals(_))) {
                return Err(field(name, code, "a currency of ISO 4217 with minor units"));
            }
            if currencies.last().is_some_and(|(before, _)| *before >= known) {
                return Err(field(name, code, "codes in ascending order"));
            }
            let Some(decimals) = u8::try_from(*exponent).ok().filter(|decimals| *decimals <= MAX_EXPONENT)
            else {
                return Err(field(format!("currencies[{position}].exponent"), exponent, "at most 4"));
            };
            currencies.push((known, decimals));
        }
        if currencies.is_empty() {
            return Err(field("currencies", "none", "at least one"));
        }
        Ok(currencies)
    }

    fn checked_limits(&self) -> Result<Limits, GenesisError> {
        let Some(limits) = self.limits.clone() else {
            return Err(field("limits", "absent", "group_members and batch_members"));
        };
        if !(2..=1_000).contains(&limits.group_members) {
            return Err(field("limits.group_members", limits.group_members, "2 to 1000"));
        }
        if !(1..=65_535).contains(&limits.batch_members) {
            return Err(field("limits.batch_members", limits.batch_members, "1 to 65535"));
        }
        Ok(limits)
    }
}

/// The only version of the rules there is.
pub const RULES_VERSION: u32 = 1;
/// Most operator keys that must sign together.
const MAX_THRESHOLD: u32 = 6;

fn check_key(name: &str, key: &[u8]) -> Result<(), GenesisError> {
    let Ok(bytes) = KeyBytes::try_from(key) else {
        return Err(field(name, format!("{} bytes", key.len()), "32 bytes"));
    };
    match PublicKey::from_bytes(&bytes) {
        Ok(_) => Ok(()),
        Err(error) => Err(field(name, error, "a canonical point of prime order")),
    }
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..=0x7E).contains(&byte))
}

fn field(name: impl Into<String>, found: impl ToString, expected: impl Into<String>) -> GenesisError {
    GenesisError::Field { field: name.into(), found: found.to_string(), expected: expected.into() }
}

#[cfg(test)]
mod tests {
    use ledger_crypto::SigningKey;

    use super::*;

    fn genesis() -> Genesis {
        let key = |seed: u8| SigningKey::from_seed([seed; 32]).public_bytes().to_vec();
        let mut operators: Vec<Operator> =
            (1..=3).map(|seed| Operator { key: key(seed), party: format!("operator {seed}") }).collect();
        operators.sort_by(|a, b| a.key.cmp(&b.key));
        let currencies = [("JPY", 0), ("KWD", 3), ("USD", 2)];
        let currencies = currencies.map(|(code, exponent)| Currency { code: code.to_owned(), exponent });
        Genesis {
            origin: "ledger.example/test".to_owned(),
            log_key: key(9),
            operators,
            operator_threshold: 2,
            currencies: currencies.to_vec(),
            rules_version: 1,
            limits: Some(Limits { group_members: 1_000, batch_members: 65_535 }),
            nonce: vec![5; 32],
            predecessor: Vec::new(),
        }
    }

    #[test]
    fn entry_0_gives_the_constants_and_the_ledger_id() {
        let entry = genesis().to_entry(77);
        let (constants, recorded_at_nanos) = Genesis::from_entry(&entry).unwrap();
        assert_eq!((constants.genesis.clone(), recorded_at_nanos), (genesis(), 77));
        assert_eq!(constants.ledger_id, Entry::leaf_hash(&entry));
        assert_eq!(constants.currencies[1], (CurrencyCode::parse("KWD").unwrap(), 3));
        let expiry = Content::Expiry { payment_id: crate::ids::PaymentId::NIL };
        let other = Entry { recorded_at_nanos: 0, outcome: 0, group_len: 1, group_index: 0, content: expiry };
        assert!(
            matches!(Genesis::from_entry(&other.encode()), Err(GenesisError::Field { field, .. }) if field == "kind")
        );
        assert!(matches!(Genesis::from_entry(&entry[1..]), Err(GenesisError::Entry(_))));
    }

    #[test]
    fn each_condition_names_its_field() {
        type Change = fn(&mut Genesis);
        let identity = {
            let mut key = vec![0; 32];
            key[0] = 1;
            key
        };
        let small_order = move |genesis: &mut Genesis| genesis.log_key.clone_from(&identity);
        let mut weak = genesis();
        small_order(&mut weak);
        assert!(matches!(weak.check([0; 32]), Err(GenesisError::Field { field, .. }) if field == "log_key"));
        let cases: [(&str, Change); 31] = [
            ("origin", |g| g.origin.clear()),
            ("origin", |g| g.origin = "x".repeat(65)),
            ("origin", |g| g.origin = "a b".to_owned()),
            ("origin", |g| g.origin = "a+b".to_owned()),
            ("log_key", |g| g.log_key.clear()),
            ("log_key", |g| g.log_key = vec![0xFF; 32]),
            ("operator_threshold", |g| g.operator_threshold = 0),
            ("operator_threshold", |g| g.operator_threshold = 7),
            ("operators", |g| g.operator_threshold = 4),
            ("operators", |g| g.operators.clear()),
            ("operators[1].key", |g| g.operators.swap(0, 1)),
            ("operators[1].key", |g| g.operators[1] = g.operators[0].clone()),
            ("operators[0].key", |g| g.operators[0].key.push(0)),
            ("operators[2].key", |g| g.log_key = g.operators[2].key.clone()),
            ("operators[0].party", |g| g.operators[0].party.clear()),
            ("operators[0].party", |g| g.operators[0].party = "x".repeat(36)),
            ("operators[0].party", |g| g.operators[0].party = "tab\t".to_owned()),
            ("currencies", |g| g.currencies.clear()),
            ("currencies[0].code", |g| g.currencies[0].code = "usd".to_owned()),
            ("currencies[0].code", |g| g.currencies[0].code = "XAU".to_owned()),
            ("currencies[0].code", |g| g.currencies[0].code = "AAA".to_owned()),
            ("currencies[1].code", |g| g.currencies.swap(0, 1)),
            ("currencies[1].code", |g| g.currencies[1] = g.currencies[0].clone()),
            ("currencies[0].exponent", |g| g.currencies[0].exponent = 5),
            ("limits", |g| g.limits = None),
            ("limits.group_members", |g| g.limits.as_mut().unwrap().group_members = 1),
            ("limits.group_members", |g| g.limits.as_mut().unwrap().group_members = 1_001),
            ("limits.batch_members", |g| g.limits.as_mut().unwrap().batch_members = 0),
            ("limits.batch_members", |g| g.limits.as_mut().unwrap().batch_members = 65_536),
            ("nonce", |g| g.nonce.clear()),
            ("nonce", |g| g.nonce.push(0)),
        ];
        for (number, (expected, change)) in cases.into_iter().enumerate() {
            let mut genesis = genesis();
            change(&mut genesis);
            match genesis.check([0; 32]) {
                Err(GenesisError::Field { field, .. }) => assert_eq!(field, expected, "case {number}"),
                other => panic!("case {number}, {expected}: {other:?}"),
            }
        }
        let newer = Genesis { rules_version: 2, ..genesis() };
        assert_eq!(newer.check([0; 32]), Err(GenesisError::RulesVersion { found: 2, known: 1 }));
        assert!(genesis().check([0; 32]).is_ok());
    }
}
