//! Guards that several events share, in groups 7 and 8.

use std::sync::Arc;

use super::{At, NotAdmitted, Stop, minor, payment_id};
use crate::admit::signers;
use crate::code::{Code, Field, Refusal};
use crate::date::utc_date;
use crate::event::{Event, Fee};
use crate::ids::{AccountIndex, CurrencyCode, EventId, PaymentIndex};
use crate::number::{AccountKind, Payer, Route};
use crate::record::{AccountRecord, PaymentRecord};
use crate::view::{Referenced, StateView, ViewError};

/// A payment that an event is about, with its parties.
pub(super) struct Case {
    pub index: PaymentIndex,
    pub before: Arc<PaymentRecord>,
    pub debtor: Arc<AccountRecord>,
    pub creditor: Arc<AccountRecord>,
}

/// A fee whose account was found.
pub(super) struct FoundFee<'e> {
    pub fee: &'e Fee,
    pub index: AccountIndex,
    pub account: Arc<AccountRecord>,
}

/// The exchange accounts between two currencies.
#[derive(Clone, Copy)]
pub(super) struct Bridge {
    /// Of the payment's currency.
    pub payment: AccountIndex,
    /// Of the creditor's currency.
    pub counter: AccountIndex,
}

impl Case {
    /// PAYMENT_NOT_FOUND; PAYMENT_ACCESS_DENIED.
    pub(super) fn load(view: &impl StateView, event: &Event) -> Result<Self, Stop> {
        let case = Self::find(view, event)?;
        let (debtor, creditor) = (case.debtor.id.as_str(), case.creditor.id.as_str());
        if !signers::cover_payment(view, event, debtor, creditor)? {
            // Whose accounts those are is not told to a key that may not see the payment.
            let limit = "a key whose prefix covers debtor or creditor";
            let refusal = Refusal::of(Code::PaymentAccessDenied, "payment_id", case.before.id, limit);
            return Err(refusal.into());
        }
        Ok(case)
    }

    /// PAYMENT_NOT_FOUND.
    pub(super) fn find(view: &impl StateView, event: &Event) -> Result<Self, Stop> {
        let id = payment_id(event)?;
        match view.payment_index(&id)? {
            Some(index) => Ok(Self::of(view, index)?),
            None => Err(Refusal::of(Code::PaymentNotFound, "payment_id", id, "").into()),
        }
    }

    /// The case of a payment that exists.
    pub(super) fn of(view: &impl StateView, index: PaymentIndex) -> Result<Self, ViewError> {
        let before = view.payment(index)?;
        let debtor = view.account(before.debtor)?;
        let creditor = view.account(before.creditor)?;
        Ok(Self { index, before, debtor, creditor })
    }

    /// Whether the creditor's currency is another than the payment's.
    pub(super) fn crosses_currencies(&self) -> bool {
        self.creditor.currency != self.before.currency
    }

    /// FX(p) and FX(q) when money crosses currencies: ACCOUNT_NOT_FOUND.
    pub(super) fn bridge(&self, view: &impl StateView) -> Result<Option<Bridge>, Stop> {
        if !self.crosses_currencies() {
            return Ok(None);
        }
        let payment = special(view, AccountKind::Fx, self.before.currency)?;
        let counter = special(view, AccountKind::Fx, self.creditor.currency)?;
        Ok(Some(Bridge { payment, counter }))
    }

    /// Where a hold is placed beside the debtor: the clearing account, else the exchange account of the payment's
    /// currency if currencies differ, else the creditor. ACCOUNT_NOT_FOUND.
    pub(super) fn hold_counterparty(&self, view: &impl StateView) -> Result<AccountIndex, Stop> {
        match (self.before.route, self.before.clearing) {
            (Route::Clearing, Some(clearing)) => Ok(clearing),
            (Route::Direct, None) if self.crosses_currencies() => {
                special(view, AccountKind::Fx, self.before.currency)
            }
            (Route::Direct, None) => Ok(self.before.creditor),
            (Route::Clearing, None) | (Route::Direct, Some(_)) => Err(NotAdmitted("clearing_account").into()),
        }
    }

