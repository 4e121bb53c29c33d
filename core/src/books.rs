//! The books hash: compares two runs of the same events whose times and log indices differ.

use std::borrow::Borrow;

use ledger_crypto::{Hash, Hasher, domain};

use crate::record::{AccountRecord, PaymentRecord};

/// `H("ledger/v1/books" ‖ account count ‖ accounts ‖ payment count ‖ payments)`: of each account its id, currency and
/// counters, of each payment its id, status and counters, in the order of the ids, whatever the order given.
pub fn books_hash<A: Borrow<AccountRecord>, P: Borrow<PaymentRecord>>(
    accounts: impl IntoIterator<Item = A>,
    payments: impl IntoIterator<Item = P>,
) -> Hash {
    let mut accounts: Vec<A> = accounts.into_iter().collect();
    accounts.sort_unstable_by_key(|account| account.borrow().id);
    let mut payments: Vec<P> = payments.into_iter().collect();
    payments.sort_unstable_by_key(|payment| payment.borrow().id);

    let mut hasher = Hasher::tagged(domain::BOOKS);
    hasher.update(&(accounts.len() as u64).to_be_bytes());
    for account in accounts.iter().map(Borrow::borrow) {
        let id = account.id.as_str().as_bytes();
        hasher.update(&[id.len() as u8]).update(id);
        hasher.update(account.currency.as_bytes()).update(&account.counters.to_bytes());
    }
    hasher.update(&(payments.len() as u64).to_be_bytes());
    for p in payments.iter().map(Borrow::borrow) {
        hasher.update(&p.id.0).update(&[p.status.number()]);
        for counter in [p.auth, p.capt, p.rel, p.sett, p.refd, p.disp, p.lost] {
            hasher.update(&counter.to_be_bytes());
        }
    }
    hasher.finish()
}
