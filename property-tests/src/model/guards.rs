//! Group 7: what an event refers to.

use ledger_core::code::Code;
use ledger_core::event::{
    AccountStatusChanged, Body, ChargebackResolved, Event, Fee, Fx, KeyRevoked, PaymentInitiated,
    PaymentReversed, TransferPosted,
};
use ledger_core::ids::{CurrencyCode, EventId, PaymentId};
use ledger_core::number::{AccountKind, AccountStatus, ChargebackResult, Payer};

use super::access::{Access, access};
use super::account::takes_limit;
use super::books::Books;
use super::fields::is_of_payment;
use super::history::Entry;
use super::names::currency;
use super::payment::Payment;
use super::{Fixed, Place, calendar};

/// The log before an event: what stands in it, and the members of the same group before it.
pub(super) type Before<'a> = (&'a [Entry], &'a [Entry]);

/// What the guards see.
pub(super) struct Sight<'a> {
    pub fixed: &'a Fixed,
    pub books: &'a Books,
    pub before: Before<'a>,
    pub place: Place,
}

impl Sight<'_> {
    /// The first code of group 7 that applies (for control events those of groups 8 and 9 as well).
    pub(super) fn references(&self, event: &Event) -> Result<(), Code> {
        match &event.body {
            Body::PaymentInitiated(body) => self.initiated(event, body),
            Body::PaymentReversed(body) => self.reversed(event, body),
            Body::TransferPosted(body) => self.transfer(event, body),
            Body::AccountOpened(body) => {
                refuse_if(self.books.account(&body.account).is_some(), Code::AccountAlreadyExists)?;
                let kind = body.kind.expect("admitted");
                let is_single = matches!(kind, AccountKind::Fx | AccountKind::Dispute);
                let taken = self.books.the_one(kind, currency(&body.currency)).is_some();
                refuse_if(is_single && taken, Code::AccountKindTaken)
            }
            Body::AccountStatusChanged(body) => self.status_changed(body),
            Body::AccountLimitChanged(body) => {
                let account = self.books.account(&body.account).ok_or(Code::AccountNotFound)?;
                let account = &self.books.accounts[account];
                refuse_if(!takes_limit(account.kind), Code::AccountKindNotAllowed)?;
                refuse_if(account.status == AccountStatus::Closed, Code::AccountClosed)
            }
            Body::KeyRegistered(body) => self.new_key(&body.key),
            Body::LogKeyRotated(body) => self.new_key(&body.new_key),
            Body::KeyRevoked(body) => self.revoked(body),
            Body::PeriodClosed(body) => {
                let is_over = body.through < calendar::utc_date(self.place.t);
                refuse_if(!is_over || body.through <= self.books.closed_through, Code::PeriodNotOver)
            }
            Body::MetadataErased(body) => {
                let target = self.logged(&body.event_id).ok_or(Code::TargetEventNotFound)?;
                refuse_if(target.metadata_commitment.is_empty(), Code::TargetEventNotFound)
            }
            _ => self.of_payment(event),
        }
    }

    fn initiated(&self, event: &Event, body: &PaymentInitiated) -> Result<(), Code> {
        let books = self.books;
        refuse_if(books.payment(&event.payment_id).is_some(), Code::PaymentAlreadyExists)?;
        self.unused_reference(event)?;
        let debtor = books.account(&body.debtor).ok_or(Code::DebtorAccountNotFound)?;
        let creditor = books.account(&body.creditor).ok_or(Code::CreditorAccountNotFound)?;
        let clearing = match body.clearing_account.as_str() {
            "" => None,
            id => Some(books.account(id).ok_or(Code::AccountNotFound)?),
        };
        for account in [debtor, creditor] {
            let kind = books.accounts[account].kind;
            let is_internal = matches!(
                kind,
                AccountKind::Fx | AccountKind::Fee | AccountKind::Dispute | AccountKind::Clearing
            );
            refuse_if(is_internal, Code::AccountKindNotAllowed)?;
        }
        if let Some(clearing) = clearing {
            let kind = books.accounts[clearing].kind;
            refuse_if(kind != AccountKind::Clearing, Code::AccountKindNotAllowed)?;
        }
        for account in [Some(debtor), clearing].into_iter().flatten() {
            let other = books.accounts[account].currency != currency(&body.currency);
            refuse_if(other, Code::AccountCurrencyMismatch)?;
        }
        Ok(())
    }

    fn of_payment(&self, event: &Event) -> Result<(), Code> {
        debug_assert!(is_of_payment(&event.body));
        let books = self.books;
        let payment = books.payment(&event.payment_id).ok_or(Code::PaymentNotFound)?;
        let payment = &books.payments[payment];
        let (debtor, creditor) = (books.id_of(payment.debtor), books.id_of(payment.creditor));
        let parties = Some((debtor.as_str(), creditor.as_str()));
        let granted = access(books, event, self.fixed.operator_threshold, parties);
        refuse_if(!matches!(granted, Access::Granted(_)), Code::PaymentAccessDenied)?;

        for fee in fees_of(&event.body) {
            refuse_if(books.account(&fee.account).is_none(), Code::AccountNotFound)?;
        }
        for (kind, currency) in needed(books, payment, &event.body) {
            refuse_if(books.the_one(kind, currency).is_none(), Code::AccountNotFound)?;
        }
        for fee in fees_of(&event.body) {
            let account = books.account(&fee.account).expect("looked up above");
            refuse_if(books.accounts[account].kind != AccountKind::Fee, Code::AccountKindNotAllowed)?;
        }
        for fee in fees_of(&event.body) {
            let account = books.account(&fee.account).expect("looked up above");
            for one in [account, payer(payment, fee)] {
                let other = books.accounts[one].currency != currency(&fee.currency);
                refuse_if(other, Code::AccountCurrencyMismatch)?;
            }
        }
        if let Some(fx) = fx_of(&event.body) {
            let other = books.accounts[payment.creditor].currency != currency(&fx.counter_currency);
            refuse_if(other, Code::AccountCurrencyMismatch)?;
        }
        refuse_if(payment.head.0 != event.previous_event_id.as_slice(), Code::PreviousEventMismatch)
    }

    fn reversed(&self, event: &Event, body: &PaymentReversed) -> Result<(), Code> {
        if !event.payment_id.is_empty() {
            let payment = self.books.payment(&event.payment_id).ok_or(Code::PaymentNotFound)?;
            let head = self.books.payments[payment].head;
            refuse_if(head.0 != event.previous_event_id.as_slice(), Code::PreviousEventMismatch)?;
        }
        let target = self.accepted(&body.target_event_id).ok_or(Code::TargetEventNotFound)?;
        let target_event = target.accepted_event().expect("accepted");
        refuse_if(target_event.payment_id != event.payment_id, Code::TargetNotInPayment)?;
        let is_reversible = matches!(target_event.body.number(), 6 | 9 | 10 | 14);
        refuse_if(!is_reversible, Code::TargetNotReversible)?;
        refuse_if(self.books.reversed.contains(&event_id(&body.target_event_id)), Code::TargetAlreadyReversed)
    }

    fn transfer(&self, event: &Event, body: &TransferPosted) -> Result<(), Code> {
        if !body.related_payment_id.is_empty() {
            refuse_if(self.books.payment(&body.related_payment_id).is_none(), Code::PaymentNotFound)?;
        }
        self.unused_reference(event)?;
        for leg in &body.legs {
            refuse_if(self.books.account(&leg.account).is_none(), Code::AccountNotFound)?;
        }
        for leg in &body.legs {
            let account = self.books.account(&leg.account).expect("looked up above");
            let other = self.books.accounts[account].currency != currency(&leg.currency);
            refuse_if(other, Code::AccountCurrencyMismatch)?;
        }
        Ok(())
    }

    fn status_changed(&self, body: &AccountStatusChanged) -> Result<(), Code> {
        let account = self.books.account(&body.account).ok_or(Code::AccountNotFound)?;
        let account = &self.books.accounts[account];
        refuse_if(account.status == AccountStatus::Closed, Code::AccountClosed)?;
        if body.status == Some(AccountStatus::Closed) {
            refuse_if(account.posted_dr != account.posted_cr, Code::AccountNotEmpty)?;
            refuse_if(account.pending_dr != 0 || account.pending_cr != 0, Code::AccountHasHolds)?;
        }
        Ok(())
    }

    fn new_key(&self, key: &Vec<u8>) -> Result<(), Code> {
        let is_old = self.books.key(key).is_some() || self.books.log_keys.contains(key);
        refuse_if(is_old, Code::KeyAlreadyRegistered)
    }

    fn revoked(&self, body: &KeyRevoked) -> Result<(), Code> {
        let key = self.books.key(&body.key).ok_or(Code::KeyNotFound)?;
        refuse_if(key.revoked_index.is_some(), Code::KeyAlreadyRevoked)?;
        let remaining = self.books.keys.iter().filter(|other| {
            other.revoked_index.is_none() && other.is_full_operator() && other.key != key.key
        });
        refuse_if(remaining.count() < self.fixed.operator_threshold, Code::OperatorsTooFew)
    }

    fn unused_reference(&self, event: &Event) -> Result<(), Code> {
        if event.external_ref.is_empty() {
            return Ok(());
        }
        let taken = self.books.references.contains(&self.reference(event));
        refuse_if(taken, Code::DuplicateExternalRef)
    }

    /// Party and external reference of an event that was admitted.
    pub(super) fn reference(&self, event: &Event) -> (String, String) {
        let Access::Granted(party) = access(self.books, event, self.fixed.operator_threshold, None) else {
            panic!("admitted");
        };
        (party, event.external_ref.clone())
    }

    /// The entry of an accepted event.
    pub(super) fn accepted(&self, id: &[u8]) -> Option<&Entry> {
        let (history, unit) = self.before;
        let named = |entry: &&Entry| entry.accepted_event().is_some_and(|event| event.event_id == id);
        unit.iter().rev().chain(history.iter().rev()).find(named)
    }

    /// An event in the log, accepted or refused.
    fn logged(&self, id: &[u8]) -> Option<&Event> {
        let (history, unit) = self.before;
        let events = unit.iter().chain(history).filter_map(Entry::event);
        events.into_iter().find(|event| event.event_id == id)
    }
}

