//! Event 6: held money is taken, or an immediate payment is made in one step.

use super::booking::{Booking, Terms};
use super::conversion::{self, Creditor};
use super::guard::{Bridge, Case, FoundFee, check_period, find_fees};
use super::pairs::{Pairs, Passage};
use super::{At, Effects, NotAdmitted, Stop, event_id, minor};
use crate::code::{Code, Refusal};
use crate::event::{Event, PaymentCaptured};
use crate::number::{CaptureMode, ReleaseCause, Route};
use crate::posting::Posting;
use crate::view::StateView;

pub(super) fn apply(
    view: &impl StateView,
    event: &Event,
    body: &PaymentCaptured,
    at: At,
) -> Result<Effects, Stop> {
    let case = Case::load(view, event)?;
    let fees = find_fees(view, &body.fees)?;
    let bridge = bridge(view, &case)?;
    case.check_fees(&fees)?;
    conversion::check_currency(&case, body.fx.as_ref())?;
    case.check_head(event)?;
    match case.before.capture_mode {
        CaptureMode::Deferred => check_deferred(&case, event, body, at)?,
        CaptureMode::Immediate => check_immediate(&case, event, body)?,
    }
    let creditor = match case.before.route {
        Route::Direct => Creditor::Involved,
        Route::Clearing => Creditor::Untouched,
    };
    conversion::check(&case, creditor, body.amount, body.fx.as_ref())?;
    check_period(view, event, at)?;

    let event_id = event_id(event)?;
    let mut booking = Booking::new(view, at, event_id, case.before.id);
    let terms = match case.before.capture_mode {
        CaptureMode::Deferred => {
            let released = if body.final_capture { case.before.hold() } else { minor(body.amount) };
            booking.hold(case.before.debtor, case.hold_counterparty(view)?, -released)?;
            Terms::Held
        }
        CaptureMode::Immediate => Terms::New,
    };
    booking.post_all(pairs(&case, body, bridge, &fees)?)?;
    booking.check(terms)?;

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

/// What an accepted capture posted.
pub(super) fn posted(
    view: &impl StateView,
    event: &Event,
    body: &PaymentCaptured,
) -> Result<Vec<Posting>, Stop> {
    let case = Case::find(view, event)?;
    Ok(pairs(&case, body, bridge(view, &case)?, &find_fees(view, &body.fees)?)?.0)
}

/// The creditor is not reached before settlement on the clearing route.
fn bridge(view: &impl StateView, case: &Case) -> Result<Option<Bridge>, Stop> {
    match case.before.route {
        Route::Direct => case.bridge(view),
        Route::Clearing => Ok(None),
    }
}

fn pairs(
    case: &Case,
    body: &PaymentCaptured,
    bridge: Option<Bridge>,
    fees: &[FoundFee<'_>],
) -> Result<Pairs, NotAdmitted> {
    let debtor = case.before.debtor;
    let pairs = match case.before.clearing {
        Some(clearing) => Pairs::default().pair(debtor, clearing, body.amount),
        None => {
            let passage = Passage::new(bridge, body.fx.as_ref());
            Pairs::default().pay_creditor(case, debtor, body.amount, passage)?
        }
    };
    pairs.fees(case, fees)
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
