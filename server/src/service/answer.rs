//! From the engine's answers and records to messages.

use ledger_core::code::{Code, Detail};
use ledger_core::entry::{Content, Entry, EntrySignature};
use ledger_core::ids::{AccountIndex, BlockHeight, EventId, LogIndex, PaymentId, PaymentIndex};
use ledger_core::invariants::Violation;
use ledger_core::line::Line;
use ledger_core::number::AccountKind;
use ledger_core::record::{AccountRecord, Counters, PaymentRecord};
use ledger_engine::{AccountThen, Answer, BlockRead, EventAnswer, TrialRow};
use ledger_proto::v1 as message;
use ledger_proto::v1::submit_result;

/// Name of outcome 0.
const ACCEPTED: &str = "ACCEPTED";

/// What became of one event.
pub fn result(answered: EventAnswer) -> message::SubmitResult {
    let event_id = answered.event_id.map(|id| id.0.to_vec()).unwrap_or_default();
    let answer = match answered.answer {
        Answer::Recorded { log_index, recorded_at_nanos, outcome, already_exists, detail: found } => {
            submit_result::Answer::Recorded(message::Recorded {
                log_index: log_index.0,
                recorded_at_nanos,
                outcome: outcome.into(),
                outcome_name: outcome_name(outcome).to_owned(),
                already_exists,
                detail: (found != Detail::default()).then(|| detail(found)),
            })
        }
        Answer::Rejected(refusal) => submit_result::Answer::Rejected(message::Rejected {
            code: refusal.code.number().into(),
            name: refusal.code.name().to_owned(),
            detail: Some(detail(refusal.detail)),
        }),
    };
    message::SubmitResult { event_id, answer: Some(answer) }
}

/// An entry of the log, `bytes` being its encoding.
pub fn entry(index: LogIndex, bytes: Vec<u8>, entry: Entry) -> message::LogEntry {
    let mut said = message::LogEntry {
        log_index: index.0,
        entry: bytes,
        recorded_at_nanos: entry.recorded_at_nanos,
        outcome: entry.outcome.into(),
        outcome_name: outcome_name(entry.outcome).to_owned(),
        group_len: entry.group_len.into(),
        group_index: entry.group_index.into(),
        ..Default::default()
    };
    let kind = match entry.content {
        Content::Genesis { payload } => {
            said.payload = payload;
            message::EntryKind::Genesis
        }
        Content::Event { signatures: signed, payload_type, payload } => {
            said.signatures = signatures(signed);
            said.payload_type = payload_type;
            said.payload = payload;
            message::EntryKind::Event
        }
        Content::Seal(_) => message::EntryKind::Seal,
        Content::Expiry { payment_id } => {
            said.payment_id = payment_id.0.to_vec();
            message::EntryKind::Expiry
        }
        Content::BatchHeader { signatures: signed, payload } => {
            said.signatures = signatures(signed);
            said.payload_type = ledger_core::batch::BATCH_TYPE.to_owned();
            said.payload = payload;
            message::EntryKind::BatchHeader
        }
        Content::BatchedEvent { position, payload_type, payload } => {
            let header_log_index = index.0.saturating_sub(u64::from(position) + 1);
            said.batch = Some(message::BatchPlace { header_log_index, position });
            said.payload_type = payload_type;
            said.payload = payload;
            message::EntryKind::BatchedEvent
        }
    };
    said.set_kind(kind);
    said
}

/// An account with its balance now.
pub fn account(index: AccountIndex, record: &AccountRecord) -> message::Account {
    message::Account {
        account: record.id.to_string(),
        index: index.0,
        kind: record.kind.number().into(),
        status: record.status.number().into(),
        currency: record.currency.to_string(),
        exponent: record.exponent.into(),
        limit: record.limit,
        balance: Some(balance(record)),
        opened_log_index: record.opened_index.0,
        line_count: record.line_count,
        statement_chain: record.statement_chain.to_vec(),
    }
}

/// An account at an earlier moment; everything is zero before it was opened.
pub fn account_then(at: LogIndex, then: Option<AccountThen>) -> message::AccountAsOf {
    let Some(then) = then else {
        let zero = || "0".to_owned();
        let counters = Some(counters(&Counters::default()));
        let balance = Some(message::Balance { counters, posted: zero(), pending: zero(), available: zero() });
        return message::AccountAsOf { log_index: at.0, balance, ..message::AccountAsOf::default() };
    };
    message::AccountAsOf {
        log_index: at.0,
        status: then.status.number().into(),
        limit: then.limit,
        balance: Some(message::Balance {
            counters: Some(counters(&then.counters)),
            posted: then.posted.to_string(),
            pending: then.pending.to_string(),
            available: then.available.to_string(),
        }),
        line_count: then.line_count,
    }
}

/// The counters of an account and what they come to.
pub fn balance(record: &AccountRecord) -> message::Balance {
    message::Balance {
        counters: Some(counters(&record.counters)),
        posted: record.posted().to_string(),
        pending: record.pending().to_string(),
        available: record.available().to_string(),
    }
}

