//! Signed notes: those of Go's sumdb/note, and each clause of the format.

use base64::engine::{Engine, general_purpose::STANDARD};
use ledger_crypto::note::{self, NoteError, NoteSigner, VerifierKey};
use ledger_crypto::{PublicKey, SigningKey};
use proptest::prelude::*;

/// From the documentation of golang.org/x/mod/sumdb/note.
const NEUMANN: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\
    \n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn known(name: &str, seed: u8) -> VerifierKey {
    VerifierKey::new(name, &key(seed).public()).unwrap()
}

#[test]
fn a_note_of_gos_implementation_opens() {
    let neumann = VerifierKey::parse(NEUMANN).unwrap();
    assert_eq!(neumann.to_string(), NEUMANN);
    assert_eq!((neumann.name.as_str(), neumann.key_id), ("PeterNeumann", [0xc7, 0x4f, 0x20, 0xa3]));
    let opened = note::open(GO_NOTE.as_bytes(), std::slice::from_ref(&neumann)).unwrap();
    assert!(opened.text.ends_with("what your problem is.\n"));
    assert_eq!((opened.verified, opened.unknown), (vec![neumann], 0));
}

#[test]
fn what_is_signed_opens_with_each_known_key_in_order() {
    let text = "origin\n\n42\n";
    let signed = note::sign(text, &[("a", &key(1)), ("b", &key(2)), ("c", &key(3))]).unwrap();
    assert!(signed.starts_with("origin\n\n42\n\n— a "), "{signed}");
    let opened = note::open(signed.as_bytes(), &[known("c", 3), known("a", 1)]).unwrap();
    assert_eq!(opened.text, text);
    assert_eq!(opened.verified, [known("a", 1), known("c", 3)]);
    assert_eq!(opened.unknown, 1);

    let more = signed.clone() + &NoteSigner::new("d", &key(4)).unwrap().line(text).unwrap();
    let opened = note::open(more.as_bytes(), &[known("d", 4)]).unwrap();
    assert_eq!((opened.verified, opened.unknown), (vec![known("d", 4)], 3));
}

#[test]
fn a_line_is_unknown_unless_name_and_key_id_are_known() {
    let signed = note::sign("text\n", &[("a", &key(1))]).unwrap();
    for other in [known("a", 2), known("b", 1)] {
        assert_eq!(note::open(signed.as_bytes(), &[other]), Err(NoteError::Unsigned));
    }
    assert_eq!(note::open(signed.as_bytes(), &[]), Err(NoteError::Unsigned));
    let renamed = signed.replace("— a ", "— b ");
    assert_eq!(note::open(renamed.as_bytes(), &[known("a", 1)]), Err(NoteError::Unsigned));
    // Another algorithm: a key id that is nobody's, a signature of any length.
    let foreign = signed.clone() + "— a AAAAAAA=\n";
    assert_eq!(note::open(foreign.as_bytes(), &[known("a", 1)]).unwrap().unknown, 1);
}

#[test]
fn a_known_key_signs_once_and_correctly() {
    let signed = note::sign("text\n", &[("a", &key(1)), ("b", &key(2))]).unwrap();
    let keys = [known("a", 1), known("b", 2)];
    let refuse = |note: &str, expected: NoteError| {
        assert_eq!(note::open(note.as_bytes(), &keys), Err(expected), "{note}");
    };
    let (name, key_id) = ("a".to_owned(), keys[0].key_id);
    let bad = NoteError::BadSignature { name: name.clone(), key_id };
    refuse(&signed.replace("text", "Text"), bad.clone());
    refuse(&signed.replace("text\n", "text\n\n"), bad.clone());
    let line = signed.lines().nth(2).unwrap();
    let repeated = NoteError::RepeatedSignature { name: name.clone(), key_id };
    refuse(&format!("{signed}{line}\n"), repeated);

    // The right key id before 63 and 65 bytes.
    let encoded = line.strip_prefix("— a ").unwrap();
    let bytes = STANDARD.decode(encoded).unwrap();
    for bytes in [&bytes[..67], &[bytes.as_slice(), &[0]].concat()] {
        refuse(&signed.replace(encoded, &STANDARD.encode(bytes)), bad.clone());
    }

    let ambiguous = NoteError::Ambiguous { name, key_id };
    let twice = [known("a", 1), known("b", 2), known("a", 1)];
    assert_eq!(note::open(signed.as_bytes(), &twice), Err(ambiguous));
}

