//! Group 6 for the bodies of events.

use std::collections::BTreeMap;

use ledger_core::code::Code;
use ledger_core::event::{Body, Fee, Fx, KeyRegistered, PaymentInitiated, TransferPosted};
use ledger_core::number::Side;

use super::account::takes_limit;
use super::calendar;
use super::fields::{Fields, LARGEST};
use super::names::is_account_id;

pub(super) fn faults(body: &Body, fields: &mut Fields<'_>) {
    match body {
        Body::PaymentInitiated(body) => initiated(body, fields),
        Body::PaymentRejected(body) => fields.reason(&body.reason),
        Body::PaymentAuthorized(body) => {
            fields.amount(body.amount);
            fields.required(body.timeout_s != 0);
            fields.fault_if(body.timeout_s > 31_536_000, Code::TimeoutOutOfRange);
        }
        Body::AuthorizationIncreased(body) => fields.amount(body.amount),
        Body::AuthorizationReduced(body) => fields.amount(body.amount),
        Body::PaymentCaptured(body) => money(body.amount, &body.fees, body.fx.as_ref(), fields),
        Body::PaymentVoided(body) => fields.reason(&body.reason),
        Body::PaymentSettled(body) => {
            fields.optional_field_text(&body.settlement_ref);
            money(body.amount, &[], body.fx.as_ref(), fields);
        }
        Body::PaymentRefunded(body) => {
            fields.required(body.cause.is_some());
            fields.reason(&body.reason);
            money(body.amount, &body.fees, body.fx.as_ref(), fields);
        }
        Body::ChargebackOpened(body) => {
            fields.reason(&body.reason);
            money(body.amount, &[], body.fx.as_ref(), fields);
        }
        Body::ChargebackResolved(body) => {
            fields.required(body.result.is_some());
            money(body.amount, &[], body.fx.as_ref(), fields);
        }
        Body::PaymentReversed(body) => {
            fields.bytes(&body.target_event_id, 16);
            fields.reason(&body.reason);
        }
        Body::TransferPosted(body) => transfer(body, fields),
        Body::AccountOpened(body) => {
            fields.account(&body.account);
            fields.currency(&body.currency);
            fields.required(body.kind.is_some());
            let no_limit = body.kind.is_some_and(|kind| !takes_limit(kind));
            fields.fault_if(no_limit && body.limit > 0, Code::FieldNotAllowed);
            fields.fault_if(body.limit > LARGEST, Code::AmountTooLarge);
        }
        Body::AccountStatusChanged(body) => {
            fields.account(&body.account);
            fields.required(body.status.is_some());
            fields.reason(&body.reason);
        }
        Body::KeyRegistered(body) => key(body, fields),
        Body::KeyRevoked(body) => {
            fields.bytes(&body.key, 32);
            fields.optional_reason(&body.reason);
        }
        Body::PeriodClosed(body) => {
            fields.required(body.through != 0);
            fields.fault_if(body.through != 0 && !calendar::is_date(body.through), Code::FieldInvalid);
        }
        Body::LogKeyRotated(body) => fields.bytes(&body.new_key, 32),
        Body::RulesChanged(body) => fields.required(body.rules_version != 0),
        Body::MetadataErased(body) => {
            fields.bytes(&body.event_id, 16);
            fields.reason(&body.reason);
        }
        Body::AccountLimitChanged(body) => {
            fields.account(&body.account);
            fields.fault_if(body.limit > LARGEST, Code::AmountTooLarge);
        }
    }
}

fn initiated(body: &PaymentInitiated, fields: &mut Fields<'_>) {
    fields.amount(body.amount);
    fields.currency(&body.currency);
    fields.account(&body.debtor);
    fields.account(&body.creditor);
    fields.required(body.capture_mode.is_some());
    fields.optional_account(&body.clearing_account);
    fields.fault_if(body.debtor == body.creditor, Code::AccountsMustDiffer);
}

/// An amount with its fees and its exchange.
fn money(amount: u64, fees: &[Fee], fx: Option<&Fx>, fields: &mut Fields<'_>) {
    fields.amount(amount);
    fields.fault_if(fees.len() > 8, Code::FeesTooMany);
    let mut fee_sum: u128 = 0;
    for fee in fees {
        fields.required(fee.payer.is_some());
        fields.account(&fee.account);
        fields.currency(&fee.currency);
        fields.amount(fee.amount);
        fee_sum += u128::from(fee.amount);
    }
    fields.fault_if(u128::from(amount) + fee_sum > u128::from(LARGEST), Code::AmountTooLarge);
    if let Some(fx) = fx {
        fields.currency(&fx.counter_currency);
        fields.amount(fx.counter_amount);
        fields.required(fx.rounding.is_some());
        fields.optional_field_text(&fx.quote_ref);
        let in_range = (1..100_000_000_000).contains(&fx.rate_mantissa) && fx.rate_scale <= 10;
        fields.fault_if(!in_range, Code::FxRateOutOfRange);
        fields.fault_if(u128::from(fx.counter_amount) + fee_sum > u128::from(LARGEST), Code::AmountTooLarge);
    }
}

fn transfer(body: &TransferPosted, fields: &mut Fields<'_>) {
    fields.reason(&body.purpose);
    fields.optional_bytes(&body.related_payment_id, 16);
    fields.required(!body.legs.is_empty());
    fields.fault_if(body.legs.len() == 1, Code::LegsTooFew);
    fields.fault_if(body.legs.len() > 64, Code::LegsTooMany);
    let mut sums: BTreeMap<&str, (u128, u128)> = BTreeMap::new();
    for leg in &body.legs {
        fields.account(&leg.account);
        fields.required(leg.side.is_some());
        fields.currency(&leg.currency);
        fields.amount(leg.amount);
        let (debits, credits) = sums.entry(&leg.currency).or_default();
        match leg.side {
            Some(Side::Debit) => *debits += u128::from(leg.amount),
            Some(Side::Credit) => *credits += u128::from(leg.amount),
            None => {}
        }
    }
    for (debits, credits) in sums.into_values() {
        fields.fault_if(debits > u128::from(LARGEST), Code::AmountTooLarge);
        fields.fault_if(debits != credits, Code::LegsUnbalanced);
    }
}

fn key(body: &KeyRegistered, fields: &mut Fields<'_>) {
    fields.bytes(&body.key, 32);
    fields.required(!body.party.is_empty());
    fields.fault_if(body.party.len() > 35, Code::FieldInvalid);
    fields.required(body.roles != 0);
    fields.fault_if(body.roles > 63, Code::FieldInvalid);
    let has_form = body.prefix.is_empty() || is_account_id(&body.prefix);
    fields.fault_if(!has_form, Code::FieldInvalid);
}
