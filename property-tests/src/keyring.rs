//! Keys of the generated worlds, by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use ledger_crypto::{KeyBytes, SigningKey};

/// Names of keys that worlds begin with, in the order of [`key`].
pub const NAMES: [&str; 18] = [
    "log", "op0", "op1", "op2", "wallet", "anyone", "acquirer", "regional", "cashier", "shop", "owner",
    "desk", "importer", "all", "gone", "auditor", "stranger", "lane",
];

/// How many more keys there are, for registrations and rotations.
pub const SPARE: usize = 24;

static RING: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    let names = NAMES.iter().map(|name| (*name).to_owned());
    let spare = (0..SPARE).map(|number| format!("spare{number}"));
    names.chain(spare).map(|name| SigningKey::from_seed(ledger_crypto::sha256(name.as_bytes()))).collect()
});

static PUBLIC: LazyLock<Vec<KeyBytes>> =
    LazyLock::new(|| RING.iter().map(SigningKey::public_bytes).collect());

static PLACES: LazyLock<HashMap<KeyBytes, usize>> =
    LazyLock::new(|| PUBLIC.iter().enumerate().map(|(place, key)| (*key, place)).collect());

/// The public key of a name.
pub fn key(name: &str) -> Vec<u8> {
    let place = NAMES.iter().position(|known| *known == name).expect("a name of the ring");
    PUBLIC[place].to_vec()
}

/// One of the spare keys.
pub fn spare(number: usize) -> Vec<u8> {
    PUBLIC[NAMES.len() + number % SPARE].to_vec()
}

/// The secret of a public key of the ring.
pub fn secret(public: &[u8]) -> Option<&'static SigningKey> {
    let public: KeyBytes = public.try_into().ok()?;
    PLACES.get(&public).map(|place| &RING[*place])
}
