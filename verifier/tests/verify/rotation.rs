//! Changes of the log key: which receipts of one are followed, and which lines a checkpoint must have after it.

use std::fs;

use ledger_core::apply::Effects;
use ledger_core::event::Body;
use ledger_core::receipt::MemberReceipt;
use ledger_crypto::SigningKey;
use ledger_verify::{Report, Trust, follow_rotations};

use crate::batch;
use crate::forge::{Forge, files_under, note_of, proof_of, receipt_of, rotation_body};
use crate::judge::{Expected, Row, in_file, judge_table};
use crate::operator::{log_anyway, log_with};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// Follows receipts from the forge's key on.
fn follow(pinned: &Trust, receipts: &[String]) -> Result<Trust, Box<Report>> {
    let dir = tempfile::tempdir().unwrap();
    let write = |(number, text): (usize, &String)| {
        let file = dir.path().join(number.to_string());
        fs::write(&file, text).unwrap();
        file
    };
    let files: Vec<_> = receipts.iter().enumerate().map(write).collect();
    follow_rotations(&files, pinned)
}

/// The field that speaks against a receipt.
fn refused(pinned: &Trust, receipts: &[String]) -> String {
    follow(pinned, receipts).unwrap_err().finding.unwrap().field
}

/// The receipt of an event that is logged without asking the rules, as the last of a block.
fn receipt_of_event(log: &mut Forge, body: Body, keys: &[SigningKey]) -> String {
    let event = log.event_by(body, keys);
    let index = log_anyway(log, &event, None, &Effects::default()) as usize;
    log.seal();
    receipt_of(&log.entries, index, &note_of(&log.entries, &[key(1)]))
}

#[test]
fn a_change_is_signed_by_both_keys_and_an_operator() {
    let (old, new, operator, other) = (key(1), key(9), key(2), key(8));
    let rows = [
        (vec![&old, &new, &operator], None),
        (vec![&new, &operator], Some("signers")),
        (vec![&old, &operator], Some("signers")),
        (vec![&old, &new], Some("signers")),
        (vec![&other, &new, &operator], Some("signers")),
        (vec![&old, &other, &operator], Some("signers")),
    ];
    for (number, (keys, field)) in rows.into_iter().enumerate() {
        let mut log = Forge::with_accounts();
        let keys: Vec<_> = keys.into_iter().cloned().collect();
        let receipt = receipt_of_event(&mut log, rotation_body(&new), &keys);
        let followed = follow(&log.trust(), &[receipt]);
        match field {
            None => assert_eq!(followed.unwrap().key.key, new.public(), "row {number}"),
            Some(field) => assert_eq!(followed.unwrap_err().finding.unwrap().field, field, "row {number}"),
        }
    }
    let mut log = Forge::with_accounts();
    let receipt = receipt_of_event(&mut log, rotation_body(&old), &[old, operator]);
    assert_eq!(refused(&log.trust(), &[receipt]), "new_key", "from a key to itself");
}

#[test]
fn only_an_accepted_change_of_its_own_is_one() {
    let keys = [key(1), key(9), key(2)];
    let mut log = Forge::with_accounts();
    let event = log.event_by(rotation_body(&key(9)), &keys);
    let place = crate::forge::Place { outcome: 801, ..crate::forge::ALONE };
    let index = log_with(&mut log, &event, place, &Effects::default()) as usize;
    log.seal();
    let receipt = receipt_of(&log.entries, index, &note_of(&log.entries, &[key(1)]));
    assert_eq!(refused(&log.trust(), &[receipt]), "entry", "refused");

    let mut log = Forge::with_accounts();
    let signed = batch::sign_by(&mut log, &keys, [rotation_body(&key(9))]);
    let header = batch::log(&mut log, &signed, &[0], |_| 0) as usize;
    log.seal();
    let extra = MemberReceipt::extra(&log.entries[header + 1], &log.entries[header], &[]);
    let receipt = proof_of(&log.entries, header + 1, extra, &note_of(&log.entries, &[key(1)]));
    assert_eq!(refused(&log.trust(), &[receipt]), "entry", "in a batch");
}

/// Two changes in one block: no checkpoint was ever signed by the key in between.
#[test]
fn a_second_change_is_followed_under_any_key_that_is_trusted() {
    let mut log = Forge::with_accounts();
    let pinned = log.trust();
    let first = log.entries.len();
    let rotation = log.rotation(&key(9));
    assert_eq!(log.submit(vec![rotation]), [0]);
    log.log_key = key(9);
    let rotation = log.rotation(&key(10));
    assert_eq!(log.submit(vec![rotation]), [0]);
    log.seal();
    let receipts = |keys: &[SigningKey]| {
        let note = note_of(&log.entries, keys);
        [first, first + 1].map(|index| receipt_of(&log.entries, index, &note))
    };
    let [one, two] = receipts(&[key(10), key(1)]);
    let followed = follow(&pinned, &[one.clone(), two.clone()]).unwrap();
    assert_eq!(followed.key.key, key(10).public());
    assert_eq!(refused(&pinned, &[two]), "signers", "a change left out");
    assert_eq!(refused(&pinned, &[one.clone(), one.clone()]), "new_key", "the same again");
    let [_, unknown] = receipts(&[key(10)]);
    assert_eq!(refused(&pinned, &[one, unknown]), "signature", "under the key that it brings");
}

#[test]
fn a_checkpoint_has_the_line_of_the_key_in_force_and_none_that_is_wrong() {
    let mut log = Forge::with_accounts();
    let pinned = log.trust();
    let rotation = log.rotation(&key(9));
    assert_eq!(log.submit(vec![rotation]), [0]);
    log.seal();
    let note = |keys: &[u8]| {
        let keys: Vec<_> = keys.iter().map(|seed| key(*seed)).collect();
        note_of(&log.entries, &keys)
    };
    let newest = Trust {
        key: ledger_crypto::note::VerifierKey::new(crate::forge::ORIGIN, &key(9).public()).unwrap(),
        ..pinned.clone()
    };
    // The line of a key under another checkpoint.
    let broken = |seed| {
        let other = note_of(&log.entries[..2], &[key(seed)]);
        format!("{}\n", other.lines().last().unwrap())
    };
    let wrong = || in_file("checkpoint", "signature");
    let row = |name: &str, trust: &Trust, note: String, full, hashes_only| Row {
        name: name.to_owned(),
        files: files_under(&log.entries, note),
        trust: trust.clone(),
        full,
        hashes_only,
    };
    let valid = || Expected::Valid;
    judge_table(&[
        row("both lines, the old key pinned", &pinned, note(&[9, 1]), valid(), valid()),
        row("both lines, the new key pinned", &newest, note(&[9, 1]), valid(), valid()),
        row("the new line alone", &newest, note(&[9]), valid(), valid()),
        row("a line of a key unknown to the log", &newest, note(&[9, 8]), valid(), valid()),
        row("no line of the new key", &pinned, note(&[1]), wrong(), valid()),
        row("two lines of the new key", &pinned, note(&[1, 9, 9]), wrong(), valid()),
        row("a broken line of the new key", &pinned, note(&[1]) + &broken(9), wrong(), valid()),
        row("a broken line beside a right one", &pinned, note(&[1, 9]) + &broken(9), wrong(), valid()),
        row("two lines of the old key", &newest, note(&[9, 1, 1]), wrong(), valid()),
        row("a broken line of the old key", &newest, note(&[9]) + &broken(1), wrong(), valid()),
    ]);
}
