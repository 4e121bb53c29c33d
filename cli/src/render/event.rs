//! Signed events, decoded.

use ledger_client::ClientError;
use ledger_core::event::{Body, Event, Fee, Fx};
use ledger_core::ids::CurrencyCode;
use ledger_core::money::format_amount;
use ledger_core::number::Roles;

use super::Facts;
use crate::text;

/// Most decimals of a rate.
const MAX_RATE_SCALE: u32 = 10;

/// Header and body of an event. Amounts of events that name no currency are in `currency`, that of their payment.
///
/// # Errors
/// [`ClientError::Malformed`] for a rate that no ledger takes.
pub fn event_facts(event: &Event, currency: Option<CurrencyCode>) -> Result<Facts, ClientError> {
    let mut facts: Facts = vec![
        ("event id", text::uuid(&event.event_id)),
        ("type", event.body.name().to_owned()),
        ("ledger id", hex::encode(&event.ledger_id)),
        ("timestamp", text::time(event.timestamp_nanos)),
    ];
    let signers: Vec<String> = event.signers.iter().map(hex::encode).collect();
    facts.push(("signers", signers.join(" ")));
    facts.push(("payment id", text::uuid(&event.payment_id)));
    facts.push(("previous event id", text::uuid(&event.previous_event_id)));
    facts.push(("group", hex::encode(&event.group)));
    facts.push(("external ref", event.external_ref.clone()));
    if event.effective_date != 0 {
        facts.push(("effective date", text::date(event.effective_date)));
    }
    facts.push(("metadata commitment", hex::encode(&event.metadata_commitment)));
    body(&event.body, currency, &mut facts)?;
    facts.retain(|(_, value)| !value.is_empty());
    Ok(facts)
}

fn body(body: &Body, payment_currency: Option<CurrencyCode>, facts: &mut Facts) -> Result<(), ClientError> {
    let code = payment_currency.map(|code| code.to_string()).unwrap_or_default();
    let amount = |minor: u64| money(minor, &code);
    match body {
        Body::PaymentInitiated(b) => {
            facts.push(("amount", money(b.amount, &b.currency)));
            facts.push(("debtor", b.debtor.clone()));
            facts.push(("creditor", b.creditor.clone()));
            facts.push(("capture mode", b.capture_mode.map(|mode| mode.to_string()).unwrap_or_default()));
            facts.push(("clearing account", b.clearing_account.clone()));
        }
        Body::PaymentRejected(b) => facts.push(("reason", b.reason.clone())),
        Body::PaymentAuthorized(b) => {
            facts.push(("amount", amount(b.amount)));
            facts.push(("timeout seconds", b.timeout_s.to_string()));
        }
        Body::AuthorizationIncreased(b) => facts.push(("amount", amount(b.amount))),
        Body::AuthorizationReduced(b) => facts.push(("amount", amount(b.amount))),
        Body::PaymentCaptured(b) => {
            facts.push(("amount", amount(b.amount)));
            facts.push(("final", b.final_capture.to_string()));
            facts.push(("fees", fees(&b.fees)));
            facts.push(("fx", fx(b.fx.as_ref())?));
        }
        Body::PaymentVoided(b) => facts.push(("reason", b.reason.clone())),
        Body::PaymentSettled(b) => {
            facts.push(("amount", amount(b.amount)));
            facts.push(("settlement ref", b.settlement_ref.clone()));
            facts.push(("fx", fx(b.fx.as_ref())?));
        }
        Body::PaymentRefunded(b) => {
            facts.push(("amount", amount(b.amount)));
            facts.push(("cause", b.cause.map(|cause| cause.to_string()).unwrap_or_default()));
            facts.push(("reason", b.reason.clone()));
            facts.push(("fees", fees(&b.fees)));
            facts.push(("fx", fx(b.fx.as_ref())?));
        }
        Body::ChargebackOpened(b) => {
            facts.push(("amount", amount(b.amount)));
            facts.push(("reason", b.reason.clone()));
            facts.push(("fx", fx(b.fx.as_ref())?));
        }
        Body::ChargebackResolved(b) => {
            facts.push(("amount", amount(b.amount)));
            facts.push(("result", b.result.map(|result| result.to_string()).unwrap_or_default()));
            facts.push(("fx", fx(b.fx.as_ref())?));
        }
        Body::PaymentReversed(b) => {
            facts.push(("target event id", text::uuid(&b.target_event_id)));
            facts.push(("reason", b.reason.clone()));
        }
        Body::TransferPosted(b) => {
            let leg = |leg: &ledger_core::event::Leg| {
                let side = leg.side.map(|side| side.to_string()).unwrap_or_default();
                format!("{side} {} {}", leg.account, money(leg.amount, &leg.currency))
            };
            facts.push(("legs", b.legs.iter().map(leg).collect::<Vec<_>>().join("; ")));
            facts.push(("purpose", b.purpose.clone()));
            facts.push(("related payment id", text::uuid(&b.related_payment_id)));
        }
        other => control(other, facts),
    }
    Ok(())
}

