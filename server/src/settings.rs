//! What can be configured, in one table: keys, defaults, bounds, and where values come from.
//!
//! A key such as `block.max_entries` is written so in the TOML file (as a dotted key or in a `[block]` table), as
//! `LEDGER_BLOCK_MAX_ENTRIES` in the environment, and as `--set block.max_entries=…` on the command line. Later
//! sources win: default, file, environment, flags.

mod value;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use value::Value;

/// How log records are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// One readable line per record.
    Text,
    /// One JSON object per record.
    Json,
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $key:literal $field:ident: $type:ty = $default:expr $(, $low:expr, $high:expr)?;)+) => {
        /// The configuration of a server.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct Settings { $($(#[doc = $doc])+ pub $field: $type,)+ }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        /// Every key.
        pub const KEYS: &[&str] = &[$($key),+];

        impl Settings {
            /// Sets a key from the text form of its value.
            pub fn assign(&mut self, key: &str, text: &str) -> Result<(), SettingError> {
                match key {
                    $($key => self.$field = parsed(key, text)?,)+
                    _ => return Err(SettingError::Unknown { name: key.to_owned() }),
                }
                Ok(())
            }

            /// The configuration as a TOML file that sets every key, each with its meaning above it.
            pub fn to_toml(&self) -> String {
                let mut text = String::new();
                $(
                    $(text += concat!("#", $doc, "\n");)+
                    match self.$field.show() {
                        Some(value) => text += &format!("{} = {value}\n\n", $key),
                        None => text += concat!("# ", $key, " is not set\n\n"),
                    }
                )+
                text
            }

            fn check_ranges(&self) -> Result<(), SettingError> {
                $($(within($key, &self.$field, $low, $high)?;)?)+
                Ok(())
            }
        }
    };
}

