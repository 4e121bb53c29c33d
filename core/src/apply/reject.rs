//! Event 2: a payment is turned down before anything was held.

use super::guard::{Case, check_period};
use super::{At, Effects, Stop, event_id};
use crate::event::Event;
use crate::number::PaymentStatus;
use crate::view::StateView;

pub(super) fn apply(view: &impl StateView, event: &Event, at: At) -> Result<Effects, Stop> {
    let case = Case::load(view, event)?;
    case.check_head(event)?;
    if !case.before.is_untouched() {
        return Err(case.not_allowed(event).into());
    }
    check_period(view, event, at)?;

    let mut after = case.advanced(event_id(event)?, at);
    after.status = PaymentStatus::Rejected;
    Ok(Effects { payments: case.changed(after), ..Effects::default() })
}
