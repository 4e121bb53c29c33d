//! The invariants of a ledger, judged after every entry: counters are folded again from the statement lines alone, and
//! sums over all accounts and payments are kept running, so that what breaks is found where it breaks.

mod payments;

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::event::Body;
use ledger_core::ids::CurrencyCode;
use ledger_core::line::{Line, first_chain};
use ledger_core::number::{AccountKind, AccountStatus, Layer, RefundCause, Side};
use ledger_core::record::Counters;

use super::names::{account_id, currency};
use super::{Account, Books, Entry, Fixed, Ledger, Payment, What};
use payments::Seen;

/// Folds a whole log and compares the end with the books.
///
/// # Errors
/// The number of the broken invariant and what broke it.
pub fn check(ledger: &Ledger) -> Result<(), String> {
    let mut fold = Fold::new(&ledger.fixed);
    for entry in &ledger.history {
        fold.take(entry)?;
    }
    fold.compare(&ledger.books)
}

/// What the entries so far add up to.
#[derive(Clone)]
pub struct Fold {
    exponents: BTreeMap<CurrencyCode, u8>,
    /// Accounts as the lines alone make them.
    accounts: Vec<Account>,
    /// The FX and DISPUTE accounts.
    special: BTreeMap<(AccountKind, CurrencyCode), usize>,
    /// What is held on each account: of payments that debit it, of payments that it is the counterparty of.
    held: Vec<(i128, i128)>,
    payments: Vec<Seen>,
    /// Fees of accepted events that have some.
    fees: BTreeMap<Vec<u8>, usize>,
    /// Holds by the time at which they end.
    due: BTreeSet<(u64, usize)>,
    totals: BTreeMap<CurrencyCode, Counters>,
    /// What all payments have in dispute.
    disputed: BTreeMap<CurrencyCode, i128>,
    /// What transfers credited on DISPUTE accounts, less what they debited.
    transferred: BTreeMap<CurrencyCode, i128>,
    size: u64,
    last_time: u64,
}

impl Fold {
    /// Of a ledger without an entry.
    pub fn new(fixed: &Fixed) -> Self {
        Self {
            exponents: fixed.exponents.clone(),
            accounts: Vec::new(),
            special: BTreeMap::new(),
            held: Vec::new(),
            payments: Vec::new(),
            fees: BTreeMap::new(),
            due: BTreeSet::new(),
            totals: BTreeMap::new(),
            disputed: BTreeMap::new(),
            transferred: BTreeMap::new(),
            size: 0,
            last_time: 0,
        }
    }

