//! Event 13: the posted postings of an earlier event are mirrored, once. Holds are not placed again.

use std::sync::Arc;

use super::booking::{Booking, Terms};
use super::guard::{Case, check_period};
use super::{At, Effects, Stop, event_id, id16};
use crate::code::{Code, Refusal};
use crate::event::{Event, PaymentReversed};
use crate::ids::{EventId, PaymentId, PaymentIndex};
use crate::number::{ReleaseCause, Route};
use crate::original::{Moved, Movement, Original};
use crate::posting::Posting;
use crate::record::PaymentRecord;
use crate::view::StateView;

pub(super) fn apply(
    view: &impl StateView,
    event: &Event,
    body: &PaymentReversed,
    at: At,
) -> Result<Effects, Stop> {
    let target = EventId(id16(&body.target_event_id, "target_event_id")?);

    let case = if event.payment_id.is_empty() { None } else { Some(Case::find(view, event)?) };
    if let Some(case) = &case {
        case.check_head(event)?;
    }
    let payment_id = case.as_ref().map_or(PaymentId::NIL, |case| case.before.id);
    let moved = check_target(view, target, payment_id)?;
    let event_id = event_id(event)?;
    let payments = match &case {
        Some(case) => changed_payment(case, moved.movement, event_id, at)?,
        None => Vec::new(),
    };
    check_period(view, event, at)?;

    let mut booking = Booking::new(view, at, event_id, payment_id);
    for posting in &moved.postings {
        booking.post(Posting { side: posting.side.opposite(), ..*posting })?;
    }
    booking.check(Terms::New)?;
    Ok(Effects { payments, reversed: Some(target), ..booking.into_effects() })
}

/// TARGET_EVENT_NOT_FOUND, TARGET_NOT_IN_PAYMENT, TARGET_NOT_REVERSIBLE, TARGET_ALREADY_REVERSED.
fn check_target(view: &impl StateView, target: EventId, payment_id: PaymentId) -> Result<Moved, Stop> {
    let field = "target_event_id";
    let accepted = |original: &Arc<Original>| original.outcome == 0;
    let Some(original) = view.original(&target)?.filter(accepted) else {
        return Err(Refusal::of(Code::TargetEventNotFound, field, target, "an accepted event").into());
    };
    if original.payment_id != payment_id {
        let limit = match payment_id {
            PaymentId::NIL => "an event of no payment".to_owned(),
            id => format!("an event of payment {id}"),
        };
        return Err(Refusal::of(Code::TargetNotInPayment, field, target, limit).into());
    }
    let Some(moved) = &original.moved else {
        let limit = "PaymentCaptured, PaymentSettled, PaymentRefunded, TransferPosted";
        return Err(Refusal::of(Code::TargetNotReversible, field, original.event_type, limit).into());
    };
    if let Some(by) = view.reversed_at(&target)? {
        let limit = format!("reversed at log index {by}");
        return Err(Refusal::of(Code::TargetAlreadyReversed, field, target, limit).into());
    }
    Ok(moved.clone())
}

/// REVERSAL_BREAKS_PAYMENT when the counters would say what cannot be.
fn changed_payment(
    case: &Case,
    movement: Movement,
    event_id: EventId,
    at: At,
) -> Result<Vec<(PaymentIndex, Arc<PaymentRecord>)>, Refusal> {
    let mut after = case.advanced(event_id, at);
    match movement {
        Movement::Captured(amount) => {
            after.capt -= i128::from(amount);
            after.rel += i128::from(amount);
            after.last_release = Some(ReleaseCause::Reversal);
            if after.route == Route::Direct {
                after.sett -= i128::from(amount);
            }
        }
        Movement::Settled(amount) => after.sett -= i128::from(amount),
        Movement::Refunded(amount) => after.refd -= i128::from(amount),
        Movement::Transferred => {}
    }
    if !after.is_legal() {
        let PaymentRecord { capt, sett, refd, disp, lost, .. } = after;
        let value = format!("captured {capt}, settled {sett}");
        let limit = format!("settled {sett}, refunded {refd}, disputed {disp}, lost {lost}");
        return Err(Refusal::of(Code::ReversalBreaksPayment, "target_event_id", value, limit));
    }
    Ok(case.changed(after))
}
