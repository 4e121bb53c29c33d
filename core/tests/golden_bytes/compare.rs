//! What a golden file says of one entry, record, seal or genesis, against the decoded one.

use ledger_core::batch::Batch;
use ledger_core::entry::{Content, Entry};
use ledger_core::event::Event;
use ledger_core::genesis::Genesis;
use ledger_core::ids::{CurrencyCode, LogIndex};
use ledger_core::record::{AccountRecord, Counters, PaymentRecord};
use ledger_core::seal::{Params, Seal, Totals};
use serde_json::Value;

use crate::vectors::{bytes, expect_members, hash, list, number, text};

pub fn compare_head(golden: &Value, entry: &Entry, encoded: &[u8]) {
    if let Some(leaf) = golden.get("leaf_hash") {
        assert_eq!(Entry::leaf_hash(encoded), hash(leaf));
    }
    if let Some(at) = golden.get("recorded_at_nanos") {
        assert_eq!(entry.recorded_at_nanos, number::<u64>(at));
    }
    if let Some(outcome) = golden.get("outcome") {
        assert_eq!(entry.outcome, number::<u16>(outcome));
    }
    if let Some(group_len) = golden.get("group_len") {
        assert_eq!(entry.group_len, number::<u16>(group_len));
        assert_eq!(entry.group_index, number::<u16>(&golden["group_index"]));
    }
    let kinds = ["genesis", "event", "seal", "expiry", "batch header", "batched event"];
    assert_eq!(kinds[usize::from(entry.kind())], golden["kind"]);
}

/// The payload decodes, and gives the same bytes again.
pub fn compare_payload(golden: &Value, entry: &Entry) {
    match &entry.content {
        Content::Genesis { payload } => assert_eq!(&Genesis::decode(payload).unwrap().encode(), payload),
        Content::Event { payload, .. } => {
            let event = Event::decode(payload).unwrap();
            assert_eq!(event.body.name(), golden["event"]);
            assert_eq!(&event.encode(), payload);
        }
        Content::BatchedEvent { payload, .. } => {
            let event = Event::decode_batched(payload).unwrap();
            assert_eq!(event.body.name(), golden["event"]);
            assert_eq!(&event.encode(), payload);
        }
        Content::BatchHeader { payload, .. } => {
            let batch = Batch::decode(payload).unwrap();
            assert_eq!(&batch.encode(), payload);
        }
        Content::Seal(_) | Content::Expiry { .. } => {}
    }
}

pub fn compare_account(id: &str, golden: &Value) -> AccountRecord {
    let record = AccountRecord::decode(&bytes(&golden["record"])).unwrap();
    assert_eq!(record.encode(), bytes(&golden["record"]));
    assert_eq!(record.id.as_str(), id);
    assert_eq!(record.status.number(), number::<u8>(&golden["status"]));
    assert_eq!(record.limit, number::<u64>(&golden["limit"]));
    assert_eq!(record.line_count, number::<u64>(&golden["line_count"]));
    assert_eq!(record.statement_chain, hash(&golden["statement_chain"]));
    let c = &record.counters;
    for (name, counter) in [
        ("posted_debits", c.posted_debits),
        ("posted_credits", c.posted_credits),
        ("pending_debits", c.pending_debits),
        ("pending_credits", c.pending_credits),
    ] {
        assert_eq!(counter, number::<i128>(&golden[name]), "{id}, {name}");
    }
    record
}

pub fn compare_payment(golden: &Value) -> PaymentRecord {
    let record = PaymentRecord::decode(&bytes(&golden["record"])).unwrap();
    assert_eq!(record.encode(), bytes(&golden["record"]));
    assert_eq!(record.status.number(), number::<u8>(&golden["status"]));
    assert_eq!(record.status.name(), golden["status_name"]);
    let last_release = record.last_release.map_or(0, |cause| cause.number());
    assert_eq!(last_release, number::<u8>(&golden["last_release"]));
    for (name, counter) in [
        ("auth", record.auth),
        ("capt", record.capt),
        ("rel", record.rel),
        ("sett", record.sett),
        ("refd", record.refd),
        ("disp", record.disp),
        ("lost", record.lost),
    ] {
        assert_eq!(counter, number::<i128>(&golden[name]), "{name}");
    }
    assert_eq!(record.expires_at_nanos, number::<u64>(&golden["expires_at_nanos"]));
    assert_eq!(record.head.0.to_vec(), bytes(&golden["head"]));
    assert_eq!(record.event_count, number::<u32>(&golden["event_count"]));
    assert_eq!(record.last_index, LogIndex(number(&golden["last_index"])));
    record
}

