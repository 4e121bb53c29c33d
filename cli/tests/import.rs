//! Imports into a real server, both as processes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const MAPPING: &str = r#"
source = "test"
file = { delimiter = ";", charset = "utf-8", rows = "oldest-first", within_day = "balance" }
columns = { key = "id", date = "day", amount = "amount", balance = "balance" }
date = { format = "yyyy-mm-dd" }
amount = { currency = "EUR", decimal_mark = "." }
account = { id = "customer:{account}", kind = "CUSTOMER", limit = "10.00" }
transfer = { purpose = "{text}", reference = "{id}" }
rounding = { max = "0.01", purpose = "ROUNDING", account = { id = "rounding", kind = "EXTERNAL" } }
[[counter]]
account = { id = "outside", kind = "EXTERNAL" }
"#;
const HEADER: &str = "id;day;account;amount;balance;text\n";
const ROWS: &str = "1;2024-01-01;a;5.00;5.00;salary\n2;2024-01-01;b;7.00;7.00;salary\n\
                    3;2024-01-02;a;-8.00;-3.01;rent\n4;2024-01-03;a;1.00;-2.01;gift\n";

#[test]
fn an_import_that_is_run_again_doubles_nothing() {
    let ledger = Running::start();
    ledger.register("importer,owner");
    let acks = ledger.path("acks");
    // The first run has only a part of the file, as if it had been interrupted.
    let part = ledger.import(&format!("{HEADER}{}", &ROWS[..64]), &["--acks", acks.to_str().unwrap()]);
    assert_eq!(counts(&part), ["5", "0", "3"]);
    let whole =
        ledger.import(&format!("{HEADER}{ROWS}"), &["--acks", acks.to_str().unwrap(), "--request", "2"]);
    assert_eq!(counts(&whole), ["4", "2", "1"]);
    let report: Value = serde_json::from_slice(&whole.stdout).unwrap();
    let found = ["rows", "matched", "rounded", "other", "balances_reached"]
        .map(|name| report[name].as_str().unwrap());
    assert_eq!(found, ["4", "3", "1", "0", "2"]);
    assert_eq!(report["differences"][0]["difference"], "-0.01 EUR");
    assert_eq!(ledger.posted("customer:a"), "-2.01 EUR");
    assert_eq!(ledger.posted("customer:b"), "7.00 EUR");
    assert_eq!(ledger.posted("rounding"), "0.01 EUR");

    let kept = std::fs::read_to_string(&acks).unwrap();
    assert_eq!(kept.lines().count(), 5 + 4);
    let again = ledger.import(&format!("{HEADER}{ROWS}"), &["--acks", acks.to_str().unwrap()]);
    assert_eq!(counts(&again), ["0", "5", "0"]);
    assert_eq!(std::fs::read_to_string(&acks).unwrap(), kept);

    let line = kept.lines().find(|line| line.ends_with(" row 1")).unwrap();
    let index: u64 = line.split(' ').nth(1).unwrap().parse().unwrap();
    let moved = kept.replace(line, &line.replace(&format!(" {index} "), " 1 "));
    std::fs::write(&acks, moved).unwrap();
    let lost = ledger.import(&format!("{HEADER}{ROWS}"), &["--acks", acks.to_str().unwrap()]);
    assert_eq!(lost.status.code(), Some(5), "{}", words(&lost));
    let expected = format!("was acknowledged at log index 1, the ledger has it at {index}");
    assert!(words(&lost).contains(&expected), "{}", words(&lost));
}

