//! Money is conserved: every statement line and every payment added up again, and compared with the records.
//!
//! From stored rows alone, so it costs no re-execution and little memory: O(lines) reads, in memory what is held now.
//! `ledger admin check` and `ledger-verify` execute the log again instead.

use std::collections::BTreeMap;

use ledger_core::ids::{AccountIndex, CurrencyCode, LogIndex, PaymentId, PaymentIndex};
use ledger_core::invariants::{Violation, counterparty, disorder};
use ledger_core::line::{Line, first_chain};
use ledger_core::number::{AccountKind, Layer, Side};
use ledger_core::record::{AccountRecord, Counters, PaymentRecord};
use ledger_core::seal::Totals;
use ledger_core::view::StateView as _;

use crate::log_read::ReadError;
use crate::slice::{Direction, Slice};
use crate::view::View;

/// Log indices whose lines are held in memory at once while the first unbalanced entry is looked for.
const WINDOW: u64 = 1 << 18;

/// What was added up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conservation {
    /// Sums of all lines per currency.
    pub totals: Totals,
    /// Accounts looked at.
    pub account_count: u64,
    /// Payments looked at.
    pub payment_count: u64,
    /// Lines looked at.
    pub line_count: u64,
    /// The violation with the lowest log index; `None`: G1, A1, A3, A4, A5, P1, P3, P4 and G3 hold.
    pub violation: Option<Violation>,
}

/// What is added up, as far as it got.
struct Check<'v> {
    view: &'v View,
    totals: Totals,
    line_count: u64,
    /// Pending debits on debtors per payment, where they are not zero.
    pending: BTreeMap<PaymentId, i128>,
    /// Credits less debits of transfers on the DISPUTE account of a currency, then with what payments dispute.
    disputed: BTreeMap<CurrencyCode, i128>,
    /// Holds on an account, as debtor and as counterparty.
    holds: BTreeMap<AccountIndex, (i128, i128)>,
    violation: Option<Violation>,
}

impl View {
    /// Adds up every line of every account and every payment. Reads all of them; a ledger with a million lines takes a
    /// few seconds.
    ///
    /// # Errors
    /// [`ReadError`] when something cannot be read, or a line is missing.
    pub fn check_money_conservation(&self) -> Result<Conservation, ReadError> {
        let mut check = Check {
            view: self,
            totals: Totals::default(),
            line_count: 0,
            pending: BTreeMap::new(),
            disputed: BTreeMap::new(),
            holds: BTreeMap::new(),
            violation: None,
        };
        for index in (0..self.account_count()).map(AccountIndex) {
            check.add_account(index)?;
        }
        for index in (0..self.payment_count()).map(PaymentIndex) {
            check.add_payment(&*self.tail().payment(index)?)?;
        }
        check.compare_holds()?;
        check.compare_totals()?;
        let Check { totals, line_count, violation, .. } = check;
        let (account_count, payment_count) = (self.account_count(), self.payment_count());
        Ok(Conservation { totals, account_count, payment_count, line_count, violation })
    }
}

