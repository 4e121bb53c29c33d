//! The server as a process of its own.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::Books;

/// A server process; killed when dropped.
pub struct Process {
    child: Child,
    pub grpc: String,
}

impl Process {
    /// Serves `books` on free ports.
    pub fn start(books: &Books) -> Self {
        Self::start_with(books, &[])
    }

    /// The same with some keys of the configuration set.
    pub fn start_with(books: &Books, keys: &[(&str, &str)]) -> Self {
        let ready = books.file("ready");
        let _ = std::fs::remove_file(&ready);
        let mut child = program()
            .arg("--dir")
            .arg(books.dir())
            .args(["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"])
            .arg("--ready-file")
            .arg(&ready)
            .args(keys.iter().flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")]))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let line = wait_for_file(&ready, &mut child);
        let (grpc, metrics) = line.trim().split_once(' ').unwrap();
        assert!(metrics.starts_with("metrics=127.0.0.1:"));
        let grpc = grpc.strip_prefix("grpc=").unwrap().to_owned();
        Self { child, grpc }
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server as a program of its own.
pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ledger-server"))
}

/// The line of the ready file, once it is there; panics when the program ends before.
fn wait_for_file(path: &Path, child: &mut Child) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let mut line = String::new();
        if let Ok(mut file) = std::fs::File::open(path) {
            file.read_to_string(&mut line).unwrap();
            return line;
        }
        assert!(child.try_wait().unwrap().is_none(), "the server ended before it was ready");
        assert!(Instant::now() < deadline, "the server was not ready in time");
        std::thread::sleep(Duration::from_millis(5));
    }
}
