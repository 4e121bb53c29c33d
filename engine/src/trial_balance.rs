//! Sums of all accounts per currency and kind.

use std::collections::BTreeMap;

use ledger_core::ids::{AccountIndex, CurrencyCode, LogIndex};
use ledger_core::number::AccountKind;
use ledger_core::record::Counters;
use ledger_core::view::StateView as _;

use crate::log_read::ReadError;
use crate::view::View;

/// A row of the trial balance: the accounts of one currency and kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrialRow {
    /// Currency.
    pub currency: CurrencyCode,
    /// Its decimals.
    pub exponent: u8,
    /// Kind.
    pub kind: AccountKind,
    /// How many accounts.
    pub accounts: u64,
    /// Sums of their counters.
    pub counters: Counters,
}

impl View {
    /// Sums per currency and account kind, sorted; now, or after an entry. Reads every account; for an earlier moment
    /// O(log lines) lines of each as well.
    pub fn trial_balance(&self, at: Option<LogIndex>) -> Result<Vec<TrialRow>, ReadError> {
        let mut rows = BTreeMap::new();
        for index in (0..self.account_count()).map(AccountIndex) {
            let account = self.tail().account(index)?;
            let counters = match at {
                None => account.counters,
                // Accounts stand in the order of their opening.
                Some(at) if account.opened_index > at => break,
                Some(at) => self.account_then(index, at)?.map(|then| then.counters).unwrap_or_default(),
            };
            let key = (account.currency, account.kind);
            let row = rows.entry(key).or_insert(TrialRow {
                currency: account.currency,
                exponent: account.exponent,
                kind: account.kind,
                accounts: 0,
                counters: Counters::default(),
            });
            row.accounts += 1;
            row.counters += counters;
        }
        Ok(rows.into_values().collect())
    }
}