/// FX and DISPUTE accounts that an event needs, whatever the payment's state.
fn needed(books: &Books, payment: &Payment, body: &Body) -> Vec<(AccountKind, CurrencyCode)> {
    let (p, q) = (payment.currency, books.accounts[payment.creditor].currency);
    let is_direct = payment.clearing.is_none();
    let mut needed = Vec::new();
    if p != q {
        let both = match body {
            Body::PaymentAuthorized(_) | Body::AuthorizationIncreased(_) => {
                if is_direct {
                    needed.push((AccountKind::Fx, p));
                }
                false
            }
            Body::PaymentCaptured(_) => is_direct,
            Body::PaymentSettled(_) => !is_direct,
            Body::PaymentRefunded(_) | Body::ChargebackOpened(_) => true,
            Body::ChargebackResolved(ChargebackResolved { result, .. }) => {
                *result == Some(ChargebackResult::Won)
            }
            _ => false,
        };
        if both {
            needed.extend([(AccountKind::Fx, p), (AccountKind::Fx, q)]);
        }
    }
    if matches!(body, Body::ChargebackOpened(_) | Body::ChargebackResolved(_)) {
        needed.push((AccountKind::Dispute, p));
    }
    needed
}

pub(super) fn fees_of(body: &Body) -> &[Fee] {
    match body {
        Body::PaymentCaptured(body) => &body.fees,
        Body::PaymentRefunded(body) => &body.fees,
        _ => &[],
    }
}

pub(super) fn fx_of(body: &Body) -> Option<&Fx> {
    match body {
        Body::PaymentCaptured(body) => body.fx.as_ref(),
        Body::PaymentSettled(body) => body.fx.as_ref(),
        Body::PaymentRefunded(body) => body.fx.as_ref(),
        Body::ChargebackOpened(body) => body.fx.as_ref(),
        Body::ChargebackResolved(body) => body.fx.as_ref(),
        _ => None,
    }
}

pub(super) fn payer(payment: &Payment, fee: &Fee) -> usize {
    match fee.payer.expect("admitted") {
        Payer::Debtor => payment.debtor,
        Payer::Creditor => payment.creditor,
    }
}

pub(super) fn event_id(bytes: &[u8]) -> EventId {
    EventId(bytes.try_into().expect("admitted"))
}

pub(super) fn payment_id(bytes: &[u8]) -> PaymentId {
    bytes.try_into().map_or(PaymentId::NIL, PaymentId)
}

pub(super) fn refuse_if(applies: bool, code: Code) -> Result<(), Code> {
    if applies { Err(code) } else { Ok(()) }
}