    /// A fee account of kind FEE: ACCOUNT_KIND_NOT_ALLOWED. Fee account and payer in the fee's currency:
    /// ACCOUNT_CURRENCY_MISMATCH.
    pub(super) fn check_fees(&self, fees: &[FoundFee<'_>]) -> Result<(), Stop> {
        for (position, found) in fees.iter().enumerate() {
            check_kind(Field::Fee(position, "account"), &found.account, |kind| kind == AccountKind::Fee)?;
        }
        for (position, FoundFee { fee, account, .. }) in fees.iter().enumerate() {
            let (_, payer) = self.payer(fee)?;
            in_currency(account, &fee.currency, Field::Fee(position, "account"))?;
            in_currency(payer, &fee.currency, Field::Fee(position, "payer"))?;
        }
        Ok(())
    }

    /// The account that pays a fee.
    pub(super) fn payer(&self, fee: &Fee) -> Result<(AccountIndex, &AccountRecord), NotAdmitted> {
        match fee.payer {
            Some(Payer::Debtor) => Ok((self.before.debtor, &self.debtor)),
            Some(Payer::Creditor) => Ok((self.before.creditor, &self.creditor)),
            None => Err(NotAdmitted("payer")),
        }
    }

    /// TRANSITION_NOT_ALLOWED when nothing is settled; `exceeds` above what may still go back.
    pub(super) fn check_refundable(&self, event: &Event, amount: u64, exceeds: Code) -> Result<(), Refusal> {
        if self.before.sett == 0 {
            return Err(self.not_allowed(event));
        }
        let left = self.before.refundable();
        if minor(amount) > left {
            return Err(Refusal::of(exceeds, "amount", amount, left));
        }
        Ok(())
    }

    /// PREVIOUS_EVENT_MISMATCH.
    pub(super) fn check_head(&self, event: &Event) -> Result<(), Refusal> {
        if event.previous_event_id == self.before.head.0 {
            return Ok(());
        }
        let found = match <[u8; 16]>::try_from(event.previous_event_id.as_slice()) {
            Ok(id) => EventId(id).to_string(),
            Err(_) => hex::encode(&event.previous_event_id),
        };
        Err(Refusal::of(Code::PreviousEventMismatch, "previous_event_id", found, self.before.head))
    }

    /// TRANSITION_NOT_ALLOWED, with the status that stands in the way.
    pub(super) fn not_allowed(&self, event: &Event) -> Refusal {
        Refusal::of(Code::TransitionNotAllowed, "body", event.body.name(), self.before.status)
    }

    /// AUTHORIZATION_EXPIRED.
    pub(super) fn check_not_expired(&self, at: At) -> Result<(), Refusal> {
        if self.before.is_expired_at(at.t_nanos) {
            let at_nanos = self.before.expires_at_nanos;
            return Err(Refusal::of(Code::AuthorizationExpired, "expires_at_nanos", at.t_nanos, at_nanos));
        }
        Ok(())
    }

    /// The record after an accepted submitted event, its status still to be derived.
    pub(super) fn advanced(&self, event_id: EventId, at: At) -> PaymentRecord {
        let mut after = PaymentRecord::clone(&self.before);
        after.head = event_id;
        after.event_count += 1;
        after.last_index = at.log_index;
        after
    }

    /// The change of this payment, with the status that its counters say.
    pub(super) fn changed(&self, mut after: PaymentRecord) -> Vec<(PaymentIndex, Arc<PaymentRecord>)> {
        after.status = after.derived_status();
        vec![(self.index, Arc::new(after))]
    }
}

/// Fee accounts in list order: ACCOUNT_NOT_FOUND.
pub(super) fn find_fees<'e>(view: &impl StateView, fees: &'e [Fee]) -> Result<Vec<FoundFee<'e>>, Stop> {
    let find = |(position, fee): (usize, &'e Fee)| {
        let field = Field::Fee(position, "account");
        let (index, account) = find_account(view, field, &fee.account, Code::AccountNotFound)?;
        Ok(FoundFee { fee, index, account })
    };
    fees.iter().enumerate().map(find).collect()
}