settings! {
    /// Data directory of the ledger: db, head, marker, lock.
    "dir" dir: PathBuf = PathBuf::new();
    /// Signing key of the log, PKCS#8 PEM; `log.key` in the data directory when not set.
    "log_key" log_key: Option<PathBuf> = None;
    /// Another signing key of the log, when there is such a file: the next one before a rotation, the one before after it.
    /// Read again on SIGHUP; `log.key.next` in the data directory when not set.
    "log_key_next" log_key_next: Option<PathBuf> = None;
    /// Folder of the head file and the marker, best on another disk; the data directory when not set.
    "head_path" head_path: Option<PathBuf> = None;
    /// Address of the gRPC service; port 0 takes a free one.
    "listen" listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 7400));
    /// Address of the Prometheus endpoint `GET /metrics`; port 0 takes a free one.
    "metrics_listen" metrics_listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 7401));
    /// Whether plain text on an address that is not loopback is allowed.
    "insecure" insecure: bool = false;
    /// File that gets one line, `grpc=ADDRESS metrics=ADDRESS`, once the server serves.
    "ready_file" ready_file: Option<PathBuf> = None;

    /// Form of the log records on standard error: "text" or "json".
    "logging.format" logging_format: LogFormat = LogFormat::Text;
    /// Which log records: a level or a filter such as "info,ledger_engine=debug".
    "logging.filter" logging_filter: String = "info".to_owned();

    /// Entries after which a block is cut.
    "block.max_entries" block_max_entries: u32 = 10_000, 1, 1_000_000;
    /// Age of a block's first entry at which it is cut.
    "block.max_age" block_max_age: Duration = SECOND, MILLISECOND, HOUR;
    /// Least time between two checkpoints.
    "checkpoint.interval" checkpoint_interval: Duration = SECOND, MILLISECOND, HOUR;
    /// Entries of the tail after which it is flushed.
    "flush.max_entries" flush_max_entries: u64 = 100_000, 1, 10_000_000;
    /// Bytes of the tail after which it is flushed.
    "flush.max_bytes" flush_max_bytes: u64 = 128 * MIB, MIB, 256 * MIB;
    /// Bytes of one synced write.
    "commit.max_bytes" commit_max_bytes: u64 = 4 * MIB, 64 * KIB, 64 * MIB;
    /// Bytes of memory that events take while they wait for the writer (512 each, 64 a signature, twice the payload);
    /// beyond it: RESOURCE_EXHAUSTED.
    "queue.max_bytes" queue_max_bytes: u64 = 64 * MIB, 64 * KIB, 1024 * MIB;
    /// Bytes of one request message, and of memory that its events take; beyond it: RESOURCE_EXHAUSTED, or the result
    /// REQUEST_TOO_LARGE for each event.
    "request.max_bytes" request_max_bytes: u64 = 16 * MIB, 64 * KIB, 256 * MIB;
    /// Events of one Submit or one message of a SubmitStream.
    "request.max_events" request_max_events: u32 = 8_192, 1, 65_535;
    /// Bytes of one atomic group.
    "unit.max_bytes" unit_max_bytes: u64 = 16 * MIB, 64 * KIB, 256 * MIB;
    /// Elements of one page of a list.
    "page.max" page_max: u32 = 1_000, 1, 10_000;
    /// Threads that check signatures; 0: one less than there are processors, at least one.
    "workers" workers: u32 = 0, 0, 1_024;

    /// Whether private data beside events may be read. Whoever can connect then can, so: on loopback addresses only.
    "private.read" private_read: bool = false;

    /// Open connections; one more is closed at once.
    "server.max_connections" server_max_connections: u32 = 256, 1, 65_535;
    /// Concurrent calls of one connection; further ones wait at the client.
    "server.max_connection_calls" server_max_connection_calls: u32 = 128, 1, 65_535;
    /// Submit and SubmitAtomic calls in work; beyond it: RESOURCE_EXHAUSTED.
    "server.max_submits" server_max_submits: u32 = 64, 1, 65_535;
    /// Open SubmitStream calls; beyond it: RESOURCE_EXHAUSTED.
    "server.max_streams" server_max_streams: u32 = 64, 1, 65_535;
    /// Time in which the request of a call has to be there whole; then DEADLINE_EXCEEDED.
    "server.request_timeout" server_request_timeout: Duration = 30 * SECOND, MILLISECOND, HOUR;
    /// Time that a SubmitStream may go without a message, then UNAVAILABLE; or without taking an answer, then its
    /// connection is closed.
    "server.stream_timeout" server_stream_timeout: Duration = 60 * SECOND, MILLISECOND, HOUR;
    /// Messages of a SubmitStream that are taken ahead of its answers; then the stream waits.
    "server.stream_messages" server_stream_messages: u32 = 8, 1, 1_024;
    /// Time that a new connection has to send its HTTP/2 preface.
    "server.handshake_timeout" server_handshake_timeout: Duration = 10 * SECOND, MILLISECOND, HOUR;
    /// Time between two pings of a connection.
    "server.keepalive_interval" server_keepalive_interval: Duration = 20 * SECOND, MILLISECOND, HOUR;
    /// Time that a ping waits for its answer before the connection is closed.
    "server.keepalive_timeout" server_keepalive_timeout: Duration = 10 * SECOND, MILLISECOND, HOUR;
    /// Open connections of the metrics endpoint; one more is closed at once.
    "server.max_scrapes" server_max_scrapes: u32 = 16, 1, 1_024;
    /// Time that a connection of the metrics endpoint has for its request and the answer.
    "server.scrape_timeout" server_scrape_timeout: Duration = 10 * SECOND, MILLISECOND, HOUR;
    /// Time that calls get to finish on a graceful stop.
    "server.drain_timeout" server_drain_timeout: Duration = 30 * SECOND, MILLISECOND, HOUR;
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum SettingError {
    #[error("{name}: no such configuration key")]
    Unknown { name: String },
    #[error("{key}: found {value:?}, expected {expected}")]
    Invalid { key: String, value: String, expected: &'static str },
    #[error("{key}: found {value}, allowed {low} to {high}")]
    OutOfRange { key: &'static str, value: String, low: String, high: String },
    #[error("{key}: not set, and there is no default")]
    Missing { key: &'static str },
    #[error(
        "{key}: {value} is not a loopback address, and TLS is not available: give --insecure to allow it"
    )]
    Public { key: &'static str, value: SocketAddr },
    #[error("private.read: allowed on a loopback address only, listen is {listen}")]
    PrivateOnPublic { listen: SocketAddr },
    #[error("{path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path}: {source}")]
    NotToml { path: PathBuf, source: toml::de::Error },
}

impl Settings {
    /// Takes over what a TOML file sets. Unknown keys are errors.
    pub fn read_file(&mut self, path: &Path) -> Result<(), SettingError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingError::Unreadable { path: path.to_owned(), source })?;
        let table: toml::Table =
            text.parse().map_err(|source| SettingError::NotToml { path: path.to_owned(), source })?;
        self.take_table("", &table)
    }

    /// Takes over what environment variables set. A variable `LEDGER_SECTION_…` of a section that exists must be a
    /// key; other variables are not ours.
    pub fn read_environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), SettingError> {
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix("LEDGER_") else { continue };
            match KEYS.iter().find(|key| variable(key) == rest) {
                Some(key) => self.assign(key, &value)?,
                None if in_a_section(rest) => return Err(SettingError::Unknown { name }),
                None => {}
            }
        }
        Ok(())
    }

    /// Checks what no single key can: bounds, keys that belong together, addresses.
    pub fn check(&self) -> Result<(), SettingError> {
        self.check_ranges()?;
        if self.dir.as_os_str().is_empty() {
            return Err(SettingError::Missing { key: "dir" });
        }
        within("queue.max_bytes", &self.queue_max_bytes, self.request_max_bytes, 1024 * MIB)?;
        within("unit.max_bytes", &self.unit_max_bytes, 64 * KIB, self.request_max_bytes)?;
        for (key, address) in [("listen", self.listen), ("metrics_listen", self.metrics_listen)] {
            if !address.ip().is_loopback() && !self.insecure {
                return Err(SettingError::Public { key, value: address });
            }
        }
        if self.private_read && !self.listen.ip().is_loopback() {
            return Err(SettingError::PrivateOnPublic { listen: self.listen });
        }
        Ok(())
    }

    fn take_table(&mut self, prefix: &str, table: &toml::Table) -> Result<(), SettingError> {
        for (name, value) in table {
            let key = format!("{prefix}{name}");
            match value {
                toml::Value::Table(inner) => self.take_table(&format!("{key}."), inner)?,
                toml::Value::String(text) => self.assign(&key, text)?,
                other => self.assign(&key, &other.to_string())?,
            }
        }
        Ok(())
    }
}

