//! Messages of the service and signed events as tables and as JSON.

mod event;

pub use event::event_facts;

use comfy_table::Table;
use ledger_client::messages as v1;
use ledger_client::{Answer, EventAnswer};
use ledger_core::code::Detail;
use ledger_core::number::{
    AccountKind, AccountStatus, CaptureMode, Layer, PaymentStatus, ReleaseCause, Route, Side,
};
use serde_json::{Map, Value, json};

use crate::output::{facts, table};
use crate::text;

/// Names and values of one thing, in the order of showing.
pub type Facts = Vec<(&'static str, String)>;

/// The same as a JSON object; all values are strings.
pub fn object(facts: &Facts) -> Value {
    let members = facts.iter().map(|(name, value)| (name.replace(' ', "_"), Value::from(value.as_str())));
    Value::Object(members.collect::<Map<_, _>>())
}

/// The same as a table.
pub fn facts_table(rows: &Facts) -> Table {
    facts(rows.iter().cloned())
}

/// Several things of one kind as a table with a header.
pub fn list_table(rows: &[Facts], columns: &[&'static str], right: &[&str]) -> Table {
    let cell = |row: &Facts, column| {
        row.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    table(columns, right, rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect()))
}

/// An account.
pub fn account(account: &v1::Account, balance: &v1::Balance) -> Facts {
    let amount = |minor: &str| text::decimal_amount(minor, account.exponent, &account.currency);
    let counters = balance.counters.clone().unwrap_or_default();
    vec![
        ("account", account.account.clone()),
        ("kind", name(account.kind, AccountKind::from_number, AccountKind::name)),
        ("status", name(account.status, AccountStatus::from_number, AccountStatus::name)),
        ("currency", account.currency.clone()),
        ("posted", amount(&balance.posted)),
        ("pending", amount(&balance.pending)),
        ("available", amount(&balance.available)),
        ("limit", text::amount(i128::from(account.limit), account.exponent, &account.currency)),
        ("posted debits", amount(&counters.posted_debits)),
        ("posted credits", amount(&counters.posted_credits)),
        ("pending debits", amount(&counters.pending_debits)),
        ("pending credits", amount(&counters.pending_credits)),
        ("index", account.index.to_string()),
        ("opened at", account.opened_log_index.to_string()),
        ("lines", account.line_count.to_string()),
        ("statement chain", hex::encode(&account.statement_chain)),
    ]
}

/// A statement line of an account in a currency.
pub fn line(line: &v1::AccountLine, exponent: u32, currency: &str) -> Facts {
    let amount = |minor: &str| text::decimal_amount(minor, exponent, currency);
    let after = line.after.clone().unwrap_or_default();
    vec![
        ("line", line.number.to_string()),
        ("log index", line.log_index.to_string()),
        ("recorded at", text::time(line.recorded_at_nanos)),
        ("layer", name(line.layer, Layer::from_number, Layer::name)),
        ("side", name(line.side, Side::from_number, Side::name)),
        ("amount", amount(&line.delta)),
        ("posted debits", amount(&after.posted_debits)),
        ("posted credits", amount(&after.posted_credits)),
        ("pending debits", amount(&after.pending_debits)),
        ("pending credits", amount(&after.pending_credits)),
        ("event id", text::uuid(&line.event_id)),
        ("payment id", text::uuid(&line.payment_id)),
    ]
}

/// A payment.
pub fn payment(payment: &v1::Payment) -> Facts {
    let amount = |minor: &str| text::decimal_amount(minor, payment.exponent, &payment.currency);
    let expires = match payment.expires_at_nanos {
        0 => String::new(),
        nanos => text::time(nanos),
    };
    vec![
        ("payment id", text::uuid(&payment.payment_id)),
        ("status", name(payment.status, PaymentStatus::from_number, PaymentStatus::name)),
        ("amount", text::amount(i128::from(payment.amount), payment.exponent, &payment.currency)),
        ("debtor", payment.debtor.clone()),
        ("creditor", payment.creditor.clone()),
        ("clearing account", payment.clearing_account.clone()),
        ("route", name(payment.route, Route::from_number, Route::name)),
        ("capture mode", name(payment.capture_mode, CaptureMode::from_number, CaptureMode::name)),
        ("last release", name(payment.last_release, ReleaseCause::from_number, ReleaseCause::name)),
        ("authorized", amount(&payment.authorized)),
        ("captured", amount(&payment.captured)),
        ("released", amount(&payment.released)),
        ("settled", amount(&payment.settled)),
        ("refunded", amount(&payment.refunded)),
        ("disputed", amount(&payment.disputed)),
        ("lost", amount(&payment.lost)),
        ("held", amount(&payment.held)),
        ("expires at", expires),
        ("head event id", text::uuid(&payment.head_event_id)),
        ("events", payment.event_count.to_string()),
        ("index", payment.index.to_string()),
        ("last log index", payment.last_log_index.to_string()),
    ]
}

/// A block.
pub fn block(block: &v1::Block) -> Facts {
    vec![
        ("height", block.height.to_string()),
        ("first log index", block.first_log_index.to_string()),
        ("entries", block.entry_count.to_string()),
        ("seal log index", block.seal_log_index.to_string()),
        ("sealed at", text::time(block.sealed_at_nanos)),
        ("previous seal", hex::encode(&block.previous_seal)),
        ("block root", hex::encode(&block.block_root)),
        ("log root", hex::encode(&block.log_root)),
        ("accounts", block.account_count.to_string()),
        ("accounts root", hex::encode(&block.accounts_root)),
        ("payments", block.payment_count.to_string()),
        ("payments root", hex::encode(&block.payments_root)),
        ("keys", block.key_count.to_string()),
        ("keys root", hex::encode(&block.keys_root)),
        ("totals hash", hex::encode(&block.totals_hash)),
        ("params hash", hex::encode(&block.params_hash)),
    ]
}

/// Sums of a currency, over all accounts or over those of one kind.
pub fn sums(currency: &str, exponent: u32, kind: &str, counters: &v1::Counters) -> Facts {
    let amount = |minor: &str| text::decimal_amount(minor, exponent, currency);
    vec![
        ("currency", currency.to_owned()),
        ("kind", kind.to_owned()),
        ("posted debits", amount(&counters.posted_debits)),
        ("posted credits", amount(&counters.posted_credits)),
        ("pending debits", amount(&counters.pending_debits)),
        ("pending credits", amount(&counters.pending_credits)),
    ]
}

/// The answer to a submitted event.
pub fn answer(answer: &EventAnswer) -> Facts {
    let mut facts = vec![
        ("event id", answer.event_id.map(|id| id.to_string()).unwrap_or_default()),
        ("answer", answer.verdict().to_string()),
    ];
    match &answer.answer {
        Answer::Recorded(recorded) => {
            facts.push(("log index", recorded.log_index.to_string()));
            facts.push(("recorded at", text::time(recorded.recorded_at_nanos)));
            push_detail(&mut facts, &recorded.detail);
        }
        Answer::Rejected { detail, .. } => push_detail(&mut facts, detail),
    }
    if let Some(code) = answer.verdict().code() {
        facts.insert(2, ("code", code.number().to_string()));
    }
    facts
}

/// Several things of one kind as a JSON document, with the log size that the last page was read at.
pub fn document(name: &'static str, rows: &[Facts], read_at: Option<u64>) -> Value {
    let rows: Vec<Value> = rows.iter().map(object).collect();
    let mut document = json!({ name: rows });
    if let Some(read_at) = read_at {
        document["read_at"] = Value::from(read_at.to_string());
    }
    document
}

/// The name behind a number of the service; the number where this program does not know it, nothing for 0.
pub fn name<T>(number: i32, value: impl Fn(u32) -> Option<T>, name: impl Fn(T) -> &'static str) -> String {
    match u32::try_from(number).ok().and_then(value) {
        Some(value) => name(value).to_owned(),
        None if number == 0 => String::new(),
        None => number.to_string(),
    }
}

fn push_detail(facts: &mut Facts, detail: &Detail) {
    for (name, text) in [("field", &detail.field), ("value", &detail.value), ("limit", &detail.limit)] {
        if !text.is_empty() {
            facts.push((name, text.clone()));
        }
    }
}
