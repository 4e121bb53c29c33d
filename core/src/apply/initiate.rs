//! Event 1: a payment is announced.

use std::sync::Arc;

use super::guard::{check_kind, check_period, check_reference, find_account, in_currency};
use super::{At, Effects, NotAdmitted, Stop, event_id, payment_id};
use crate::code::{Code, Field, Refusal};
use crate::event::{Event, PaymentInitiated};
use crate::ids::{CurrencyCode, PaymentIndex};
use crate::number::{AccountKind, PaymentStatus, Route};
use crate::record::PaymentRecord;
use crate::view::{Referenced, StateView};

const DEBTOR: Field = Field::Plain("debtor");
const CREDITOR: Field = Field::Plain("creditor");
const CLEARING: Field = Field::Plain("clearing_account");

pub(super) fn apply(
    view: &impl StateView,
    event: &Event,
    body: &PaymentInitiated,
    at: At,
) -> Result<Effects, Stop> {
    let (id, event_id) = (payment_id(event)?, event_id(event)?);
    let capture_mode = body.capture_mode.ok_or(NotAdmitted("capture_mode"))?;
    let currency = CurrencyCode::parse(&body.currency).ok_or(NotAdmitted("currency"))?;

    if let Some(index) = view.payment_index(&id)? {
        let status = view.payment(index)?.status;
        return Err(Refusal::of(Code::PaymentAlreadyExists, "payment_id", id, status).into());
    }
    let external_reference = check_reference(view, event, Referenced::Payment(id))?;
    let debtor = find_account(view, DEBTOR, &body.debtor, Code::DebtorAccountNotFound)?;
    let creditor = find_account(view, CREDITOR, &body.creditor, Code::CreditorAccountNotFound)?;
    let clearing = match body.clearing_account.as_str() {
        "" => None,
        account => Some(find_account(view, CLEARING, account, Code::AccountNotFound)?),
    };
    check_kind(DEBTOR, &debtor.1, AccountKind::may_pay)?;
    check_kind(CREDITOR, &creditor.1, AccountKind::may_pay)?;
    if let Some((_, clearing)) = &clearing {
        check_kind(CLEARING, clearing, |kind| kind == AccountKind::Clearing)?;
    }
    in_currency(&debtor.1, &body.currency, DEBTOR)?;
    if let Some((_, clearing)) = &clearing {
        in_currency(clearing, &body.currency, CLEARING)?;
    }
    check_period(view, event, at)?;

    let record = PaymentRecord {
        status: PaymentStatus::Initiated,
        capture_mode,
        route: if clearing.is_some() { Route::Clearing } else { Route::Direct },
        last_release: None,
        id,
        debtor: debtor.0,
        creditor: creditor.0,
        clearing: clearing.map(|(index, _)| index),
        currency,
        amount: body.amount,
        auth: 0,
        capt: 0,
        rel: 0,
        sett: 0,
        refd: 0,
        disp: 0,
        lost: 0,
        expires_at_nanos: 0,
        head: event_id,
        event_count: 1,
        last_index: at.log_index,
    };
    let payments = vec![(PaymentIndex(view.payment_count()), Arc::new(record))];
    Ok(Effects { payments, external_reference, ..Effects::default() })
}
