//! Submitting many events, and finding them again.

use indicatif::ProgressBar;
use ledger_client::{Client, EntryRef, EventAnswer, Verdict};
use ledger_core::event::Event;
use ledger_core::ids::EventId;
use ledger_core::unit::Submitted;
use tokio::task::JoinSet;

use crate::exit::CliError;
use crate::progress;

/// Lookups on their way at a time.
const LOOKUPS: usize = 32;

/// How events are sent.
pub struct Pipeline<'a> {
    /// To which server.
    pub client: &'a Client,
    /// Events of one request.
    pub batch: usize,
    /// Requests on their way.
    pub in_flight: usize,
}

/// What came back, in the order of sending.
#[derive(Debug, Default)]
pub struct Answered {
    /// Events that stand in the log as accepted.
    pub accepted: u64,
    /// The first that was not accepted.
    pub first_refused: Option<EventAnswer>,
    /// Where each stands; 0 for what does not.
    pub log_indices: Vec<u64>,
}

impl Pipeline<'_> {
    /// Sends events and takes all answers. The bar gets their number.
    pub async fn run(&self, events: Vec<Submitted>, bar: &ProgressBar) -> Result<Answered, CliError> {
        bar.set_position(0);
        bar.set_length(events.len() as u64);
        let (mut sender, mut answers) = self.client.submit_stream(self.in_flight);
        let batch = self.batch;
        let sending = tokio::spawn(async move {
            let mut events = events.into_iter();
            loop {
                let next: Vec<Submitted> = events.by_ref().take(batch).collect();
                // A pipeline that failed says why with its answers.
                if next.is_empty() || sender.send(next).await.is_err() {
                    return;
                }
            }
        });
        let mut answered = Answered::default();
        while let Some(answer) = answers.next().await {
            let answer = answer?;
            bar.inc(answer.events.len() as u64);
            answer.events.into_iter().for_each(|event| answered.take(event));
        }
        match sending.await {
            Ok(()) => Ok(answered),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

impl Answered {
    fn take(&mut self, answer: EventAnswer) {
        self.log_indices.push(answer.recorded().map_or(0, |recorded| recorded.log_index.0));
        match answer.verdict() {
            Verdict::Accepted | Verdict::AlreadyExists => self.accepted += 1,
            _ => {
                self.first_refused.get_or_insert(answer);
            }
        }
    }
}

/// The ids of signed events.
pub fn ids_of(events: &[Submitted]) -> Vec<EventId> {
    let id = |event: &Submitted| {
        let event = Event::decode(&event.payload).ok()?;
        event.event_id.as_slice().try_into().ok().map(EventId)
    };
    events.iter().filter_map(id).collect()
}

/// Looks every event up by its id; each must stand where its answer said, and the log must not have become shorter.
pub async fn find_all(
    client: &Client,
    ids: &[EventId],
    answered: &Answered,
    entries_before: u64,
) -> Result<u64, CliError> {
    let entries = client.status().await?.next_log_index;
    if entries < entries_before {
        return Err(lost(format!("the log has {entries} entries, it had {entries_before}")));
    }
    let bar = progress::bar("events").with_message("find");
    bar.set_length(ids.len() as u64);
    let expected: Vec<(EventId, u64)> =
        ids.iter().copied().zip(answered.log_indices.iter().copied()).collect();
    let mut lookups = JoinSet::new();
    for share in expected.chunks(expected.len().div_ceil(LOOKUPS).max(1)) {
        let (client, share, bar) = (client.clone(), share.to_vec(), bar.clone());
        lookups.spawn(async move {
            for (id, log_index) in &share {
                let entry = client.event(EntryRef::Event(*id)).await?;
                if entry.log_index != *log_index {
                    let words = format!("event {id} stands at {}, it was at {log_index}", entry.log_index);
                    return Err(lost(words));
                }
                bar.inc(1);
            }
            Ok(share.len() as u64)
        });
    }
    let mut found = 0;
    while let Some(share) = lookups.join_next().await {
        found += match share {
            Ok(count) => count?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
    }
    bar.finish_and_clear();
    if found != ids.len() as u64 {
        return Err(lost(format!("{found} of {} events were found", ids.len())));
    }
    Ok(found)
}

fn lost(words: String) -> CliError {
    CliError::Demo { step: "restart", words }
}
