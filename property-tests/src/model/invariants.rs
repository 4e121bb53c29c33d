//! The invariants of a ledger, checked over a whole log: counters are folded again from the statement lines alone.

use std::collections::BTreeMap;
use std::rc::Rc;

use ledger_core::event::{Body, Event};
use ledger_core::ids::{CurrencyCode, PaymentId};
use ledger_core::line::Line;
use ledger_core::number::{AccountKind, AccountStatus, Layer, RefundCause, Side};

use super::guards::{currencies, fees_of, fx_of};
use super::transitions::amount_of;
use super::{Account, Entry, Ledger, Payment, What, conversion};

/// Checks them all.
///
/// # Errors
/// The number of the broken invariant and what broke it.
pub fn check(ledger: &Ledger) -> Result<(), String> {
    let mut fold = Fold { ledger, accounts: Vec::new(), flows: BTreeMap::new(), expiries: BTreeMap::new() };
    let mut last: Option<&Entry> = None;
    for (position, entry) in ledger.history.iter().enumerate() {
        let follows = last.is_none_or(|last| entry.recorded_at > last.recorded_at);
        ensure(follows && entry.index == position as u64, || format!("G2: entry {position}"))?;
        fold.entry(entry).map_err(|broken| format!("{broken}, entry {}", entry.index))?;
        last = Some(entry);
    }
    fold.end()
}

/// What is counted from the lines.
struct Fold<'a> {
    ledger: &'a Ledger,
    /// Accounts as the lines alone make them.
    accounts: Vec<Account>,
    flows: BTreeMap<PaymentId, Flows>,
    expiries: BTreeMap<PaymentId, u64>,
}

/// What the postings of one payment come to.
#[derive(Default)]
struct Flows {
    /// Debtor's pending debits.
    held: i128,
    /// Credits less debits per account, posted, fees aside.
    net: BTreeMap<u64, i128>,
    /// Accepted events so far, and the last of them.
    events: u32,
    head: Vec<u8>,
}

impl<'a> Fold<'a> {
    fn entry(&mut self, entry: &'a Entry) -> Result<(), String> {
        self.changes_of_accounts(entry);
        if entry.outcome() != 0 {
            let is_bare = entry.lines.is_empty() && entry.accounts.is_empty() && entry.payment.is_none();
            return ensure(is_bare, || "I5: a refused entry has effects".to_owned());
        }
        self.balanced(entry)?;
        let touched: Vec<usize> = entry.accounts.iter().copied().collect();
        let before: Vec<Option<i128>> =
            touched.iter().map(|account| self.accounts[*account].left()).collect();
        for line in &entry.lines {
            self.line(entry, line)?;
        }
        let pardoned = self.pardoned(entry);
        for (account, before) in touched.iter().zip(before) {
            let after = self.accounts[*account].left();
            let falls_below = after < before && after.is_some_and(|left| left < 0);
            ensure(!falls_below || pardoned == Some(*account), || format!("A2: account {account}"))?;
        }
        match &entry.what {
            What::Expiry => self.expiry(entry),
            What::Event(event, None) => self.event(entry, event),
            _ => Ok(()),
        }
    }

    /// Openings, limits and statuses, which have no lines.
    fn changes_of_accounts(&mut self, entry: &Entry) {
        let Some(event) = entry.accepted_event() else { return };
        let find = |accounts: &[Account], id: &str| accounts.iter().position(|known| known.id.as_str() == id);
        match &event.body {
            Body::AccountOpened(body) => {
                let now = &self.ledger.books.accounts[self.accounts.len()];
                let [posted_dr, posted_cr, pending_dr, pending_cr] = [0; 4];
                let status = AccountStatus::Open;
                let (limit, line_count) = (body.limit, 0);
                let counters =
                    Account { posted_dr, posted_cr, pending_dr, pending_cr, ..Account::clone(now) };
                self.accounts.push(Account { status, limit, line_count, ..counters });
            }
            Body::AccountLimitChanged(body) => {
                let account = find(&self.accounts, &body.account).expect("an account");
                self.accounts[account].limit = body.limit;
            }
            Body::AccountStatusChanged(body) => {
                let account = find(&self.accounts, &body.account).expect("an account");
                self.accounts[account].status = body.status.expect("a status");
            }
            _ => {}
        }
    }

