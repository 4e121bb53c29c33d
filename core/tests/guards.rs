//! Guards in their documented order: each table begins with an event that breaks every guard; each row expects a code and
//! then mends what it was about.

mod world;

use ledger_core::code::Code::{self, *};
use ledger_core::event::*;
use ledger_core::number::*;
use world::*;

/// A UUID v7 of the first moments of 1970.
const TAKEN_ID: [u8; 16] = [0, 0, 0, 0, 0, 1, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1];

/// An event to be mended, who signs it, and what is done to it after signing.
struct Draft {
    event: Event,
    by: Vec<&'static str>,
    spoil: fn(&mut ledger_core::unit::Submitted),
}

type Mend = fn(&mut World, &mut Draft);

/// Submits the draft (under a new id when the last answer burnt it), expects the code of each row, mends; in the end
/// the event is accepted. Refusals change no record.
fn peel(world: &mut World, draft: &mut Draft, rows: &[(Code, Mend)]) {
    for (code, mend) in rows {
        assert_eq!(offer(world, draft), Some(*code), "before mending {code}");
        mend(world, draft);
    }
    assert_eq!(offer(world, draft), None, "mended");
}

fn offer(world: &mut World, draft: &mut Draft) -> Option<Code> {
    let before = world.records();
    let mut submitted = sign(&draft.event, &draft.by);
    (draft.spoil)(&mut submitted);
    let answer = world.submit(submitted);
    let code = answer.code();
    if code.is_some() {
        assert_eq!(world.records(), before, "{code:?} changes nothing");
    }
    if code.is_some_and(Code::is_logged) {
        draft.event.event_id = world.new_id();
    }
    code
}

fn draft(event: Event, by: &[&'static str]) -> Draft {
    Draft { event, by: by.to_vec(), spoil: |_| {} }
}

macro_rules! body {
    ($draft:expr, $name:ident) => {
        match &mut $draft.event.body {
            Body::$name(body) => body,
            other => panic!("{other:?}"),
        }
    };
}

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
    draft.spoil = |submitted| submitted.signatures[0].1.truncate(63);
    let rows: &[(Code, Mend)] = &[
        (LedgerIdMismatch, |world, draft| {
            draft.event.ledger_id = world.event(Body::default(), &[]).ledger_id;
        }),
        (SignersMismatch, |_, draft| draft.event.signers = sorted_keys(&["nobody"])),
        (SignatureMalformed, |_, draft| draft.spoil = |submitted| submitted.signatures[0].1[5] ^= 1),
        (SignatureInvalid, |_, draft| draft.spoil = |_| {}),
        (SignerKeyUnknown, |_, draft| resign(draft, &["gone"])),
        (SignerKeyRevoked, |_, draft| resign(draft, &["acquirer"])),
        (SignerRoleMissing, |_, draft| resign(draft, &["desk"])),
        (SignerNotAccountOwner, |_, draft| resign(draft, &["op1"])),
        (EventIdNil, |world, draft| {
            draft.event.event_id = world.new_id();
            draft.event.event_id[6] = 0x40;
        }),
        (EventIdNotV7, |_, draft| draft.event.event_id = TAKEN_ID.to_vec()),
        (EventIdConflict, |world, draft| {
            draft.event.event_id = world.new_id();
            draft.event.event_id[0] = 0x7f;
        }),
        (EventIdFromFuture, |world, draft| draft.event.event_id = world.new_id()),
        (TimestampOutOfRange, |world, draft| draft.event.timestamp_nanos = world.now_nanos),
        (FieldRequired, |_, draft| {
            let legs = &mut body!(draft, TransferPosted).legs;
            legs[0] = leg("cust:bob", Side::Credit, "USD", 0);
        }),
        (FieldNotAllowed, |_, draft| draft.event.payment_id.clear()),
        (FieldInvalid, |_, draft| {
            draft.event.metadata_commitment.push(1);
            body!(draft, TransferPosted).related_payment_id.clear();
        }),
        (CurrencyUnknown, |_, draft| body!(draft, TransferPosted).legs[2].currency = "USD".to_owned()),
        (CurrencyNotSupported, |_, draft| body!(draft, TransferPosted).legs[1].currency = "USD".to_owned()),
        (AmountZero, |_, draft| body!(draft, TransferPosted).legs[0].amount = 1),
        (AmountTooLarge, |_, draft| body!(draft, TransferPosted).legs[1].amount = 1),
        (AccountIdInvalid, |_, draft| {
            let legs = &mut body!(draft, TransferPosted).legs;
            legs[1].account = "cust:bob".to_owned();
            legs.truncate(1);
        }),
        (LegsTooFew, |_, draft| {
            body!(draft, TransferPosted).legs = vec![leg("cust:alice", Side::Debit, "USD", 1); 65];
        }),
        (LegsTooMany, |_, draft| body!(draft, TransferPosted).legs.truncate(2)),
        (LegsUnbalanced, |_, draft| {
            body!(draft, TransferPosted).legs[1] = leg("cust:bob", Side::Credit, "USD", 1);
        }),
        (ReasonInvalid, |_, draft| {
            body!(draft, TransferPosted).purpose.pop();
        }),
        (ExternalRefInvalid, |_, draft| {
            draft.event.external_ref.pop();
        }),
        (EffectiveDateInvalid, |_, draft| draft.event.effective_date = 20_260_105),
    ];
    peel(&mut world, &mut draft, rows);
}

