//! Event 10: money goes back to the debtor.

use super::booking::{Booking, Freezing};
use super::conversion::{self, Creditor};
use super::guard::{Bridge, Case, FoundFee, check_period, find_fees};
use super::{At, Effects, NotAdmitted, Stop, event_id, minor};
use crate::code::{Code, Refusal};
use crate::event::{Event, PaymentRefunded};
use crate::number::RefundCause;
use crate::view::StateView;

pub(super) fn apply(
    view: &impl StateView,
    event: &Event,
    body: &PaymentRefunded,
    at: At,
) -> Result<Effects, Stop> {
    let case = Case::load(view, event)?;
    let fees = find_fees(view, &body.fees)?;
    let bridge = case.bridge(view)?;
    case.check_fees(&fees)?;
    conversion::check_currency(&case, body.fx.as_ref())?;
    case.check_head(event)?;
    if case.before.sett == 0 {
        return Err(case.not_allowed(event).into());
    }
    let left = case.before.refundable();
    if minor(body.amount) > left {
        return Err(Refusal::of(Code::RefundExceedsRefundable, "amount", body.amount, left).into());
    }
    conversion::check(&case, Creditor::Involved, body.amount, body.fx.as_ref())?;
    check_period(view, event, at)?;

    let event_id = event_id(event)?;
    let mut booking = Booking::new(view, at, event_id, case.before.id);
    book(&mut booking, &case, body, bridge, &fees)?;
    match body.cause {
        // The scheme has moved the money already: the creditor may be frozen or end below its limit.
        Some(RefundCause::Return) => booking.check(Freezing::Ignored, Some(case.before.creditor))?,
        Some(RefundCause::Merchant | RefundCause::Recall) => booking.check(Freezing::Heeded, None)?,
        None => return Err(NotAdmitted("cause").into()),
    }

    let mut after = case.advanced(event_id, at);
    after.refd += minor(body.amount);
    Ok(Effects { payments: case.changed(after), ..booking.into_effects() })
}

/// The money's way back, the payment's currency first, then the fees.
fn book<V: StateView>(
    booking: &mut Booking<'_, V>,
    case: &Case,
    body: &PaymentRefunded,
    bridge: Option<Bridge>,
    fees: &[FoundFee<'_>],
) -> Result<(), Stop> {
    let (debtor, creditor) = (case.before.debtor, case.before.creditor);
    match (bridge, &body.fx) {
        (Some(bridge), Some(fx)) => {
            booking.pair(bridge.payment, debtor, minor(body.amount))?;
            booking.pair(creditor, bridge.counter, minor(fx.counter_amount))?;
        }
        (None, None) => booking.pair(creditor, debtor, minor(body.amount))?,
        (Some(_), None) | (None, Some(_)) => return Err(NotAdmitted("fx").into()),
    }
    for found in fees {
        booking.pair(case.payer(found.fee)?, found.index, minor(found.fee.amount))?;
    }
    Ok(())
}
