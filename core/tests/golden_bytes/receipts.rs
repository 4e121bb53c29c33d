//! Receipts, certificates and the statement of the small ledger.

use ledger_core::entry::{Content, Entry};
use ledger_core::event::EVENT_TYPE;
use ledger_core::ids::AccountIndex;
use ledger_core::line::{LINE_BYTES, Line};
use ledger_core::receipt::{Receipt, ReceiptError, TlogProof};
use ledger_core::record::AccountRecord;
use ledger_core::seal::Seal;
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, dsse};
use ledger_merkle::verify;
use serde_json::Value;

use crate::vectors::{bytes, expect_members, hash, list, number, read, text};

fn golden() -> Option<(Value, VerifierKey, Hash)> {
    let (receipts, ledger) = (read("receipts.json")?, read("small-ledger.json")?);
    let key = VerifierKey::parse(text(&ledger["vkey"])).unwrap();
    Some((receipts, key, hash(&ledger["ledger_id"])))
}

#[test]
fn receipts_are_written_read_and_verified_alike() {
    let Some((file, key, ledger_id)) = golden() else { return };
    expect_members(&file, &["about", "event", "batch_member", "certificates", "statement"]);
    let written = text(&file["event"]["tlog_proof"]);
    let receipt = Receipt::parse(written).unwrap();
    assert_eq!(receipt.to_text(), written);
    let verified = receipt.verify(&key, &ledger_id).unwrap();
    assert_eq!(verified.index, number::<u64>(&file["event"]["index"]));
    assert_eq!(verified.event.unwrap().body.name(), "TransferPosted");

    let member = parse(&file["batch_member"]["tlog_proof"]);
    let mut extra = member.extra.as_slice();
    let (entry, header) = (prefixed(&mut extra), prefixed(&mut extra));
    member.verify(entry, &key).unwrap();
    compare_member(entry, header, &rest_as_hashes(extra));

    let certificates = list(&file["certificates"]);
    for certificate in certificates {
        expect_members(certificate, &["seal_index", "tree", "record_index", "tlog_proof"]);
        let (proof, record) = (parse(&certificate["tlog_proof"]), number(&certificate["record_index"]));
        assert_eq!(proof.index, number::<u64>(&certificate["seal_index"]));
        let tree = match verify_certificate(&proof, &key, record)[0] {
            0x41 => "accounts",
            0x50 => "payments",
            _ => "keys",
        };
        assert_eq!(tree, certificate["tree"]);
    }
    let lines = compare_statement(&file["statement"], &key);
    println!(
        "receipts.json: 2 receipts, {} certificates, 1 statement with 2 more and {lines} lines",
        certificates.len()
    );
}

#[test]
fn forged_receipts_are_refused() {
    let Some((file, key, ledger_id)) = golden() else { return };
    let good = Receipt::parse(text(&file["event"]["tlog_proof"])).unwrap();
    let refused = |change: &dyn Fn(&mut Receipt)| {
        let mut receipt = good.clone();
        change(&mut receipt);
        receipt.verify(&key, &ledger_id).unwrap_err()
    };
    assert!(matches!(refused(&|r| r.index += 1), ReceiptError::Proof(_)));
    assert!(matches!(refused(&|r| r.index = u64::MAX), ReceiptError::Proof(_)));
    assert!(matches!(refused(&|r| r.path[0][0] ^= 1), ReceiptError::Proof(_)));
    assert!(matches!(refused(&|r| r.path.truncate(5)), ReceiptError::Proof(_)));
    assert!(matches!(refused(&|r| r.path.push([0; 32])), ReceiptError::Proof(_)));
    let last = good.entry.len() - 1;
    assert!(matches!(refused(&|r| r.entry[last] ^= 1), ReceiptError::Proof(_)));
    let sibling = |r: &mut Receipt| r.entry = [Entry::leaf_hash(&r.entry), r.path[0]].concat();
    assert!(matches!(refused(&sibling), ReceiptError::Proof(_)));
    let larger = |r: &mut Receipt| r.checkpoint = r.checkpoint.replace("\n55\n", "\n56\n");
    assert!(matches!(refused(&larger), ReceiptError::Checkpoint(_)));
    assert!(matches!(
        good.verify(&key, &[0; 32]).unwrap_err(),
        ReceiptError::Field { field: "ledger_id", .. }
    ));
    let member = Receipt { entry: good.entry.clone(), ..good };
    assert!(member.verify(&key, &ledger_id).is_ok());
}