fn resign(draft: &mut Draft, by: &[&'static str]) {
    draft.by = by.to_vec();
    draft.event.signers = sorted_keys(by);
}

#[test]
fn admission_of_bodies() {
    let mut world = World::new();
    let fees = |count| vec![fee(Payer::Creditor, "fee:usd", "USD", 1); count];
    let captured =
        |fees, fx| Body::PaymentCaptured(PaymentCaptured { amount: 1, final_capture: true, fees, fx });
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
fn initiated() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:bob", "shop:m1", CaptureMode::Deferred, "");
    for party in ["anyone", "wallet"] {
        let mut event = world.event(initiation("cust:bob", "shop:m1", ""), &[party]);
        event.payment_id = event.event_id.clone();
        event.external_ref = "ORDER-1".to_owned();
        world.accept_event(&event, &[party]);
    }
    let mut event = world.event(initiation("cust:none", "shop:none", "rail:none"), &["anyone"]);
    event.payment_id = PAYMENT.to_vec();
    event.external_ref = "ORDER-1".to_owned();
    event.effective_date = 20_260_104;
    world.set_params(|params| params.closed_through = 20_260_104);
    let rows: &[(Code, Mend)] = &[
        (PaymentAlreadyExists, |_, draft| draft.event.payment_id = vec![2; 16]),
        (DuplicateExternalRef, |_, draft| draft.event.external_ref = "ORDER-2".to_owned()),
        (DebtorAccountNotFound, |_, draft| body!(draft, PaymentInitiated).debtor = "fx:eur".to_owned()),
        (CreditorAccountNotFound, |_, draft| body!(draft, PaymentInitiated).creditor = "rail:usd".to_owned()),
        (AccountNotFound, |_, draft| {
            body!(draft, PaymentInitiated).clearing_account = "cust:euro".to_owned();
        }),
        (AccountKindNotAllowed, |_, draft| body!(draft, PaymentInitiated).debtor = "cust:euro".to_owned()),
        (AccountKindNotAllowed, |_, draft| body!(draft, PaymentInitiated).creditor = "shop:eur".to_owned()),
        (AccountKindNotAllowed, |_, draft| {
            body!(draft, PaymentInitiated).clearing_account = "rail:eur".to_owned();
        }),
        (AccountCurrencyMismatch, |_, draft| body!(draft, PaymentInitiated).debtor = "cust:alice".to_owned()),
        (AccountCurrencyMismatch, |_, draft| {
            body!(draft, PaymentInitiated).clearing_account = "rail:usd".to_owned();
        }),
        (PeriodClosed, |_, draft| draft.event.effective_date = 0),
    ];
    peel(&mut world, &mut draft(event, &["anyone"]), rows);
}

#[test]
fn authorized() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:euro", "shop:jpy", CaptureMode::Deferred, "");
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Immediate, "");
    let mut event = world.event_of([9; 16], authorize(10_001, 60), &["regional"]);
    event.previous_event_id = vec![3; 16];
    event.effective_date = 20_260_104;
    world.set_params(|params| params.closed_through = 20_260_104);
    let rows: &[(Code, Mend)] = &[
        (PaymentNotFound, |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, |_, draft| resign(draft, &["acquirer"])),
        (PreviousEventMismatch, |world, draft| draft.event.previous_event_id = head(world, [1; 16])),
        (TransitionNotAllowed, |world, draft| {
            world.initiate([2; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
            draft.event.payment_id = vec![2; 16];
            draft.event.previous_event_id = head(world, [2; 16]);
        }),
        (AuthorizeExceedsInstructed, |_, draft| body!(draft, PaymentAuthorized).amount = 10_000),
        (PeriodClosed, |world, draft| {
            draft.event.effective_date = 0;
            world.change_status("cust:alice", AccountStatus::DebitFrozen);
            world.change_status("shop:m1", AccountStatus::Frozen);
        }),
        (AccountDebitFrozen, |world, _| world.change_status("cust:alice", AccountStatus::CreditFrozen)),
        (AccountCreditFrozen, |world, _| {
            world.change_status("shop:m1", AccountStatus::DebitFrozen);
            world.change_status("cust:alice", AccountStatus::Open);
            world.accept(transfer("cust:alice", "world:usd", "USD", 90_001), &["op1"]);
        }),
        (InsufficientFunds, |world, _| {
            world.accept(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]);
        }),
    ];
    peel(&mut world, &mut draft(event, &["regional"]), rows);
    let held = world.payment([2; 16]).unwrap();
    assert_eq!((held.status, held.hold()), (PaymentStatus::Authorized, 10_000));
    let again = world.event_of([2; 16], authorize(1, 60), &["acquirer"]);
    assert_eq!(world.submit(sign(&again, &["acquirer"])).code(), Some(TransitionNotAllowed));
}

