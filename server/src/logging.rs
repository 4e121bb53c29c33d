//! Log records on standard error.

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, Settings};

/// The filter is not one.
#[derive(Debug, thiserror::Error)]
#[error("logging.filter: found {filter:?}: {source}")]
pub struct FilterError {
    filter: String,
    source: tracing_subscriber::filter::ParseError,
}

/// Sends the log records of this process to standard error, in the form that `settings` say. Called once.
pub fn begin(settings: &Settings) -> Result<(), FilterError> {
    let filter = EnvFilter::try_new(&settings.logging_filter)
        .map_err(|source| FilterError { filter: settings.logging_filter.clone(), source })?;
    let records = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.logging_format {
        LogFormat::Text => records.with_ansi(false).init(),
        LogFormat::Json => records.json().flatten_event(true).init(),
    }
    Ok(())
}
