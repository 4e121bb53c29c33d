//! The card demonstration: the worked example of the rules on a real server, and the receipt of its refusal.

use std::path::Path;

use crate::support::{ledger, program, run};

#[test]
fn the_example_of_the_rules_comes_out_to_the_cent() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("kept");
    let dir = dir.to_str().unwrap();
    let report = ledger(&["demo", "cards", "--dir", dir, "--json"]).ok();
    assert_eq!(report["differences"], serde_json::json!([]));
    let statuses: Vec<&str> =
        report["steps"].as_array().unwrap().iter().map(|step| step["status"].as_str().unwrap()).collect();
    assert_eq!(
        statuses,
        [
            "AUTHORIZED",
            "PARTIALLY_CAPTURED",
            "SETTLED",
            "PARTIALLY_REFUNDED",
            "DISPUTED",
            "PARTIALLY_REFUNDED",
            "PARTIALLY_REFUNDED"
        ]
    );
    let last = &report["steps"][6];
    assert_eq!(last["answer"], "REFUND_EXCEEDS_REFUNDABLE");
    assert_eq!(last["customer_posted_/_held_/_available"], "145.00 / 0.00 / 145.00");
    assert_eq!(report["exchange"]["fx:jpy"], "-16123 JPY");

    let file = |name: &str| Path::new(dir).join(name).to_str().unwrap().to_owned();
    let read = |name: &str| std::fs::read_to_string(file(name)).unwrap().trim().to_owned();
    let (receipt, key, id) = (file("refused-refund.tlog-proof"), read("log.vkey"), read("ledger-id"));
    let proved = run(&program("ledger-verify"), &["receipt", &receipt, "--key", &key, "--ledger-id", &id]);
    assert_eq!(proved.code, 0, "{proved:?}");
    assert!(proved.out.contains("a refused event"), "{proved:?}");
    let command = report["receipt_command"].as_str().unwrap();
    assert!(command.contains(&receipt) && command.contains(&key) && command.contains(&id), "{command}");

    let shown = ledger(&["demo", "cards"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.out.contains("145.00 / 0.00 / 145.00") && shown.out.contains("ledger-verify receipt"));
    assert_eq!(ledger(&["demo", "cards", "--events", "5"]).code, 1, "flags of the other demonstration");
}