    /// Accounts after the entries so far.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Sums of the counters per currency with an account.
    pub fn totals(&self) -> &BTreeMap<CurrencyCode, Counters> {
        &self.totals
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// The number of the first invariant that it breaks.
    pub fn take(&mut self, entry: &Entry) -> Result<(), String> {
        self.entry(entry).map_err(|broken| format!("{broken}, after entry {}", entry.index))
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), String> {
        let follows = entry.recorded_at > self.last_time && entry.index == self.size;
        ensure(follows, || format!("G2: entry {} at {}", self.size, self.last_time))?;
        (self.size, self.last_time) = (entry.index + 1, entry.recorded_at);
        self.nothing_is_due(entry)?;
        if entry.outcome() != 0 {
            let is_bare = entry.lines.is_empty() && entry.accounts.is_empty() && entry.key.is_none();
            return ensure(is_bare && entry.payment.is_none() && entry.after.is_none(), || {
                "I5: a refused entry has effects".to_owned()
            });
        }
        let left = |accounts: &[Account], account: usize| accounts.get(account).and_then(Account::left);
        let before: Vec<_> = entry.accounts.iter().map(|account| left(&self.accounts, *account)).collect();
        self.changes_of_accounts(entry)?;
        self.balanced(entry)?;
        for line in &entry.lines {
            self.line(entry, line)?;
        }
        let pardoned = pardoned(entry);
        for (account, before) in entry.accounts.iter().zip(before) {
            let after = left(&self.accounts, *account);
            let falls_below = before.is_some() && after < before && after < Some(0);
            ensure(!falls_below || pardoned == Some(*account), || format!("A2: account {account}"))?;
        }
        match (entry.payment, &entry.after) {
            (Some(position), Some(after)) => self.payment(entry, position, after)?,
            (None, None) => self.without_payment(entry)?,
            _ => return Err("P2: a payment without its record".to_owned()),
        }
        self.holds(entry)?;
        self.sums()
    }

    /// P6: at the first entry of a unit nothing is due, and what expires is due first.
    fn nothing_is_due(&self, entry: &Entry) -> Result<(), String> {
        let due = self.due.first().filter(|(expires_at, _)| *expires_at <= entry.recorded_at);
        let is_right = match entry.what {
            What::Genesis | What::Seal => true,
            What::Expiry => due.map(|(_, payment)| *payment) == entry.payment && due.is_some(),
            What::BatchHeader | What::Event(..) => entry.recorded_at != entry.t || due.is_none(),
        };
        ensure(is_right, || format!("P6: {due:?} is due"))
    }

    /// Openings, limits and statuses, which have no lines.
    fn changes_of_accounts(&mut self, entry: &Entry) -> Result<(), String> {
        let Some(event) = entry.accepted_event() else { return Ok(()) };
        match &event.body {
            Body::AccountOpened(body) => {
                let (id, currency) = (account_id(&body.account), currency(&body.currency));
                let kind = body.kind.expect("admitted");
                let position = self.accounts.len();
                if matches!(kind, AccountKind::Fx | AccountKind::Dispute) {
                    let is_only = self.special.insert((kind, currency), position).is_none();
                    ensure(is_only, || format!("A1: a second {} account in {currency}", kind.name()))?;
                }
                self.totals.entry(currency).or_default();
                self.held.push((0, 0));
                self.accounts.push(Account {
                    id,
                    currency,
                    exponent: self.exponents[&currency],
                    kind,
                    limit: body.limit,
                    status: AccountStatus::Open,
                    posted_dr: 0,
                    posted_cr: 0,
                    pending_dr: 0,
                    pending_cr: 0,
                    opened_index: entry.index,
                    line_count: 0,
                    chain: first_chain(&id),
                });
            }
            Body::AccountLimitChanged(body) => self.named(&body.account).limit = body.limit,
            Body::AccountStatusChanged(body) => {
                let account = self.named(&body.account);
                account.status = body.status.expect("a status");
                return ensure(account.status != AccountStatus::Closed || is_empty(account), || {
                    format!("A6: {account:?}")
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn balanced(&self, entry: &Entry) -> Result<(), String> {
        let mut sums: Vec<((CurrencyCode, Layer), i128)> = Vec::new();
        for line in &entry.lines {
            let of = (self.accounts[position(line)].currency, line.posting.layer);
            match sums.iter_mut().find(|(known, _)| *known == of) {
                Some((_, sum)) => *sum += credited(line),
                None => sums.push((of, credited(line))),
            }
        }
        ensure(sums.iter().all(|(_, sum)| *sum == 0), || format!("I1: {sums:?}"))
    }

    fn line(&mut self, entry: &Entry, line: &Line) -> Result<(), String> {
        let posting = &line.posting;
        let is_release = posting.layer == Layer::Pending && posting.delta < 0;
        ensure(posting.delta > 0 || is_release, || format!("I2, A3: {line:?}"))?;
        ensure(entry.accounts.contains(&position(line)), || format!("A1: {line:?} on no account"))?;
        let account = &mut self.accounts[position(line)];
        ensure(account.status != AccountStatus::Closed, || format!("A6: a line on closed {}", account.id))?;
        account.add(posting.layer, posting.side, posting.delta);
        account.line_count += 1;
        account.chain = line.chained(&account.chain);
        let is_stamped = line.log_index.0 == entry.index && line.recorded_at_nanos == entry.recorded_at;
        ensure(is_stamped && account.line_count == line.number, || format!("A5: {line:?}"))?;
        let counters = [account.posted_dr, account.posted_cr, account.pending_dr, account.pending_cr];
        let after = &line.after;
        let told = [after.posted_debits, after.posted_credits, after.pending_debits, after.pending_credits];
        ensure(counters == told, || format!("A1: {line:?}, counted {counters:?}"))?;
        ensure(counters.iter().all(|counter| *counter >= 0), || format!("A1, I2: {counters:?}"))?;
        let row = self.totals.get_mut(&account.currency).expect("of an account");
        *match (posting.layer, posting.side) {
            (Layer::Posted, Side::Debit) => &mut row.posted_debits,
            (Layer::Posted, Side::Credit) => &mut row.posted_credits,
            (Layer::Pending, Side::Debit) => &mut row.pending_debits,
            (Layer::Pending, Side::Credit) => &mut row.pending_credits,
        } += posting.delta;
        Ok(())
    }

    /// Only payments hold; what else is on a DISPUTE account is a transfer.
    fn without_payment(&mut self, entry: &Entry) -> Result<(), String> {
        for line in &entry.lines {
            ensure(line.posting.layer == Layer::Posted, || format!("A4: {line:?} of no payment"))?;
            let account = &self.accounts[position(line)];
            if account.kind == AccountKind::Dispute {
                *self.transferred.entry(account.currency).or_default() += credited(line);
            }
        }
        Ok(())
    }

    /// A4 on every account that the entry touched, and on those of its payment's hold.
    fn holds(&self, entry: &Entry) -> Result<(), String> {
        let of_payment =
            entry.after.iter().flat_map(|payment| [Some(payment.debtor), self.counterparty(payment)]);
        for position in entry.accounts.iter().copied().chain(of_payment.flatten()) {
            let (account, held) = (&self.accounts[position], self.held[position]);
            ensure((account.pending_dr, account.pending_cr) == held, || {
                format!("A4: {account:?}, holds {held:?}")
            })?;
        }
        Ok(())
    }

    /// G1 and G3 over the whole ledger.
    fn sums(&self) -> Result<(), String> {
        for (currency, row) in &self.totals {
            let is_even =
                row.posted_debits == row.posted_credits && row.pending_debits == row.pending_credits;
            ensure(is_even, || format!("G1: {currency}: {row:?}"))?;
        }
        for ((kind, currency), position) in &self.special {
            if *kind == AccountKind::Dispute {
                let of = |sums: &BTreeMap<CurrencyCode, i128>| sums.get(currency).copied().unwrap_or(0);
                let account = &self.accounts[*position];
                let (disputed, transferred) = (of(&self.disputed), of(&self.transferred));
                ensure(account.posted_cr - account.posted_dr == disputed + transferred, || {
                    format!("G3: {account:?}: {disputed} disputed, {transferred} transferred")
                })?;
            }
        }
        Ok(())
    }

    /// Compares what the entries add up to with the books after them, account by account and payment by payment, and
    /// adds up the books themselves.
    ///
    /// # Errors
    /// The number of the broken invariant and what broke it.
    pub fn compare(&self, books: &Books) -> Result<(), String> {
        ensure(self.accounts.len() == books.accounts.len(), || "A1: accounts".to_owned())?;
        ensure(self.payments.len() == books.payments.len(), || "P2: payments".to_owned())?;
        ensure(self.totals == books.totals(), || format!("G1: {:?}", self.totals))?;
        let mut held = vec![(0, 0); books.accounts.len()];
        let mut disputed: BTreeMap<CurrencyCode, i128> = BTreeMap::new();
        for (seen, payment) in self.payments.iter().zip(&books.payments) {
            ensure(seen.payment == *payment, || format!("P2, P4: {payment:?}, counted {:?}", seen.payment))?;
            held[payment.debtor].0 += payment.held();
            if let Some(counterparty) = self.counterparty(payment) {
                held[counterparty].1 += payment.held();
            }
            *disputed.entry(payment.currency).or_default() += payment.disp;
        }
        for ((counted, account), held) in self.accounts.iter().zip(&books.accounts).zip(held) {
            ensure(*counted == **account, || format!("A1: {account:?}, counted {counted:?}"))?;
            let pending = (account.pending_dr, account.pending_cr);
            ensure(pending == held, || format!("A4: {account:?}, holds {held:?}"))?;
            let is_open = account.status != AccountStatus::Closed;
            ensure(is_open || is_empty(account), || format!("A6: {account:?}"))?;
            if account.kind == AccountKind::Dispute {
                let of =
                    |sums: &BTreeMap<CurrencyCode, i128>| sums.get(&account.currency).copied().unwrap_or(0);
                let balance = account.posted_cr - account.posted_dr;
                let transferred = of(&self.transferred);
                ensure(balance == of(&disputed) + transferred, || format!("G3: {account:?}"))?;
            }
        }
        Ok(())
    }

    /// The account on the other side of a payment's hold.
    fn counterparty(&self, payment: &Payment) -> Option<usize> {
        match payment.clearing {
            Some(clearing) => Some(clearing),
            None if self.accounts[payment.creditor].currency == payment.currency => Some(payment.creditor),
            None => self.special.get(&(AccountKind::Fx, payment.currency)).copied(),
        }
    }

    fn named(&mut self, id: &str) -> &mut Account {
        self.accounts.iter_mut().find(|account| account.id.as_str() == id).expect("an account")
    }
}

/// The account on which a mandatory event may go below zero.
fn pardoned(entry: &Entry) -> Option<usize> {
    let is_mandatory = match &entry.accepted_event()?.body {
        Body::ChargebackOpened(_) | Body::ChargebackResolved(_) => true,
        Body::PaymentRefunded(body) => body.cause == Some(RefundCause::Return),
        _ => false,
    };
    entry.after.as_ref().filter(|_| is_mandatory).map(|payment| payment.creditor)
}

fn is_empty(account: &Account) -> bool {
    account.posted_dr == account.posted_cr && account.pending_dr == 0 && account.pending_cr == 0
}

fn position(line: &Line) -> usize {
    usize::try_from(line.posting.account.0).expect("an index")
}

/// Credits less debits.
fn credited(line: &Line) -> i128 {
    if line.posting.side == Side::Credit { line.posting.delta } else { -line.posting.delta }
}

fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}
