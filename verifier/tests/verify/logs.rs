//! The honest log that the tables mutate.

use ledger_core::entry::{Content, Entry};

use crate::batch;
use crate::forge::Forge;

/// 2 full bundles and a partial one, 5 blocks, every kind of entry that has rules.
pub fn honest() -> Forge {
    let mut forge = Forge::with_accounts();
    let mut partly = forge.authorize(5_000, 7 * 86_400);
    assert_eq!(forge.capture(&mut partly, 2_000, false), 0);
    forge.authorize(3_000, 60);
    transfers(&mut forge, 300);
    assert_eq!(forge.transfer("cust:alice", "cust:bob", 999_999_900), 904);
    let group = forge.group([100, 200]);
    assert_eq!(forge.submit(group), [0, 0]);
    let group = forge.group([100, 999_999_900]);
    assert_eq!(forge.submit(group), [1001, 904]);
    forge.seal();

    forge.now_nanos += 61_000_000_000;
    transfers(&mut forge, 200);
    assert_eq!(forge.capture(&mut partly, 3_000, true), 0);
    forge.seal();
    transfers(&mut forge, 50);
    log_batch(&mut forge);
    transfers(&mut forge, 50);
    forge.seal();
    forge
}

/// A batch of three transfers.
pub fn log_batch(forge: &mut Forge) {
    let signed = batch::sign(forge, &[10, 20, 30]);
    batch::log(forge, &signed, &[0, 1, 2], |place| place as u32);
}

/// A block with every kind of entry that has rules, and a block behind it.
pub fn small() -> Forge {
    let mut forge = Forge::with_accounts();
    let mut payment = forge.authorize(5_000, 600);
    assert_eq!(forge.capture(&mut payment, 2_000, false), 0);
    let group = forge.group([100, 200]);
    assert_eq!(forge.submit(group), [0, 0]);
    log_batch(&mut forge);
    assert_eq!(forge.transfer("cust:alice", "cust:bob", 99_999_999), 904);
    forge.seal();
    forge.now_nanos += 601_000_000_000;
    assert_eq!(forge.transfer("cust:bob", "cust:alice", 5), 0);
    forge.seal();
    forge
}

/// Transfers back and forth, each accepted.
pub fn transfers(forge: &mut Forge, count: u64) {
    for number in 0..count {
        let (from, to) =
            if number % 2 == 0 { ("cust:alice", "cust:bob") } else { ("cust:bob", "cust:alice") };
        assert_eq!(forge.transfer(from, to, 1 + number / 2), 0);
    }
}

/// Log indices of the seals.
pub fn seals(entries: &[Vec<u8>]) -> Vec<usize> {
    let is_seal = |entry: &[u8]| matches!(Entry::decode(entry).unwrap().content, Content::Seal(_));
    (0..entries.len()).filter(|index| is_seal(&entries[*index])).collect()
}