#[test]
fn malformed_notes_are_refused() {
    let signed = note::sign("text\n", &[("a", &key(1))]).unwrap();
    let keys = [known("a", 1)];
    let syntax = [
        String::new(),
        "text\n".into(),
        signed.replace("text\n\n", "text\n"),
        signed.trim_end().into(),
        "text\n\n".into(),
        signed.replace("text", "te\txt"),
        signed.replace("text", "te\rxt"),
        signed.replace("text", "te\0xt"),
    ];
    for note in &syntax {
        let verdict = note::open(note.as_bytes(), &keys);
        assert!(matches!(verdict, Err(NoteError::Syntax { .. })), "{note:?}: {verdict:?}");
    }
    let utf8 = [b"\xff", signed.as_bytes()].concat();
    assert_eq!(note::open(&utf8, &keys), Err(NoteError::Syntax { clause: "not UTF-8" }));

    let lines = [
        signed.replace("— a", "- a"),
        signed.replace("— a", "—a"),
        signed.replace("— a ", "—  a "),
        signed.replace("— a ", "— a"),
        signed.replace("— a ", "— +a "),
        signed.replace("— a ", "— a\u{a0}b "),
        signed.replace("— a ", "— a\u{2003}b "),
        signed.replace("— a ", "— a\tb "),
        signed.replace("=\n", "\n"),
        signed.replace("=\n", "= \n"),
        signed.replace("=\n", "=\r\n"),
        signed.clone() + "x\n",
        signed.clone() + "— b AAAAAA==\n",
        signed.clone() + "— b AAAA\n",
        signed.clone() + "— b \n",
    ];
    for note in &lines {
        let verdict = note::open(note.as_bytes(), &keys);
        assert!(matches!(verdict, Err(NoteError::Line { .. })), "{note:?}: {verdict:?}");
    }

    let line = "— x AAAAAAAA\n";
    let many = signed.clone() + &line.repeat(99);
    assert_eq!(note::open(many.as_bytes(), &keys).unwrap().unknown, 99);
    let more = NoteError::TooManySignatures { count: 101, limit: 100 };
    assert_eq!(note::open((many + line).as_bytes(), &keys), Err(more));
}

#[test]
fn what_cannot_be_signed_is_refused() {
    assert_eq!(note::sign("text\n", &[]), Err(NoteError::NoSigner));
    for text in ["", "text", "te\txt\n", "text\n\0"] {
        let refused = note::sign(text, &[("a", &key(1))]);
        assert!(matches!(refused, Err(NoteError::Syntax { .. })), "{text:?}");
    }
    for name in ["", "a b", "a+b", "a\n", "a\u{a0}", "\u{1}"] {
        let expected = NoteError::Name { name: name.to_owned() };
        assert_eq!(note::sign("text\n", &[(name, &key(1))]), Err(expected.clone()));
        assert_eq!(VerifierKey::new(name, &key(1).public()), Err(expected));
    }
}

#[test]
fn malformed_verifier_keys_are_refused() {
    let refused = [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        &NEUMANN.replace("c74f20a3", "c74f20a4"),
        &NEUMANN.replace("c74f20a3", "C74F20A3"),
        &NEUMANN.replace("c74f20a3", "c74f20a"),
        &NEUMANN.replace("PeterNeumann", "PeterNeuman"),
        &NEUMANN.replace("+ARpc", "+AhPc"),
        &NEUMANN.replace("10TW", "10T"),
        &NEUMANN.replace("10TW", ""),
        &NEUMANN.replace("10TW", "10TW+"),
        &format!("{NEUMANN}\n"),
    ];
    for text in refused {
        assert!(VerifierKey::parse(text).is_err(), "{text:?}");
    }
    let weak = STANDARD.encode([&[1], [0; 32].as_slice()].concat());
    let weak = VerifierKey::parse(&format!("a+00000000+{weak}"));
    assert!(matches!(weak, Err(NoteError::PublicKey { .. })), "{weak:?}");
    let name = VerifierKey::parse(&NEUMANN.replace("PeterNeumann", "Peter Neumann"));
    assert!(matches!(name, Err(NoteError::Name { .. })), "{name:?}");
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC*") {
        let keys = [known("a", 1)];
        prop_assert!(note::open(&bytes, &keys).is_err());
        let line = format!("t\n\n— {text}\n");
        prop_assert!(note::open(line.as_bytes(), &keys).is_err());
        let _ = VerifierKey::parse(&text);
    }

    #[test]
    fn a_changed_byte_is_never_taken_for_the_note(place in any::<usize>(), byte in any::<u8>()) {
        let signed = note::sign("origin\n42\n", &[("a", &key(1))]).unwrap();
        let mut changed = signed.clone().into_bytes();
        let place = place % changed.len();
        prop_assume!(changed[place] != byte);
        changed[place] = byte;
        prop_assert!(note::open(&changed, &[known("a", 1)]).is_err());
    }

    #[test]
    fn verifier_keys_read_as_written(seed in any::<[u8; 32]>(), name in "[^\\s+\\x00-\\x1f\\x7f-\\x9f]{1,20}") {
        let key = SigningKey::from_seed(seed).public();
        let verifier = VerifierKey::new(&name, &key).unwrap();
        prop_assert_eq!(VerifierKey::parse(&verifier.to_string()), Ok(verifier.clone()));
        let key: PublicKey = verifier.key;
        prop_assert_eq!(key.as_bytes(), &SigningKey::from_seed(seed).public_bytes());
    }
}
