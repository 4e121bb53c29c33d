//! The index rows of one entry: a pure function of what it did, so that a store can be checked by making them again.

use ledger_core::apply::{ExecutedEntry, Subject};
use ledger_core::date::utc_date;
use ledger_core::ids::{AccountIndex, EventId, PaymentId};
use ledger_core::number::AccountKind;
use ledger_core::record::AccountRecord;
use ledger_core::view::KnownEvent;
use ledger_crypto::KeyBytes;

use super::index::{self, Key};

/// What there was before the entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    /// Number of accounts: one with a higher index is new.
    pub(crate) accounts: u64,
    /// Number of payments.
    pub(crate) payments: u64,
    /// The log key in force.
    pub(crate) log_key: KeyBytes,
}

/// Tells `put` every index row of an entry. A refused event has rows too: its id is taken.
pub(crate) fn rows_of(executed: &ExecutedEntry<'_>, before: Before, mut put: impl FnMut(Key, &[u8])) {
    let effects = executed.effects;
    for (account_index, account) in &effects.accounts {
        if account_index.0 >= before.accounts
            && matches!(account.kind, AccountKind::Fx | AccountKind::Dispute)
        {
            put(index::special_key(account.kind, account.currency), &index::index_value(account_index.0));
        }
        if effects.lines.iter().all(|line| line.account != *account_index) {
            put_standing(*account_index, account, executed, &mut put);
        }
    }
    for (payment_index, payment) in &effects.payments {
        if payment_index.0 >= before.payments {
            put(index::payment_key(&payment.id), &index::index_value(payment_index.0));
            for account in
                [Some(payment.debtor), Some(payment.creditor), payment.clearing].into_iter().flatten()
            {
                put(index::account_payment_key(account, *payment_index), &[]);
            }
        }
    }
    let effective_date = effective_date(executed);
    for line in &effects.lines {
        put(index::line_key(line.account, line.number), &index::line_value(line, effective_date));
    }
    if let Some((party, reference, referenced)) = &effects.external_reference {
        let key = index::reference_key(party, reference).expect("both have at most 35 bytes");
        put(key, &index::reference_value(*referenced));
    }
    if let Some(target) = &effects.reversed {
        put(index::reversed_key(target), &index::index_value(executed.log_index.0));
    }
    if let Some(params) = effects.params.as_ref().filter(|params| params.log_key != before.log_key) {
        let value = index::log_key_value(executed.log_index, executed.recorded_at_nanos);
        put(index::log_key_key(&params.log_key), &value);
    }
    put_entry(executed, &mut put);
}

/// An account that changed without a line: it was opened, or its status or limit was set.
fn put_standing(
    index: AccountIndex,
    account: &AccountRecord,
    executed: &ExecutedEntry<'_>,
    put: &mut impl FnMut(Key, &[u8]),
) {
    let standing = index::Standing { status: account.status, limit: account.limit };
    put(index::standing_key(index, executed.log_index), &index::standing_value(standing));
}

/// Where the event stands, and the entry among those of its payment.
fn put_entry(executed: &ExecutedEntry<'_>, put: &mut impl FnMut(Key, &[u8])) {
    let payment_id = match executed.subject {
        Subject::Event { event, .. } => event.payment_id.as_slice().try_into().ok().map(PaymentId),
        Subject::Expiry { payment_id } => Some(payment_id),
        Subject::Batch { .. } => None,
    };
    if let Some(id) = payment_id {
        put(index::payment_entry_key(&id, executed.log_index), &[]);
    }
    if let Subject::Batch { batch_id } = executed.subject {
        put(index::batch_key(&batch_id), &index::index_value(executed.log_index.0));
    }
    if let Subject::Event { event, digest } = executed.subject {
        let known = KnownEvent {
            log_index: executed.log_index,
            recorded_at_nanos: executed.recorded_at_nanos,
            outcome: executed.outcome,
            digest,
        };
        let id = event.event_id.as_slice().try_into().expect("admission checked the event id");
        put(index::event_key(&EventId(id)), &index::event_value(&known));
    }
}

/// The date that the event says, else the UTC date of its unit; an expiry is a unit of its own in this.
fn effective_date(executed: &ExecutedEntry<'_>) -> u32 {
    match executed.subject {
        Subject::Event { event, .. } if event.effective_date != 0 => event.effective_date,
        Subject::Event { .. } | Subject::Expiry { .. } | Subject::Batch { .. } => utc_date(executed.t_nanos),
    }
}