#[test]
fn a_hold_across_currencies_needs_the_exchange_account_of_the_payment() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:euro", "shop:jpy", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(10_000, 60));
    assert_eq!(world.account("fx:eur").counters.pending_credits, 10_000);
    assert_eq!(world.account("shop:jpy").counters.pending_credits, 0);
    // FX(JPY) is not there: neither capture nor refund is possible, whatever the rest says.
    let capture = world.event_of(PAYMENT, capture(99_999, false), &["acquirer"]);
    assert_eq!(world.submit(sign(&capture, &["acquirer"])).code(), Some(AccountNotFound));
}

fn head(world: &World, payment: [u8; 16]) -> Vec<u8> {
    world.payment(payment).unwrap().head.0.to_vec()
}

#[test]
fn captured() {
    let mut world = World::new();
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.initiate([2; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance([2; 16], authorize(10_000, 600));
    let fees = vec![fee(Payer::Debtor, "cust:bob", "EUR", 1), fee(Payer::Debtor, "fee:none", "USD", 1)];
    let body = PaymentCaptured { amount: 10_001, final_capture: false, fees, fx: Some(fx("EUR", 1, 1, 1)) };
    let mut event = world.event_of([9; 16], Body::PaymentCaptured(body), &["regional"]);
    event.previous_event_id = vec![3; 16];
    event.effective_date = 20_260_104;
    world.set_params(|params| params.closed_through = 20_260_104);
    let rows: &[(Code, Mend)] = &[
        (PaymentNotFound, |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, |_, draft| resign(draft, &["acquirer"])),
        (AccountNotFound, |_, draft| body!(draft, PaymentCaptured).fees[1].account = "fee:eur".to_owned()),
        (AccountKindNotAllowed, |_, draft| {
            body!(draft, PaymentCaptured).fees[0].account = "fee:eur".to_owned();
        }),
        (AccountCurrencyMismatch, |_, draft| {
            let fees = &mut body!(draft, PaymentCaptured).fees;
            fees[1].account = "fee:usd".to_owned();
            fees.remove(0);
        }),
        (AccountCurrencyMismatch, |_, draft| {
            body!(draft, PaymentCaptured).fx = Some(fx("USD", 1, 1, 1));
        }),
        (PreviousEventMismatch, |world, draft| draft.event.previous_event_id = head(world, [1; 16])),
        (TransitionNotAllowed, |world, draft| {
            draft.event.payment_id = vec![2; 16];
            draft.event.previous_event_id = head(world, [2; 16]);
        }),
        (CaptureExceedsHold, |_, draft| body!(draft, PaymentCaptured).amount = 6_000),
        (FxNotAllowed, |_, draft| body!(draft, PaymentCaptured).fx = None),
        (PeriodClosed, |world, draft| {
            draft.event.effective_date = 0;
            // A capture of held money goes through on frozen accounts; only funds stop its fee.
            world.accept(transfer("cust:alice", "world:usd", "USD", 90_000), &["op1"]);
            world.change_status("cust:alice", AccountStatus::Frozen);
            world.change_status("shop:m1", AccountStatus::Frozen);
        }),
        (InsufficientFunds, |_, draft| body!(draft, PaymentCaptured).fees[0].payer = Some(Payer::Creditor)),
    ];
    peel(&mut world, &mut draft(event, &["regional"]), rows);
    let after = world.payment([2; 16]).unwrap();
    assert_eq!((after.status, after.hold(), after.sett), (PaymentStatus::PartiallyCaptured, 4_000, 6_000));
    assert_eq!(world.account("shop:m1").posted(), 5_999);
    assert_eq!(world.account("fee:usd").posted(), 1);
}

#[test]
fn captured_at_once() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:eur", CaptureMode::Immediate, "");
    let event = world.event_of(PAYMENT, capture(9_999, false), &["acquirer"]);
    world.change_status("cust:alice", AccountStatus::DebitFrozen);
    let rows: &[(Code, Mend)] = &[
        (CaptureMustBeFull, |_, draft| body!(draft, PaymentCaptured).amount = 10_000),
        (CaptureMustBeFull, |_, draft| body!(draft, PaymentCaptured).final_capture = true),
        (FxRequired, |_, draft| body!(draft, PaymentCaptured).fx = Some(fx("EUR", 9_234, 92_349, 5))),
        (FxAmountMismatch, |_, draft| body!(draft, PaymentCaptured).fx = Some(fx("EUR", 9_234, 92_349, 5))),
    ];
    let mut mended = draft(event, &["acquirer"]);
    for (code, mend) in &rows[..3] {
        assert_eq!(offer(&mut world, &mut mended), Some(*code));
        mend(&mut world, &mut mended);
    }
    assert_eq!(
        offer(&mut world, &mut mended),
        Some(AccountDebitFrozen),
        "an immediate capture heeds freezing"
    );
    world.change_status("cust:alice", AccountStatus::Open);
    body!(mended, PaymentCaptured).fx = Some(fx("EUR", 9_235, 92_349, 5));
    assert_eq!(offer(&mut world, &mut mended), Some(rows[3].0));
    (rows[3].1)(&mut world, &mut mended);
    assert_eq!(offer(&mut world, &mut mended), None);
    assert_eq!(world.payment(PAYMENT).unwrap().status, PaymentStatus::Settled);
    assert_eq!(world.account("fx:usd").counters.posted_credits, 10_000);
    assert_eq!(world.account("fx:eur").counters.posted_debits, 9_234);
    assert_eq!(world.account("shop:eur").posted(), 9_234);
    let again = world.event_of(PAYMENT, capture(10_000, true), &["acquirer"]);
    assert_eq!(world.submit(sign(&again, &["acquirer"])).code(), Some(TransitionNotAllowed));
}

#[test]
fn captured_into_clearing() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:eur", CaptureMode::Deferred, "rail:usd");
    world.advance(PAYMENT, authorize(10_000, 600));
    assert_eq!(world.account("rail:usd").counters.pending_credits, 10_000);
    let with_fx = Body::PaymentCaptured(PaymentCaptured {
        fx: Some(fx("EUR", 1, 1, 1)),
        amount: 1,
        ..Default::default()
    });
    let event = world.event_of(PAYMENT, with_fx, &["acquirer"]);
    assert_eq!(world.submit(sign(&event, &["acquirer"])).code(), Some(FxNotAllowed));
    world.advance(PAYMENT, capture(7_000, true));
    let after = world.payment(PAYMENT).unwrap();
    assert_eq!((after.status, after.capt, after.rel, after.sett), (PaymentStatus::Captured, 7_000, 3_000, 0));
    assert_eq!(after.last_release, Some(ReleaseCause::FinalCapture));
    assert_eq!(world.account("rail:usd").posted(), 7_000);
    assert_eq!(world.account("rail:usd").counters.pending_credits, 0);
    let refund = world.event_of(PAYMENT, refund(1, RefundCause::Merchant), &["acquirer"]);
    assert_eq!(
        world.submit(sign(&refund, &["acquirer"])).code(),
        Some(TransitionNotAllowed),
        "nothing is settled"
    );
}

