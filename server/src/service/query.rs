//! Reads of events, payments, accounts, blocks and the ledger as a whole. Each takes one view, so that an answer is
//! consistent in itself.

mod accounts;
mod blocks;
mod payments;
mod standing;
mod statement;

use ledger_core::entry::Entry;
use ledger_core::ids::LogIndex;
use ledger_engine::View;
use ledger_proto::v1::{GetEventRequest, GetEventResponse, LogEntry};
use tonic::{Response, Status};

use super::request::EntryReference;
use super::{Service, about, answer};
use crate::status;

impl Service {
    pub(super) async fn event(&self, request: GetEventRequest) -> Result<Response<GetEventResponse>, Status> {
        let reference = EntryReference::try_from(request.entry)?;
        let found = self.read(move |view| {
            let index = reference.resolve(view)?;
            Ok(GetEventResponse { entry: Some(log_entry(view, index)?) })
        });
        found.await
    }
}

fn log_entry(view: &View, index: LogIndex) -> Result<LogEntry, Status> {
    let bytes = view.entry(index).map_err(about(format_args!("log index {index}")))?;
    let entry = Entry::decode(&bytes)
        .map_err(|error| status::internal(&format!("stored entry of log index {index}: {error}")))?;
    Ok(answer::entry(index, bytes, entry))
}