#[test]
fn a_refused_row_stops_the_import_and_is_named() {
    let ledger = Running::start();
    ledger.register("importer,owner");
    let rows = format!(
        "{HEADER}1;2024-01-01;a;5.00;5.00;x\n2;2024-01-02;a;-15.01;-10.01;x\n3;2024-01-03;a;9.00;-1.01;x\n"
    );
    let refused = ledger.import(&rows, &["--request", "1", "--window", "1"]);
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
    for part in [
        "rows.csv:3: row \"2\" (row), column \"account\": 904 INSUFFICIENT_FUNDS",
        "customer:a",
        "stands at log index",
    ] {
        assert!(words(&refused).contains(part), "{part} is not in {}", words(&refused));
    }
    assert_eq!(ledger.posted("customer:a"), "5.00 EUR");
    let again = ledger.import(&rows, &["--request", "1", "--window", "1"]);
    assert_eq!(again.status.code(), Some(3), "{}", words(&again));
    assert!(words(&again).contains("EVENT_ALREADY_REFUSED"), "{}", words(&again));
}

#[test]
fn rows_behind_a_refused_one_are_named_too() {
    let ledger = Running::start();
    ledger.register("importer,owner");
    let rows: String = (1..=6).map(|row| format!("{row};2024-01-01;a;-4.00;-{}.00;x\n", 4 * row)).collect();
    let refused = ledger.import(&format!("{HEADER}{rows}"), &["--request", "6"]);
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
    let found = words(&refused);
    assert!(found.contains("rows.csv:4: row \"3\" (row)"), "{found}");
    let others =
        "; 3 more on their way were not accepted: line 5 \"4\" (row) INSUFFICIENT_FUNDS, line 6 \"5\"";
    assert!(found.contains(others.trim_start_matches("; ")), "{found}");
}

#[test]
fn an_account_with_another_limit_is_not_used() {
    let ledger = Running::start();
    ledger.register("importer,owner");
    let operator = ledger.path("ledger/operator.key");
    let open = ["account", "open", "customer:a", "--currency", "EUR", "--key", operator.to_str().unwrap()];
    ledger.json(&open);
    let before = ledger.next_index();
    let output = ledger.import(&format!("{HEADER}{ROWS}"), &[]);
    assert_eq!(output.status.code(), Some(3), "{}", words(&output));
    let expected = "account customer:a: its limit is 0.00 EUR, the mapping wants 10.00 EUR";
    assert!(words(&output).contains(expected), "{}", words(&output));
    assert_eq!(ledger.next_index(), before);
}

#[test]
fn the_status_that_ends_a_stream_is_the_cause() {
    let ledger = Running::configured("request.max_events = 100\n");
    ledger.register("importer,owner");
    // The openings fit; the first request of rows does not, while the importer signs and sends further ones.
    let rows: String = (1..=3_000).map(|row| format!("{row};2024-01-01;a;1.00;{row}.00;x\n")).collect();
    let acks = ledger.path("acks");
    let flags = ["--acks", acks.to_str().unwrap(), "--request", "150", "--window", "16"];
    let failed = ledger.import(&format!("{HEADER}{rows}"), &flags);
    assert!(!failed.status.success());
    assert!(!words(&failed).contains("stream has ended"), "{}", words(&failed));
    assert!(words(&failed).contains("150") && words(&failed).contains("100"), "{}", words(&failed));
    assert_eq!(std::fs::read_to_string(&acks).unwrap().lines().count(), 2, "accounts a and outside");
}

#[test]
fn a_key_without_the_role_changes_nothing() {
    let ledger = Running::start();
    let turned_away = |code: &str| {
        let before = ledger.next_index();
        let output = ledger.import(&format!("{HEADER}{ROWS}"), &[]);
        assert_eq!(output.status.code(), Some(2), "{}", words(&output));
        assert!(
            words(&output).contains(code) && words(&output).contains("nothing was recorded"),
            "{}",
            words(&output)
        );
        assert_eq!(ledger.next_index(), before);
    };
    turned_away("404 SIGNER_KEY_UNKNOWN");
    ledger.register("owner");
    turned_away("506 TIMESTAMP_OUT_OF_RANGE");
}

