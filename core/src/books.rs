//! The books hash: compares two runs of the same events whose times and log indices differ.

use std::borrow::Borrow;

use ledger_crypto::Hash;

use crate::record::{AccountRecord, PaymentRecord};

/// `H("ledger/v1/books" ‖ accounts ‖ payments)` in the order of the ids, whatever the order given.
pub fn books_hash(
    accounts: impl IntoIterator<Item = impl Borrow<AccountRecord>>,
    payments: impl IntoIterator<Item = impl Borrow<PaymentRecord>>,
) -> Hash {
    todo!("core bytes")
}