#[test]
fn changed_texts_are_refused() {
    let Some((file, ..)) = golden() else { return };
    let written = text(&file["event"]["tlog_proof"]);
    for (from, to) in [
        ("c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\n"),
        ("c2sp.org/tlog-proof@v1\n", ""),
        ("\nindex 13\n", "\nindex 013\n"),
        ("\nindex 13\n", "\nindex +13\n"),
        ("\nindex 13\n", "\nindex  13\n"),
        ("\nindex 13\n", "\n"),
        ("\nextra ", "\nextra  "),
        ("\nextra ", "\n"),
        ("\nYq7/", "\nYq7_"),
        ("WOk=\n", "WOk\n"),
        ("WOk=\n", "WOl=\n"),
        ("\n\nledger.example", "\nledger.example"),
        ("\n", "\r\n"),
    ] {
        let changed = written.replacen(from, to, 1);
        assert_ne!(changed, written, "{from:?}");
        assert!(matches!(Receipt::parse(&changed), Err(ReceiptError::Form { .. })), "{from:?} to {to:?}");
    }
    let cut = written.find("\n\n").unwrap();
    for end in 0..=cut {
        assert!(Receipt::parse(&written[..end]).is_err(), "cut at {end}");
    }
}

fn parse(golden: &Value) -> TlogProof {
    let proof = TlogProof::parse(text(golden)).unwrap();
    assert_eq!(proof.to_text(), text(golden));
    proof
}

/// A member is proved in the tree of the batch's messages, whose root the header has.
fn compare_member(entry: &[u8], header: &[u8], path: &[Hash]) {
    let Content::BatchedEvent { position, payload, .. } = Entry::decode(entry).unwrap().content else {
        panic!("not a member of a batch");
    };
    let Content::BatchHeader { payload: header, .. } = Entry::decode(header).unwrap().content else {
        panic!("not the header of a batch");
    };
    let batch = ledger_core::batch::Batch::decode(&header).unwrap();
    let root = batch.events_root.try_into().unwrap();
    let message = dsse::message(EVENT_TYPE, &payload);
    verify::inclusion(&message, u64::from(position), u64::from(batch.count), path, &root).unwrap();
}

/// The record that a certificate proves, under the seal that it proves.
fn verify_certificate(proof: &TlogProof, key: &VerifierKey, record_index: u64) -> Vec<u8> {
    let mut extra = proof.extra.as_slice();
    let (seal, record) = (prefixed(&mut extra), prefixed(&mut extra));
    proof.verify(seal, key).unwrap();
    let (index, path) = extra.split_first_chunk().unwrap();
    assert_eq!(u64::from_be_bytes(*index), record_index);
    let (size, root) = tree(seal, record[0]);
    verify::inclusion(record, record_index, size, &rest_as_hashes(path), &root).unwrap();
    record.to_vec()
}

fn tree(seal: &[u8], record_type: u8) -> (u64, Hash) {
    let Content::Seal(seal) = Entry::decode(seal).unwrap().content else { panic!("not a seal") };
    let Seal { account_count, accounts_root, payment_count, payments_root, key_count, keys_root, .. } = *seal;
    match record_type {
        0x41 => (account_count, accounts_root),
        0x50 => (payment_count, payments_root),
        0x4B => (key_count, keys_root),
        other => panic!("record type {other}"),
    }
}

/// The lines lead from the first certificate's chain to the second's.
fn compare_statement(golden: &Value, key: &VerifierKey) -> u64 {
    expect_members(golden, &["first_seal", "last_seal", "account_index", "file"]);
    let file = bytes(&golden["file"]);
    let mut rest = file.strip_prefix(b"ledger/v1/statement\n").unwrap();
    let account: u64 = number(&golden["account_index"]);
    let [first, last] = ["first_seal", "last_seal"].map(|seal| {
        let written = std::str::from_utf8(prefixed(&mut rest)).unwrap();
        let proof = TlogProof::parse(written).unwrap();
        assert_eq!(proof.to_text(), written);
        assert_eq!(proof.index, number::<u64>(&golden[seal]));
        AccountRecord::decode(&verify_certificate(&proof, key, account)).unwrap()
    });
    let (count, lines) = rest.split_first_chunk().unwrap();
    let count = u64::from_be_bytes(*count);
    assert_eq!(count, last.line_count - first.line_count);
    let (lines, end) = lines.as_chunks::<LINE_BYTES>();
    assert_eq!((lines.len() as u64, end.len()), (count, 0));
    let (mut chain, mut next, mut counters) = (first.statement_chain, first.line_count + 1, first.counters);
    for bytes in lines {
        let line = Line::decode(AccountIndex(account), bytes).unwrap();
        assert_eq!((line.number, &line.encode()), (next, bytes));
        (chain, next, counters) = (line.chained(&chain), next + 1, line.after);
    }
    assert_eq!((chain, counters), (last.statement_chain, last.counters));
    count
}

fn prefixed<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let (length, after) = rest.split_first_chunk().unwrap();
    let (bytes, after) = after.split_at(u32::from_be_bytes(*length) as usize);
    *rest = after;
    bytes
}

fn rest_as_hashes(rest: &[u8]) -> Vec<Hash> {
    let (hashes, end) = rest.as_chunks();
    assert!(end.is_empty());
    hashes.to_vec()
}
