//! The fields of a body that faults are put into.

use ledger_core::event::*;

/// The amount of an event that has one.
pub fn amount(event: &mut Event) -> &mut u64 {
    match &mut event.body {
        Body::PaymentInitiated(body) => &mut body.amount,
        Body::PaymentAuthorized(body) => &mut body.amount,
        Body::AuthorizationIncreased(body) => &mut body.amount,
        Body::AuthorizationReduced(body) => &mut body.amount,
        Body::PaymentCaptured(body) => &mut body.amount,
        Body::PaymentSettled(body) => &mut body.amount,
        Body::PaymentRefunded(body) => &mut body.amount,
        Body::ChargebackOpened(body) => &mut body.amount,
        Body::ChargebackResolved(body) => &mut body.amount,
        other => panic!("{}", other.name()),
    }
}

/// The reason or purpose of an event that has one.
pub fn reason(event: &mut Event) -> &mut String {
    match &mut event.body {
        Body::PaymentRejected(body) => &mut body.reason,
        Body::PaymentVoided(body) => &mut body.reason,
        Body::PaymentRefunded(body) => &mut body.reason,
        Body::ChargebackOpened(body) => &mut body.reason,
        Body::PaymentReversed(body) => &mut body.reason,
        Body::TransferPosted(body) => &mut body.purpose,
        Body::AccountStatusChanged(body) => &mut body.reason,
        Body::KeyRevoked(body) => &mut body.reason,
        Body::MetadataErased(body) => &mut body.reason,
        other => panic!("{}", other.name()),
    }
}

pub fn exchange(event: &mut Event) -> &mut Option<Fx> {
    match &mut event.body {
        Body::PaymentCaptured(body) => &mut body.fx,
        Body::PaymentSettled(body) => &mut body.fx,
        Body::PaymentRefunded(body) => &mut body.fx,
        Body::ChargebackOpened(body) => &mut body.fx,
        Body::ChargebackResolved(body) => &mut body.fx,
        other => panic!("{}", other.name()),
    }
}

pub fn in_exchange(event: &mut Event, change: fn(&mut Fx)) {
    exchange(event).iter_mut().for_each(change);
}

pub fn fees(event: &mut Event) -> &mut Vec<Fee> {
    match &mut event.body {
        Body::PaymentCaptured(body) => &mut body.fees,
        Body::PaymentRefunded(body) => &mut body.fees,
        other => panic!("{}", other.name()),
    }
}

pub fn fee(event: &mut Event, change: fn(&mut Fee)) {
    fees(event).iter_mut().for_each(change);
}

pub fn legs(event: &mut Event) -> &mut Vec<Leg> {
    &mut transferred(event).legs
}

pub fn leg(event: &mut Event, position: usize, change: fn(&mut Leg)) {
    legs(event).get_mut(position).into_iter().for_each(change);
}

macro_rules! body_of {
    ($($name:ident: $body:ident),* $(,)?) => {$(
        pub fn $name(event: &mut Event) -> &mut $body {
            match &mut event.body {
                Body::$body(body) => body,
                other => panic!("{}", other.name()),
            }
        }
    )*};
}

body_of! {
    initiated: PaymentInitiated,
    authorized: PaymentAuthorized,
    transferred: TransferPosted,
    opened: AccountOpened,
    status: AccountStatusChanged,
    registered: KeyRegistered,
    revoked: KeyRevoked,
    limited: AccountLimitChanged,
    reversed: PaymentReversed,
    closed: PeriodClosed,
    erasure: MetadataErased,
}

pub fn target(event: &mut Event) -> &mut Vec<u8> {
    &mut reversed(event).target_event_id
}

pub fn through(event: &mut Event) -> &mut u32 {
    &mut closed(event).through
}

pub fn erased(event: &mut Event) -> &mut Vec<u8> {
    &mut erasure(event).event_id
}
