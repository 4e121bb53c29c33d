//! Event 10: money goes back to the debtor.

use super::booking::{Booking, Terms};
use super::conversion::{self, Creditor};
use super::guard::{Bridge, Case, FoundFee, check_period, find_fees};
use super::pairs::{Pairs, Passage};
use super::{At, Effects, NotAdmitted, Stop, event_id, minor};
use crate::code::Code;
use crate::event::{Event, PaymentRefunded};
use crate::number::RefundCause;
use crate::posting::Posting;
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
    case.check_refundable(event, body.amount, Code::RefundExceedsRefundable)?;
    conversion::check(&case, Creditor::Involved, body.amount, body.fx.as_ref())?;
    check_period(view, event, at)?;

    let event_id = event_id(event)?;
    let mut booking = Booking::new(view, at, event_id, case.before.id);
    booking.post_all(pairs(&case, body, bridge, &fees)?)?;
    match body.cause {
        // The scheme has moved the money already: the creditor may be frozen or end below its limit.
        Some(RefundCause::Return) => booking.check(Terms::Mandatory { creditor: case.before.creditor })?,
        Some(RefundCause::Merchant | RefundCause::Recall) => booking.check(Terms::New)?,
        None => return Err(NotAdmitted("cause").into()),
    }

    let mut after = case.advanced(event_id, at);
    after.refd += minor(body.amount);
    Ok(Effects { payments: case.changed(after), ..booking.into_effects() })
}

/// What an accepted refund posted.
pub(super) fn posted(
    view: &impl StateView,
    event: &Event,
    body: &PaymentRefunded,
) -> Result<Vec<Posting>, Stop> {
    let case = Case::find(view, event)?;
    Ok(pairs(&case, body, case.bridge(view)?, &find_fees(view, &body.fees)?)?.0)
}

fn pairs(
    case: &Case,
    body: &PaymentRefunded,
    bridge: Option<Bridge>,
    fees: &[FoundFee<'_>],
) -> Result<Pairs, NotAdmitted> {
    let passage = Passage::new(bridge, body.fx.as_ref());
    Pairs::default().take_from_creditor(case, case.before.debtor, body.amount, passage)?.fees(case, fees)
}