/// A row of the trial balance.
pub fn trial_row(row: &TrialRow) -> message::TrialBalanceRow {
    message::TrialBalanceRow {
        currency: row.currency.to_string(),
        exponent: row.exponent.into(),
        kind: row.kind.number().into(),
        account_count: row.accounts,
        counters: Some(counters(&row.counters)),
    }
}

/// An invariant that does not hold.
pub fn violation(found: Violation) -> message::Violation {
    message::Violation {
        invariant: found.invariant.to_owned(),
        log_index: found.log_index.0,
        subject: found.subject,
        expected: found.expected,
        found: found.found,
    }
}

/// The four counters.
pub fn counters(counters: &Counters) -> message::Counters {
    message::Counters {
        posted_debits: counters.posted_debits.to_string(),
        posted_credits: counters.posted_credits.to_string(),
        pending_debits: counters.pending_debits.to_string(),
        pending_credits: counters.pending_credits.to_string(),
    }
}

/// Counters as a statement shows them.
pub fn statement_balance(kind: AccountKind, now: &Counters) -> message::StatementBalance {
    message::StatementBalance {
        counters: Some(counters(now)),
        posted: now.posted(kind).to_string(),
        pending: now.pending(kind).to_string(),
    }
}

/// A statement line.
pub fn line(line: &Line) -> message::AccountLine {
    message::AccountLine {
        number: line.number,
        log_index: line.log_index.0,
        recorded_at_nanos: line.recorded_at_nanos,
        layer: line.posting.layer.number().into(),
        side: line.posting.side.number().into(),
        delta: line.posting.delta.to_string(),
        event_id: present_event(&line.event_id),
        payment_id: present_payment(&line.payment_id),
        after: Some(counters(&line.after)),
    }
}

/// Names of the accounts of a payment and the decimals of its currency, which its record does not hold.
pub struct PaymentContext {
    /// Who pays.
    pub debtor: String,
    /// Who is paid.
    pub creditor: String,
    /// Clearing account, or empty.
    pub clearing_account: String,
    /// Decimals of the currency.
    pub exponent: u8,
}

/// A payment.
pub fn payment(index: PaymentIndex, record: &PaymentRecord, context: PaymentContext) -> message::Payment {
    message::Payment {
        payment_id: record.id.0.to_vec(),
        index: index.0,
        status: record.status.number().into(),
        capture_mode: record.capture_mode.number().into(),
        route: record.route.number().into(),
        last_release: record.last_release.map_or(0, |cause| cause.number().into()),
        debtor: context.debtor,
        creditor: context.creditor,
        clearing_account: context.clearing_account,
        currency: record.currency.to_string(),
        exponent: context.exponent.into(),
        amount: record.amount,
        authorized: record.auth.to_string(),
        captured: record.capt.to_string(),
        released: record.rel.to_string(),
        settled: record.sett.to_string(),
        refunded: record.refd.to_string(),
        disputed: record.disp.to_string(),
        lost: record.lost.to_string(),
        held: record.hold().to_string(),
        expires_at_nanos: record.expires_at_nanos,
        head_event_id: present_event(&record.head),
        event_count: record.event_count,
        last_log_index: record.last_index.0,
    }
}

/// A block.
pub fn block(height: BlockHeight, read: &BlockRead) -> message::Block {
    let seal = &read.seal;
    message::Block {
        height: height.0,
        seal_log_index: read.log_index.0,
        sealed_at_nanos: read.recorded_at_nanos,
        first_log_index: seal.first_index.0,
        entry_count: seal.entry_count,
        previous_seal: seal.previous_seal.to_vec(),
        block_root: seal.block_root.to_vec(),
        log_root: seal.log_root.to_vec(),
        account_count: seal.account_count,
        accounts_root: seal.accounts_root.to_vec(),
        payment_count: seal.payment_count,
        payments_root: seal.payments_root.to_vec(),
        key_count: seal.key_count,
        keys_root: seal.keys_root.to_vec(),
        totals_hash: seal.totals_hash.to_vec(),
        params_hash: seal.params_hash.to_vec(),
    }
}

fn outcome_name(outcome: u16) -> &'static str {
    match outcome {
        0 => ACCEPTED,
        _ => Code::from_number(outcome).map_or("UNKNOWN", Code::name),
    }
}

fn detail(detail: Detail) -> message::Detail {
    message::Detail { field: detail.field, value: detail.value, limit: detail.limit }
}

fn signatures(signed: Vec<EntrySignature>) -> Vec<message::Signature> {
    let one =
        |one: EntrySignature| message::Signature { key: one.key.to_vec(), signature: one.signature.to_vec() };
    signed.into_iter().map(one).collect()
}

fn present_event(id: &EventId) -> Vec<u8> {
    if id.is_nil() { Vec::new() } else { id.0.to_vec() }
}

fn present_payment(id: &PaymentId) -> Vec<u8> {
    if id.is_nil() { Vec::new() } else { id.0.to_vec() }
}
