//! Event 3: money is held on the debtor.

use super::booking::{Booking, Terms};
use super::guard::{Case, check_period};
use super::{At, Effects, Stop, event_id, minor};
use crate::code::{Code, Refusal};
use crate::event::{Event, PaymentAuthorized};
use crate::number::CaptureMode;
use crate::view::StateView;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

pub(super) fn apply(
    view: &impl StateView,
    event: &Event,
    body: &PaymentAuthorized,
    at: At,
) -> Result<Effects, Stop> {
    let case = Case::load(view, event)?;
    let counterparty = case.hold_counterparty(view)?;
    case.check_head(event)?;
    if case.before.capture_mode == CaptureMode::Immediate || !case.before.is_untouched() {
        return Err(case.not_allowed(event).into());
    }
    if body.amount > case.before.amount {
        let instructed = case.before.amount;
        return Err(Refusal::of(Code::AuthorizeExceedsInstructed, "amount", body.amount, instructed).into());
    }
    check_period(view, event, at)?;

    let event_id = event_id(event)?;
    let mut booking = Booking::new(view, at, event_id, case.before.id);
    booking.hold(case.before.debtor, counterparty, minor(body.amount))?;
    booking.check(Terms::New)?;

    let mut after = case.advanced(event_id, at);
    after.auth += minor(body.amount);
    after.expires_at_nanos = at.t_nanos.saturating_add(u64::from(body.timeout_s) * NANOS_PER_SECOND);
    Ok(Effects { payments: case.changed(after), ..booking.into_effects() })
}
