//! The published contract of the signed messages, in the hands of another protobuf implementation.

use ledger_core::event::Event;
use ledger_core::genesis::Genesis;
use proptest::prelude::*;
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, Kind, MessageDescriptor, ReflectMessage, Value as Field,
};
use serde_json::Value;

use crate::vectors::{bytes, hash, list, number, read, text};

fn contract() -> DescriptorPool {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
    let files = protox::compile(["ledger/signed/v1/signed.proto"], [folder]).unwrap();
    DescriptorPool::from_file_descriptor_set(files).unwrap()
}

fn message(name: &str) -> MessageDescriptor {
    contract().get_message_by_name(&format!("ledger.signed.v1.{name}")).unwrap()
}

#[test]
fn prost_encodes_and_decodes_the_golden_events_alike() {
    let Some(file) = read("events.json") else { return };
    let descriptor = message("Event");
    let events = list(&file["events"]);
    let bodies = descriptor.oneofs().next().unwrap().fields().count();
    assert_eq!((events.len(), bodies), (22, 22));
    for golden in events {
        let payload = bytes(&golden["payload"]);
        let mut event = fill(&descriptor, &golden["fields"]);
        let field = descriptor.get_field(20 + number::<u32>(&golden["number"])).unwrap();
        let Kind::Message(body) = field.kind() else { panic!("{} is not a message", field.name()) };
        assert_eq!(body.name(), golden["event"]);
        event.set_field(&field, Field::Message(fill(&body, &golden["body"])));
        assert_eq!(event.encode_to_vec(), payload, "{}", golden["event"]);
        let decoded = DynamicMessage::decode(descriptor.clone(), payload.as_slice()).unwrap();
        assert_eq!(decoded, event);
        assert_eq!(Event::decode(&event.encode_to_vec()).unwrap().encode(), payload);
    }
    println!("signed.proto: {} golden events through prost", events.len());
}

#[test]
fn prost_encodes_and_decodes_the_golden_genesis_alike() {
    let Some(file) = read("small-ledger.json") else { return };
    let genesis = fill(&message("Genesis"), &file["genesis"]);
    let entry = bytes(&file["entries"][0]["entry"]);
    assert!(entry.ends_with(&genesis.encode_to_vec()));
    let ours = Genesis::decode(&genesis.encode_to_vec()).unwrap();
    assert_eq!(ours.encode(), genesis.encode_to_vec());
    assert_eq!(ledger_merkle::leaf_hash(&ours.to_entry(1_767_603_600_000_000_000)), hash(&file["ledger_id"]));
}

/// The message of a JSON object, by the names of the contract.
fn fill(descriptor: &MessageDescriptor, golden: &Value) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for (name, value) in golden.as_object().unwrap() {
        let field = descriptor.get_field_by_name(name).unwrap_or_else(|| panic!("no field {name}"));
        let convert = |value: &Value| match field.kind() {
            Kind::Uint64 => Field::U64(number(value)),
            Kind::Uint32 => Field::U32(number(value)),
            Kind::Bool => Field::Bool(value.as_bool().unwrap()),
            Kind::String => Field::String(text(value).to_owned()),
            Kind::Bytes => Field::Bytes(bytes(value).into()),
            Kind::Message(inner) => Field::Message(fill(&inner, value)),
            other => panic!("{name} has the type {other:?}, which the canonical form does not have"),
        };
        let converted = if field.is_list() {
            Field::List(list(value).iter().map(convert).collect())
        } else {
            convert(value)
        };
        message.set_field(&field, converted);
    }
    message
}

/// Payloads of the golden events, or some bytes where there are none.
fn samples() -> Vec<Vec<u8>> {
    let events =
        read("events.json").map(|file| list(&file["events"]).iter().map(|e| bytes(&e["payload"])).collect());
    events.unwrap_or_else(|| vec![vec![0xAA, 0x01, 0x00]])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What our decoder accepts of mutated events is canonical: we and prost write the same bytes again.
    #[test]
    fn mutated_events_are_refused_or_canonical(
        sample in proptest::sample::select(samples()),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let mut payload = sample;
        for (at, byte, kind) in changes {
            let at = at.index(payload.len() + 1);
            match kind {
                0 => payload.insert(at, byte),
                1 if at < payload.len() => payload[at] = byte,
                2 if at < payload.len() => { payload.remove(at); }
                _ => {}
            }
        }
        if let Ok(event) = Event::decode(&payload) {
            prop_assert_eq!(event.encode(), payload.clone());
            EVENT.with(|descriptor| {
                let theirs = DynamicMessage::decode(descriptor.clone(), payload.as_slice()).unwrap();
                assert_eq!(theirs.descriptor().name(), "Event");
                assert!(theirs.unknown_fields().next().is_none());
                assert_eq!(theirs.encode_to_vec(), payload);
            });
        }
    }
}

thread_local! {
    static EVENT: MessageDescriptor = message("Event");
}