/// Events about accounts, keys and the ledger itself.
fn control(body: &Body, facts: &mut Facts) {
    match body {
        Body::AccountOpened(b) => {
            facts.push(("account", b.account.clone()));
            facts.push(("currency", b.currency.clone()));
            facts.push(("kind", b.kind.map(|kind| kind.to_string()).unwrap_or_default()));
            facts.push(("limit", money(b.limit, &b.currency)));
        }
        Body::AccountStatusChanged(b) => {
            facts.push(("account", b.account.clone()));
            facts.push(("status", b.status.map(|status| status.to_string()).unwrap_or_default()));
            facts.push(("reason", b.reason.clone()));
        }
        Body::KeyRegistered(b) => {
            let roles = u16::try_from(b.roles).map(|bits| Roles(bits).names());
            facts.push(("key", hex::encode(&b.key)));
            facts.push(("party", b.party.clone()));
            facts.push(("roles", roles.unwrap_or_else(|_| b.roles.to_string())));
            facts.push(("prefix", b.prefix.clone()));
        }
        Body::KeyRevoked(b) => {
            facts.push(("key", hex::encode(&b.key)));
            facts.push(("reason", b.reason.clone()));
        }
        Body::PeriodClosed(b) => facts.push(("through", text::date(b.through))),
        Body::LogKeyRotated(b) => facts.push(("new key", hex::encode(&b.new_key))),
        Body::RulesChanged(b) => facts.push(("rules version", b.rules_version.to_string())),
        Body::MetadataErased(b) => {
            facts.push(("erased event id", text::uuid(&b.event_id)));
            facts.push(("reason", b.reason.clone()));
        }
        Body::AccountLimitChanged(b) => {
            facts.push(("account", b.account.clone()));
            facts.push(("limit in minor units", b.limit.to_string()));
        }
        _ => {}
    }
}

/// Minor units in their currency; named as such where the currency has no known decimals.
fn money(minor: u64, currency: &str) -> String {
    let decimals = CurrencyCode::parse(currency).and_then(text::decimals);
    match decimals {
        Some(decimals) => text::amount(i128::from(minor), u32::from(decimals), currency),
        None => format!("{minor} minor units"),
    }
}

fn fees(fees: &[Fee]) -> String {
    let fee = |fee: &Fee| {
        let payer = fee.payer.map(|payer| payer.to_string()).unwrap_or_default();
        format!("{payer} {} {}", fee.account, money(fee.amount, &fee.currency))
    };
    fees.iter().map(fee).collect::<Vec<_>>().join("; ")
}

fn fx(fx: Option<&Fx>) -> Result<String, ClientError> {
    let Some(fx) = fx else { return Ok(String::new()) };
    let scale = u8::try_from(fx.rate_scale).ok().filter(|scale| u32::from(*scale) <= MAX_RATE_SCALE);
    let malformed = || ClientError::Malformed { field: "rate_scale", found: fx.rate_scale.to_string() };
    let rate = format_amount(fx.rate_mantissa.into(), scale.ok_or_else(malformed)?);
    let rounding = fx.rounding.map(|rounding| rounding.to_string()).unwrap_or_default();
    let amount = money(fx.counter_amount, &fx.counter_currency);
    Ok(format!("{amount} at {rate} {rounding} {}", fx.quote_ref).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use ledger_core::event::PaymentCaptured;

    use super::*;

    fn fx_fact(rate_mantissa: u64, rate_scale: u32) -> Result<String, ClientError> {
        let fx = Fx {
            counter_amount: 16_123,
            counter_currency: "JPY".to_owned(),
            rate_mantissa,
            rate_scale,
            ..Fx::default()
        };
        let body = Body::PaymentCaptured(PaymentCaptured { fx: Some(fx), ..PaymentCaptured::default() });
        let facts = event_facts(&Event { body, ..Event::default() }, None)?;
        Ok(facts.into_iter().find(|(name, _)| *name == "fx").unwrap().1)
    }

    #[test]
    fn rates_have_their_decimals_and_no_more_than_a_ledger_takes() {
        assert_eq!(fx_fact(161_237, 3).unwrap(), "16123 JPY at 161.237");
        assert_eq!(fx_fact(5, 10).unwrap(), "16123 JPY at 0.0000000005");
        assert_eq!(fx_fact(2, 0).unwrap(), "16123 JPY at 2");
        for scale in [11, 70_000, u32::MAX] {
            let error = fx_fact(5, scale).unwrap_err();
            assert!(matches!(error, ClientError::Malformed { field: "rate_scale", .. }), "{error}");
        }
    }
}
