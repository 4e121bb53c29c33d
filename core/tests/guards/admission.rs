//! What admission looks at, lowest number first.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;
use ledger_core::sidecar::Sidecar;

use crate::peel::*;
use crate::world::*;

/// A UUID v7 of the first moments of 1970.
const TAKEN_ID: [u8; 16] = [0, 0, 0, 0, 0, 1, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1];

#[test]
fn admission_of_a_transfer() {
    let mut world = World::new();
    let mut taken = world.event(transfer("world:usd", "cust:bob", "USD", 1), &["op1"]);
    taken.event_id = TAKEN_ID.to_vec();
    world.accept_event(&taken, &["op1"]);
    let legs = vec![
        Leg { account: String::new(), side: None, currency: String::new(), amount: 0 },
        leg("Not:an:account", Side::Credit, "XAU", 10u64.pow(18)),
        leg("cust:alice", Side::Debit, "ZZZ", 3),
    ];
    let body = TransferPosted { legs, purpose: "P".repeat(36), related_payment_id: vec![1; 15] };
    let mut event = world.event(Body::TransferPosted(body), &[]);
    event.ledger_id = vec![9; 32];
    event.event_id = Vec::new();
    event.payment_id = PAYMENT.to_vec();
    event.timestamp_nanos = 0;
    event.effective_date = 20_260_106;
    event.external_ref = "R".repeat(36);
    event.metadata_commitment = vec![1; 31];
    event.signers = vec![public("op1")];
    let mut draft = draft(event, &["nobody"]);
    draft.spoil = vec![|submitted| submitted.signatures[0].1.truncate(63)];
    let rows: &[Row] = &[
        (LedgerIdMismatch, "ledger_id", "*", |world, draft| {
            draft.event.ledger_id = world.event(Body::default(), &[]).ledger_id;
        }),
        (SignersMismatch, "signatures", "a signature of each signer", |_, draft| {
            draft.event.signers = sorted_keys(&["nobody"])
        }),
        (SignatureMalformed, "signatures", "64 bytes", |_, draft| {
            draft.spoil = vec![|submitted| submitted.signatures[0].1[5] ^= 1]
        }),
        (
            SignatureInvalid,
            "signatures",
            "a valid signature over the DSSE message by a canonical key",
            |_, draft| draft.spoil.clear(),
        ),
        (SignerKeyUnknown, "signers", "a registered key", |_, draft| resign(draft, &["gone"])),
        (SignerKeyRevoked, "signers", "*", |_, draft| resign(draft, &["acquirer"])),
        (SignerRoleMissing, "signers", "operator or owner", |_, draft| resign(draft, &["desk"])),
        (
            SignerNotAccountOwner,
            "signers",
            "a key with the role whose prefix covers the accounts",
            |_, draft| resign(draft, &["op1"]),
        ),
        (EventIdNil, "event_id", "a UUID v7", |world, draft| {
            draft.event.event_id = world.new_id();
            draft.event.event_id[6] = 0x40;
        }),
        (EventIdNotV7, "event_id", "a UUID v7", |_, draft| draft.event.event_id = TAKEN_ID.to_vec()),
        (EventIdConflict, "event_id", "*", |world, draft| {
            draft.event.event_id = world.new_id();
            draft.event.event_id[0] = 0x7f;
        }),
        (EventIdFromFuture, "event_id", "*", |world, draft| draft.event.event_id = world.new_id()),
        (TimestampOutOfRange, "timestamp_nanos", "*", |world, draft| {
            draft.event.timestamp_nanos = world.now_nanos
        }),
        (FieldRequired, "legs[0].account", "", |_, draft| {
            let legs = &mut body!(draft, TransferPosted).legs;
            legs[0] = leg("cust:bob", Side::Credit, "USD", 0);
        }),
        (FieldNotAllowed, "payment_id", "absent", |_, draft| draft.event.payment_id.clear()),
        (FieldInvalid, "metadata_commitment", "32 bytes", |_, draft| {
            draft.event.metadata_commitment.push(1);
            body!(draft, TransferPosted).related_payment_id.clear();
        }),
        (CurrencyUnknown, "legs[2].currency", "a currency of the genesis", |_, draft| {
            body!(draft, TransferPosted).legs[2].currency = "USD".to_owned()
        }),
        (CurrencyNotSupported, "legs[1].currency", "a currency with minor units", |_, draft| {
            body!(draft, TransferPosted).legs[1].currency = "USD".to_owned()
        }),
        (AmountZero, "legs[0].amount", "1", |_, draft| body!(draft, TransferPosted).legs[0].amount = 1),
        (AmountTooLarge, "legs[1].amount", "*", |_, draft| body!(draft, TransferPosted).legs[1].amount = 1),
        (AccountIdInvalid, "legs[1].account", "[a-z0-9][a-z0-9:_-]{0,63}", |_, draft| {
            let legs = &mut body!(draft, TransferPosted).legs;
            legs[1].account = "cust:bob".to_owned();
            legs.truncate(1);
        }),
        (LegsTooFew, "legs", "2", |_, draft| {
            body!(draft, TransferPosted).legs = vec![leg("cust:alice", Side::Debit, "USD", 1); 65];
        }),
        (LegsTooMany, "legs", "64", |_, draft| body!(draft, TransferPosted).legs.truncate(2)),
        (LegsUnbalanced, "legs", "debits 2 equal to credits 0", |_, draft| {
            body!(draft, TransferPosted).legs[1] = leg("cust:bob", Side::Credit, "USD", 1);
        }),
        (ReasonInvalid, "purpose", "35 characters", |_, draft| {
            body!(draft, TransferPosted).purpose.pop();
        }),
        (ExternalRefInvalid, "external_ref", "35 characters", |_, draft| {
            draft.event.external_ref.pop();
        }),
        (EffectiveDateInvalid, "effective_date", "20260105", |_, draft| {
            draft.event.effective_date = 20_260_105
        }),
    ];
    peel(&mut world, &mut draft, rows);
}