fn parsed<T: Value>(key: &str, text: &str) -> Result<T, SettingError> {
    T::parse(text).ok_or_else(|| SettingError::Invalid {
        key: key.to_owned(),
        value: text.to_owned(),
        expected: T::EXPECTED,
    })
}

fn within<T: Value + PartialOrd>(key: &'static str, value: &T, low: T, high: T) -> Result<(), SettingError> {
    if (&low..=&high).contains(&value) {
        return Ok(());
    }
    let [value, low, high] = [value, &low, &high].map(|one| one.show().unwrap_or_default());
    Err(SettingError::OutOfRange { key, value, low, high })
}

fn variable(key: &str) -> String {
    key.replace('.', "_").to_ascii_uppercase()
}

fn in_a_section(rest: &str) -> bool {
    let sections = KEYS.iter().filter_map(|key| key.split_once('.'));
    sections.into_iter().any(|(section, _)| {
        rest.strip_prefix(&section.to_ascii_uppercase()).is_some_and(|tail| tail.starts_with('_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_toml(text: &str) -> Result<Settings, SettingError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.toml");
        std::fs::write(&path, text).unwrap();
        let mut settings = Settings { dir: "data".into(), ..Settings::default() };
        settings.read_file(&path)?;
        settings.check()?;
        Ok(settings)
    }

    fn from_environment(name: &str, value: &str) -> Result<Settings, SettingError> {
        let mut settings = Settings::default();
        settings.read_environment([(name.to_owned(), value.to_owned())].into_iter())?;
        Ok(settings)
    }

    #[test]
    fn what_is_printed_can_be_read_back() {
        let settings = Settings {
            dir: "a folder".into(),
            block_max_age: Duration::from_millis(250),
            logging_format: LogFormat::Json,
            ..Settings::default()
        };
        assert_eq!(from_toml(&settings.to_toml()).unwrap(), settings);
    }

    #[test]
    fn a_file_may_use_tables_and_dotted_keys() {
        let settings =
            from_toml("queue.max_bytes = 33554432\n[block]\nmax_entries = 7\nmax_age = \"90s\"\n").unwrap();
        assert_eq!((settings.block_max_entries, settings.queue_max_bytes), (7, 32 * MIB));
        assert_eq!(settings.block_max_age, 90 * SECOND);
    }

    #[test]
    fn every_fault_names_the_key_the_value_and_the_limit() {
        let rows = [
            ("block.max_entrys = 7", "block.max_entrys: no such configuration key"),
            ("[blok]\nmax_entries = 7", "blok.max_entries: no such configuration key"),
            ("block.max_entries = 0", "block.max_entries: found 0, allowed 1 to 1000000"),
            ("block.max_entries = -1", "block.max_entries: found \"-1\", expected a whole number"),
            ("block.max_age = 5", "block.max_age: found \"5\", expected a number with ms, s, m or h"),
            ("insecure = 1", "insecure: found \"1\", expected true or false"),
            ("logging.format = \"xml\"", "logging.format: found \"xml\", expected text or json"),
            ("queue.max_bytes = 65536", "queue.max_bytes: found 65536, allowed 16777216 to 1073741824"),
            ("listen = \"7400\"", "listen: found \"7400\", expected ADDRESS:PORT"),
            ("listen = [1]", "listen: found \"[1]\", expected ADDRESS:PORT"),
        ];
        for (text, expected) in rows {
            assert_eq!(from_toml(text).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_public_address_needs_a_word() {
        for key in ["listen", "metrics_listen"] {
            let public = format!("{key} = \"0.0.0.0:7400\"\n");
            assert!(
                matches!(from_toml(&public).unwrap_err(), SettingError::Public { key: k, .. } if k == key)
            );
            assert!(from_toml(&format!("{public}insecure = true\n")).is_ok());
        }
        let private = "listen = \"0.0.0.0:7400\"\ninsecure = true\nprivate.read = true\n";
        assert!(matches!(from_toml(private).unwrap_err(), SettingError::PrivateOnPublic { .. }));
        assert!(from_toml("listen = \"[::1]:7400\"\n").is_ok());
    }

    #[test]
    fn the_environment_sets_keys_and_a_misspelt_one_is_named() {
        let settings = from_environment("LEDGER_BLOCK_MAX_ENTRIES", "12").unwrap();
        assert_eq!(settings.block_max_entries, 12);
        let misspelt = from_environment("LEDGER_BLOCK_MAX_ENTRYS", "12").unwrap_err();
        assert_eq!(misspelt.to_string(), "LEDGER_BLOCK_MAX_ENTRYS: no such configuration key");
        assert_eq!(from_environment("LEDGER_CACHE", "x").unwrap(), Settings::default());
    }
}
