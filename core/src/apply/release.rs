//! Event 7 and expiry: the whole hold is released.

use super::adjust::check_held;
use super::booking::{Booking, Terms};
use super::guard::{Case, check_period};
use super::{At, Effects, NotAdmitted, Stop, event_id};
use crate::event::Event;
use crate::ids::{EventId, PaymentIndex};
use crate::number::ReleaseCause;
use crate::record::PaymentRecord;
use crate::view::{StateView, ViewError};

pub(super) fn void(view: &impl StateView, event: &Event, at: At) -> Result<Effects, Stop> {
    let case = Case::load(view, event)?;
    case.check_head(event)?;
    check_held(&case, event, at)?;
    check_period(view, event, at)?;

    let event_id = event_id(event)?;
    let counterparty = case.hold_counterparty(view)?;
    let mut booking = Booking::new(view, at, event_id, case.before.id);
    booking.hold(case.before.debtor, counterparty, -case.before.hold())?;
    booking.check(Terms::Held)?;

    let mut after = case.advanced(event_id, at);
    after.release(ReleaseCause::Void);
    Ok(Effects { payments: case.changed(after), ..booking.into_effects() })
}

/// Leaves the payment's head and event count: an expiry is no submitted event. Its lines carry no event id.
pub(super) fn expire(view: &impl StateView, payment: PaymentIndex, at: At) -> Result<Effects, ViewError> {
    let case = Case::of(view, payment)?;
    let counterparty = match case.hold_counterparty(view) {
        Ok(counterparty) => counterparty,
        Err(Stop::View(error)) => return Err(error),
        Err(Stop::Refused(_)) => return Err(NotAdmitted("a hold without its counterparty").into()),
    };
    let mut booking = Booking::new(view, at, EventId::NIL, case.before.id);
    booking.hold(case.before.debtor, counterparty, -case.before.hold())?;

    let mut after = PaymentRecord::clone(&case.before);
    after.release(ReleaseCause::Expiry);
    after.last_index = at.log_index;
    Ok(Effects { payments: case.changed(after), ..booking.into_effects() })
}
