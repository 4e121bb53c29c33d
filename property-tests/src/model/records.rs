//! The model's state as the published records, for comparison.

use std::collections::BTreeMap;

use ledger_core::books::books_hash;
use ledger_core::ids::{AccountIndex, CurrencyCode, LogIndex};
use ledger_core::number::{KeyStatus, Route};
use ledger_core::record::{AccountRecord, Counters, KeyRecord, PaymentRecord};
use ledger_crypto::Hash;

use super::account::Account;
use super::books::{Books, Key};
use super::payment::Payment;

impl Account {
    /// The leaf of the accounts tree.
    pub fn record(&self) -> AccountRecord {
        AccountRecord {
            status: self.status,
            kind: self.kind,
            exponent: self.exponent,
            currency: self.currency,
            id: self.id,
            limit: self.limit,
            counters: counters(self),
            opened_index: LogIndex(self.opened_index),
            line_count: self.line_count,
            statement_chain: self.chain,
        }
    }
}

impl Payment {
    /// The leaf of the payments tree.
    pub fn record(&self) -> PaymentRecord {
        let route = if self.clearing.is_some() { Route::Clearing } else { Route::Direct };
        PaymentRecord {
            status: self.state(),
            capture_mode: self.mode,
            route,
            last_release: self.last_release,
            id: self.id,
            debtor: AccountIndex(self.debtor as u64),
            creditor: AccountIndex(self.creditor as u64),
            clearing: self.clearing.map(|clearing| AccountIndex(clearing as u64)),
            currency: self.currency,
            amount: self.instructed,
            auth: self.auth,
            capt: self.capt,
            rel: self.rel,
            sett: self.sett,
            refd: self.refd,
            disp: self.disp,
            lost: self.lost,
            expires_at_nanos: self.expires_at,
            head: self.head,
            event_count: self.event_count,
            last_index: LogIndex(self.last_index),
        }
    }
}

impl Key {
    /// The leaf of the keys tree.
    pub fn record(&self) -> KeyRecord {
        let status = if self.revoked_index.is_some() { KeyStatus::Revoked } else { KeyStatus::Active };
        KeyRecord {
            status,
            roles: self.roles,
            key: self.key,
            registered_index: LogIndex(self.registered_index),
            revoked_index: self.revoked_index.map(LogIndex),
            party: self.party.as_ref().into(),
            prefix: self.prefix.as_ref().into(),
        }
    }
}

impl Books {
    /// Sums of the counters per currency with an account.
    pub fn totals(&self) -> BTreeMap<CurrencyCode, Counters> {
        let mut totals: BTreeMap<CurrencyCode, Counters> = BTreeMap::new();
        for account in &self.accounts {
            let row = totals.entry(account.currency).or_default();
            row.posted_debits += account.posted_dr;
            row.posted_credits += account.posted_cr;
            row.pending_debits += account.pending_dr;
            row.pending_credits += account.pending_cr;
        }
        totals
    }

    /// The books hash.
    pub fn hash(&self) -> Hash {
        let accounts = self.accounts.iter().map(|account| account.record());
        books_hash(accounts, self.payments.iter().map(|payment| payment.record()))
    }
}

pub(super) fn counters(account: &Account) -> Counters {
    Counters {
        posted_debits: account.posted_dr,
        posted_credits: account.posted_cr,
        pending_debits: account.pending_dr,
        pending_credits: account.pending_cr,
    }
}
