//! The signed events: payloads, DSSE messages, signatures, refused variants.

use ledger_core::event::{Body, EVENT_TYPE, Event, Fee, Fx, Leg};
use ledger_crypto::dsse;
use serde_json::{Value, json};

use crate::vectors::{bytes, expect_members, list, number, object, read, signing_key, text};

#[test]
fn events_are_decoded_encoded_and_signed_alike() {
    let Some(file) = read("events.json") else { return };
    expect_members(
        &file,
        &["about", "type", "ledger_id", "events", "refused", "canonical_but_refused_later"],
    );
    assert_eq!(file["type"], EVENT_TYPE);
    let events = list(&file["events"]);
    for golden in events {
        expect_members(golden, &["event", "number", "fields", "body", "payload", "message", "signatures"]);
        let payload = bytes(&golden["payload"]);
        let event = Event::decode(&payload).unwrap();
        assert_eq!(event.body.name(), golden["event"]);
        assert_eq!(event.body.number(), number::<u32>(&golden["number"]));
        assert_eq!(header_json(&event), golden["fields"], "{}", event.body.name());
        assert_eq!(body_json(&event.body), golden["body"], "{}", event.body.name());
        assert_eq!(event.encode(), payload);
        let message = dsse::message(EVENT_TYPE, &payload);
        assert_eq!(message, bytes(&golden["message"]));
        for signature in list(&golden["signatures"]) {
            let key = signing_key(&signature["seed"]);
            assert_eq!(key.public_bytes().to_vec(), bytes(&signature["key"]));
            assert_eq!(key.sign(&message).to_vec(), bytes(&signature["signature"]));
        }
    }
    println!("events.json: {} events", events.len());
}

#[test]
fn refused_variants_give_their_codes() {
    let Some(file) = read("events.json") else { return };
    let refused = list(&file["refused"]);
    for variant in refused {
        expect_members(variant, &["clause", "payload", "refusal", "number", "reason"]);
        let refusal = Event::decode(&bytes(&variant["payload"])).unwrap_err();
        let expected = (number::<u16>(&variant["number"]), text(&variant["refusal"]));
        assert_eq!(
            (refusal.code.number(), refusal.code.name()),
            expected,
            "{}: {refusal}",
            variant["clause"]
        );
    }
    let canonical = list(&file["canonical_but_refused_later"]);
    for variant in canonical {
        let payload = bytes(&variant["payload"]);
        assert_eq!(Event::decode(&payload).unwrap().encode(), payload, "{}", variant["why"]);
    }
    println!("events.json: {} refused variants, {} refused later", refused.len(), canonical.len());
}

/// The header as the golden file writes it.
fn header_json(event: &Event) -> Value {
    object([
        ("ledger_id", hex_json(&event.ledger_id)),
        ("event_id", hex_json(&event.event_id)),
        ("payment_id", hex_json(&event.payment_id)),
        ("previous_event_id", hex_json(&event.previous_event_id)),
        ("signers", event.signers.iter().map(|key| hex_json(key)).collect()),
        ("group", hex_json(&event.group)),
        ("timestamp_nanos", amount(event.timestamp_nanos)),
        ("effective_date", json!(event.effective_date)),
        ("external_ref", json!(event.external_ref)),
        ("metadata_commitment", hex_json(&event.metadata_commitment)),
    ])
}

