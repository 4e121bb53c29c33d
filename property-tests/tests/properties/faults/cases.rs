//! Each event as it is accepted, and what can be wrong with its body and with what it refers to, in the order of the
//! guards.

use ledger_core::event::*;
use ledger_core::number::*;
use ledger_property_tests::keyring;

use super::fields::*;
use super::stage::{Stage, fx};
use super::{Fault, sign_instead};
use crate::bench::{LARGEST, chargeback, reversal, transfer};

/// The event of a number, accepted as it is (but 21, which never is).
pub fn sound(stage: &mut Stage, number: u32) -> Event {
    let reason = || "TEST".to_owned();
    let fees = || {
        let (account, currency) = ("fee:eur".to_owned(), "EUR".to_owned());
        vec![Fee { payer: Some(Payer::Creditor), account, currency, amount: 1 }]
    };
    let (body, payment) = match number {
        1 => {
            let [currency, debtor, creditor, clearing_account] =
                ["USD", "cust:usd", "shop:usd", "rail:usd"].map(str::to_owned);
            let capture_mode = Some(CaptureMode::Deferred);
            let body =
                PaymentInitiated { amount: 7, currency, debtor, creditor, capture_mode, clearing_account };
            (Body::PaymentInitiated(body), Vec::new())
        }
        2 => (Body::PaymentRejected(PaymentRejected { reason: reason() }), stage.fresh.clone()),
        3 => (Body::PaymentAuthorized(PaymentAuthorized { amount: 7, timeout_s: 60 }), stage.fresh.clone()),
        4 => (Body::AuthorizationIncreased(AuthorizationIncreased { amount: 7 }), stage.held.clone()),
        5 => (Body::AuthorizationReduced(AuthorizationReduced { amount: 7 }), stage.held.clone()),
        6 => {
            let body = PaymentCaptured { amount: 7, final_capture: true, fees: fees(), fx: Some(fx(7)) };
            (Body::PaymentCaptured(body), stage.held.clone())
        }
        7 => (Body::PaymentVoided(PaymentVoided { reason: reason() }), stage.held.clone()),
        9 => {
            let body = PaymentSettled { amount: 7, settlement_ref: String::new(), fx: Some(fx(7)) };
            (Body::PaymentSettled(body), stage.railed.clone())
        }
        10 => {
            let cause = Some(RefundCause::Merchant);
            let body = PaymentRefunded { amount: 7, cause, reason: reason(), fees: fees(), fx: Some(fx(7)) };
            (Body::PaymentRefunded(body), stage.sold.clone())
        }
        11 => match chargeback(7) {
            Body::ChargebackOpened(body) => {
                (Body::ChargebackOpened(ChargebackOpened { fx: Some(fx(7)), ..body }), stage.sold.clone())
            }
            other => panic!("{}", other.name()),
        },
        12 => {
            let result = Some(ChargebackResult::Won);
            let body = ChargebackResolved { amount: 7, result, fx: Some(fx(7)) };
            (Body::ChargebackResolved(body), stage.disputed.clone())
        }
        13 => (reversal(&stage.captured(&stage.sold)), stage.sold.clone()),
        14 => (transfer("cust:usd", "shop:usd", "USD", 5), Vec::new()),
        15 => {
            let (account, currency) = ("new:usd".to_owned(), "USD".to_owned());
            let kind = Some(AccountKind::Customer);
            (Body::AccountOpened(AccountOpened { account, currency, kind, limit: 5 }), Vec::new())
        }
        16 => {
            let (account, status) = ("cust:jpy".to_owned(), Some(AccountStatus::Frozen));
            let body = AccountStatusChanged { account, status, reason: reason() };
            (Body::AccountStatusChanged(body), Vec::new())
        }
        17 => {
            let (key, party) = (keyring::spare(1), reason());
            let body = KeyRegistered { key, party, roles: 1, prefix: String::new() };
            (Body::KeyRegistered(body), Vec::new())
        }
        18 => (Body::KeyRevoked(KeyRevoked { key: keyring::spare(0), reason: reason() }), Vec::new()),
        19 => (Body::PeriodClosed(PeriodClosed { through: 20_251_231 }), Vec::new()),
        20 => (Body::LogKeyRotated(LogKeyRotated { new_key: keyring::spare(2) }), Vec::new()),
        21 => (Body::RulesChanged(RulesChanged { rules_version: 1 }), Vec::new()),
        22 => {
            let event_id = stage.committed.clone();
            (Body::MetadataErased(MetadataErased { event_id, reason: reason() }), Vec::new())
        }
        _ => {
            let account = "cust:usd".to_owned();
            (Body::AccountLimitChanged(AccountLimitChanged { account, limit: 5 }), Vec::new())
        }
    };
    let mut event = match payment.as_slice() {
        [] => stage.bench.event(body),
        payment => stage.bench.event_of(payment, body),
    };
    match number {
        1 => event.payment_id.clone_from(&event.event_id),
        17 => event.signers.push(keyring::spare(1)),
        20 => event.signers.extend([keyring::key("log"), keyring::spare(2)]),
        _ => {}
    }
    event.signers.sort();
    event
}

