//! What operators say about the ledger itself: a closed period, erased private data.

use ledger_core::event::{Body, MetadataErased, PeriodClosed};
use ledger_core::ids::EventId;

use super::Draft;
use super::payment::event_id;
use crate::exit::CliError;
use crate::text;

/// A period for which nothing is recorded any more.
#[derive(Clone, Debug, clap::Args)]
pub struct ClosePeriod {
    /// Its last day, such as 2026-01-31: past, and after the period closed last
    pub through: String,
}

impl ClosePeriod {
    /// The event.
    pub fn draft(&self) -> Result<Draft, CliError> {
        let through = text::parse_date("through", &self.through)?;
        Ok(Draft::of_body(Body::PeriodClosed(PeriodClosed { through })))
    }
}

/// Private data that is erased. The event names the event whose data it is, never the data.
#[derive(Clone, Debug, clap::Args)]
pub struct EraseMetadata {
    /// The event whose private data it is, accepted or refused
    #[arg(value_name = "EVENT_ID", value_parser = event_id)]
    pub erased_event: EventId,
    /// Why, at most 35 characters; public for ever, so no personal data in it
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

impl EraseMetadata {
    /// The event.
    pub fn draft(&self) -> Result<Draft, CliError> {
        let body = MetadataErased { event_id: self.erased_event.0.to_vec(), reason: self.reason.clone() };
        Ok(Draft::of_body(Body::MetadataErased(body)))
    }
}
