//! Property 18: of two faults the lower number answers.

use ledger_core::event::*;
use ledger_core::number::*;
use ledger_property_tests::keyring;
use ledger_property_tests::model::SECOND;
use ledger_property_tests::stream::Signed;

use crate::bench::*;

type Fault = (u16, fn(&mut Event, u64));

const DAY: u64 = 86_400 * SECOND;

#[test]
fn p18_of_two_faults_the_lower_number_answers() {
    let of_header: &[Fault] = &[
        (204, |event, _| event.group = vec![1; 32]),
        (307, |event, _| event.ledger_id = vec![9; 32]),
        (404, |event, _| {
            event.signers.push(keyring::key("stranger"));
            event.signers.sort();
        }),
        (501, |event, _| event.event_id = vec![0; 16]),
        (506, |event, t| event.timestamp_nanos = t - 2 * DAY),
        (603, |event, _| event.metadata_commitment = vec![1; 31]),
        (620, |event, _| event.effective_date = 20_990_101),
    ];
    let bodies: [(Body, &[Fault]); 3] = [
        (
            transfer("world:usd", "cust:usd", "USD", 5),
            &[
                (601, |event, _| legs(event)[0].side = None),
                (602, |event, _| event.payment_id = vec![5; 16]),
                (604, |event, _| legs(event)[1].currency = "CHF".to_owned()),
                (605, |event, _| legs(event)[1].currency = "XAU".to_owned()),
                (606, |event, _| legs(event).iter_mut().for_each(|leg| leg.amount = 0)),
                (607, |event, _| legs(event).iter_mut().for_each(|leg| leg.amount = LARGEST + 1)),
                (608, |event, _| legs(event)[0].account = "World".to_owned()),
                (610, |event, _| legs(event).truncate(1)),
                (612, |event, _| legs(event)[0].amount += 1),
                (616, |event, _| transfer_of(event).purpose = "x".repeat(36)),
                (617, |event, _| event.external_ref = "x".repeat(36)),
                (707, |event, _| legs(event)[1].account = "cust:nobody".to_owned()),
            ],
        ),
        (
            Body::PaymentInitiated(PaymentInitiated {
                amount: 7,
                currency: "USD".to_owned(),
                debtor: "cust:usd".to_owned(),
                creditor: "shop:usd".to_owned(),
                capture_mode: Some(CaptureMode::Deferred),
                clearing_account: String::new(),
            }),
            &[
                (601, |event, _| initiated(event).capture_mode = None),
                (602, |event, _| event.previous_event_id = vec![5; 16]),
                (604, |event, _| initiated(event).currency = "CHF".to_owned()),
                (606, |event, _| initiated(event).amount = 0),
                (607, |event, _| initiated(event).amount = LARGEST + 1),
                (608, |event, _| initiated(event).clearing_account = "RAIL".to_owned()),
                (609, |event, _| initiated(event).debtor = initiated(event).creditor.clone()),
                (617, |event, _| event.external_ref = "x".repeat(36)),
                (705, |event, _| initiated(event).debtor = "cust:nobody".to_owned()),
                (706, |event, _| initiated(event).creditor = "shop:nobody".to_owned()),
                (707, |event, _| initiated(event).clearing_account = "rail:nobody".to_owned()),
                (710, |event, _| initiated(event).clearing_account = "shop:usd".to_owned()),
                (711, |event, _| initiated(event).currency = "EUR".to_owned()),
            ],
        ),
        (
            Body::PaymentCaptured(PaymentCaptured {
                amount: 7,
                final_capture: true,
                fees: vec![Fee {
                    payer: Some(Payer::Creditor),
                    account: "fee:usd".to_owned(),
                    currency: "USD".to_owned(),
                    amount: 1,
                }],
                fx: None,
            }),
            &[
                (601, |event, _| captured(event).fees[0].payer = None),
                (602, |event, _| event.external_ref = "REF".to_owned()),
                (604, |event, _| captured(event).fees[0].currency = "CHF".to_owned()),
                (606, |event, _| captured(event).amount = 0),
                (608, |event, _| captured(event).fees[0].account = "FEE".to_owned()),
                (613, |event, _| {
                    let fee = captured(event).fees[0].clone();
                    captured(event).fees.extend(vec![fee; 8]);
                }),
                (701, |event, _| event.payment_id = vec![5; 16]),
                (707, |event, _| captured(event).fees[0].account = "fee:nobody".to_owned()),
                (710, |event, _| captured(event).fees[0].account = "shop:usd".to_owned()),
                (712, |event, _| event.previous_event_id = vec![5; 16]),
                (805, |event, _| captured(event).amount = 20_000),
            ],
        ),
    ];
    let mut pairs = 0;
    for (body, of_body) in bodies {
        let faults: Vec<&Fault> = of_header.iter().chain(of_body).collect();
        for one in &faults {
            assert_eq!(answer(&body, &[one]), one.0, "{} alone", body.name());
            for other in &faults {
                if one.0 < other.0 && apart(&body, one, other) {
                    let lower = one.0;
                    assert_eq!(
                        answer(&body, &[one, other]),
                        lower,
                        "{}: {lower} and {}",
                        body.name(),
                        other.0
                    );
                    pairs += 1;
                }
            }
        }
    }
    println!("{pairs} pairs of faults");
}

