//! Invariants of accounts, as differences of one entry.

use std::sync::Arc;

use super::{Broken, Entry};
use crate::ids::AccountIndex;
use crate::line::{Line, first_chain};
use crate::number::AccountStatus;
use crate::record::{AccountRecord, Counters};
use crate::view::StateView;

impl<V: StateView> Entry<'_, V> {
    pub(super) fn check_accounts(&self) -> Result<(), Broken> {
        for (index, after) in &self.executed.effects.accounts {
            let before = self.account_before(*index, after)?;
            self.check_identity(&before, after)?;
            self.check_counters(*index, &before, after)?;
            self.check_lines(*index, &before, after)?;
            self.check_headroom(*index, &before, after)?;
            self.check_closed(*index, &before, after)?;
        }
        let effects = self.executed.effects;
        self.equal("A5", || "lines of the entry".to_owned(), effects.postings.len(), effects.lines.len())
    }

    /// The record before the entry; of an account that it opens, an empty one.
    fn account_before(
        &self,
        index: AccountIndex,
        after: &AccountRecord,
    ) -> Result<Arc<AccountRecord>, Broken> {
        if index.0 < self.before.account_count() {
            return Ok(self.before.account(index)?);
        }
        Ok(Arc::new(AccountRecord {
            status: AccountStatus::Open,
            counters: Counters::default(),
            opened_index: self.executed.log_index,
            line_count: 0,
            statement_chain: first_chain(&after.id),
            ..after.clone()
        }))
    }

    /// One account has one name, kind and currency for good.
    fn check_identity(&self, before: &AccountRecord, after: &AccountRecord) -> Result<(), Broken> {
        let identity = |record: &AccountRecord| {
            (record.id, record.kind, record.currency, record.exponent, record.opened_index)
        };
        if identity(before) == identity(after) {
            return Ok(());
        }
        let (expected, found) = (format!("{:?}", identity(before)), format!("{:?}", identity(after)));
        self.violated("P5", format!("account {}", before.id), expected, found)
    }

    /// A3: posted counters never fall. A1: counters change by the postings. I2: none is negative.
    fn check_counters(
        &self,
        index: AccountIndex,
        before: &AccountRecord,
        after: &AccountRecord,
    ) -> Result<(), Broken> {
        let counters = |counters: &Counters| format!("{counters:?}");
        let subject = || format!("account {}", after.id);
        let (old, new) = (before.counters, after.counters);
        if new.posted_debits < old.posted_debits || new.posted_credits < old.posted_credits {
            return self.violated("A3", subject(), counters(&old), counters(&new));
        }
        let mut expected = old;
        for posting in self.executed.effects.postings.iter().filter(|posting| posting.account == index) {
            expected.post(*posting);
        }
        if expected != new {
            return self.violated("A1", subject(), counters(&expected), counters(&new));
        }
        let least = [new.posted_debits, new.posted_credits, new.pending_debits, new.pending_credits]
            .into_iter()
            .min();
        match least {
            Some(least) if least < 0 => self.violated("I2", subject(), "0 or more in every counter", least),
            _ => Ok(()),
        }
    }

    /// A5: one line per posting, numbered without a gap, each with the counters after it; the chain goes over them.
    fn check_lines(
        &self,
        index: AccountIndex,
        before: &AccountRecord,
        after: &AccountRecord,
    ) -> Result<(), Broken> {
        let subject = || format!("lines of account {}", after.id);
        let effects = self.executed.effects;
        let (event_id, payment_id) = self.names();
        let mut lines = effects.lines.iter().filter(|line| line.account == index);
        let (mut number, mut counters, mut chain) =
            (before.line_count, before.counters, before.statement_chain);
        for posting in effects.postings.iter().filter(|posting| posting.account == index) {
            number += 1;
            counters.post(*posting);
            let expected = Line {
                account: index,
                number,
                log_index: self.executed.log_index,
                recorded_at_nanos: self.executed.recorded_at_nanos,
                posting: *posting,
                event_id,
                payment_id,
                after: counters,
            };
            chain = expected.chained(&chain);
            let found = lines.next();
            if found != Some(&expected) {
                let found = found.map_or("none".to_owned(), |line| format!("{line:?}"));
                return self.violated("A5", subject(), format!("{expected:?}"), found);
            }
        }
        self.equal("A5", subject, number, after.line_count)?;
        self.equal("A5", subject, hex::encode(chain), hex::encode(after.statement_chain))
    }

    /// A2: only a mandatory event lowers headroom below 0, and that of the creditor alone.
    fn check_headroom(
        &self,
        index: AccountIndex,
        before: &AccountRecord,
        after: &AccountRecord,
    ) -> Result<(), Broken> {
        let (Some(old), Some(new)) = (before.headroom(), after.headroom()) else { return Ok(()) };
        if new >= 0 || new >= old {
            return Ok(());
        }
        let creditors = self.executed.effects.payments.iter().map(|(_, payment)| payment.creditor);
        if self.is_mandatory() && creditors.into_iter().any(|creditor| creditor == index) {
            return Ok(());
        }
        self.violated("A2", format!("headroom of account {}", after.id), "0 or more", new)
    }

    /// A6: a closed account is empty, and takes nothing.
    fn check_closed(
        &self,
        index: AccountIndex,
        before: &AccountRecord,
        after: &AccountRecord,
    ) -> Result<(), Broken> {
        let subject = || format!("closed account {}", after.id);
        let takes = self.executed.effects.postings.iter().any(|posting| posting.account == index);
        if before.status == AccountStatus::Closed && (takes || after.status != AccountStatus::Closed) {
            return self.violated("A6", subject(), "no change", format!("{:?}", after.counters));
        }
        if after.status == AccountStatus::Closed && !is_empty(&after.counters) {
            return self.violated("A6", subject(), "nothing in it", format!("{:?}", after.counters));
        }
        Ok(())
    }
}

/// Whether nothing is left, posted or held.
pub(super) fn is_empty(counters: &Counters) -> bool {
    counters.posted_debits == counters.posted_credits
        && counters.pending_debits == 0
        && counters.pending_credits == 0
}
