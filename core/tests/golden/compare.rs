//! What stands beside an entry, compared with what the rules made.

use std::collections::BTreeSet;
use std::fmt;

use ledger_core::apply::{Effects, MemberOutcome};
use ledger_core::code::Refusal;
use ledger_core::number::{Layer, Side};
use ledger_core::record::{AccountRecord, PaymentRecord};
use ledger_core::view::StateView;

use super::writer::Writer;
use super::{Json, bytes, number, text};

/// How many of each were compared.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Compared {
    pub entries: usize,
    pub seals: usize,
    pub outcomes: usize,
    pub details: usize,
    pub postings: usize,
    pub accounts: usize,
    pub payments: usize,
}

impl Compared {
    /// Everything that these entries hold.
    pub fn all_of(entries: &[Json]) -> Self {
        let mut all = Self { entries: entries.len(), ..Self::default() };
        for entry in entries {
            all.seals += usize::from(entry["kind"] == "seal");
            all.outcomes += usize::from(entry["outcome"].is_number());
            all.details += usize::from(entry["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
            all.postings += entry["postings"].as_array().map_or(0, Vec::len);
            all.accounts += entry["accounts_after"].as_object().map_or(0, serde_json::Map::len);
            all.payments += entry["payments_after"].as_object().map_or(0, serde_json::Map::len);
        }
        all
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, seals, outcomes, details, postings, accounts, payments } = self;
        write!(
            f,
            "{entries} entries ({seals} seals), {outcomes} outcomes, {details} details, {postings} postings, {accounts} \
             accounts and {payments} payments after an entry"
        )
    }
}

pub fn compare_entry(writer: &Writer, entry: &Json, made: &MemberOutcome, compared: &mut Compared) {
    let index = number(entry, "index");
    assert_eq!(i128::from(made.number()), number(entry, "outcome"), "entry {index}: {:?}", made.refusal);
    compared.outcomes += 1;
    match &made.refusal {
        None => assert_eq!(text(entry, "outcome_name"), "ACCEPTED", "entry {index}"),
        Some(refusal) => {
            let detail = text(entry, "detail");
            assert_eq!(text(entry, "outcome_name"), refusal.code.name(), "entry {index}");
            assert!(says(refusal, detail), "entry {index}: {refusal}, not {detail}");
            compared.details += usize::from(!detail.is_empty());
        }
    }
    compare_postings(writer, entry, &made.effects, compared);
    if let Some(accounts) = entry["accounts_after"].as_object() {
        compare_accounts(index, accounts, &made.effects, compared);
    }
    if let Some(payments) = entry["payments_after"].as_object() {
        compare_payments(index, payments, &made.effects, compared);
    }
}

/// Whether a refusal tells what the golden detail does: one text in field, value or limit, or "limit, value".
pub fn says(refusal: &Refusal, detail: &str) -> bool {
    let own = [&refusal.detail.field, &refusal.detail.value, &refusal.detail.limit];
    let told = |part: &str| own.iter().any(|text| *text == part || text.replace('-', "") == part);
    detail.is_empty() || told(detail) || detail.split(", ").all(told)
}

fn compare_postings(writer: &Writer, entry: &Json, effects: &Effects, compared: &mut Compared) {
    let index = number(entry, "index");
    let expected = entry["postings"].as_array().unwrap();
    assert_eq!(effects.postings.len(), expected.len(), "entry {index}");
    assert_eq!(effects.lines.len(), expected.len(), "entry {index}");
    for ((posting, line), expected) in effects.postings.iter().zip(&effects.lines).zip(expected) {
        let layer = if text(expected, "layer") == "posted" { Layer::Posted } else { Layer::Pending };
        let side = if text(expected, "side") == "debit" { Side::Debit } else { Side::Credit };
        assert_eq!((posting.layer, posting.side), (layer, side), "entry {index}");
        assert_eq!(posting.delta, number(expected, "delta"), "entry {index}");
        let account = writer.state.account(posting.account).unwrap();
        assert_eq!(account.id.as_str(), text(expected, "account"), "entry {index}");
        assert_eq!(line.posting, *posting, "entry {index}");
        compared.postings += 1;
    }
}

fn compare_accounts(
    index: i128,
    expected: &serde_json::Map<String, Json>,
    effects: &Effects,
    compared: &mut Compared,
) {
    let changed: BTreeSet<_> = effects.accounts.iter().map(|(_, record)| record.id.to_string()).collect();
    assert_eq!(changed, expected.keys().cloned().collect(), "entry {index}: accounts that changed");
    for (at, record) in &effects.accounts {
        let expected = &expected[record.id.as_str()];
        assert_eq!(i128::from(at.0), number(expected, "index"), "entry {index}: {}", record.id);
        assert_eq!(hex::encode(record.encode()), text(expected, "record"), "entry {index}: {}", record.id);
        assert_eq!(record.headroom(), headroom(expected), "entry {index}: {}", record.id);
        let AccountRecord { counters, line_count, .. } = record.as_ref();
        assert_eq!(counters.posted_debits, number(expected, "posted_debits"));
        assert_eq!(counters.posted_credits, number(expected, "posted_credits"));
        assert_eq!(counters.pending_debits, number(expected, "pending_debits"));
        assert_eq!(counters.pending_credits, number(expected, "pending_credits"));
        assert_eq!(i128::from(*line_count), number(expected, "line_count"));
        assert_eq!(record.statement_chain.to_vec(), bytes(expected, "statement_chain"));
        compared.accounts += 1;
    }
}

fn headroom(account: &Json) -> Option<i128> {
    (!account["headroom"].is_null()).then(|| number(account, "headroom"))
}

fn compare_payments(
    index: i128,
    expected: &serde_json::Map<String, Json>,
    effects: &Effects,
    compared: &mut Compared,
) {
    let changed: BTreeSet<_> = effects.payments.iter().map(|(_, record)| hex::encode(record.id.0)).collect();
    assert_eq!(changed, expected.keys().cloned().collect(), "entry {index}: payments that changed");
    for (at, record) in &effects.payments {
        let expected = &expected[&hex::encode(record.id.0)];
        assert_eq!(i128::from(at.0), number(expected, "index"), "entry {index}: {}", record.id);
        assert_eq!(hex::encode(record.encode()), text(expected, "record"), "entry {index}: {}", record.id);
        assert_eq!(record.status.name(), text(expected, "status_name"), "entry {index}: {}", record.id);
        assert_eq!(record.status, record.derived_status(), "entry {index}: {}", record.id);
        assert_eq!(record.hold(), number(expected, "hold"), "entry {index}: {}", record.id);
        let PaymentRecord { auth, capt, rel, sett, refd, disp, lost, .. } = **record;
        let names = ["auth", "capt", "rel", "sett", "refd", "disp", "lost"];
        for (name, value) in names.iter().zip([auth, capt, rel, sett, refd, disp, lost]) {
            assert_eq!(value, number(expected, name), "entry {index}: {} {name}", record.id);
        }
        compared.payments += 1;
    }
}
