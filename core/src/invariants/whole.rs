//! The same over everything at once: sums over all accounts and all payments.

use std::collections::BTreeMap;

use super::accounts::is_empty;
use super::payments::{counterparty, disorder};
use super::{Broken, violation};
use crate::ids::{AccountIndex, CurrencyCode, LogIndex};
use crate::number::{AccountKind, AccountStatus};
use crate::record::Counters;
use crate::state::MemoryState;
use crate::view::State as _;

/// Holds on an account: as debtor, and as the counterparty of one.
type Holds = BTreeMap<AccountIndex, (i128, i128)>;

/// G1, A4, A6, P1, P4, G3. O(accounts + payments).
pub(super) fn check(
    state: &MemoryState,
    dispute_transfers: &BTreeMap<CurrencyCode, i128>,
    at: LogIndex,
) -> Result<(), Broken> {
    check_totals(state, at)?;
    let mut holds = Holds::new();
    let mut disputed = dispute_transfers.clone();
    for payment in state.payments() {
        if let Some((invariant, expected, found)) = disorder(payment) {
            return Err(violation(invariant, at, format!("payment {}", payment.id), expected, found));
        }
        *disputed.entry(payment.currency).or_default() += payment.disp;
        if payment.hold() > 0 {
            holds.entry(payment.debtor).or_default().0 += payment.hold();
            if let Some(counterparty) = counterparty(state, payment)? {
                holds.entry(counterparty).or_default().1 += payment.hold();
            }
        }
    }
    check_accounts(state, &holds, &disputed, at)
}

/// G1: over all accounts debits equal credits on each layer, and are the totals that are kept.
fn check_totals(state: &MemoryState, at: LogIndex) -> Result<(), Broken> {
    let mut sums = BTreeMap::<CurrencyCode, Counters>::new();
    for account in state.accounts() {
        *sums.entry(account.currency).or_default() += account.counters;
    }
    for (currency, sum) in &sums {
        let subject = || format!("all accounts in {currency}");
        if sum.posted_debits != sum.posted_credits {
            return Err(violation("G1", at, subject(), sum.posted_debits, sum.posted_credits));
        }
        if sum.pending_debits != sum.pending_credits {
            return Err(violation("G1", at, subject(), sum.pending_debits, sum.pending_credits));
        }
    }
    if sums != state.totals().0 {
        let (expected, found) = (format!("{sums:?}"), format!("{:?}", state.totals().0));
        return Err(violation("G1", at, "totals".to_owned(), expected, found));
    }
    Ok(())
}

fn check_accounts(
    state: &MemoryState,
    holds: &Holds,
    disputed: &BTreeMap<CurrencyCode, i128>,
    at: LogIndex,
) -> Result<(), Broken> {
    for (index, account) in (0..).map(AccountIndex).zip(state.accounts()) {
        let subject = || format!("account {}", account.id);
        let held = holds.get(&index).copied().unwrap_or_default();
        let pending = (account.counters.pending_debits, account.counters.pending_credits);
        if held != pending {
            return Err(violation("A4", at, subject(), format!("{held:?} held"), format!("{pending:?}")));
        }
        if account.status == AccountStatus::Closed && !is_empty(&account.counters) {
            return Err(violation("A6", at, subject(), "nothing in it", format!("{:?}", account.counters)));
        }
        if account.kind == AccountKind::Dispute {
            let expected = disputed.get(&account.currency).copied().unwrap_or(0);
            if account.posted() != expected {
                return Err(violation("G3", at, subject(), expected, account.posted()));
            }
        }
    }
    Ok(())
}