#[test]
fn voided_and_expired() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    let void_now = |world: &mut World| {
        let event = world.event_of(PAYMENT, void(), &["wallet"]);
        world.submit(sign(&event, &["wallet"])).code()
    };
    assert_eq!(void_now(&mut world), Some(TransitionNotAllowed), "nothing is held yet");
    world.advance(PAYMENT, authorize(10_000, 60));
    let expires_at = world.payment(PAYMENT).unwrap().expires_at_nanos;
    assert_eq!(expires_at, world.now_nanos + 60_000_000_000);
    let head_before = head(&world, PAYMENT);

    world.now_nanos = expires_at - 2;
    assert_eq!(world.expire_due(), 0, "one nanosecond early");
    world.now_nanos = expires_at - 1;
    assert_eq!(world.expire_due(), 1, "on time");
    let after = world.payment(PAYMENT).unwrap();
    assert_eq!(
        (after.status, after.rel, after.head.0.to_vec()),
        (PaymentStatus::Expired, 10_000, head_before)
    );
    assert_eq!(after.event_count, 2, "an expiry is no submitted event");
    assert_eq!(after.expires_at_nanos, expires_at, "stays once set");
    assert_eq!(world.account("cust:alice").counters.pending_debits, 0);
    assert_eq!(void_now(&mut world), Some(AuthorizationExpired));

    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance([1; 16], authorize(10_000, 60));
    world.advance([1; 16], capture(4_000, false));
    world.change_status("cust:alice", AccountStatus::Frozen);
    let event = world.event_of([1; 16], void(), &["wallet"]);
    assert_eq!(world.submit(sign(&event, &["wallet"])).code(), None, "releases are always allowed");
    let after = world.payment([1; 16]).unwrap();
    assert_eq!((after.status, after.rel), (PaymentStatus::Settled, 6_000));
    let event = world.event_of([1; 16], void(), &["wallet"]);
    assert_eq!(
        world.submit(sign(&event, &["wallet"])).code(),
        Some(TransitionNotAllowed),
        "nothing is held any more"
    );
}

