//! Reading payments: their entries, and lists of them.

use std::sync::Arc;

use ledger_core::ids::{AccountIndex, LogIndex, PaymentId, PaymentIndex};
use ledger_core::number::PaymentStatus;
use ledger_core::record::PaymentRecord;
use ledger_core::view::StateView as _;

use crate::log_read::ReadError;
use crate::rows::index;
use crate::slice::{Found, MAX_LOOKED_AT, Slice};
use crate::view::View;

/// Which payments a list has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PaymentFilter {
    /// Those that name this account as debtor, creditor or clearing account.
    pub account: Option<AccountIndex>,
    /// Those of this status now.
    pub status: Option<PaymentStatus>,
}

impl View {
    /// Entries of a payment, refused ones and expiries included; positions are log indices.
    pub fn payment_entries(&self, id: &PaymentId, slice: Slice) -> Result<Vec<LogIndex>, ReadError> {
        let read = |key: &[u8], _: &[u8]| index::payment_entry_of_key(key, id).map(Ok);
        let from = index::payment_entry_key(id, LogIndex(slice.begin(0, u64::MAX)));
        Ok(self.tail().rows(&from, slice.direction, slice.limit, read)?)
    }

    /// Payments in order of initiation; positions are payment indices. Reads the record of each payment that it looks
    /// at, of 10,000 at most: the status is not indexed, since it changes and index rows never do.
    pub fn payments(
        &self,
        filter: PaymentFilter,
        slice: Slice,
    ) -> Result<Found<(PaymentIndex, Arc<PaymentRecord>)>, ReadError> {
        // One more than is looked at: where to go on.
        let candidates: Vec<u64> = match filter.account {
            // Without a status every one that is looked at is wanted.
            Some(account) => {
                let wanted =
                    if filter.status.is_some() { MAX_LOOKED_AT } else { slice.limit.min(MAX_LOOKED_AT) };
                self.payments_of(account, Slice { limit: wanted + 1, ..slice })?
            }
            None => slice.positions(0, self.payment_count()).take(MAX_LOOKED_AT + 1).collect(),
        };
        let mut found = Found { elements: Vec::new(), next: None };
        for (looked_at, index) in candidates.into_iter().map(PaymentIndex).enumerate() {
            if looked_at == MAX_LOOKED_AT || found.elements.len() == slice.limit {
                found.next = Some(index.0);
                break;
            }
            let record = self.tail().payment(index)?;
            if filter.status.is_none_or(|status| record.status == status) {
                found.elements.push((index, record));
            }
        }
        Ok(found)
    }

    fn payments_of(&self, account: AccountIndex, slice: Slice) -> Result<Vec<u64>, ReadError> {
        let read = |key: &[u8], _: &[u8]| index::payment_of_key(key, account).map(|index| Ok(index.0));
        let from = index::account_payment_key(account, PaymentIndex(slice.begin(0, u64::MAX)));
        Ok(self.tail().rows(&from, slice.direction, slice.limit, read)?)
    }
}
