//! Property 18: of two faults the first answers: the lower number up to group 6, the earlier guard from there on.

mod cases;
mod fields;
mod stage;

use ledger_core::event::*;
use ledger_property_tests::keyring;
use ledger_property_tests::model::SECOND;
use ledger_property_tests::stream::{Private, Signed, commitment};

use crate::bench::*;
use stage::Stage;

/// Its code, and how it comes about.
type Fault = (u16, fn(&mut Event, &Stage));

const DAY: u64 = 86_400 * SECOND;

/// Events that are signed.
const EVENTS: [u32; 21] = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 23];

#[test]
fn p18_of_two_faults_of_any_event_the_first_answers() {
    let mut stage = Stage::new();
    let (mut alone, mut pairs) = (0, 0);
    for number in EVENTS {
        let event = cases::sound(&mut stage, number);
        assert_eq!(answer(&stage, &event), 0, "event {number} as it is");
        let mut faults = of_header(number);
        faults.extend(cases::faults(number));
        faults.sort_by_key(|(code, _)| (*code).min(700));
        let with = |faults: &[&Fault]| {
            let mut event = event.clone();
            faults.iter().for_each(|(_, fault)| fault(&mut event, &stage));
            event
        };
        let mut of_event = 0;
        for (place, one) in faults.iter().enumerate() {
            assert_eq!(answer(&stage, &with(&[one])), one.0, "event {number}, {} alone", one.0);
            alone += 1;
            for other in faults[place + 1..].iter().filter(|other| other.0 != one.0) {
                // Both are there when their order does not matter and neither makes the event that both make.
                let both = with(&[one, other]);
                if both == with(&[other, one]) && both != with(&[one]) && both != with(&[other]) {
                    let code = answer(&stage, &both);
                    assert_eq!(code, one.0, "event {number}: {} and {}", one.0, other.0);
                    of_event += 1;
                }
            }
        }
        println!("event {number}: {} faults, {of_event} pairs", faults.len());
        assert!(of_event >= 60, "event {number}: {of_event} pairs");
        pairs += of_event;
    }
    assert_eq!((alone, pairs), (521, 6_153), "faults and pairs");
}

#[test]
fn p18_a_change_of_rules_is_refused_before_all_that_comes_after_the_request() {
    let mut stage = Stage::new();
    let event = cases::sound(&mut stage, 21);
    for (code, fault) in of_header(21) {
        let mut event = event.clone();
        fault(&mut event, &stage);
        assert_eq!(answer(&stage, &event), if code == 204 { 204 } else { 304 }, "304 and {code}");
    }
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
        assert_eq!(bench.send_as(&event, signed, Private::None), code);
        event.event_id = vec![0; 16];
        event.external_ref = "x".repeat(36);
        assert_eq!(bench.send_as(&event, signed, Private::None), code);
        event.ledger_id = vec![1; 32];
        assert_eq!(bench.send_as(&event, signed, Private::None), 307);
    }
}

#[test]
fn p18_faults_of_private_data_come_after_the_fields_and_before_the_date() {
    for (private, code) in [(Private::TooLong, 618), (Private::Differs, 619), (Private::Unsalted, 619)] {
        let mut bench = Bench::new();
        let mut event = bench.event(transfer("world:usd", "cust:usd", "USD", 5));
        event.metadata_commitment = commitment();
        assert_eq!(bench.send_as(&event, Signed::Checked, private), code);
        event.effective_date = 20_990_101;
        assert_eq!(bench.send_as(&event, Signed::Checked, private), code);
        event.external_ref = "x".repeat(36);
        assert_eq!(bench.send_as(&event, Signed::Checked, private), 617);
        assert_eq!(bench.send_as(&event, Signed::Forged, private), 403);
    }
}

/// What an event is answered.
fn answer(stage: &Stage, event: &Event) -> u16 {
    stage.bench.clone().send(event)
}

/// What can be wrong with the header of an event, and with what many bodies have.
fn of_header(number: u32) -> Vec<Fault> {
    let mut faults: Vec<Fault> = vec![
        (204, |event, _| event.group = vec![1; 32]),
        (307, |event, _| event.ledger_id = vec![9; 32]),
        (401, |event, _| event.signers.extend(event.signers.clone())),
        (404, |event, _| co_sign(event, "stranger")),
        (405, |event, _| co_sign(event, "gone")),
        (406, |event, _| sign_instead(event, &keyring::key("all"), &keyring::key("auditor"))),
        (501, |event, _| event.event_id = vec![0; 16]),
        (502, |event, _| event.event_id = vec![5; 16]),
        (503, |event, stage| event.event_id = stage.committed.clone()),
        (505, |event, _| event.event_id[0] += 1),
        (506, |event, stage| event.timestamp_nanos = stage.bench.clock - 2 * DAY),
        (603, |event, _| event.metadata_commitment = vec![1; 31]),
    ];
    let to_regional: fn(&mut Event, &Stage) =
        |event, _| sign_instead(event, &keyring::key("all"), &keyring::key("regional"));
    match number {
        1 | 14 | 15 | 16 | 19 | 22 | 23 => faults.push((407, to_regional)),
        13 | 17 | 18 | 20 => faults.push((406, to_regional)),
        _ => {}
    }
    match number {
        1 | 14 => faults.push((617, |event, _| event.external_ref = "x".repeat(36))),
        _ => faults.push((602, |event, _| event.external_ref = "REF".to_owned())),
    }
    match number {
        1..=14 => faults.push((620, |event, _| event.effective_date = 20_990_101)),
        _ => faults.push((602, |event, _| event.effective_date = 20_990_101)),
    }
    if matches!(number, 3..=6 | 9..=12) {
        faults.push((606, |event, _| *fields::amount(event) = 0));
        faults.push((607, |event, _| *fields::amount(event) = LARGEST + 1));
    }
    if matches!(number, 2 | 7 | 10 | 11 | 13 | 14 | 16 | 18 | 22) {
        faults.push((616, |event, _| *fields::reason(event) = "x".repeat(36)));
    }
    if matches!(number, 2 | 7 | 11) {
        faults.push((601, |event, _| fields::reason(event).clear()));
    }
    faults
}

fn co_sign(event: &mut Event, name: &str) {
    event.signers.push(keyring::key(name));
    event.signers.sort();
}

/// Another key in the place of one.
fn sign_instead(event: &mut Event, of: &[u8], by: &[u8]) {
    for key in event.signers.iter_mut().filter(|key| *key == of) {
        *key = by.to_vec();
    }
    event.signers.sort();
}