#[test]
fn refunded() {
    let mut world = World::new();
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.initiate([2; 16], "cust:alice", "shop:m1", CaptureMode::Immediate, "");
    world.advance([2; 16], capture(10_000, true));
    world.accept(transfer("shop:m1", "world:usd", "USD", 9_999), &["op1"]);
    let mut event = world.event_of([9; 16], refund(10_001, RefundCause::Merchant), &["regional"]);
    match &mut event.body {
        Body::PaymentRefunded(body) => body.fees = vec![fee(Payer::Creditor, "fee:none", "USD", 1)],
        _ => unreachable!(),
    }
    event.previous_event_id = vec![3; 16];
    event.effective_date = 20_260_104;
    world.set_params(|params| params.closed_through = 20_260_104);
    let rows: &[(Code, Mend)] = &[
        (PaymentNotFound, |_, draft| draft.event.payment_id = vec![1; 16]),
        (PaymentAccessDenied, |_, draft| resign(draft, &["shop"])),
        (AccountNotFound, |_, draft| {
            body!(draft, PaymentRefunded).fees[0].account = "shop:m1".to_owned();
        }),
        (AccountKindNotAllowed, |_, draft| {
            body!(draft, PaymentRefunded).fees[0].account = "fee:eur".to_owned();
        }),
        (AccountCurrencyMismatch, |_, draft| {
            body!(draft, PaymentRefunded).fees[0].account = "fee:usd".to_owned();
        }),
        (PreviousEventMismatch, |world, draft| draft.event.previous_event_id = head(world, [1; 16])),
        (TransitionNotAllowed, |world, draft| {
            draft.event.payment_id = vec![2; 16];
            draft.event.previous_event_id = head(world, [2; 16]);
        }),
        (RefundExceedsRefundable, |_, draft| {
            let body = body!(draft, PaymentRefunded);
            body.amount = 10_000;
            body.fx = Some(fx("USD", 1, 1, 1));
        }),
        (FxNotAllowed, |_, draft| body!(draft, PaymentRefunded).fx = None),
        (PeriodClosed, |world, draft| {
            draft.event.effective_date = 0;
            world.change_status("shop:m1", AccountStatus::DebitFrozen);
            world.change_status("cust:alice", AccountStatus::CreditFrozen);
        }),
        (AccountDebitFrozen, |world, _| world.change_status("shop:m1", AccountStatus::Open)),
        (AccountCreditFrozen, |world, _| world.change_status("cust:alice", AccountStatus::Open)),
        (InsufficientFunds, |_, draft| {
            body!(draft, PaymentRefunded).cause = Some(RefundCause::Return);
        }),
    ];
    peel(&mut world, &mut draft(event, &["regional"]), rows);
    assert_eq!(world.account("shop:m1").posted(), 1 - 10_000 - 1, "the scheme has moved the money already");
    assert_eq!(world.payment([2; 16]).unwrap().status, PaymentStatus::Refunded);
    // An overdrawn merchant is repaid in parts: what raises headroom is never refused for funds.
    world.accept(transfer("world:usd", "shop:m1", "USD", 1), &["op1"]);
}