#[test]
fn an_import_in_batches_is_the_same_import() {
    let ledger = Running::start();
    ledger.register("importer,owner");
    let acks = ledger.path("acks");
    let flags = ["--acks", acks.to_str().unwrap(), "--batch"];
    let file = format!("{HEADER}{ROWS}");
    // Three rows event by event, as if that import had been interrupted. Of the batches of three events the second is
    // known in part: the rounding of row 3, and row 4.
    let single = ledger.import(&file[..file.find("4;2024").unwrap()], &flags[..2]);
    assert_eq!(counts(&single), ["8", "0", "4"]);
    let size = ledger.next_index();
    let batched = ledger.import(&file, &[flags[0], flags[1], flags[2], "3"]);
    assert_eq!(counts(&batched), ["1", "4", "0"]);
    let kept = std::fs::read_to_string(&acks).unwrap();
    assert_eq!(kept.lines().count(), 8 + 1);
    let grown = ledger.next_index();
    // A header, its one member, and the seals that followed.
    assert_ne!(size, grown);
    for flags in [&["--batch"][..], &["--batch", "2"], &[]] {
        assert_eq!(counts(&ledger.import(&file, flags)), ["0", "5", "0"], "{flags:?}");
        assert_eq!(ledger.next_index(), grown, "{flags:?}: nothing is doubled");
    }
    assert_eq!(ledger.posted("customer:a"), "-2.01 EUR");

    let line = kept.lines().find(|line| line.ends_with(" row 4")).unwrap();
    let event_id = line.split(' ').next().unwrap();
    let shown = ledger.json(&["event", "show", event_id]);
    assert_eq!(shown["batch_position"], "0", "{shown}");
    let receipt = ledger.path("receipt");
    ledger.json(&["receipt", event_id, "--out", receipt.to_str().unwrap()]);
    let trust = |name| std::fs::read_to_string(ledger.path(name)).unwrap().trim().to_owned();
    let verified = Command::new(program("ledger-verify"))
        .arg("receipt")
        .arg(&receipt)
        .args(["--key", &trust("ledger/log.vkey"), "--ledger-id", &trust("ledger/ledger-id")])
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", words(&verified));
}

#[test]
fn a_refused_row_of_a_batch_is_named() {
    let ledger = Running::start();
    ledger.register("importer,owner");
    let rows = format!(
        "{HEADER}1;2024-01-01;a;5.00;5.00;x\n2;2024-01-02;a;-15.01;-10.01;x\n3;2024-01-03;a;9.00;-1.01;x\n"
    );
    let refused = ledger.import(&rows, &["--batch"]);
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
    let named = "rows.csv:3: row \"2\" (row), column \"account\": 904 INSUFFICIENT_FUNDS";
    assert!(words(&refused).contains(named), "{}", words(&refused));
    let ledger = Running::start();
    ledger.register("owner");
    let before = ledger.next_index();
    let turned_away = ledger.import(&format!("{HEADER}{ROWS}"), &["--batch"]);
    assert!(words(&turned_away).contains("506 TIMESTAMP_OUT_OF_RANGE"), "{}", words(&turned_away));
    assert_eq!(ledger.next_index(), before);
}

#[test]
fn the_row_of_a_batch_that_has_changed_since_is_named() {
    let ledger = Running::start();
    ledger.register("importer,owner");
    let rows: Vec<String> = (1..=5).map(|row| format!("{row};2024-01-01;a;1.00;{row}.00;x\n")).collect();
    let rows = format!("{HEADER}{}", rows.concat());
    for flags in [&["--batch"][..], &["--batch", "2"]] {
        assert_eq!(counts(&ledger.import(&rows, flags))[1], if flags.len() == 1 { "0" } else { "5" });
        let before = ledger.next_index();
        let changed =
            ledger.import(&rows.replace("3;2024-01-01;a;1.00;3.00;x", "3;2024-01-01;a;1.00;3.00;y"), flags);
        assert_eq!(changed.status.code(), Some(3), "{}", words(&changed));
        let named = "rows.csv:4: row \"3\" (row), column \"id\": 503 EVENT_ID_CONFLICT: field \"body\"";
        assert!(words(&changed).contains(named), "{}", words(&changed));
        assert_eq!(ledger.next_index(), before);
    }
}