#[test]
fn p18_signature_faults_come_after_the_ledger_and_before_ids_and_fields() {
    for (signed, code) in [
        (Signed::Missing, 401),
        (Signed::Foreign, 401),
        (Signed::Twice, 401),
        (Signed::Short, 402),
        (Signed::Forged, 403),
    ] {
        let mut bench = Bench::new();
        let mut event = bench.event(transfer("world:usd", "cust:usd", "USD", 5));
        assert_eq!(bench.send_as(&event, signed), code);
        event.event_id = vec![0; 16];
        legs(&mut event)[0].amount = 0;
        assert_eq!(bench.send_as(&event, signed), code);
        event.ledger_id = vec![1; 32];
        assert_eq!(bench.send_as(&event, signed), 307);
    }
}

/// The answer to an event with these faults.
fn answer(body: &Body, faults: &[&Fault]) -> u16 {
    let mut bench = Bench::new();
    let payment = bench.authorized();
    let mut event = bench.event(body.clone());
    if matches!(body, Body::PaymentCaptured(_)) {
        event.payment_id.clone_from(&payment);
        event.previous_event_id = bench.payment(&payment).head.0.to_vec();
    } else if matches!(body, Body::PaymentInitiated(_)) {
        event.payment_id = event.event_id.clone();
    }
    for (_, fault) in faults {
        fault(&mut event, bench.clock);
    }
    bench.send(&event)
}

/// Whether two faults do not undo one another: both fields still differ after both.
fn apart(body: &Body, one: &Fault, other: &Fault) -> bool {
    let mut bench = Bench::new();
    let sound = bench.event(body.clone());
    let with = |faults: &[&Fault]| {
        let mut event = sound.clone();
        faults.iter().for_each(|(_, fault)| fault(&mut event, bench.clock));
        event
    };
    // In either order the same event, which neither of them alone makes.
    let has_legs = |event: &Event| match &event.body {
        Body::TransferPosted(body) => body.legs.len() > 1,
        _ => true,
    };
    if !has_legs(&with(&[one])) || !has_legs(&with(&[other])) {
        return false;
    }
    let both = with(&[one, other]);
    both == with(&[other, one]) && both != with(&[one]) && both != with(&[other])
}

fn transfer_of(event: &mut Event) -> &mut TransferPosted {
    match &mut event.body {
        Body::TransferPosted(body) => body,
        other => panic!("{}", other.name()),
    }
}

fn legs(event: &mut Event) -> &mut Vec<Leg> {
    &mut transfer_of(event).legs
}

fn initiated(event: &mut Event) -> &mut PaymentInitiated {
    match &mut event.body {
        Body::PaymentInitiated(body) => body,
        other => panic!("{}", other.name()),
    }
}

fn captured(event: &mut Event) -> &mut PaymentCaptured {
    match &mut event.body {
        Body::PaymentCaptured(body) => body,
        other => panic!("{}", other.name()),
    }
}
