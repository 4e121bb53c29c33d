//! The fields of each body.

use std::collections::BTreeMap;

use super::faults::Faults;
use crate::code::{Code, Field};
use crate::date::is_date;
use crate::event::{
    AccountOpened, Body, Fee, Fx, KeyRegistered, Leg, PaymentCaptured, PaymentInitiated, PaymentRefunded,
    TransferPosted,
};
use crate::ids::AccountId;
use crate::number::{Roles, Side};
use crate::view::Constants;

const MAX_FEES: usize = 8;
const MIN_LEGS: usize = 2;
const MAX_LEGS: usize = 64;
/// Longest authorization: 365 days, in seconds.
const MAX_TIMEOUT_S: u32 = 31_536_000;
/// A rate has at most 11 digits, of which at most 10 are decimals.
const MAX_RATE_MANTISSA: u64 = 99_999_999_999;
const MAX_RATE_SCALE: u32 = 10;

pub(super) fn check(constants: &Constants, body: &Body, faults: &mut Faults) {
    let amount = Field::Plain("amount");
    let reason = Field::Plain("reason");
    match body {
        Body::PaymentInitiated(body) => initiated(constants, body, faults),
        Body::PaymentRejected(body) => faults.required_text(Code::ReasonInvalid, reason, &body.reason),
        Body::PaymentAuthorized(body) => {
            faults.amount(amount, body.amount);
            timeout(body.timeout_s, faults);
        }
        Body::AuthorizationIncreased(body) => faults.amount(amount, body.amount),
        Body::AuthorizationReduced(body) => faults.amount(amount, body.amount),
        Body::PaymentCaptured(body) => captured(constants, body, faults),
        Body::PaymentVoided(body) => faults.required_text(Code::ReasonInvalid, reason, &body.reason),
        Body::PaymentSettled(body) => {
            faults.amount(amount, body.amount);
            faults.short_text(Code::FieldInvalid, Field::Plain("settlement_ref"), &body.settlement_ref);
            fx(constants, body.fx.as_ref(), faults);
        }
        Body::PaymentRefunded(body) => refunded(constants, body, faults),
        Body::ChargebackOpened(body) => {
            faults.amount(amount, body.amount);
            faults.required_text(Code::ReasonInvalid, reason, &body.reason);
            fx(constants, body.fx.as_ref(), faults);
        }
        Body::ChargebackResolved(body) => {
            faults.amount(amount, body.amount);
            faults.given(Field::Plain("result"), body.result);
            fx(constants, body.fx.as_ref(), faults);
        }
        Body::PaymentReversed(body) => {
            required_id16("target_event_id", &body.target_event_id, faults);
            faults.required_text(Code::ReasonInvalid, reason, &body.reason);
        }
        Body::TransferPosted(body) => transfer(constants, body, faults),
        Body::AccountOpened(body) => account_opened(constants, body, faults),
        Body::AccountStatusChanged(body) => {
            faults.account(Field::Plain("account"), &body.account);
            faults.given(Field::Plain("status"), body.status);
            faults.required_text(Code::ReasonInvalid, reason, &body.reason);
        }
        Body::KeyRegistered(body) => key_registered(body, faults),
        Body::KeyRevoked(body) => {
            required_bytes32("key", &body.key, faults);
            faults.short_text(Code::ReasonInvalid, reason, &body.reason);
        }
        Body::PeriodClosed(body) => through(body.through, faults),
        Body::LogKeyRotated(body) => required_bytes32("new_key", &body.new_key, faults),
        // No version is as little known as a wrong one: 304, before any field.
        Body::RulesChanged(_) => {}
        Body::MetadataErased(body) => {
            required_id16("event_id", &body.event_id, faults);
            faults.required_text(Code::ReasonInvalid, reason, &body.reason);
        }
        Body::AccountLimitChanged(body) => {
            faults.account(Field::Plain("account"), &body.account);
            faults.within_amount(Field::Plain("limit"), u128::from(body.limit));
        }
    }
}