/// A new ledger and its server.
struct Running {
    folder: TempDir,
    server: Child,
    address: String,
}

impl Running {
    fn start() -> Self {
        Self::configured("")
    }

    /// With a configuration file of the server.
    fn configured(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("ledger");
        let made = Command::new(program("ledger")).args(["init", "--json"]).arg(&dir).output().unwrap();
        assert!(made.status.success(), "{}", words(&made));
        let config = folder.path().join("server.toml");
        std::fs::write(&config, settings).unwrap();
        let ready = folder.path().join("ready");
        let mut server = Command::new(program("ledger-server"))
            .arg("--dir")
            .arg(&dir)
            .arg("--config")
            .arg(&config)
            .args(["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--ready-file"])
            .arg(&ready)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        let address = loop {
            if let Some(address) = std::fs::read_to_string(&ready).ok().as_deref().and_then(grpc_address) {
                break address;
            }
            assert!(
                server.try_wait().unwrap().is_none() && Instant::now() < until,
                "the server does not serve"
            );
            thread::sleep(Duration::from_millis(5));
        };
        let running = Self { folder, server, address };
        running.json(&["key", "new", running.path("importer").to_str().unwrap()]);
        running
    }

    fn register(&self, roles: &str) {
        let (key, operator) = (self.path("importer.key"), self.path("ledger/operator.key"));
        let keys = [key.to_str().unwrap(), "--key", operator.to_str().unwrap()];
        self.json(&["key", "register", keys[0], "--party", "importer", "--roles", roles, keys[1], keys[2]]);
    }

    fn import(&self, rows: &str, flags: &[&str]) -> Output {
        std::fs::write(self.path("rows.csv"), rows).unwrap();
        std::fs::write(self.path("mapping.toml"), MAPPING).unwrap();
        let mut command = self.command(&["import"]);
        command.arg(self.path("rows.csv")).arg("--mapping").arg(self.path("mapping.toml"));
        command.arg("--key").arg(self.path("importer.key"));
        command.arg("--operator-key").arg(self.path("ledger/operator.key"));
        command.args(flags).output().unwrap()
    }

    fn posted(&self, account: &str) -> String {
        self.json(&["account", "show", account])["posted"].as_str().unwrap().to_owned()
    }

    fn next_index(&self) -> Value {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let status = self.json(&["status"]);
            if status["next_log_index"] == status["checkpoint_size"] {
                return status["next_log_index"].clone();
            }
            assert!(Instant::now() < until, "nothing seals the last entries: {status}");
        }
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", words(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("ledger"));
        command.args(arguments).arg("--json");
        command.env("LEDGER_SERVER", format!("http://{}", self.address));
        command.env("LEDGER_DIR", self.path("ledger")).env("LEDGER_STATE_DIR", self.path("state"));
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A program of the workspace; `make unit` builds them all before the tests.
fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_ledger")).with_file_name(name);
    assert!(path.exists(), "{} is missing: cargo build --workspace --bins", path.display());
    path
}

fn grpc_address(line: &str) -> Option<String> {
    let complete = line.strip_suffix('\n')?;
    complete.split(' ').find_map(|word| word.strip_prefix("grpc=")).map(str::to_owned)
}

fn counts(output: &Output) -> [String; 3] {
    assert!(output.status.success(), "{}", words(output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let texts = [&report["events"]["new"], &report["events"]["already_there"], &report["accounts"]["opened"]];
    texts.map(|text| text.as_str().unwrap().to_owned())
}

/// The error that it ended with; else all of standard error.
fn words(output: &Output) -> String {
    match serde_json::from_slice::<Value>(&output.stderr) {
        Ok(error) => error["error"].as_str().unwrap().to_owned(),
        Err(_) => String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
