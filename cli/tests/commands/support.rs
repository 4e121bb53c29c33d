//! Programs as processes: a ledger in a folder of its own, its server, and what `ledger` answers.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Exit code and both outputs of a program.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Answer {
    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same, of a program that must have succeeded.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        self.json()
    }
}

/// Another program of the workspace. `cargo build --workspace --bins` makes it.
pub fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_ledger")).with_file_name(name);
    assert!(path.is_file(), "{} is missing: cargo build --workspace --bins", path.display());
    path
}

/// Runs a program to its end, without any of our variables in its environment.
pub fn run(program: &Path, arguments: &[&str]) -> Answer {
    finish(command(program).args(arguments).output().unwrap())
}

/// Runs `ledger` without a server.
pub fn ledger(arguments: &[&str]) -> Answer {
    run(Path::new(env!("CARGO_BIN_EXE_ledger")), arguments)
}

/// A ledger in a temporary folder, with a running server or without.
pub struct Ledger {
    folder: TempDir,
    server: Option<(Child, String)>,
}

impl Ledger {
    /// Makes a ledger and starts its server.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Self { folder, server: None };
        let data = ledger.path("data");
        assert_eq!(self::ledger(&["init", &data]).code, 0);
        ledger.serve("data");
        ledger
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The operator's key file.
    pub fn operator(&self) -> String {
        self.path("data/operator.key")
    }

    /// Ends the server, and starts one over a data directory in the folder.
    pub fn serve(&mut self, data: &str) {
        self.serve_with(data, &[]);
    }

    /// The same with more arguments of the server.
    pub fn serve_with(&mut self, data: &str, more: &[&str]) {
        self.stop();
        self.spawn(data, "127.0.0.1:0", more);
    }

    /// Kills the server without warning, and starts it again at the same address.
    pub fn kill_and_serve(&mut self, data: &str) {
        let (mut server, url) = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
        self.spawn(data, url.trim_start_matches("http://"), &[]);
    }

    /// Address of the server.
    pub fn url(&self) -> String {
        self.server.as_ref().unwrap().1.clone()
    }

    fn spawn(&mut self, data: &str, address: &str, more: &[&str]) {
        let ready = self.path("ready");
        let _ = std::fs::remove_file(&ready);
        let arguments = ["--dir", &self.path(data), "--ready-file", &ready];
        let free = ["--listen", address, "--metrics-listen", "127.0.0.1:0"];
        let mut server = command(&program("ledger-server"));
        let server = server.args(arguments).args(free).args(more).stdin(Stdio::null()).stdout(Stdio::null());
        let mut server = server.stderr(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        let line = loop {
            if let Ok(line) = std::fs::read_to_string(&ready) {
                break line;
            }
            assert!(
                server.try_wait().unwrap().is_none() && Instant::now() < end,
                "the server does not serve"
            );
            std::thread::yield_now();
        };
        let address = line.split_whitespace().find_map(|word| word.strip_prefix("grpc=")).unwrap();
        self.server = Some((server, format!("http://{address}")));
    }

    /// Ends the server gracefully.
    pub fn stop(&mut self) {
        if self.server.is_none() {
            return;
        }
        self.signal("-TERM");
        let (mut server, _) = self.server.take().unwrap();
        assert!(server.wait().unwrap().success());
    }

    /// Tells the server that a file beside its ledger has changed.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let (server, _) = self.server.as_ref().unwrap();
        assert!(Command::new("kill").args([signal, &server.id().to_string()]).status().unwrap().success());
    }

    /// Runs `ledger` with this server, ledger and folder of remembered checkpoints.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        let (_, server) = self.server.as_ref().unwrap();
        let mut program = command(Path::new(env!("CARGO_BIN_EXE_ledger")));
        program.env("LEDGER_SERVER", server).env("LEDGER_DIR", self.path("data"));
        program.env("LEDGER_STATE_DIR", self.path("state")).current_dir(self.folder.path());
        finish(program.args(arguments).output().unwrap())
    }

    /// The same with `--json`.
    pub fn json(&self, arguments: &[&str]) -> Answer {
        self.run(&[&["--json"], arguments].concat())
    }

    /// The same, signed by the operator.
    pub fn operate(&self, arguments: &[&str]) -> Answer {
        let operator = self.operator();
        self.json(&[arguments, &["--key", &operator]].concat())
    }

    /// Accounts `outside`, `alice` with 200.00 USD, `shop`, `fees`; a key `service` that may do all with payments.
    pub fn open_books(&self) {
        for (account, kind) in
            [("outside", "external"), ("alice", "customer"), ("shop", "merchant"), ("fees", "fee")]
        {
            self.operate(&["account", "open", account, "--currency", "USD", "--kind", kind]).ok();
        }
        self.operate(&["transfer", "--from", "outside", "--to", "alice", "--amount", "200.00 USD"]).ok();
        let service = self.path("service");
        self.json(&["key", "new", &service]).ok();
        let roles = ["--party", "service", "--roles", "initiator,processor,owner"];
        self.operate(&[&["key", "register", "service.key"], &roles[..]].concat()).ok();
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if let Some((server, _)) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LEDGER_")) {
        command.env_remove(name);
    }
    command
}

fn finish(output: Output) -> Answer {
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