/// What can be wrong beside the header: below 700 in any order, from there on as the guards stand.
pub fn faults(number: u32) -> Vec<Fault> {
    match number {
        1 => vec![
            (601, |event, _| initiated(event).capture_mode = None),
            (602, |event, _| event.previous_event_id = vec![5; 16]),
            (604, |event, _| initiated(event).currency = "CHF".to_owned()),
            (605, |event, _| initiated(event).currency = "XAU".to_owned()),
            (606, |event, _| initiated(event).amount = 0),
            (607, |event, _| initiated(event).amount = LARGEST + 1),
            (608, |event, _| initiated(event).clearing_account = "RAIL".to_owned()),
            (609, |event, _| initiated(event).debtor = initiated(event).creditor.clone()),
            (703, |event, stage| event.payment_id = stage.held.clone()),
            (704, |event, _| event.external_ref = "TAKEN".to_owned()),
            (705, |event, _| initiated(event).debtor = "cust:nobody".to_owned()),
            (706, |event, _| initiated(event).creditor = "shop:nobody".to_owned()),
            (707, |event, _| initiated(event).clearing_account = "rail:nobody".to_owned()),
            (710, |event, _| initiated(event).clearing_account = "shop:usd".to_owned()),
            (711, |event, _| initiated(event).currency = "EUR".to_owned()),
            (815, |event, _| event.effective_date = 20_250_101),
        ],
        2 => of_payment(vec![
            (801, |event, stage| point(event, stage, &stage.held)),
            (815, |event, _| event.effective_date = 20_250_101),
        ]),
        3 => of_payment(vec![
            (601, |event, _| authorized(event).timeout_s = 0),
            (615, |event, _| authorized(event).timeout_s = 31_536_001),
            (801, |event, stage| point(event, stage, &stage.held)),
            (803, |event, _| *amount(event) = 20_000),
            (815, |event, _| event.effective_date = 20_250_101),
            (902, |event, stage| point(event, stage, &stage.fresh_frozen)),
            (904, |event, stage| point(event, stage, &stage.fresh_poor)),
        ]),
        4 => of_payment(vec![
            (801, |event, stage| point(event, stage, &stage.fresh)),
            (802, |event, stage| point(event, stage, &stage.expired)),
            (815, |event, _| event.effective_date = 20_250_101),
            (904, |event, _| *amount(event) = LARGEST),
        ]),
        5 => of_payment(vec![
            (801, |event, stage| point(event, stage, &stage.fresh)),
            (802, |event, stage| point(event, stage, &stage.expired)),
            (804, |event, _| *amount(event) = 10_000),
            (815, |event, _| event.effective_date = 20_250_101),
        ]),
        6 => of_payment(with_fees(vec![
            (801, |event, stage| point(event, stage, &stage.fresh)),
            (802, |event, stage| point(event, stage, &stage.expired)),
            (806, |event, stage| point(event, stage, &stage.immediate)),
            (805, |event, _| *amount(event) = 20_000),
            (812, |event, _| *exchange(event) = None),
            (814, |event, _| in_exchange(event, |fx| fx.counter_amount += 1)),
            (815, |event, _| event.effective_date = 20_250_101),
        ])),
        7 => of_payment(vec![
            (801, |event, stage| point(event, stage, &stage.fresh)),
            (802, |event, stage| point(event, stage, &stage.expired)),
            (815, |event, _| event.effective_date = 20_250_101),
        ]),
        9 => of_payment(with_exchange(vec![
            (603, |event, _| match &mut event.body {
                Body::PaymentSettled(body) => body.settlement_ref = "x".repeat(36),
                other => panic!("{}", other.name()),
            }),
            (801, |event, stage| point(event, stage, &stage.held)),
            (807, |event, _| *amount(event) = 20_000),
            (812, |event, _| *exchange(event) = None),
            (814, |event, _| in_exchange(event, |fx| fx.counter_amount += 1)),
            (815, |event, _| event.effective_date = 20_250_101),
        ])),
        10 => of_payment(with_fees(vec![
            (601, |event, _| match &mut event.body {
                Body::PaymentRefunded(body) => body.cause = None,
                other => panic!("{}", other.name()),
            }),
            (801, |event, stage| point(event, stage, &stage.held)),
            (808, |event, _| *amount(event) = 20_000),
            (812, |event, _| *exchange(event) = None),
            (814, |event, _| in_exchange(event, |fx| fx.counter_amount += 1)),
            (815, |event, _| event.effective_date = 20_250_101),
        ])),
        11 => of_payment(with_exchange(vec![
            (801, |event, stage| point(event, stage, &stage.held)),
            (809, |event, _| *amount(event) = 20_000),
            (812, |event, _| *exchange(event) = None),
            (814, |event, _| in_exchange(event, |fx| fx.counter_amount += 1)),
            (815, |event, _| event.effective_date = 20_250_101),
        ])),
        12 => of_payment(with_exchange(vec![
            (601, |event, _| match &mut event.body {
                Body::ChargebackResolved(body) => body.result = None,
                other => panic!("{}", other.name()),
            }),
            (801, |event, stage| point(event, stage, &stage.sold)),
            (810, |event, _| *amount(event) = 20_000),
            (812, |event, _| *exchange(event) = None),
            (814, |event, _| in_exchange(event, |fx| fx.counter_amount += 1)),
            (815, |event, _| event.effective_date = 20_250_101),
        ])),
        13 => vec![
            (601, |event, _| *target(event) = Vec::new()),
            (603, |event, _| *target(event) = vec![5; 15]),
            (701, |event, _| event.payment_id = vec![5; 16]),
            (712, |event, _| event.previous_event_id = vec![5; 16]),
            (713, |event, _| *target(event) = vec![5; 16]),
            (714, |event, stage| *target(event) = stage.committed.clone()),
            (715, |event, stage| *target(event) = stage.sold.clone()),
            (716, |event, stage| {
                point(event, stage, &stage.undone);
                *target(event) = stage.captured(&stage.undone);
            }),
            (811, |event, stage| {
                point(event, stage, &stage.disputed);
                *target(event) = stage.captured(&stage.disputed);
            }),
            (815, |event, _| event.effective_date = 20_250_101),
        ],
        14 => vec![
            (601, |event, _| leg(event, 0, |leg| leg.side = None)),
            (602, |event, _| event.payment_id = vec![5; 16]),
            (604, |event, _| leg(event, 1, |leg| leg.currency = "CHF".to_owned())),
            (605, |event, _| leg(event, 1, |leg| leg.currency = "XAU".to_owned())),
            (606, |event, _| legs(event).iter_mut().for_each(|leg| leg.amount = 0)),
            (607, |event, _| legs(event).iter_mut().for_each(|leg| leg.amount = LARGEST + 1)),
            (608, |event, _| leg(event, 0, |leg| leg.account = "World".to_owned())),
            (610, |event, _| legs(event).truncate(1)),
            (611, |event, _| *legs(event) = std::iter::repeat_n(legs(event).clone(), 33).flatten().collect()),
            (612, |event, _| leg(event, 0, |leg| leg.amount += 1)),
            (701, |event, _| transferred(event).related_payment_id = vec![5; 16]),
            (704, |event, _| event.external_ref = "TAKEN".to_owned()),
            (707, |event, _| leg(event, 1, |leg| leg.account = "cust:nobody".to_owned())),
            (711, |event, _| leg(event, 1, |leg| leg.account = "shop:eur".to_owned())),
            (815, |event, _| event.effective_date = 20_250_101),
            // Postings in order: the first leg, then the second.
            (902, |event, _| leg(event, 0, |leg| leg.account = "frozen:usd".to_owned())),
            (901, |event, _| leg(event, 1, |leg| leg.account = "closed:usd".to_owned())),
            (904, |event, _| legs(event).iter_mut().for_each(|leg| leg.amount = 20_000_000)),
        ],
        15 => vec![
            (601, |event, _| opened(event).account = String::new()),
            (604, |event, _| opened(event).currency = "CHF".to_owned()),
            (605, |event, _| opened(event).currency = "XAU".to_owned()),
            (607, |event, _| opened(event).limit = LARGEST + 1),
            (608, |event, _| opened(event).account = "New".to_owned()),
            (708, |event, _| opened(event).account = "cust:usd".to_owned()),
            (709, |event, _| (opened(event).kind, opened(event).limit) = (Some(AccountKind::Fx), 0)),
        ],
        16 => vec![
            (601, |event, _| status(event).status = None),
            (608, |event, _| status(event).account = "Cust".to_owned()),
            (707, |event, _| status(event).account = "cust:nobody".to_owned()),
            (901, |event, _| status(event).account = "closed:usd".to_owned()),
            (906, |event, _| {
                let body = status(event);
                (body.account, body.status) = ("cust:usd".to_owned(), Some(AccountStatus::Closed));
            }),
        ],
        17 => vec![
            (601, |event, _| registered(event).party = String::new()),
            (603, |event, _| registered(event).roles = 64),
            (718, |event, _| {
                registered(event).key = keyring::spare(0);
                sign_instead(event, &keyring::spare(1), &keyring::spare(0));
            }),
        ],
        18 => vec![
            (601, |event, _| revoked(event).key = Vec::new()),
            (603, |event, _| revoked(event).key = vec![5; 31]),
            (717, |event, _| revoked(event).key = keyring::key("stranger")),
            (719, |event, _| revoked(event).key = keyring::key("gone")),
        ],
        19 => vec![
            (601, |event, _| *through(event) = 0),
            (603, |event, _| *through(event) = 20_250_230),
            (816, |event, _| *through(event) = 20_250_101),
        ],
        20 => vec![
            (401, |event, _| event.signers.retain(|key| *key != keyring::key("log"))),
            (718, |event, _| {
                match &mut event.body {
                    Body::LogKeyRotated(body) => body.new_key = keyring::spare(0),
                    other => panic!("{}", other.name()),
                }
                sign_instead(event, &keyring::spare(2), &keyring::spare(0));
            }),
        ],
        22 => vec![
            (601, |event, _| *erased(event) = Vec::new()),
            (603, |event, _| *erased(event) = vec![5; 15]),
            (713, |event, stage| *erased(event) = stage.fresh.clone()),
        ],
        23 => vec![
            (601, |event, _| limited(event).account = String::new()),
            (607, |event, _| limited(event).limit = LARGEST + 1),
            (608, |event, _| limited(event).account = "Cust".to_owned()),
            (707, |event, _| limited(event).account = "cust:nobody".to_owned()),
            (710, |event, _| limited(event).account = "fee:usd".to_owned()),
            (901, |event, _| limited(event).account = "closed:usd".to_owned()),
            (904, |event, _| limited(event).account = "debt:usd".to_owned()),
        ],
        _ => Vec::new(),
    }
}

