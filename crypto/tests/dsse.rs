//! DSSE: what is signed, and its JSON envelope.

use ledger_crypto::SigningKey;
use ledger_crypto::dsse::{self, Envelope, EnvelopeError};
use proptest::prelude::*;

fn envelope() -> Envelope {
    let payload = b"hello world";
    let message = dsse::message("http://example.com/HelloWorld", payload);
    let sign = |seed| {
        let key = SigningKey::from_seed([seed; 32]);
        (key.public_bytes(), key.sign(&message))
    };
    Envelope {
        payload_type: "http://example.com/HelloWorld".to_owned(),
        payload: payload.to_vec(),
        signatures: vec![sign(1), sign(2)],
    }
}

/// The example of the specification, `protocol.md`.
#[test]
fn the_message_is_that_of_the_specification() {
    let message = dsse::message("http://example.com/HelloWorld", b"hello world");
    assert_eq!(message, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    assert_eq!(dsse::message("", b""), b"DSSEv1 0  0 ");
    assert_eq!(dsse::message("é", b"\xff\n"), b"DSSEv1 2 \xc3\xa9 2 \xff\n");
}

#[test]
fn an_envelope_has_the_members_of_the_specification() {
    let envelope = envelope();
    let json: serde_json::Value = serde_json::from_str(&envelope.to_json()).unwrap();
    assert_eq!(json["payload"], "aGVsbG8gd29ybGQ=");
    assert_eq!(json["payloadType"], "http://example.com/HelloWorld");
    assert_eq!(json["signatures"][0]["keyid"], hex::encode(envelope.signatures[0].0));
    assert_eq!(json["signatures"][1]["sig"].as_str().unwrap().len(), 88);
    assert_eq!(json.as_object().unwrap().len(), 3);
    assert_eq!(Envelope::from_json(&envelope.to_json()).unwrap(), envelope);
    let pretty = serde_json::to_string_pretty(&json).unwrap();
    assert_eq!(Envelope::from_json(&pretty).unwrap(), envelope);
}

#[test]
fn other_envelopes_are_refused() {
    let written = envelope().to_json();
    let first = hex::encode(envelope().signatures[0].0);
    let second = hex::encode(envelope().signatures[1].0);
    let refuse = |old: &str, new: &str| {
        assert!(written.contains(old), "{old}");
        Envelope::from_json(&written.replace(old, new)).unwrap_err()
    };
    for (old, new) in [
        ("\"payload\"", "\"Payload\""),
        ("\"payload\":", "\"extra\":1,\"payload\":"),
        ("\"payload\":", "\"payload\":\"\",\"payload\":"),
        ("\"keyid\":", "\"extra\":null,\"keyid\":"),
        ("\"signatures\":[", "\"signatures\":[1,"),
        ("\"aGVsbG8gd29ybGQ=\"", "null"),
        ("\"aGVsbG8gd29ybGQ=\"", "[1]"),
    ] {
        let error = refuse(old, new);
        assert!(matches!(error, EnvelopeError::Json(_)), "{new}: {error}");
    }
    for text in ["", "{}", "[]", &format!("{written}x")] {
        assert!(matches!(Envelope::from_json(text), Err(EnvelopeError::Json(_))), "{text}");
    }
    for payload in ["aGVsbG8gd29ybGQ", "aGVsbG8gd29ybGR=", "aGVsbG8gd29ybGQ=\\n", "_w=="] {
        let error = refuse("aGVsbG8gd29ybGQ=", payload);
        assert!(matches!(error, EnvelopeError::Base64 { field: "payload" }), "{error}");
    }
    for keyid in [first.to_uppercase(), first[1..].to_owned(), String::new(), first.clone() + "00"] {
        let error = refuse(&first, &keyid);
        assert!(matches!(&error, EnvelopeError::KeyId { keyid: named } if *named == keyid));
    }
    let error = refuse(&first, &second);
    assert!(matches!(&error, EnvelopeError::RepeatedKey { keyid } if *keyid == second));
    let error = refuse("\"sig\":\"", "\"sig\":\"AAAA");
    assert!(matches!(error, EnvelopeError::SignatureLength { length: 67, .. }), "{error}");
}

proptest! {
    #[test]
    fn envelopes_read_as_written(
        payload_type in "\\PC*",
        payload in prop::collection::vec(any::<u8>(), 0..100),
        keys in prop::collection::btree_map(any::<[u8; 32]>(), any::<[u8; 32]>(), 0..4),
    ) {
        let signature = |half: [u8; 32]| [half, half].concat().try_into().unwrap();
        let signatures = keys.into_iter().map(|(key, half)| (key, signature(half))).collect();
        let envelope = Envelope { payload_type, payload, signatures };
        prop_assert_eq!(Envelope::from_json(&envelope.to_json()).unwrap(), envelope);
    }

    #[test]
    fn no_text_causes_a_panic(text in "\\PC*") {
        prop_assert!(Envelope::from_json(&text).is_err());
    }
}
