//! The naive model takes of the other crates bytes and numbers only: its sources are read, and no path in them leads to
//! the rules.

use std::path::Path;

#[test]
fn the_model_takes_bytes_and_numbers_only() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![folder.join("model.rs")];
    for inner in ["model", "model/invariants"] {
        files.extend(std::fs::read_dir(folder.join(inner)).unwrap().map(|file| file.unwrap().path()));
    }
    files.retain(|file| file.is_file());
    assert!(files.len() >= 20, "{files:?}");
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        let mut forbidden = forbidden_paths(&source);
        if file.ends_with("model/names.rs") {
            forbidden.retain(|path| !CONVERSIONS.contains(&path.as_str()));
        }
        assert_eq!(forbidden, Vec::<String>::new(), "{}", file.display());
    }
}

#[test]
fn a_model_that_asks_the_core_is_found() {
    for (source, found) in [
        ("use ledger_core::apply::execute;", "ledger_core::apply"),
        ("use ledger_core::{admit, event::Event};", "ledger_core::"),
        ("use ledger_core::event::Event;\nuse ledger_core as core;", "ledger_core"),
        ("let status = ledger_core::state::MemoryState::new(constants);", "ledger_core::state"),
        ("use ledger_core::{\n    event::Event,\n    replay,\n};", "ledger_core::"),
        ("use ledger_engine::Ledger;", "ledger_engine::Ledger"),
        ("use crate::compare::Pair;", "crate::compare"),
        ("record.derived_status()", ".derived_status("),
        ("if account.headroom() < 0 {}", ".headroom("),
        ("account.status.freezes(side)", ".freezes("),
        ("let side = account.kind.normal_side();", ".normal_side("),
        ("matches!(event.body.family(), Family::Registry)", ".family("),
        ("payment.is_untouched()", ".is_untouched("),
        ("payment.is_expired_at(t)", ".is_expired_at("),
        ("account.available()", ".available("),
        ("account.kind.may_pay()", ".may_pay("),
        ("payment.refundable()", ".refundable("),
        ("payment.hold()", ".hold("),
        ("AccountId::parse(text).is_none()", "AccountId::parse("),
        ("CurrencyCode::parse(text).is_none()", "CurrencyCode::parse("),
        ("use ledger_core::money::MAX_AMOUNT;", "ledger_core::money"),
        ("iso_currency(code) == None", "iso_currency("),
    ] {
        assert_eq!(forbidden_paths(source), [found], "{source}");
    }
    assert_eq!(forbidden_paths("use ledger_core::event::{Event, Fx};\nuse crate::model::Entry;"), [""; 0]);
}

/// Crates of the workspace.
const CRATES: [&str; 9] = [
    "ledger_client",
    "ledger_core",
    "ledger_crypto",
    "ledger_engine",
    "ledger_merkle",
    "ledger_property_tests",
    "ledger_proto",
    "ledger_server",
    "ledger_verify",
];

/// Modules of the rules' crates that hold bytes and numbers.
const BYTES_AND_NUMBERS: [&str; 11] = [
    "ledger_core::batch",
    "ledger_core::books",
    "ledger_core::code",
    "ledger_core::event",
    "ledger_core::genesis",
    "ledger_core::ids",
    "ledger_core::line",
    "ledger_core::number",
    "ledger_core::posting",
    "ledger_core::record",
    "crate::model",
];

/// What records, kinds, statuses and events derive by the core's own rules.
const DERIVED: [&str; 14] = [
    ".derived_status(",
    ".headroom(",
    ".hold(",
    ".refundable(",
    ".available(",
    ".is_untouched(",
    ".is_expired_at(",
    ".freezes(",
    ".normal_side(",
    ".may_pay(",
    ".family(",
    "iso_currency(",
    "AccountId::parse(",
    "CurrencyCode::parse(",
];

/// Those that the model may use in `names.rs`, where it turns a text that it has judged into the type of the records.
const CONVERSIONS: [&str; 2] = ["AccountId::parse(", "CurrencyCode::parse("];

/// First two segments of each path into the workspace that the model may not take (a list in braces after the crate's
/// name included), and derivations by the core's records.
fn forbidden_paths(source: &str) -> Vec<String> {
    let in_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | ':');
    let names = source.split(|letter| !in_name(letter));
    let is_crate = |root: &str| CRATES.contains(&root);
    let ours =
        names.filter(|path| path.starts_with("crate::") || path.split("::").next().is_some_and(is_crate));
    let heads = ours.map(|path| path.split("::").take(2).collect::<Vec<_>>().join("::"));
    let allowed = |path: &str| path.starts_with("ledger_crypto::") || BYTES_AND_NUMBERS.contains(&path);
    let mut found: Vec<String> = heads.filter(|path| !allowed(path)).collect();
    found.extend(DERIVED.iter().filter(|name| source.contains(**name)).map(|name| (*name).to_owned()));
    found
}