/// The body as the golden file writes it, field by field.
fn body_json(body: &Body) -> Value {
    match body {
        Body::PaymentInitiated(b) => object([
            ("amount", amount(b.amount)),
            ("currency", json!(b.currency)),
            ("debtor", json!(b.debtor)),
            ("creditor", json!(b.creditor)),
            ("capture_mode", json!(b.capture_mode.map(|value| value.number()))),
            ("clearing_account", json!(b.clearing_account)),
        ]),
        Body::PaymentRejected(b) => object([("reason", json!(b.reason))]),
        Body::PaymentAuthorized(b) => {
            object([("amount", amount(b.amount)), ("timeout_s", json!(b.timeout_s))])
        }
        Body::AuthorizationIncreased(b) => object([("amount", amount(b.amount))]),
        Body::AuthorizationReduced(b) => object([("amount", amount(b.amount))]),
        Body::PaymentCaptured(b) => object([
            ("amount", amount(b.amount)),
            ("final_capture", json!(b.final_capture)),
            ("fees", b.fees.iter().map(fee_json).collect()),
            ("fx", fx_json(&b.fx)),
        ]),
        Body::PaymentVoided(b) => object([("reason", json!(b.reason))]),
        Body::PaymentSettled(b) => object([
            ("amount", amount(b.amount)),
            ("settlement_ref", json!(b.settlement_ref)),
            ("fx", fx_json(&b.fx)),
        ]),
        Body::PaymentRefunded(b) => object([
            ("amount", amount(b.amount)),
            ("cause", json!(b.cause.map(|value| value.number()))),
            ("reason", json!(b.reason)),
            ("fees", b.fees.iter().map(fee_json).collect()),
            ("fx", fx_json(&b.fx)),
        ]),
        Body::ChargebackOpened(b) => {
            object([("amount", amount(b.amount)), ("reason", json!(b.reason)), ("fx", fx_json(&b.fx))])
        }
        Body::ChargebackResolved(b) => object([
            ("amount", amount(b.amount)),
            ("result", json!(b.result.map(|value| value.number()))),
            ("fx", fx_json(&b.fx)),
        ]),
        Body::PaymentReversed(b) => {
            object([("target_event_id", hex_json(&b.target_event_id)), ("reason", json!(b.reason))])
        }
        Body::TransferPosted(b) => object([
            ("legs", b.legs.iter().map(leg_json).collect()),
            ("purpose", json!(b.purpose)),
            ("related_payment_id", hex_json(&b.related_payment_id)),
        ]),
        Body::AccountOpened(b) => object([
            ("account", json!(b.account)),
            ("currency", json!(b.currency)),
            ("kind", json!(b.kind.map(|value| value.number()))),
            ("limit", amount(b.limit)),
        ]),
        Body::AccountStatusChanged(b) => object([
            ("account", json!(b.account)),
            ("status", json!(b.status.map(|value| value.number()))),
            ("reason", json!(b.reason)),
        ]),
        Body::KeyRegistered(b) => object([
            ("key", hex_json(&b.key)),
            ("party", json!(b.party)),
            ("roles", json!(b.roles)),
            ("prefix", json!(b.prefix)),
        ]),
        Body::KeyRevoked(b) => object([("key", hex_json(&b.key)), ("reason", json!(b.reason))]),
        Body::PeriodClosed(b) => object([("through", json!(b.through))]),
        Body::LogKeyRotated(b) => object([("new_key", hex_json(&b.new_key))]),
        Body::RulesChanged(b) => object([("rules_version", json!(b.rules_version))]),
        Body::MetadataErased(b) => object([("event_id", hex_json(&b.event_id)), ("reason", json!(b.reason))]),
        Body::AccountLimitChanged(b) => object([("account", json!(b.account)), ("limit", amount(b.limit))]),
    }
}

fn leg_json(leg: &Leg) -> Value {
    object([
        ("account", json!(leg.account)),
        ("side", json!(leg.side.map(|value| value.number()))),
        ("currency", json!(leg.currency)),
        ("amount", amount(leg.amount)),
    ])
}

fn fee_json(fee: &Fee) -> Value {
    object([
        ("payer", json!(fee.payer.map(|value| value.number()))),
        ("account", json!(fee.account)),
        ("currency", json!(fee.currency)),
        ("amount", amount(fee.amount)),
    ])
}

fn fx_json(fx: &Option<Fx>) -> Value {
    let Some(fx) = fx else { return Value::Null };
    object([
        ("counter_currency", json!(fx.counter_currency)),
        ("counter_amount", amount(fx.counter_amount)),
        ("rate_mantissa", amount(fx.rate_mantissa)),
        ("rate_scale", json!(fx.rate_scale)),
        ("rounding", json!(fx.rounding.map(|value| value.number()))),
        ("quote_ref", json!(fx.quote_ref)),
    ])
}

fn hex_json(bytes: &[u8]) -> Value {
    json!(hex::encode(bytes))
}

fn amount(value: u64) -> Value {
    json!(value.to_string())
}