pub fn compare_seal(golden: &Value, seal: &Seal) {
    let numbers = [
        ("height", seal.height.0),
        ("first_index", seal.first_index.0),
        ("entry_count", u64::from(seal.entry_count)),
        ("account_count", seal.account_count),
        ("payment_count", seal.payment_count),
        ("key_count", seal.key_count),
    ];
    let roots = [
        ("previous_seal", seal.previous_seal),
        ("block_root", seal.block_root),
        ("log_root", seal.log_root),
        ("accounts_root", seal.accounts_root),
        ("payments_root", seal.payments_root),
        ("keys_root", seal.keys_root),
        ("totals_hash", seal.totals_hash),
        ("params_hash", seal.params_hash),
    ];
    assert_eq!(golden.as_object().unwrap().len(), numbers.len() + roots.len());
    for (name, found) in numbers {
        assert_eq!(found, number::<u64>(&golden[name]), "{name}");
    }
    for (name, found) in roots {
        assert_eq!(found, hash(&golden[name]), "{name}");
    }
}

pub fn totals(golden: &Value) -> Totals {
    let rows = golden.as_object().unwrap().iter().map(|(currency, sums)| {
        let sums: Vec<i128> = list(sums).iter().map(number).collect();
        let [posted_debits, posted_credits, pending_debits, pending_credits] = sums.try_into().unwrap();
        let counters = Counters { posted_debits, posted_credits, pending_debits, pending_credits };
        (CurrencyCode::parse(currency).unwrap(), counters)
    });
    Totals(rows.collect())
}

pub fn params(golden: &Value) -> Params {
    expect_members(golden, &["ledger_id", "rules_version", "rules_index", "log_key", "closed_through"]);
    Params {
        ledger_id: hash(&golden["ledger_id"]),
        rules_version: number(&golden["rules_version"]),
        rules_index: LogIndex(number(&golden["rules_index"])),
        log_key: hash(&golden["log_key"]),
        closed_through: number(&golden["closed_through"]),
    }
}

pub fn compare_genesis(genesis: &Genesis, file: &Value) {
    let Some(golden) = file.get("genesis") else { return };
    let known = [
        "origin",
        "log_key",
        "operators",
        "operator_threshold",
        "currencies",
        "rules_version",
        "limits",
        "nonce",
    ];
    expect_members(golden, &known);
    assert_eq!(genesis.origin, golden["origin"]);
    assert_eq!(genesis.log_key, bytes(&golden["log_key"]));
    assert_eq!(genesis.operators.len(), list(&golden["operators"]).len());
    for (operator, golden) in genesis.operators.iter().zip(list(&golden["operators"])) {
        assert_eq!(
            (&operator.key, operator.party.as_str()),
            (&bytes(&golden["key"]), text(&golden["party"]))
        );
    }
    assert_eq!(genesis.operator_threshold, number::<u32>(&golden["operator_threshold"]));
    assert_eq!(genesis.currencies.len(), list(&golden["currencies"]).len());
    for (currency, golden) in genesis.currencies.iter().zip(list(&golden["currencies"])) {
        assert_eq!(
            (currency.code.as_str(), currency.exponent),
            (text(&golden["code"]), number(&golden["exponent"]))
        );
    }
    assert_eq!(genesis.rules_version, number::<u32>(&golden["rules_version"]));
    let limits = genesis.limits.as_ref().unwrap();
    assert_eq!(limits.group_members, number::<u32>(&golden["limits"]["group_members"]));
    assert_eq!(limits.batch_members, number::<u32>(&golden["limits"]["batch_members"]));
    assert_eq!(genesis.nonce, bytes(&golden["nonce"]));
    assert!(genesis.predecessor.is_empty());
}
