//! The server as a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::metrics::Usage;
use crate::exit::CliError;

/// How long a server may take to start: it re-executes what was not flushed.
const START_TIMEOUT: Duration = Duration::from_secs(120);
const STOP_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two looks at the file that says that the server serves.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The programs that the demonstration starts.
pub struct Programs {
    /// The server.
    pub server: PathBuf,
    /// The verifier.
    pub verify: PathBuf,
}

impl Programs {
    /// Those in the folder of this program.
    pub fn beside_this() -> Result<Self, CliError> {
        let here = std::env::current_exe().map_err(CliError::io(Path::new("this program")))?;
        let find = |name: &str| {
            let path = here.with_file_name(name);
            let words = format!("{} is not there: build all programs (cargo build --bins)", path.display());
            if path.is_file() { Ok(path) } else { Err(CliError::Demo { step: "programs", words }) }
        };
        Ok(Self { server: find("ledger-server")?, verify: find("ledger-verify")? })
    }
}

/// A running server; killed when it is dropped.
pub struct Server {
    child: Child,
    pid: Pid,
    grpc: String,
    metrics: String,
    log: PathBuf,
}

impl Server {
    /// Starts a server over a data directory, on free ports of the loopback interface, and waits until it serves.
    pub async fn start(programs: &Programs, data: &Path) -> Result<Self, CliError> {
        let (ready, log) = (data.join("ready"), data.join("server.log"));
        match fs::remove_file(&ready) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(CliError::io(&ready)(error));
            }
            _ => {}
        }
        let records = File::options().create(true).append(true).open(&log).map_err(CliError::io(&log))?;
        let mut command = Command::new(&programs.server);
        command.arg("--dir").arg(data).arg("--ready-file").arg(&ready);
        command.args(["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LEDGER_"))
        {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(records).kill_on_drop(true);
        let mut child = command.spawn().map_err(CliError::io(&programs.server))?;
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pid = pid.ok_or_else(|| failed("start", "the server ended at once", &log))?;
        let (grpc, metrics) = addresses(&mut child, &ready, &log).await?;
        Ok(Self { child, pid, grpc, metrics, log })
    }

    /// Address of its service.
    pub fn url(&self) -> String {
        format!("http://{}", self.grpc)
    }

    /// What it has used so far.
    pub async fn usage(&self) -> Result<Usage, CliError> {
        Usage::read(&self.metrics, self.pid).await
    }

    /// Kills it without warning (SIGKILL).
    pub async fn kill(mut self) -> Result<(), CliError> {
        self.child.kill().await.map_err(CliError::io(&self.log))
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub async fn stop(mut self) -> Result<(), CliError> {
        kill_process(self.pid, Signal::TERM).map_err(|error| CliError::io(&self.log)(error.into()))?;
        match timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(failed("stop", &format!("the server ended with {status}"), &self.log)),
            Ok(Err(error)) => Err(CliError::io(&self.log)(error)),
            Err(_) => Err(failed("stop", "the server did not stop in time", &self.log)),
        }
    }
}

/// Waits for the line `grpc=ADDRESS metrics=ADDRESS`.
async fn addresses(child: &mut Child, ready: &Path, log: &Path) -> Result<(String, String), CliError> {
    let end = Instant::now() + START_TIMEOUT;
    while Instant::now() < end {
        if let Ok(line) = fs::read_to_string(ready) {
            let value = |name: &str| line.split_whitespace().find_map(|word| word.strip_prefix(name));
            return match (value("grpc="), value("metrics=")) {
                (Some(grpc), Some(metrics)) => Ok((grpc.to_owned(), metrics.to_owned())),
                _ => Err(failed("start", &format!("the ready file says {line:?}"), log)),
            };
        }
        if let Some(status) = child.try_wait().map_err(CliError::io(log))? {
            return Err(failed("start", &format!("the server ended with {status}"), log));
        }
        sleep(LOOK_AGAIN).await;
    }
    Err(failed("start", "the server did not serve in time", log))
}

/// A failure of the server, with the end of what it wrote.
fn failed(step: &'static str, words: &str, log: &Path) -> CliError {
    let written = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = written.lines().collect();
    let end = lines[lines.len().saturating_sub(5)..].join("\n");
    CliError::Demo { step, words: format!("{words}\n{end}") }
}
