//! Entries so long that not all of a bundle are decoded ahead of their turn.

use ledger_core::event::{Body, Leg, TransferPosted};
use ledger_core::number::{AccountKind, Side};

use crate::forge::{Files, Forge, Signers};
use crate::judge::{Expected, Row, at_in, judge_table};

/// A log with 200 transfers of 64 legs, 5 KiB each.
fn long_log() -> Forge {
    let mut forge = Forge::with_accounts();
    let [rich, poor] = ["cust:rich", "cust:poor"].map(|name| format!("{name:-<64}"));
    for account in [&rich, &poor] {
        forge.open(account, AccountKind::Customer);
    }
    let event = forge.transfer_event("world:usd", &rich, 1_000_000, Signers::Operator);
    assert_eq!(forge.submit(vec![event]), [0]);
    let leg = |account: &str, side| Leg {
        account: account.to_owned(),
        side: Some(side),
        currency: "USD".to_owned(),
        amount: 1,
    };
    for _ in 0..200 {
        let pair = [leg(&rich, Side::Debit), leg(&poor, Side::Credit)];
        let legs = pair.iter().cycle().take(64).cloned().collect();
        let body = TransferPosted { legs, purpose: "TEST".to_owned(), related_payment_id: Vec::new() };
        let event = forge.event(None, Body::TransferPosted(body), Signers::Service);
        assert_eq!(forge.submit(vec![event]), [0]);
    }
    forge.seal();
    forge
}

#[test]
fn long_entries_are_checked_like_others() {
    let forge = long_log();
    let size = forge.entries.len();
    let bundle = format!("tile/entries/000.p/{size}");
    let files = forge.files();
    assert!(files[&bundle].len() > 3 * (256 << 10));
    let row = |name: &str, files: Files, expected: Expected| Row {
        name: name.to_owned(),
        files,
        trust: forge.trust(),
        full: expected.clone(),
        hashes_only: expected,
    };
    let mut damaged = files.clone();
    // The last signed byte before the seal: of the last transfer.
    let place = files[&bundle].len() - (2 + forge.entries[size - 1].len()) - 1;
    damaged.get_mut(&bundle).unwrap()[place] ^= 1;
    judge_table(&[
        row("untouched", files, Expected::Valid),
        row("the last transfer changed", damaged, at_in(size as u64 - 2, &bundle, &["leaf_hash"])),
    ]);
}
