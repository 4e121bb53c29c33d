//! Events 19 to 22.

use ledger_core::admit::rules_known;
use ledger_core::apply::{At, Effects, apply};
use ledger_core::code::Code;
use ledger_core::code::Code::{
    InsufficientFunds, KeyAlreadyRegistered, PeriodNotOver, SchemaVersionUnsupported, SignerNotAccountOwner,
    SignerRoleMissing, SignersMismatch, TargetEventNotFound,
};
use ledger_core::event::*;
use ledger_core::ids::LogIndex;
use ledger_core::seal::Params;
use ledger_core::view::StateView;

use crate::peel::*;
use crate::world::*;

#[test]
fn a_period_is_closed() {
    let mut world = World::new();
    let close = |through| Body::PeriodClosed(PeriodClosed { through });
    let rows = [
        (20_260_106, Some("after 0 and before 20260105")),
        // A date, though no unit of 64 bits of nanoseconds comes to it.
        (25_540_722, Some("after 0 and before 20260105")),
        (99_991_231, Some("after 0 and before 20260105")),
        (20_260_105, Some("after 0 and before 20260105")),
        (20_260_103, None),
        (20_260_103, Some("after 20260103 and before 20260105")),
        (20_260_102, Some("after 20260103 and before 20260105")),
        (20_260_104, None),
    ];
    for (through, limit) in rows {
        let event = world.event(close(through), &["op1"]);
        let refusal = world.submit(sign(&event, &["op1"])).refusal();
        assert_eq!(refusal.as_ref().map(|refusal| refusal.code), limit.map(|_| PeriodNotOver), "{through}");
        if let Some(refusal) = refusal {
            tells(&refusal, "through", limit.unwrap());
        }
    }
    assert_eq!(world.state.params().closed_through, 20_260_104);
    // A key with a prefix does not close for all.
    let event = world.event(close(20_260_104), &["desk"]);
    assert_eq!(code_of(&mut world, &event, &["desk"]), Some(SignerNotAccountOwner));
}

#[test]
fn the_log_key_rotates() {
    let mut world = World::new();
    let rotate = |name: &str| Body::LogKeyRotated(LogKeyRotated { new_key: public(name) });
    let register = |name: &str| {
        let (key, party) = (public(name), name.to_owned());
        Body::KeyRegistered(KeyRegistered { key, party, roles: 1, prefix: String::new() })
    };
    let rows: Vec<(Body, &[&str], Option<Code>)> = vec![
        (rotate("log2"), &["op1", "log2"], Some(SignersMismatch)),
        (rotate("log2"), &["op1", "log"], Some(SignersMismatch)),
        (rotate("log2"), &["log", "log2"], Some(SignerRoleMissing)),
        (rotate("log2"), &["desk", "log", "log2"], Some(SignerRoleMissing)),
        (rotate("wallet"), &["op1", "log", "wallet"], Some(KeyAlreadyRegistered)),
        (rotate("gone"), &["op1", "log", "gone"], Some(KeyAlreadyRegistered)),
        (rotate("log"), &["op1", "log"], Some(KeyAlreadyRegistered)),
        (rotate("log2"), &["op1", "log", "log2"], None),
        (rotate("log3"), &["op1", "log", "log3"], Some(SignersMismatch)),
        (rotate("log3"), &["op1", "log2", "log3"], None),
        (rotate("log2"), &["op1", "log3", "log2"], Some(KeyAlreadyRegistered)),
        (rotate("log"), &["op1", "log3", "log"], Some(KeyAlreadyRegistered)),
        (register("log"), &["op1", "log"], Some(KeyAlreadyRegistered)),
        (register("log2"), &["op1", "log2"], Some(KeyAlreadyRegistered)),
        (register("log3"), &["op1", "log3"], Some(KeyAlreadyRegistered)),
    ];
    let mut rotated = Vec::new();
    for (position, (body, by, code)) in rows.into_iter().enumerate() {
        let event = world.event(body, by);
        let refusal = world.submit(sign(&event, by)).refusal();
        assert_eq!(refusal.as_ref().map(|refusal| refusal.code), code, "row {position}");
        if code.is_none() {
            rotated.push(world.next_index - 1);
        }
        if position == 13 {
            tells(&refusal.unwrap(), "key", &format!("the log key since log index {}", rotated[0]));
        }
    }
    assert_eq!(world.state.params().log_key.to_vec(), public("log3"));
    let since = |name| world.state.log_key_since(&public(name).try_into().unwrap()).unwrap();
    assert_eq!(since("log"), Some(LogIndex(0)));
    assert_eq!([since("log2"), since("log3")], [Some(LogIndex(rotated[0])), Some(LogIndex(rotated[1]))]);
    assert_eq!(since("op1"), None);
}

