//! Postings while they are worked out: counters and lines after each, and the guards of group 9 over all of them.

use std::sync::Arc;

use super::pairs::Pairs;
use super::{At, Effects};
use crate::code::{Code, Refusal};
use crate::ids::{AccountIndex, EventId, PaymentId};
use crate::line::Line;
use crate::number::{AccountKind, AccountStatus, Layer, Side};
use crate::posting::Posting;
use crate::record::AccountRecord;
use crate::view::{StateView, ViewError};

/// What an entry posts, in order.
pub(super) struct Booking<'v, V> {
    view: &'v V,
    at: At,
    event_id: EventId,
    payment_id: PaymentId,
    accounts: Vec<Booked>,
    postings: Vec<Posting>,
    lines: Vec<Line>,
    overdrawn: Option<AccountIndex>,
}

/// An account with postings, before and after them.
struct Booked {
    index: AccountIndex,
    before: Arc<AccountRecord>,
    after: AccountRecord,
}

/// What an entry asks of its accounts. Closed ones refuse in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    /// New holds and postings on a frozen side are refused.
    New,
    /// The money was held before: frozen accounts take it.
    Held,
    /// The scheme has moved the money already: frozen accounts take it, and the creditor may end below its limit.
    Mandatory {
        /// Whom the scheme has debited or credited.
        creditor: AccountIndex,
    },
}

impl<'v, V: StateView> Booking<'v, V> {
    /// Lines carry the ids; both are nil where there is none.
    pub(super) fn new(view: &'v V, at: At, event_id: EventId, payment_id: PaymentId) -> Self {
        Self {
            view,
            at,
            event_id,
            payment_id,
            accounts: Vec::new(),
            postings: Vec::new(),
            lines: Vec::new(),
            overdrawn: None,
        }
    }

    /// Adds postings of the posted layer.
    pub(super) fn post_all(&mut self, pairs: Pairs) -> Result<(), ViewError> {
        pairs.0.into_iter().try_for_each(|posting| self.post(posting))
    }

    /// Holds money on the debtor for the counterparty; a negative amount releases.
    pub(super) fn hold(
        &mut self,
        debtor: AccountIndex,
        counterparty: AccountIndex,
        amount: i128,
    ) -> Result<(), ViewError> {
        self.post(Posting { account: debtor, layer: Layer::Pending, side: Side::Debit, delta: amount })?;
        self.post(Posting { account: counterparty, layer: Layer::Pending, side: Side::Credit, delta: amount })
    }

    /// Adds one posting and its statement line.
    pub(super) fn post(&mut self, posting: Posting) -> Result<(), ViewError> {
        let booked = match self.accounts.iter().position(|booked| booked.index == posting.account) {
            Some(position) => self.accounts.get_mut(position),
            None => {
                let before = self.view.account(posting.account)?;
                let after = AccountRecord::clone(&before);
                self.accounts.push(Booked { index: posting.account, before, after });
                self.accounts.last_mut()
            }
        };
        let Some(Booked { after, .. }) = booked else { return Ok(()) };
        after.counters.post(posting);
        after.line_count += 1;
        let line = Line {
            account: posting.account,
            number: after.line_count,
            log_index: self.at.log_index,
            recorded_at_nanos: self.at.recorded_at_nanos,
            posting,
            event_id: self.event_id,
            payment_id: self.payment_id,
            after: after.counters,
        };
        after.statement_chain = line.chained(&after.statement_chain);
        self.postings.push(posting);
        self.lines.push(line);
        Ok(())
    }

    /// Group 9: postings in order, then accounts in the order of their first posting.
    pub(super) fn check(&mut self, terms: Terms) -> Result<(), Refusal> {
        for posting in &self.postings {
            let booked = self.accounts.iter().find(|booked| booked.index == posting.account);
            booked.map_or(Ok(()), |booked| booked.takes(posting.side, terms))?;
        }
        for booked in &self.accounts {
            match check_headroom(&booked.before, &booked.after) {
                Err(_) if terms == (Terms::Mandatory { creditor: booked.index }) => {
                    self.overdrawn = Some(booked.index);
                }
                checked => checked?,
            }
        }
        Ok(())
    }

    /// Accounts, postings and lines of the entry.
    pub(super) fn into_effects(self) -> Effects {
        let accounts = self.accounts.into_iter().map(|booked| (booked.index, Arc::new(booked.after)));
        Effects {
            accounts: accounts.collect(),
            postings: self.postings,
            lines: self.lines,
            overdrawn: self.overdrawn,
            ..Effects::default()
        }
    }
}

impl Booked {
    /// ACCOUNT_CLOSED, then frozen on the side of the posting.
    fn takes(&self, side: Side, terms: Terms) -> Result<(), Refusal> {
        let status = self.before.status;
        if status == AccountStatus::Closed {
            return Err(Refusal::of(Code::AccountClosed, "account", self.before.id, status));
        }
        if terms == Terms::New && status.freezes(side) {
            let code = match side {
                Side::Debit => Code::AccountDebitFrozen,
                Side::Credit => Code::AccountCreditFrozen,
            };
            return Err(Refusal::of(code, "account", self.before.id, status));
        }
        Ok(())
    }
}

/// INSUFFICIENT_FUNDS, CREDITS_EXCEED_DEBITS: headroom that an entry lowered is not negative after it.
pub(super) fn check_headroom(before: &AccountRecord, after: &AccountRecord) -> Result<(), Refusal> {
    let (Some(available), Some(left)) = (before.headroom(), after.headroom()) else {
        return Ok(());
    };
    if left >= available || left >= 0 {
        return Ok(());
    }
    let code = match before.kind {
        AccountKind::Cash => Code::CreditsExceedDebits,
        _ => Code::InsufficientFunds,
    };
    let limit = format!("available {available}, required {}", available - left);
    Err(Refusal::of(code, "account", before.id, limit))
}