fn initiated(constants: &Constants, body: &PaymentInitiated, faults: &mut Faults) {
    faults.amount(Field::Plain("amount"), body.amount);
    faults.currency(constants, Field::Plain("currency"), &body.currency);
    faults.account(Field::Plain("debtor"), &body.debtor);
    faults.account(Field::Plain("creditor"), &body.creditor);
    faults.given(Field::Plain("capture_mode"), body.capture_mode);
    faults.optional_account(Field::Plain("clearing_account"), &body.clearing_account);
    if body.debtor == body.creditor {
        faults.add(
            Code::AccountsMustDiffer,
            Field::Plain("creditor"),
            &body.creditor,
            "another than the debtor",
        );
    }
}

fn timeout(timeout_s: u32, faults: &mut Faults) {
    let field = Field::Plain("timeout_s");
    if timeout_s == 0 {
        faults.add(Code::FieldRequired, field, 0, "");
    }
    if timeout_s > MAX_TIMEOUT_S {
        faults.add(Code::TimeoutOutOfRange, field, timeout_s, MAX_TIMEOUT_S);
    }
}

fn captured(constants: &Constants, body: &PaymentCaptured, faults: &mut Faults) {
    faults.amount(Field::Plain("amount"), body.amount);
    fees(constants, &body.fees, faults);
    fx(constants, body.fx.as_ref(), faults);
    sums_with_fees(body.amount, &body.fees, body.fx.as_ref(), faults);
}

fn refunded(constants: &Constants, body: &PaymentRefunded, faults: &mut Faults) {
    faults.amount(Field::Plain("amount"), body.amount);
    faults.given(Field::Plain("cause"), body.cause);
    faults.required_text(Code::ReasonInvalid, Field::Plain("reason"), &body.reason);
    fees(constants, &body.fees, faults);
    fx(constants, body.fx.as_ref(), faults);
    sums_with_fees(body.amount, &body.fees, body.fx.as_ref(), faults);
}

fn fees(constants: &Constants, fees: &[Fee], faults: &mut Faults) {
    if fees.len() > MAX_FEES {
        faults.add(Code::FeesTooMany, Field::Plain("fees"), fees.len(), MAX_FEES);
    }
    for (position, fee) in fees.iter().enumerate() {
        faults.given(Field::Fee(position, "payer"), fee.payer);
        faults.account(Field::Fee(position, "account"), &fee.account);
        faults.currency(constants, Field::Fee(position, "currency"), &fee.currency);
        faults.amount(Field::Fee(position, "amount"), fee.amount);
    }
}

fn fx(constants: &Constants, fx: Option<&Fx>, faults: &mut Faults) {
    let Some(fx) = fx else { return };
    faults.currency(constants, Field::Fx("counter_currency"), &fx.counter_currency);
    faults.amount(Field::Fx("counter_amount"), fx.counter_amount);
    if fx.rate_mantissa == 0 || fx.rate_mantissa > MAX_RATE_MANTISSA {
        let limit = format!("1 to {MAX_RATE_MANTISSA}");
        faults.add(Code::FxRateOutOfRange, Field::Fx("rate_mantissa"), fx.rate_mantissa, limit);
    }
    if fx.rate_scale > MAX_RATE_SCALE {
        faults.add(Code::FxRateOutOfRange, Field::Fx("rate_scale"), fx.rate_scale, MAX_RATE_SCALE);
    }
    faults.given(Field::Fx("rounding"), fx.rounding);
    faults.short_text(Code::FieldInvalid, Field::Fx("quote_ref"), &fx.quote_ref);
}

/// The amount or its counter amount plus all fees, whatever their currencies.
fn sums_with_fees(amount: u64, fees: &[Fee], fx: Option<&Fx>, faults: &mut Faults) {
    let total: u128 = fees.iter().map(|fee| u128::from(fee.amount)).sum();
    faults.within_amount(Field::Plain("amount"), u128::from(amount) + total);
    if let Some(fx) = fx {
        faults.within_amount(Field::Fx("counter_amount"), u128::from(fx.counter_amount) + total);
    }
}