#[test]
fn transferred() {
    let mut world = World::new();
    let mut first = world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]);
    first.external_ref = "T-1".to_owned();
    world.accept_event(&first, &["op1"]);
    world.change_status("cust:bob", AccountStatus::Closed);
    world.change_status("cust:alice", AccountStatus::DebitFrozen);
    let body = TransferPosted {
        legs: vec![
            leg("none:1", Side::Debit, "EUR", 101_000),
            leg("none:2", Side::Credit, "EUR", 101_000),
            leg("world:usd", Side::Debit, "USD", 1),
            leg("cust:bob", Side::Credit, "USD", 1),
        ],
        purpose: "TEST".to_owned(),
        related_payment_id: vec![9; 16],
    };
    let mut event = world.event(Body::TransferPosted(body), &["op1"]);
    event.external_ref = "T-1".to_owned();
    event.effective_date = 20_260_104;
    world.set_params(|params| params.closed_through = 20_260_104);
    let rows: &[(Code, Mend)] = &[
        (PaymentNotFound, |_, draft| body!(draft, TransferPosted).related_payment_id.clear()),
        (DuplicateExternalRef, |_, draft| draft.event.external_ref = "T-2".to_owned()),
        (AccountNotFound, |_, draft| {
            body!(draft, TransferPosted).legs[0].account = "cust:alice".to_owned();
        }),
        (AccountNotFound, |_, draft| body!(draft, TransferPosted).legs[1].account = "world:eur".to_owned()),
        (AccountCurrencyMismatch, |_, draft| {
            let legs = &mut body!(draft, TransferPosted).legs;
            legs[1] = leg("world:usd", Side::Credit, "USD", 101_000);
            legs[0].currency = "USD".to_owned();
        }),
        (PeriodClosed, |_, draft| draft.event.effective_date = 0),
        (AccountDebitFrozen, |world, _| world.change_status("cust:alice", AccountStatus::Open)),
        (AccountClosed, |_, draft| {
            body!(draft, TransferPosted).legs[3].account = "bank:usd".to_owned();
        }),
        (InsufficientFunds, |_, draft| {
            let legs = &mut body!(draft, TransferPosted).legs;
            legs[0].amount = 101;
            legs[1].amount = 101;
            legs[2].amount = 101;
            legs[3].amount = 101;
        }),
        (CreditsExceedDebits, |_, draft| body!(draft, TransferPosted).legs.truncate(2)),
    ];
    peel(&mut world, &mut draft(event, &["op1"]), rows);
}

