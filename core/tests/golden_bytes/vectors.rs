//! Reading the golden files.

use ledger_crypto::Hash;
use ledger_crypto::SigningKey;
use serde_json::Value;

/// A golden file; `None` where the data is not there, which `CI` does not accept.
pub fn read(name: &str) -> Option<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/golden/");
    match std::fs::read_to_string(format!("{folder}{name}")) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) if std::env::var_os("CI").is_some() => panic!("{name}: {error}"),
        Err(error) => {
            println!("skipped: {name}: {error}");
            None
        }
    }
}

/// Fails when an object has a member that the test does not compare.
pub fn expect_members(object: &Value, known: &[&str]) {
    for member in object.as_object().unwrap().keys() {
        assert!(known.contains(&member.as_str()), "nothing compares the member {member:?}");
    }
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).unwrap()
}

pub fn hash(value: &Value) -> Hash {
    bytes(value).try_into().unwrap()
}

pub fn hashes(value: &Value) -> Vec<Hash> {
    list(value).iter().map(hash).collect()
}

/// A number, or a decimal string.
pub fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => other.to_string().parse().unwrap(),
    }
}

pub fn signing_key(seed: &Value) -> SigningKey {
    SigningKey::from_seed(hash(seed))
}

/// A JSON object of the members that are not zero or empty, numbers as the golden files write them: u64 as text.
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let zero = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "0",
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    members
        .into_iter()
        .filter(|(_, value)| !zero(value))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