impl Check<'_> {
    /// A1, A3, A5: the lines of an account lead to its record.
    fn add_account(&mut self, index: AccountIndex) -> Result<(), ReadError> {
        let record = self.view.tail().account(index)?;
        let (mut counters, mut chain) = (Counters::default(), first_chain(&record.id));
        let mut last = record.opened_index;
        let view = self.view;
        view.each_line(index, 1, record.line_count, |dated| {
            let line = &dated.line;
            let before = counters;
            counters.post(line.posting);
            chain = line.chained(&chain);
            let subject = || format!("line {} of account {}", line.number, record.id);
            if line.after != counters {
                self.broken(
                    "A1",
                    line.log_index,
                    subject(),
                    format!("{counters:?}"),
                    format!("{:?}", line.after),
                );
                counters = line.after;
            }
            if counters.posted_debits < before.posted_debits
                || counters.posted_credits < before.posted_credits
            {
                self.broken("A3", line.log_index, subject(), format!("{before:?}"), format!("{counters:?}"));
            }
            if line.log_index < last {
                self.broken(
                    "A5",
                    line.log_index,
                    subject(),
                    format!("at entry {last} or later"),
                    line.log_index,
                );
            }
            last = line.log_index;
            self.add_line(&record, line);
            Ok(())
        })?;
        let subject = || format!("account {}", record.id);
        if counters != record.counters {
            self.broken("A1", last, subject(), format!("{counters:?}"), format!("{:?}", record.counters));
        }
        if chain != record.statement_chain {
            let (expected, found) = (hex::encode(chain), hex::encode(record.statement_chain));
            self.broken("A5", last, subject(), format!("statement chain {expected}"), found);
        }
        let sums = self.totals.0.entry(record.currency).or_default();
        *sums += counters;
        Ok(())
    }

    fn add_line(&mut self, record: &AccountRecord, line: &Line) {
        self.line_count += 1;
        let posting = line.posting;
        match posting.layer {
            Layer::Pending if posting.side == Side::Debit => {
                let held = self.pending.entry(line.payment_id).or_default();
                *held += posting.delta;
                if *held == 0 {
                    self.pending.remove(&line.payment_id);
                }
            }
            Layer::Posted if record.kind == AccountKind::Dispute && line.payment_id.is_nil() => {
                let credited = match posting.side {
                    Side::Credit => posting.delta,
                    Side::Debit => -posting.delta,
                };
                *self.disputed.entry(record.currency).or_default() += credited;
            }
            _ => {}
        }
    }

    /// P1, P3, P4: the counters of a payment are in order, and its hold is what lines hold for it.
    fn add_payment(&mut self, payment: &PaymentRecord) -> Result<(), ReadError> {
        let subject = || format!("payment {}", payment.id);
        if let Some((invariant, expected, found)) = disorder(payment) {
            self.broken(invariant, payment.last_index, subject(), expected, found);
        }
        let held = self.pending.remove(&payment.id).unwrap_or(0);
        if held != payment.hold() {
            self.broken("P3", payment.last_index, subject(), payment.hold(), held);
        }
        *self.disputed.entry(payment.currency).or_default() += payment.disp;
        if payment.hold() != 0 {
            self.holds.entry(payment.debtor).or_default().0 += payment.hold();
            if let Some(other) = counterparty(self.view.tail(), payment)? {
                self.holds.entry(other).or_default().1 += payment.hold();
            }
        }
        Ok(())
    }

    /// A4 and G3: what is pending on an account is what payments hold on it; what is posted on a DISPUTE account is what
    /// payments dispute and transfers moved. P3: nothing is held for what is no payment.
    fn compare_holds(&mut self) -> Result<(), ReadError> {
        let newest = LogIndex(self.view.next_index().0 - 1);
        for index in (0..self.view.account_count()).map(AccountIndex) {
            let record = self.view.tail().account(index)?;
            let subject = || format!("account {}", record.id);
            let held = self.holds.get(&index).copied().unwrap_or_default();
            let pending = (record.counters.pending_debits, record.counters.pending_credits);
            if held != pending {
                let at = self.last_entry(index, newest)?;
                self.broken("A4", at, subject(), format!("{held:?} held"), format!("{pending:?}"));
            }
            let disputed = self.disputed.get(&record.currency).copied().unwrap_or(0);
            if record.kind == AccountKind::Dispute && record.posted() != disputed {
                let at = self.last_entry(index, newest)?;
                self.broken("G3", at, subject(), disputed, record.posted());
            }
        }
        if let Some((id, held)) = self.pending.pop_first() {
            self.broken("P3", newest, format!("payment {id}"), 0, held);
        }
        Ok(())
    }

    /// G1: over all lines debits equal credits on each layer, and the sums are those that the ledger keeps.
    fn compare_totals(&mut self) -> Result<(), ReadError> {
        let unbalanced = self.totals.0.iter().find(|(_, sum)| {
            sum.posted_debits != sum.posted_credits || sum.pending_debits != sum.pending_credits
        });
        if let Some((currency, sum)) = unbalanced {
            let (currency, found) = (*currency, format!("{sum:?}"));
            let at = self.first_unbalanced()?.unwrap_or(LogIndex(self.view.next_index().0 - 1));
            self.broken("G1", at, format!("all accounts in {currency}"), "debits equal to credits", found);
        } else if self.totals != *self.view.totals() {
            let newest = LogIndex(self.view.next_index().0 - 1);
            let (expected, found) = (format!("{:?}", self.view.totals()), format!("{:?}", self.totals));
            self.broken("G1", newest, "totals".to_owned(), expected, found);
        }
        Ok(())
    }

    /// The first entry whose own lines do not balance: a window of the log at a time, over all accounts.
    fn first_unbalanced(&self) -> Result<Option<LogIndex>, ReadError> {
        for start in (0..self.view.next_index().0).step_by(WINDOW as usize) {
            let mut sums = BTreeMap::<(LogIndex, CurrencyCode, Layer), i128>::new();
            for index in (0..self.view.account_count()).map(AccountIndex) {
                let record = self.view.tail().account(index)?;
                let before = |end: u64| {
                    self.view.lines_before(index, record.line_count, move |line| line.log_index.0 < end)
                };
                let (first, last) = (before(start)? + 1, before(start + WINDOW)?);
                self.view.each_line(index, first, last, |dated| {
                    let posting = dated.line.posting;
                    let sum = sums.entry((dated.line.log_index, record.currency, posting.layer)).or_default();
                    *sum += if posting.side == Side::Credit { posting.delta } else { -posting.delta };
                    Ok(())
                })?;
            }
            if let Some(((at, _, _), _)) = sums.into_iter().find(|(_, sum)| *sum != 0) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// The entry of an account's last line.
    fn last_entry(&self, account: AccountIndex, newest: LogIndex) -> Result<LogIndex, ReadError> {
        let slice = Slice { from: None, direction: Direction::Descending, limit: 1 };
        Ok(self.view.account_lines(account, slice)?.first().map_or(newest, |line| line.log_index))
    }

    /// Keeps the violation with the lowest log index, the first found of several.
    fn broken(
        &mut self,
        invariant: &'static str,
        log_index: LogIndex,
        subject: String,
        expected: impl ToString,
        found: impl ToString,
    ) {
        if self.violation.as_ref().is_none_or(|known| log_index < known.log_index) {
            let (expected, found) = (expected.to_string(), found.to_string());
            self.violation = Some(Violation { invariant, log_index, subject, expected, found });
        }
    }
}