/// An account by its id, with its index; `missing` when it is not there.
pub(super) fn find_account(
    view: &impl StateView,
    field: Field,
    account: &str,
    missing: Code,
) -> Result<(AccountIndex, Arc<AccountRecord>), Stop> {
    match view.account_index(account)? {
        Some(index) => Ok((index, view.account(index)?)),
        None => Err(Refusal::of(missing, field, account, "").into()),
    }
}

/// ACCOUNT_KIND_NOT_ALLOWED.
pub(super) fn check_kind(
    field: Field,
    account: &AccountRecord,
    allowed: impl Fn(AccountKind) -> bool,
) -> Result<(), Refusal> {
    if allowed(account.kind) {
        return Ok(());
    }
    let value = format!("{} of kind {}", account.id, account.kind);
    let kinds = AccountKind::ALL.iter().filter(|kind| allowed(**kind)).map(|kind| kind.name());
    let limit = kinds.collect::<Vec<_>>().join(", ");
    Err(Refusal::of(Code::AccountKindNotAllowed, field, value, limit))
}

/// The exchange or dispute account of a currency: ACCOUNT_NOT_FOUND.
pub(super) fn special(
    view: &impl StateView,
    kind: AccountKind,
    currency: CurrencyCode,
) -> Result<AccountIndex, Stop> {
    let found = view.special_account(kind, currency)?;
    let field = if kind == AccountKind::Fx { "fx" } else { "dispute" };
    let missing = || {
        let limit = "one account per currency";
        Refusal::of(Code::AccountNotFound, field, format!("{kind} {currency}"), limit)
    };
    found.ok_or_else(|| missing().into())
}

/// ACCOUNT_CURRENCY_MISMATCH.
pub(super) fn in_currency(account: &AccountRecord, currency: &str, field: Field) -> Result<(), Refusal> {
    if account.currency.as_str() == currency {
        return Ok(());
    }
    let value = format!("{} in {}", account.id, account.currency);
    Err(Refusal::of(Code::AccountCurrencyMismatch, field, value, currency))
}

/// DUPLICATE_EXTERNAL_REF. Returns the reference to take over, when the event has one.
pub(super) fn check_reference(
    view: &impl StateView,
    event: &Event,
    referenced: Referenced,
) -> Result<Option<(Arc<str>, String, Referenced)>, Stop> {
    if event.external_ref.is_empty() {
        return Ok(None);
    }
    let party = signers::party(view, event)?;
    if let Some(taken) = view.external_reference(&party, &event.external_ref)? {
        let by = match taken {
            Referenced::Payment(id) => id.to_string(),
            Referenced::Transfer(id) => id.to_string(),
        };
        let refusal = Refusal::of(Code::DuplicateExternalRef, "external_ref", &event.external_ref, by);
        return Err(refusal.into());
    }
    Ok(Some((party, event.external_ref.clone(), referenced)))
}

/// PERIOD_CLOSED: the effective date, by default the UTC date of t, lies after the last closed period.
pub(super) fn check_period(view: &impl StateView, event: &Event, at: At) -> Result<(), Refusal> {
    let closed_through = view.params().closed_through;
    let effective_date = match event.effective_date {
        0 => utc_date(at.t_nanos),
        date => date,
    };
    if effective_date <= closed_through {
        return Err(Refusal::of(Code::PeriodClosed, "effective_date", effective_date, closed_through));
    }
    Ok(())
}