#[test]
fn admission_of_bodies() {
    let mut world = World::new();
    let fees = |count| vec![fee(Payer::Creditor, "fee:usd", "USD", 1); count];
    let captured =
        |fees, fx| Body::PaymentCaptured(PaymentCaptured { amount: 1, final_capture: true, fees, fx });
    let refunded = |cause, fees| {
        let reason = "TEST".to_owned();
        Body::PaymentRefunded(PaymentRefunded { amount: 1, cause, reason, fees, fx: None })
    };
    let closed = |through| Body::PeriodClosed(ledger_core::event::PeriodClosed { through });
    let erased = |event_id| Body::MetadataErased(MetadataErased { event_id, reason: "TEST".to_owned() });
    let revoked = |key| Body::KeyRevoked(KeyRevoked { key, reason: String::new() });
    let opened = |kind, limit| {
        let (account, currency) = ("new".to_owned(), "USD".to_owned());
        Body::AccountOpened(AccountOpened { account, currency, kind, limit })
    };
    let registered = |roles, prefix: &str, party: &str| {
        let (key, prefix, party) = (public("new"), prefix.to_owned(), party.to_owned());
        Body::KeyRegistered(KeyRegistered { key, party, roles, prefix })
    };
    let huge = 10u64.pow(18) - 1;
    let rows = [
        (initiation("cust:alice", "cust:alice", ""), "wallet", AccountsMustDiffer, "creditor"),
        (initiation("cust:alice", "Shop", ""), "wallet", AccountIdInvalid, "creditor"),
        (authorize(1, 0), "acquirer", FieldRequired, "timeout_s"),
        (authorize(1, 31_536_001), "acquirer", TimeoutOutOfRange, "timeout_s"),
        (authorize(0, 1), "acquirer", AmountZero, "amount"),
        (captured(fees(9), None), "acquirer", FeesTooMany, "fees"),
        (
            captured(vec![fee(Payer::Debtor, "fee:usd", "USD", huge)], None),
            "acquirer",
            AmountTooLarge,
            "amount",
        ),
        (captured(vec![Fee::default()], None), "acquirer", FieldRequired, "fees[0].payer"),
        (captured(fees(1), Some(Fx::default())), "acquirer", FieldRequired, "fx.counter_currency"),
        (captured(fees(1), Some(fx("EUR", 1, 0, 0))), "acquirer", FxRateOutOfRange, "fx.rate_mantissa"),
        (
            captured(fees(1), Some(fx("EUR", 1, 100_000_000_000, 0))),
            "acquirer",
            FxRateOutOfRange,
            "fx.rate_mantissa",
        ),
        (captured(fees(1), Some(fx("EUR", 1, 1, 11))), "acquirer", FxRateOutOfRange, "fx.rate_scale"),
        (captured(fees(1), Some(fx("EUR", huge, 1, 1))), "acquirer", AmountTooLarge, "fx.counter_amount"),
        (Body::PaymentVoided(PaymentVoided { reason: "R".repeat(36) }), "acquirer", ReasonInvalid, "reason"),
        (Body::PaymentVoided(PaymentVoided::default()), "acquirer", FieldRequired, "reason"),
        (refunded(None, Vec::new()), "acquirer", FieldRequired, "cause"),
        (refunded(Some(RefundCause::Return), fees(9)), "acquirer", FeesTooMany, "fees"),
        (Body::TransferPosted(TransferPosted::default()), "op1", FieldRequired, "legs"),
        (
            Body::TransferPosted(TransferPosted {
                legs: vec![leg("world:usd", Side::Debit, "USD", 1), leg("cust:bob", Side::Credit, "USD", 1)],
                purpose: "TEST".to_owned(),
                related_payment_id: vec![1; 15],
            }),
            "op1",
            FieldInvalid,
            "related_payment_id",
        ),
        (closed(0), "op1", FieldRequired, "through"),
        (closed(20_260_231), "op1", FieldInvalid, "through"),
        (erased(Vec::new()), "op1", FieldRequired, "event_id"),
        (erased(vec![1; 15]), "op1", FieldInvalid, "event_id"),
        (revoked(Vec::new()), "op1", FieldRequired, "key"),
        (revoked(vec![1; 31]), "op1", FieldInvalid, "key"),
        (opened(None, 0), "op1", FieldRequired, "kind"),
        (opened(Some(AccountKind::Fee), 1), "op1", FieldNotAllowed, "limit"),
        (opened(Some(AccountKind::Cash), huge + 1), "op1", AmountTooLarge, "limit"),
        (registered(0, "", "party"), "op1", FieldRequired, "roles"),
        (registered(64, "", "party"), "op1", FieldInvalid, "roles"),
        (registered(1, "-", "party"), "op1", FieldInvalid, "prefix"),
        (registered(1, "", ""), "op1", FieldRequired, "party"),
        (registered(1, "", &"P".repeat(36)), "op1", FieldInvalid, "party"),
    ];
    for (body, by, code, field) in rows {
        let by: &[&str] = if matches!(body, Body::KeyRegistered(_)) { &[by, "new"] } else { &[by] };
        let mut event = world.event(body, by);
        if event.body.number() <= 12 {
            event.payment_id = PAYMENT.to_vec();
        }
        if (2..=12).contains(&event.body.number()) {
            event.previous_event_id = vec![1; 16];
        }
        match world.submit(sign(&event, by)) {
            Answer::Rejected(refusal) => {
                assert_eq!((refusal.code, refusal.detail.field.as_str()), (code, field), "{event:?}");
            }
            other => panic!("{event:?}: {other:?}"),
        }
    }
}

