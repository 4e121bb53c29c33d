//! Event 6: held money is taken, or an immediate payment is made in one step.

use super::booking::{Booking, Freezing};
use super::conversion::{self, Creditor};
use super::guard::{Bridge, Case, FoundFee, check_period, find_fees};
use super::{At, Effects, NotAdmitted, Stop, event_id, minor};
use crate::code::{Code, Refusal};
use crate::event::{Event, PaymentCaptured};
use crate::number::{CaptureMode, ReleaseCause, Route};
use crate::view::StateView;

pub(super) fn apply(
    view: &impl StateView,
    event: &Event,
    body: &PaymentCaptured,
    at: At,
) -> Result<Effects, Stop> {
    let case = Case::load(view, event)?;
    let fees = find_fees(view, &body.fees)?;
    let (creditor, bridge) = match case.before.route {
        Route::Direct => (Creditor::Involved, case.bridge(view)?),
        Route::Clearing => (Creditor::Untouched, None),
    };
    case.check_fees(&fees)?;
    conversion::check_currency(&case, body.fx.as_ref())?;
    case.check_head(event)?;
    match case.before.capture_mode {
        CaptureMode::Deferred => check_deferred(&case, event, body, at)?,
        CaptureMode::Immediate => check_immediate(&case, event, body)?,
    }
    conversion::check(&case, creditor, body.amount, body.fx.as_ref())?;
    check_period(view, event, at)?;

    let event_id = event_id(event)?;
    let mut booking = Booking::new(view, at, event_id, case.before.id);
    book(&mut booking, &case, body, bridge, &fees)?;
    let freezing = match case.before.capture_mode {
        CaptureMode::Deferred => Freezing::Ignored,
        CaptureMode::Immediate => Freezing::Heeded,
    };
    booking.check(freezing, None)?;

    let amount = minor(body.amount);
    let mut after = case.advanced(event_id, at);
    if after.capture_mode == CaptureMode::Immediate {
        after.auth += amount;
    }
    after.capt += amount;
    if body.final_capture {
        after.release(ReleaseCause::FinalCapture);
    }
    if after.route == Route::Direct {
        after.sett += amount;
    }
    Ok(Effects { payments: case.changed(after), ..booking.into_effects() })
}

fn check_deferred(case: &Case, event: &Event, body: &PaymentCaptured, at: At) -> Result<(), Refusal> {
    if case.before.auth == 0 {
        return Err(case.not_allowed(event));
    }
    case.check_not_expired(at)?;
    let hold = case.before.hold();
    if minor(body.amount) > hold {
        return Err(Refusal::of(Code::CaptureExceedsHold, "amount", body.amount, hold));
    }
    Ok(())
}

fn check_immediate(case: &Case, event: &Event, body: &PaymentCaptured) -> Result<(), Refusal> {
    if !case.before.is_untouched() {
        return Err(case.not_allowed(event));
    }
    let instructed = case.before.amount;
    if body.amount != instructed {
        return Err(Refusal::of(Code::CaptureMustBeFull, "amount", body.amount, instructed));
    }
    if !body.final_capture {
        return Err(Refusal::of(Code::CaptureMustBeFull, "final_capture", false, true));
    }
    Ok(())
}

/// The hold's release, then the money's way, then the fees.
fn book<V: StateView>(
    booking: &mut Booking<'_, V>,
    case: &Case,
    body: &PaymentCaptured,
    bridge: Option<Bridge>,
    fees: &[FoundFee<'_>],
) -> Result<(), Stop> {
    let (debtor, creditor) = (case.before.debtor, case.before.creditor);
    let amount = minor(body.amount);
    if case.before.capture_mode == CaptureMode::Deferred {
        let released = if body.final_capture { case.before.hold() } else { amount };
        let counterparty = match (case.before.clearing, bridge) {
            (Some(clearing), _) => clearing,
            (None, Some(bridge)) => bridge.payment,
            (None, None) => creditor,
        };
        booking.hold(debtor, counterparty, -released)?;
    }
    match (case.before.clearing, bridge, &body.fx) {
        (Some(clearing), _, None) => booking.pair(debtor, clearing, amount)?,
        (None, Some(bridge), Some(fx)) => {
            booking.pair(debtor, bridge.payment, amount)?;
            booking.pair(bridge.counter, creditor, minor(fx.counter_amount))?;
        }
        (None, None, None) => booking.pair(debtor, creditor, amount)?,
        (Some(_), _, Some(_)) | (None, Some(_), None) | (None, None, Some(_)) => {
            return Err(NotAdmitted("fx").into());
        }
    }
    for found in fees {
        booking.pair(case.payer(found.fee)?, found.index, minor(found.fee.amount))?;
    }
    Ok(())
}
