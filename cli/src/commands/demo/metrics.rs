//! What a server says of itself: its Prometheus endpoint, and its processor time.

use std::fs;

use rustix::process::{Pid, getpid};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::exit::CliError;

/// Name that the threads begin with on which a server decodes and checks signatures.
const WORKERS: &str = "ledger-worker";

/// Counters of a server, or what they grew by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Commit groups.
    pub groups: f64,
    /// Synced writes.
    pub syncs: f64,
    /// Processor time of the whole process; 0 where the system does not tell.
    pub cpu_seconds: f64,
    /// That of its workers, which decode and check signatures and do little else.
    pub worker_seconds: f64,
    /// Processor time of this program, the client.
    pub client_seconds: f64,
}

impl Usage {
    /// Reads the counters now.
    pub async fn read(address: &str, pid: Pid) -> Result<Self, CliError> {
        let text = scrape(address)
            .await
            .map_err(|error| CliError::Demo { step: "metrics", words: format!("{address}: {error}") })?;
        Ok(Self {
            groups: sample(&text, "ledger_events_batch_size_count"),
            syncs: sample(&text, "ledger_syncs_total"),
            cpu_seconds: process_seconds(pid).unwrap_or_default(),
            worker_seconds: thread_seconds(pid, WORKERS).unwrap_or_default(),
            client_seconds: process_seconds(getpid()).unwrap_or_default(),
        })
    }

    /// What was used since `before`.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            groups: self.groups - before.groups,
            syncs: self.syncs - before.syncs,
            cpu_seconds: self.cpu_seconds - before.cpu_seconds,
            worker_seconds: self.worker_seconds - before.worker_seconds,
            client_seconds: self.client_seconds - before.client_seconds,
        }
    }
}

async fn scrape(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response)
}

/// Sum over the label sets of a metric; 0 when there is none.
fn sample(text: &str, name: &str) -> f64 {
    let value = |line: &str| -> Option<f64> {
        let rest = line.strip_prefix(name)?;
        if !rest.starts_with([' ', '{']) {
            return None;
        }
        rest.rsplit(' ').next()?.parse().ok()
    };
    text.lines().filter_map(value).sum()
}

/// Processor time of a process, ended threads included.
fn process_seconds(pid: Pid) -> Option<f64> {
    seconds_of(&fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?)
}

/// Processor time of the threads of a process whose names begin with `names`.
fn thread_seconds(pid: Pid, names: &str) -> Option<f64> {
    let threads = fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero())).ok()?;
    let of_thread = |folder: fs::DirEntry| {
        let stat = fs::read_to_string(folder.path().join("stat")).ok()?;
        let named = stat.split_once('(')?.1.starts_with(names);
        if named { seconds_of(&stat) } else { None }
    };
    Some(threads.filter_map(Result::ok).filter_map(of_thread).sum())
}

/// User and system time (proc(5), fields 14 and 15 of `stat`, in ticks of 10 ms). Field 2 is a name in parentheses that
/// may hold anything, so counting begins after it.
fn seconds_of(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_some_time() {
        let this = getpid();
        let until = std::time::Instant::now() + std::time::Duration::from_millis(50);
        while std::time::Instant::now() < until {}
        assert!(process_seconds(this).unwrap() > 0.0);
        assert!(thread_seconds(this, "").unwrap() > 0.0);
        assert!(thread_seconds(this, "no such thread").unwrap().abs() < f64::EPSILON);
    }

    #[test]
    fn samples_are_found_by_their_whole_name() {
        let text = "ledger_syncs_total 7\nledger_syncs_total_more 9\nledger_events_total{a=\"b\"} 2\nledger_events_total{a=\"c\"} 3\n";
        assert!((sample(text, "ledger_syncs_total") - 7.0).abs() < f64::EPSILON);
        assert!((sample(text, "ledger_events_total") - 5.0).abs() < f64::EPSILON);
        assert!(sample(text, "ledger_missing").abs() < f64::EPSILON);
    }
}