#[test]
fn versions_of_the_rules_that_are_not_known_are_turned_away() {
    let mut world = World::new();
    for rules_version in [0, 1, 2, 1_000] {
        let event = world.event(Body::RulesChanged(RulesChanged { rules_version }), &["op1"]);
        let refusal = world.submit(sign(&event, &["op1"])).refusal().unwrap();
        assert_eq!(refusal.code, SchemaVersionUnsupported);
        tells(&refusal, "rules_version", "above 1, at most 1");
    }
    assert_eq!(world.state.params().rules_version, 1);
    // A verifier stops at a version that it does not know, and at nothing else.
    let changed = |rules_version| Body::RulesChanged(RulesChanged { rules_version });
    assert!(rules_known(&changed(1)) && !rules_known(&changed(2)) && rules_known(&reject()));
}

/// No later version is known, so admission lets none through; the rules themselves are ready for one.
#[test]
fn a_version_of_the_rules_begins_at_its_entry() {
    let mut world = World::new();
    let event = world.event(Body::RulesChanged(RulesChanged { rules_version: 2 }), &["op1"]);
    let (t_nanos, log_index) = (world.now_nanos + 1, LogIndex(world.next_index));
    let at = At { t_nanos, log_index, recorded_at_nanos: t_nanos };
    let effects = apply(&world.state, &event, at).unwrap();
    let expected = Params { rules_version: 2, rules_index: log_index, ..world.state.params().clone() };
    assert_eq!(effects, Effects { params: Some(expected), ..Effects::default() });
}

#[test]
fn private_data_is_erased() {
    let mut world = World::new();
    let erase = |event_id: &[u8]| {
        Body::MetadataErased(MetadataErased { event_id: event_id.to_vec(), reason: "TEST".to_owned() })
    };
    let plain = world.accept(transfer("world:usd", "cust:bob", "USD", 1), &["op1"]);
    let mut accepted = world.event(transfer("world:usd", "cust:bob", "USD", 1), &["op1"]);
    accepted.metadata_commitment = vec![5; 32];
    let accepted = world.accept_event(&accepted, &["op1"]);
    let mut refused = world.event(transfer("cust:alice", "cust:bob", "USD", 10_000_000), &["op1"]);
    refused.metadata_commitment = vec![5; 32];
    assert_eq!(code_of(&mut world, &refused, &["op1"]), Some(InsufficientFunds));
    for (target, code, limit) in [
        (vec![9; 16], Some(TargetEventNotFound), "an event in the log"),
        (plain, Some(TargetEventNotFound), "an event with a metadata_commitment"),
        (accepted.clone(), None, ""),
        (accepted, None, ""),
        (refused.event_id, None, ""),
    ] {
        let event = world.event(erase(&target), &["op1"]);
        let before = world.records();
        let refusal = world.submit(sign(&event, &["op1"])).refusal();
        assert_eq!(refusal.as_ref().map(|refusal| refusal.code), code);
        assert_eq!(world.records(), before);
        if let Some(refusal) = refusal {
            tells(&refusal, "event_id", limit);
        }
    }
}
