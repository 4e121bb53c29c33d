//! The command line of `ledger-server`.

use std::path::PathBuf;

use clap::Parser;

use crate::settings::{SettingError, Settings};

/// Serves a ledger over gRPC. Every key of the configuration can be given in a TOML file (--config), in the
/// environment (LEDGER_BLOCK_MAX_ENTRIES for block.max_entries) and by --set; later ones win. --print-config lists all.
#[derive(Parser, Debug)]
#[command(name = "ledger-server", version)]
pub struct Flags {
    /// Configuration file, TOML
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data directory of the ledger, made by `ledger init`
    #[arg(long, value_name = "DIR")]
    pub dir: Option<String>,
    /// Signing key of the log; DIR/log.key when not given
    #[arg(long, value_name = "FILE")]
    pub log_key: Option<String>,
    /// Folder of the head file and the marker; DIR when not given
    #[arg(long, value_name = "DIR")]
    pub head_path: Option<String>,
    /// Address of the gRPC service; port 0 takes a free one [default: 127.0.0.1:7400]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Address of the Prometheus endpoint; port 0 takes a free one [default: 127.0.0.1:7401]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<String>,
    /// File that gets the line `grpc=ADDRESS metrics=ADDRESS` once the server serves
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<String>,
    /// Allow plain text on an address that is not loopback
    #[arg(long)]
    pub insecure: bool,
    /// Start although the head file is gone: give up its protection against an old copy of the data
    #[arg(long)]
    pub accept_head_loss: bool,
    /// Start although the clock is more than 7 days after the last entry
    #[arg(long)]
    pub accept_clock: bool,
    /// Set any key of the configuration
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Print the configuration as it would be used, and exit
    #[arg(long)]
    pub print_config: bool,
}

impl Flags {
    /// The configuration from its four sources: defaults, file, environment, flags. Not yet checked as a whole
    /// ([`Settings::check`]).
    pub fn settings(
        &self,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Settings, SettingError> {
        let mut settings = Settings::default();
        if let Some(path) = &self.config {
            settings.read_file(path)?;
        }
        settings.read_environment(environment)?;
        for pair in &self.set {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| SettingError::Unknown { name: pair.clone() })?;
            settings.assign(key, value)?;
        }
        let given = [
            ("dir", &self.dir),
            ("log_key", &self.log_key),
            ("head_path", &self.head_path),
            ("listen", &self.listen),
            ("metrics_listen", &self.metrics_listen),
            ("ready_file", &self.ready_file),
        ];
        for (key, value) in given {
            if let Some(text) = value {
                settings.assign(key, text)?;
            }
        }
        settings.insecure |= self.insecure;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("server.toml");
        std::fs::write(&file, "page.max = 1\nblock.max_entries = 1\nrequest.max_events = 1\n").unwrap();
        let environment = [("LEDGER_BLOCK_MAX_ENTRIES", "2"), ("LEDGER_REQUEST_MAX_EVENTS", "2")];
        let flags = Flags::parse_from([
            "ledger-server",
            "--config",
            file.to_str().unwrap(),
            "--set",
            "request.max_events=3",
            "--dir",
            "data",
        ]);
        let settings =
            flags.settings(environment.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter()).unwrap();
        assert_eq!((settings.page_max, settings.block_max_entries, settings.request_max_events), (1, 2, 3));
        assert_eq!(settings.dir.to_str(), Some("data"));
    }
}