    fn balanced(&self, entry: &Entry) -> Result<(), String> {
        let mut sums: BTreeMap<(CurrencyCode, Layer), i128> = BTreeMap::new();
        for line in &entry.lines {
            let currency = self.account(line).currency;
            let signed =
                if line.posting.side == Side::Debit { line.posting.delta } else { -line.posting.delta };
            *sums.entry((currency, line.posting.layer)).or_default() += signed;
        }
        ensure(sums.values().all(|sum| *sum == 0), || format!("I1: {sums:?}"))
    }

    fn line(&mut self, entry: &Entry, line: &Line) -> Result<(), String> {
        let posting = &line.posting;
        let is_release = posting.layer == Layer::Pending && posting.delta < 0;
        ensure(posting.delta > 0 || is_release, || format!("I2: {line:?}"))?;
        let account = &mut self.accounts[usize::try_from(posting.account.0).expect("an index")];
        ensure(account.status != AccountStatus::Closed, || format!("A6: a line on closed {}", account.id))?;
        account.add(posting.layer, posting.side, posting.delta);
        account.line_count += 1;
        ensure(account.line_count == line.number, || format!("A5: {line:?}"))?;
        let is_stamped = line.log_index.0 == entry.index && line.recorded_at_nanos == entry.recorded_at;
        ensure(is_stamped, || format!("A5: {line:?}"))?;
        let counters = [account.posted_dr, account.posted_cr, account.pending_dr, account.pending_cr];
        let after = &line.after;
        let told = [after.posted_debits, after.posted_credits, after.pending_debits, after.pending_credits];
        ensure(counters == told, || format!("A1: {line:?}, counted {counters:?}"))?;
        ensure(counters.iter().all(|counter| *counter >= 0), || format!("A1, I2: {counters:?}"))
    }

    /// The account on which a mandatory event may go below zero.
    fn pardoned(&self, entry: &Entry) -> Option<usize> {
        let is_mandatory = match &entry.accepted_event()?.body {
            Body::ChargebackOpened(_) | Body::ChargebackResolved(_) => true,
            Body::PaymentRefunded(body) => body.cause == Some(RefundCause::Return),
            _ => false,
        };
        is_mandatory.then(|| self.ledger.books.payments[entry.payment.expect("of a payment")].creditor)
    }

    fn expiry(&mut self, entry: &Entry) -> Result<(), String> {
        let payment = &self.ledger.books.payments[entry.payment.expect("of a payment")];
        let count = self.expiries.entry(payment.id).or_default();
        *count += 1;
        ensure(*count == 1 && entry.recorded_at >= payment.expires_at, || {
            format!("P6: expiry {count} of {}", payment.id)
        })?;
        self.add_flows(payment, entry, 0);
        Ok(())
    }

    fn event(&mut self, entry: &Entry, event: &Event) -> Result<(), String> {
        let Some(position) = entry.payment else { return Ok(()) };
        let payment = &self.ledger.books.payments[position];
        let target = match &event.body {
            Body::PaymentReversed(body) => self
                .ledger
                .history
                .iter()
                .filter_map(Entry::accepted_event)
                .find(|target| target.event_id == body.target_event_id),
            _ => Some(event),
        };
        let fees = target.map_or(0, |target| fees_of(&target.body).len());
        self.add_flows(payment, entry, fees);
        let flows = self.flows.get_mut(&payment.id).expect("added");
        ensure(flows.head == event.previous_event_id, || format!("P2: {}", payment.id))?;
        flows.head.clone_from(&event.event_id);
        flows.events += 1;
        if let Body::PaymentInitiated(body) = &event.body {
            let books = &self.ledger.books;
            let named = |account: usize, id: &str| books.id_of(account).as_str() == id;
            let is_kept = named(payment.debtor, &body.debtor)
                && named(payment.creditor, &body.creditor)
                && payment.currency.as_str() == body.currency
                && payment.clearing.is_some() != body.clearing_account.is_empty();
            ensure(is_kept, || format!("P5: {}", payment.id))?;
        }
        if let Some(fx) = fx_of(&event.body) {
            let (from, to) = (&self.accounts[payment.debtor], &self.accounts[payment.creditor]);
            let expected = conversion::counter_amount(amount_of(&event.body), fx, from.exponent, to.exponent);
            ensure(i128::from(fx.counter_amount) == expected, || format!("I6: {fx:?}"))?;
        }
        Ok(())
    }

