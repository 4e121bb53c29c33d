//! Audit paths and consistency proofs of the small ledger, over hashes of its own bytes.

use ledger_core::entry::{Content, Entry};
use ledger_core::event::EVENT_TYPE;
use ledger_crypto::{Hash, dsse};
use ledger_merkle::{build, verify};
use serde_json::Value;

use crate::vectors::{bytes, expect_members, hash, hashes, list, number, read};

#[test]
fn proofs_are_built_and_verified_alike() {
    let (Some(proofs), Some(ledger)) = (read("proofs.json"), read("small-ledger.json")) else { return };
    expect_members(
        &proofs,
        &["about", "size", "root", "entries", "consistency", "state_at_last_seal", "batch"],
    );
    let entries: Vec<Vec<u8>> =
        list(&ledger["entries"]).iter().map(|golden| bytes(&golden["entry"])).collect();
    assert_eq!(entries.len(), number::<usize>(&proofs["size"]));
    let mut count = compare(&entries, &hash(&proofs["root"]), list(&proofs["entries"]));

    let leaves: Vec<Hash> = entries.iter().map(|entry| Entry::leaf_hash(entry)).collect();
    for golden in list(&proofs["consistency"]) {
        let (old, new) = (number::<usize>(&golden["old_size"]), number::<usize>(&golden["new_size"]));
        let roots = [build::root(&leaves[..old]), build::root(&leaves[..new])];
        assert_eq!(roots, [hash(&golden["old_root"]), hash(&golden["new_root"])]);
        let path = hashes(&golden["path"]);
        verify::consistency(old as u64, new as u64, &roots[0], &roots[1], &path).unwrap();
        count += 1;
    }

    let records = &list(&ledger["entries"]).last().unwrap()["records"];
    for (tree, golden) in proofs["state_at_last_seal"].as_object().unwrap() {
        let records: Vec<Vec<u8>> = list(&records[tree]).iter().map(bytes).collect();
        assert_eq!(records.len(), number::<usize>(&golden["size"]));
        count += compare(&records, &hash(&golden["root"]), list(&golden["proofs"]));
    }
    count += batch(&proofs["batch"], &entries);
    println!("proofs.json: {count} proofs");
}

/// Members of the batch: the leaf data is the DSSE message of each.
fn batch(golden: &Value, entries: &[Vec<u8>]) -> usize {
    let header = number::<usize>(&golden["header_index"]);
    let members = list(&golden["members"]);
    let messages: Vec<Vec<u8>> = entries[header + 1..]
        .iter()
        .take(members.len())
        .map(|entry| match Entry::decode(entry).unwrap().content {
            Content::BatchedEvent { payload, .. } => dsse::message(EVENT_TYPE, &payload),
            other => panic!("{other:?}"),
        })
        .collect();
    let Content::BatchHeader { payload, .. } = Entry::decode(&entries[header]).unwrap().content else {
        panic!("entry {header} is not a batch header");
    };
    let batch = ledger_core::batch::Batch::decode(&payload).unwrap();
    assert_eq!(batch.events_root, bytes(&golden["events_root"]));
    assert_eq!(batch.count as usize, members.len());
    compare(&messages, &hash(&golden["events_root"]), members)
}

/// One proof for each leaf of a tree over `data`.
fn compare(data: &[Vec<u8>], root: &Hash, proofs: &[Value]) -> usize {
    let leaves: Vec<Hash> = data.iter().map(|leaf| ledger_merkle::leaf_hash(leaf)).collect();
    assert_eq!(build::root(&leaves), *root);
    assert_eq!(proofs.len(), data.len());
    for golden in proofs {
        let index = number::<usize>(&golden["index"]);
        let path = hashes(&golden["path"]);
        assert_eq!(leaves[index], hash(&golden["leaf_hash"]));
        assert_eq!(build::inclusion_path(&leaves, index).unwrap(), path);
        verify::inclusion(&data[index], index as u64, data.len() as u64, &path, root).unwrap();
    }
    proofs.len()
}