#[test]
fn accounts_and_keys() {
    let mut world = World::new();
    let open = |account: &str, kind| {
        let (account, currency) = (account.to_owned(), "USD".to_owned());
        Body::AccountOpened(AccountOpened { account, currency, kind: Some(kind), limit: 0 })
    };
    let status = |account: &str, status| {
        let (account, reason) = (account.to_owned(), "TEST".to_owned());
        Body::AccountStatusChanged(AccountStatusChanged { account, status: Some(status), reason })
    };
    let register = |name: &str| {
        let (key, party) = (public(name), name.to_owned());
        Body::KeyRegistered(KeyRegistered { key, party, roles: 1, prefix: String::new() })
    };
    let revoke = |name: &str| Body::KeyRevoked(KeyRevoked { key: public(name), reason: String::new() });
    world.initiate(PAYMENT, "cust:bob", "shop:m1", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(500, 60));
    use AccountStatus::{Closed, Frozen, Open};
    let rows: Vec<(Body, &[&str], Option<Code>)> = vec![
        (open("cust:alice", AccountKind::Fx), &["op1"], Some(AccountAlreadyExists)),
        (open("fx:more", AccountKind::Fx), &["op1"], Some(AccountKindTaken)),
        (open("x:usd", AccountKind::Dispute), &["op1"], None),
        (open("x:more", AccountKind::Dispute), &["op1"], Some(AccountKindTaken)),
        (status("cust:none", Open), &["op1"], Some(AccountNotFound)),
        (status("cust:alice", Closed), &["op1"], Some(AccountNotEmpty)),
        (status("cust:bob", Closed), &["op1"], Some(AccountHasHolds)),
        (status("shop:m1", Closed), &["op1"], Some(AccountHasHolds)),
        (status("fee:usd", Frozen), &["op1"], None),
        (status("fee:usd", Frozen), &["op1"], None),
        (status("fee:usd", Closed), &["op1"], None),
        (status("fee:usd", Closed), &["op1"], Some(AccountClosed)),
        (status("x:usd", Closed), &["op1"], None),
        (open("x:more", AccountKind::Dispute), &["op1"], Some(AccountKindTaken)),
        (register("wallet"), &["op1", "wallet"], Some(KeyAlreadyRegistered)),
        (register("gone"), &["op1", "gone"], Some(KeyAlreadyRegistered)),
        (register("log"), &["op1", "log"], Some(KeyAlreadyRegistered)),
        (register("fresh"), &["op1"], Some(SignersMismatch)),
        (register("fresh"), &["desk", "fresh"], Some(SignerRoleMissing)),
        (register("fresh"), &["op1", "fresh"], None),
        (revoke("nobody"), &["op1"], Some(KeyNotFound)),
        (revoke("gone"), &["op1"], Some(KeyAlreadyRevoked)),
        (revoke("desk"), &["op1"], None),
        (revoke("importer"), &["op1"], None),
        (revoke("op2"), &["op1"], None),
        (revoke("op1"), &["op1"], Some(OperatorsTooFew)),
        (revoke("op1"), &["op2"], Some(SignerKeyRevoked)),
    ];
    for (position, (body, by, code)) in rows.into_iter().enumerate() {
        let event = world.event(body, by);
        let before = world.records();
        assert_eq!(world.submit(sign(&event, by)).code(), code, "row {position}: {:?}", event.body);
        assert_eq!(world.records() == before, code.is_some() || position == 9, "row {position}");
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