fn transfer(constants: &Constants, body: &TransferPosted, faults: &mut Faults) {
    let field = Field::Plain("legs");
    match body.legs.len() {
        0 => faults.add(Code::FieldRequired, field, 0, MIN_LEGS),
        count if count < MIN_LEGS => faults.add(Code::LegsTooFew, field, count, MIN_LEGS),
        count if count > MAX_LEGS => faults.add(Code::LegsTooMany, field, count, MAX_LEGS),
        _ => {}
    }
    for (position, leg) in body.legs.iter().enumerate() {
        faults.account(Field::Leg(position, "account"), &leg.account);
        faults.given(Field::Leg(position, "side"), leg.side);
        faults.currency(constants, Field::Leg(position, "currency"), &leg.currency);
        faults.amount(Field::Leg(position, "amount"), leg.amount);
    }
    sums_of_legs(&body.legs, faults);
    faults.required_text(Code::ReasonInvalid, Field::Plain("purpose"), &body.purpose);
    faults.id16(Field::Plain("related_payment_id"), &body.related_payment_id);
}

/// Debits equal credits in each currency, and stay within an amount.
fn sums_of_legs(legs: &[Leg], faults: &mut Faults) {
    let mut sums: BTreeMap<&str, (u128, u128)> = BTreeMap::new();
    for leg in legs {
        let (debits, credits) = sums.entry(leg.currency.as_str()).or_default();
        match leg.side {
            Some(Side::Debit) => *debits += u128::from(leg.amount),
            Some(Side::Credit) => *credits += u128::from(leg.amount),
            None => {}
        }
    }
    for (currency, (debits, credits)) in sums {
        faults.within_amount(Field::Plain("legs"), debits);
        if debits != credits {
            let limit = format!("debits {debits} equal to credits {credits}");
            faults.add(Code::LegsUnbalanced, Field::Plain("legs"), currency, limit);
        }
    }
}

fn account_opened(constants: &Constants, body: &AccountOpened, faults: &mut Faults) {
    faults.account(Field::Plain("account"), &body.account);
    faults.currency(constants, Field::Plain("currency"), &body.currency);
    faults.given(Field::Plain("kind"), body.kind);
    faults.within_amount(Field::Plain("limit"), u128::from(body.limit));
    if let Some(kind) = body.kind
        && body.limit > 0
        && !kind.takes_limit()
    {
        faults.add(Code::FieldNotAllowed, Field::Plain("limit"), body.limit, format!("0 for kind {kind}"));
    }
}

fn key_registered(body: &KeyRegistered, faults: &mut Faults) {
    required_bytes32("key", &body.key, faults);
    faults.required_text(Code::FieldInvalid, Field::Plain("party"), &body.party);
    if body.roles == 0 {
        faults.add(Code::FieldRequired, Field::Plain("roles"), 0, "");
    }
    if body.roles > u32::from(Roles::ALL.0) {
        faults.add(Code::FieldInvalid, Field::Plain("roles"), body.roles, Roles::ALL.names());
    }
    if !body.prefix.is_empty() && AccountId::parse(&body.prefix).is_none() {
        let limit = "empty, an account id, or the beginning of one up to a colon";
        faults.add(Code::FieldInvalid, Field::Plain("prefix"), &body.prefix, limit);
    }
}

fn through(date: u32, faults: &mut Faults) {
    let field = Field::Plain("through");
    if date == 0 {
        faults.add(Code::FieldRequired, field, 0, "");
    } else if !is_date(date) {
        faults.add(Code::FieldInvalid, field, date, "yyyymmdd from 19700101 to 99991231");
    }
}

fn required_id16(name: &'static str, bytes: &[u8], faults: &mut Faults) {
    faults.required_bytes(Field::Plain(name), bytes);
    faults.id16(Field::Plain(name), bytes);
}

fn required_bytes32(name: &'static str, bytes: &[u8], faults: &mut Faults) {
    faults.required_bytes(Field::Plain(name), bytes);
    faults.bytes32(Field::Plain(name), bytes);
}