/// Faults of every event of a payment around its own: those below 700, reference, and the rest.
fn of_payment(own: Vec<Fault>) -> Vec<Fault> {
    let is_state = |(code, _): &Fault| *code >= 800;
    let mut all: Vec<Fault> = own.iter().filter(|fault| !is_state(fault)).copied().collect();
    all.splice(
        0..0,
        [
            (701, (|event: &mut Event, _: &Stage| event.payment_id = vec![5; 16]) as fn(&mut Event, &Stage)),
            (702, |event, _| sign_instead(event, &keyring::key("all"), &keyring::key("regional"))),
        ],
    );
    all.push((712, |event, _| event.previous_event_id = vec![5; 16]));
    all.extend(own.into_iter().filter(is_state));
    all
}

/// Before them those of a body with an amount and an exchange.
fn with_exchange(own: Vec<Fault>) -> Vec<Fault> {
    let mut all: Vec<Fault> = vec![
        (614, |event, _| in_exchange(event, |fx| fx.rate_mantissa = 0)),
        (711, |event, _| in_exchange(event, |fx| fx.counter_currency = "USD".to_owned())),
    ];
    all.extend(own);
    all
}

/// And those of fees.
fn with_fees(own: Vec<Fault>) -> Vec<Fault> {
    let mut all: Vec<Fault> = vec![
        (601, |event, _| fee(event, |fee| fee.payer = None)),
        (604, |event, _| fee(event, |fee| fee.currency = "CHF".to_owned())),
        (605, |event, _| fee(event, |fee| fee.currency = "XAU".to_owned())),
        (606, |event, _| fee(event, |fee| fee.amount = 0)),
        (607, |event, _| fee(event, |fee| fee.amount = LARGEST)),
        (608, |event, _| fee(event, |fee| fee.account = "FEE".to_owned())),
        (613, |event, _| *fees(event) = std::iter::repeat_n(fees(event).clone(), 9).flatten().collect()),
        (707, |event, _| fee(event, |fee| fee.account = "fee:nobody".to_owned())),
        (710, |event, _| fee(event, |fee| fee.account = "shop:eur".to_owned())),
        (711, |event, _| fee(event, |fee| fee.currency = "USD".to_owned())),
    ];
    all.extend(with_exchange(own));
    all
}

/// Makes the event one of another payment, at its head.
fn point(event: &mut Event, stage: &Stage, payment: &[u8]) {
    (event.payment_id, event.previous_event_id) = (payment.to_vec(), stage.head(payment));
}
