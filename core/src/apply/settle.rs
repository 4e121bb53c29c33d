//! Event 9: captured money leaves the clearing account for the creditor.

use super::booking::{Booking, Terms};
use super::conversion::{self, Creditor};
use super::guard::{Bridge, Case, check_period};
use super::pairs::{Pairs, Passage};
use super::{At, Effects, NotAdmitted, Stop, event_id, minor};
use crate::code::{Code, Refusal};
use crate::event::{Event, PaymentSettled};
use crate::ids::AccountIndex;
use crate::posting::Posting;
use crate::view::StateView;

pub(super) fn apply(
    view: &impl StateView,
    event: &Event,
    body: &PaymentSettled,
    at: At,
) -> Result<Effects, Stop> {
    let case = Case::load(view, event)?;
    let clearing = case.before.clearing;
    let bridge = if clearing.is_some() { case.bridge(view)? } else { None };
    conversion::check_currency(&case, body.fx.as_ref())?;
    case.check_head(event)?;
    let Some(clearing) = clearing.filter(|_| case.before.capt > 0) else {
        return Err(case.not_allowed(event).into());
    };
    let left = case.before.capt - case.before.sett;
    if minor(body.amount) > left {
        return Err(Refusal::of(Code::SettleExceedsCaptured, "amount", body.amount, left).into());
    }
    conversion::check(&case, Creditor::Involved, body.amount, body.fx.as_ref())?;
    check_period(view, event, at)?;

    let event_id = event_id(event)?;
    let mut booking = Booking::new(view, at, event_id, case.before.id);
    booking.post_all(pairs(&case, clearing, body, bridge)?)?;
    booking.check(Terms::New)?;

    let mut after = case.advanced(event_id, at);
    after.sett += minor(body.amount);
    Ok(Effects { payments: case.changed(after), ..booking.into_effects() })
}

/// What an accepted settlement posted.
pub(super) fn posted(
    view: &impl StateView,
    event: &Event,
    body: &PaymentSettled,
) -> Result<Vec<Posting>, Stop> {
    let case = Case::find(view, event)?;
    let clearing = case.before.clearing.ok_or(NotAdmitted("clearing_account"))?;
    Ok(pairs(&case, clearing, body, case.bridge(view)?)?.0)
}

fn pairs(
    case: &Case,
    clearing: AccountIndex,
    body: &PaymentSettled,
    bridge: Option<Bridge>,
) -> Result<Pairs, NotAdmitted> {
    let passage = Passage::new(bridge, body.fx.as_ref());
    Pairs::default().pay_creditor(case, clearing, body.amount, passage)
}
