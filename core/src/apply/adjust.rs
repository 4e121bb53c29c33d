//! Events 4 and 5: the hold of a payment grows or shrinks.

use super::booking::{Booking, Terms};
use super::guard::{Case, check_period};
use super::{At, Effects, Stop, event_id, minor};
use crate::code::{Code, Refusal};
use crate::event::{AuthorizationIncreased, AuthorizationReduced, Event};
use crate::number::ReleaseCause;
use crate::view::StateView;

/// May exceed the instructed amount.
pub(super) fn increase(
    view: &impl StateView,
    event: &Event,
    body: &AuthorizationIncreased,
    at: At,
) -> Result<Effects, Stop> {
    let case = Case::load(view, event)?;
    let counterparty = case.hold_counterparty(view)?;
    case.check_head(event)?;
    check_held(&case, event, at)?;
    check_period(view, event, at)?;

    let event_id = event_id(event)?;
    let mut booking = Booking::new(view, at, event_id, case.before.id);
    booking.hold(case.before.debtor, counterparty, minor(body.amount))?;
    booking.check(Terms::New)?;

    let mut after = case.advanced(event_id, at);
    after.auth += minor(body.amount);
    Ok(Effects { payments: case.changed(after), ..booking.into_effects() })
}

/// Something stays held: the whole hold is released by a void.
pub(super) fn reduce(
    view: &impl StateView,
    event: &Event,
    body: &AuthorizationReduced,
    at: At,
) -> Result<Effects, Stop> {
    let case = Case::load(view, event)?;
    case.check_head(event)?;
    check_held(&case, event, at)?;
    let hold = case.before.hold();
    if minor(body.amount) >= hold {
        return Err(Refusal::of(Code::ReduceExceedsHold, "amount", body.amount, hold - 1).into());
    }
    check_period(view, event, at)?;

    let event_id = event_id(event)?;
    let mut booking = Booking::new(view, at, event_id, case.before.id);
    booking.hold(case.before.debtor, case.hold_counterparty(view)?, -minor(body.amount))?;
    booking.check(Terms::Held)?;

    let mut after = case.advanced(event_id, at);
    after.rel += minor(body.amount);
    after.last_release = Some(ReleaseCause::Reduction);
    Ok(Effects { payments: case.changed(after), ..booking.into_effects() })
}

/// TRANSITION_NOT_ALLOWED without an authorization; AUTHORIZATION_EXPIRED; TRANSITION_NOT_ALLOWED without a hold.
pub(super) fn check_held(case: &Case, event: &Event, at: At) -> Result<(), Refusal> {
    if case.before.auth == 0 {
        return Err(case.not_allowed(event));
    }
    case.check_not_expired(at)?;
    if case.before.hold() == 0 {
        return Err(case.not_allowed(event));
    }
    Ok(())
}
