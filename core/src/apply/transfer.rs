//! Event 14: explicit legs between accounts.

use super::booking::{Booking, Freezing};
use super::guard::{check_period, check_reference, in_currency};
use super::{At, Effects, NotAdmitted, Stop, event_id, id16, minor};
use crate::code::{Code, Refusal};
use crate::event::{Event, TransferPosted};
use crate::ids::PaymentId;
use crate::number::Layer;
use crate::posting::Posting;
use crate::view::{Referenced, StateView};

pub(super) fn apply(
    view: &impl StateView,
    event: &Event,
    body: &TransferPosted,
    at: At,
) -> Result<Effects, Stop> {
    let event_id = event_id(event)?;

    if !body.related_payment_id.is_empty() {
        let related = PaymentId(id16(&body.related_payment_id, "related_payment_id")?);
        if view.payment_index(&related)?.is_none() {
            return Err(Refusal::of(Code::PaymentNotFound, "related_payment_id", related, "").into());
        }
    }
    let external_reference = check_reference(view, event, Referenced::Transfer(event_id))?;
    let mut accounts = Vec::with_capacity(body.legs.len());
    for (position, leg) in body.legs.iter().enumerate() {
        let Some(index) = view.account_index(&leg.account)? else {
            let field = format!("legs[{position}].account");
            return Err(Refusal::of(Code::AccountNotFound, field, &leg.account, "").into());
        };
        accounts.push(index);
    }
    for (leg, index) in body.legs.iter().zip(&accounts) {
        in_currency(&*view.account(*index)?, &leg.currency, "legs")?;
    }
    check_period(view, event, at)?;

    let mut booking = Booking::new(view, at, event_id, PaymentId::NIL);
    for (leg, account) in body.legs.iter().zip(accounts) {
        let side = leg.side.ok_or(NotAdmitted("side"))?;
        booking.post(Posting { account, layer: Layer::Posted, side, delta: minor(leg.amount) })?;
    }
    booking.check(Freezing::Heeded, None)?;
    Ok(Effects { external_reference, ..booking.into_effects() })
}