#[test]
fn importers_may_be_late() {
    let mut world = World::new();
    let mut event = world.event(transfer("world:usd", "cust:alice", "USD", 1), &["importer"]);
    event.timestamp_nanos = 1;
    event.effective_date = 19_930_101;
    world.accept_event(&event, &["importer"]);
}

/// 619 takes its place among the other faults of fields.
#[test]
fn private_data_that_does_not_match_is_one_fault_of_several() {
    let mut world = World::new();
    let with_amount = |amount| transfer("world:usd", "cust:alice", "USD", amount);
    let rows =
        [(1, 0, MetadataCommitmentMismatch), (1, 20_990_101, MetadataCommitmentMismatch), (0, 0, AmountZero)];
    for (amount, effective_date, code) in rows {
        let mut event = world.event(with_amount(amount), &["op1"]);
        event.effective_date = effective_date;
        event.metadata_commitment = vec![1; 32];
        let mut draft = draft(event, &["op1"]);
        draft.spoil = vec![|submitted| {
            submitted.sidecar = Some(Sidecar { salt: vec![7; 32], metadata: b"name".to_vec() });
        }];
        assert_eq!(offer(&mut world, &mut draft).map(|refusal| refusal.code), Some(code));
    }
}

#[test]
fn a_missing_role_is_told_with_those_that_are_there() {
    let mut world = World::new();
    let event = world.event(transfer("world:usd", "cust:alice", "USD", 1), &["acquirer"]);
    let refusal = world.submit(sign(&event, &["acquirer"])).refusal().unwrap();
    assert_eq!((refusal.code, refusal.detail.value.as_str()), (SignerRoleMissing, "processor"));
}

#[test]
fn a_key_may_have_every_role() {
    let mut world = World::new();
    let body =
        KeyRegistered { key: public("new"), party: "all".to_owned(), roles: 63, prefix: String::new() };
    world.accept(Body::KeyRegistered(body), &["op1", "new"]);
}