    fn add_flows(&mut self, payment: &Payment, entry: &Entry, fees: usize) {
        let flows = self.flows.entry(payment.id).or_default();
        let of_fees = entry.lines.len() - 2 * fees;
        for (position, line) in entry.lines.iter().enumerate() {
            let posting = &line.posting;
            match posting.layer {
                Layer::Pending if posting.side == Side::Debit => flows.held += posting.delta,
                Layer::Pending => {}
                Layer::Posted if position >= of_fees => {}
                Layer::Posted => {
                    let net = flows.net.entry(posting.account.0).or_default();
                    *net += if posting.side == Side::Credit { posting.delta } else { -posting.delta };
                }
            }
        }
    }

    fn end(&self) -> Result<(), String> {
        let books = &self.ledger.books;
        for (counted, account) in self.accounts.iter().zip(&books.accounts) {
            let chained = Account { chain: account.chain, ..counted.clone() };
            ensure(chained == **account, || format!("A1: {account:?}, counted {counted:?}"))?;
            if account.status == AccountStatus::Closed {
                let is_empty = account.posted_dr == account.posted_cr && account.pending_dr == 0;
                ensure(is_empty && account.pending_cr == 0, || format!("A6: {account:?}"))?;
            }
        }
        ensure(self.accounts.len() == books.accounts.len(), || "A1: accounts".to_owned())?;
        for payment in &books.payments {
            self.payment(payment)?;
        }
        for (position, account) in books.accounts.iter().enumerate() {
            let held: i128 =
                books.payments.iter().filter(|of| of.debtor == position).map(|of| of.held()).sum();
            ensure(account.pending_dr == held, || format!("A4: {account:?}, holds {held}"))?;
        }
        self.sums()
    }

    fn payment(&self, payment: &Payment) -> Result<(), String> {
        ensure(payment.is_legal(), || format!("P1: {payment:?}"))?;
        let flows = &self.flows[&payment.id];
        let is_line = flows.events == payment.event_count && flows.head == payment.head.0;
        ensure(is_line, || format!("P2: {payment:?}"))?;
        ensure(flows.held == payment.held(), || format!("P3: {payment:?}"))?;
        let net = |account: usize| flows.net.get(&(account as u64)).copied().unwrap_or_default();
        let outflow = payment.capt - payment.refd - payment.lost;
        ensure(-net(payment.debtor) == outflow, || format!("P7: debtor of {payment:?}"))?;
        let books = &self.ledger.books;
        if let Some(clearing) = payment.clearing {
            ensure(net(clearing) == payment.capt - payment.sett, || format!("P7: clearing of {payment:?}"))?;
        }
        if let Some(dispute) = books.the_one(AccountKind::Dispute, payment.currency) {
            ensure(net(dispute) == payment.disp, || format!("P7: dispute of {payment:?}"))?;
        }
        if currencies(books, &[payment.debtor, payment.creditor]).len() == 1 {
            let inflow = payment.refundable();
            ensure(net(payment.creditor) == inflow, || format!("P7: creditor of {payment:?}"))?;
        }
        Ok(())
    }

    fn sums(&self) -> Result<(), String> {
        let books = &self.ledger.books;
        for (currency, row) in books.totals() {
            ensure(row.posted_debits == row.posted_credits, || format!("G1: {currency} posted"))?;
            ensure(row.pending_debits == row.pending_credits, || format!("G1: {currency} pending"))?;
        }
        for (position, account) in books.accounts.iter().enumerate() {
            if account.kind != AccountKind::Dispute {
                continue;
            }
            let of_payments = |payment: &&Rc<Payment>| payment.currency == account.currency;
            let disputed: i128 = books.payments.iter().filter(of_payments).map(|payment| payment.disp).sum();
            let mut transferred = 0;
            for line in self.ledger.history.iter().flat_map(|entry| &entry.lines) {
                if line.account.0 == position as u64 && line.payment_id == PaymentId::NIL {
                    let is_credit = line.posting.side == Side::Credit;
                    transferred += if is_credit { line.posting.delta } else { -line.posting.delta };
                }
            }
            let balance = account.posted_cr - account.posted_dr;
            ensure(balance == disputed + transferred, || format!("G3: {account:?}"))?;
        }
        Ok(())
    }

    fn account(&self, line: &Line) -> &Account {
        &self.accounts[usize::try_from(line.account.0).expect("an index")]
    }
}

fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}
