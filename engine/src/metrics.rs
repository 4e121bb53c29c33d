//! What an operator sees of the ledger. Computed at the edges of a phase, never inside the loop over events.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ledger_core::code::Code;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::answer::{Answer, EventAnswer};
use crate::tail::Tail;

/// Label of what became of an event.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct OutcomeLabel {
    /// `accepted`, `refused` (recorded), `rejected` (not recorded), `already_exists`.
    pub outcome: &'static str,
}

/// Label of a refusal or rejection.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct CodeLabel {
    /// Published name, such as `INSUFFICIENT_FUNDS`.
    pub code: &'static str,
}

/// The metrics of one ledger.
#[derive(Debug)]
#[allow(missing_docs, reason = "each is described where it is registered")]
pub struct Metrics {
    pub events: Family<OutcomeLabel, Counter>,
    pub refusals: Family<CodeLabel, Counter>,
    pub events_batch_size: Histogram,
    pub signed_batch_members: Histogram,
    pub append_duration_seconds: Histogram,
    pub sync_duration_seconds: Histogram,
    pub syncs: Counter,
    pub verify_seconds: Counter<f64, std::sync::atomic::AtomicU64>,
    pub seal_duration_seconds: Histogram,
    pub flush_duration_seconds: Histogram,
    pub blocks: Counter,
    pub expiries: Counter,
    pub mandatory_overrides: Counter,
    pub checkpoints: Counter,
    pub storage_size_bytes: Gauge,
    pub queue_bytes: Gauge,
    pub unsealed_entries: Gauge,
    pub unflushed_bytes: Gauge,
    pub block_height: Gauge,
    pub log_entries: Gauge,
    pub checkpoint_entries: Gauge,
    pub checkpoint_timestamp_seconds: Gauge<f64, std::sync::atomic::AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.000_05, 2.0, 18));
        Self {
            events: Family::default(),
            refusals: Family::default(),
            events_batch_size: Histogram::new(exponential_buckets(1.0, 2.0, 15)),
            signed_batch_members: Histogram::new(exponential_buckets(1.0, 4.0, 9)),
            append_duration_seconds: seconds(),
            sync_duration_seconds: seconds(),
            syncs: Counter::default(),
            verify_seconds: Counter::default(),
            seal_duration_seconds: seconds(),
            flush_duration_seconds: seconds(),
            blocks: Counter::default(),
            expiries: Counter::default(),
            mandatory_overrides: Counter::default(),
            checkpoints: Counter::default(),
            storage_size_bytes: Gauge::default(),
            queue_bytes: Gauge::default(),
            unsealed_entries: Gauge::default(),
            unflushed_bytes: Gauge::default(),
            block_height: Gauge::default(),
            log_entries: Gauge::default(),
            checkpoint_entries: Gauge::default(),
            checkpoint_timestamp_seconds: Gauge::default(),
        }
    }
}

impl Metrics {
    /// Registers every metric under the prefix of `registry` (the server's is `ledger`).
    pub fn register(&self, registry: &mut Registry) {
        let r = registry;
        r.register("events", "Submitted events by what became of them", self.events.clone());
        r.register("refusals", "Refused and rejected events by code", self.refusals.clone());
        r.register("events_batch_size", "Entries per commit group", self.events_batch_size.clone());
        r.register(
            "signed_batch_members",
            "Members per admitted signed batch",
            self.signed_batch_members.clone(),
        );
        let time = |r: &mut Registry, name: &str, help: &str, histogram: &Histogram| {
            r.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        };
        time(
            r,
            "append_duration",
            "From taking a commit group to its answers",
            &self.append_duration_seconds,
        );
        time(r, "sync_duration", "Synced write of a commit group", &self.sync_duration_seconds);
        time(r, "seal_duration", "Computing a seal", &self.seal_duration_seconds);
        time(r, "flush_duration", "Writing sealed blocks' indices and state", &self.flush_duration_seconds);
        r.register("syncs", "Synced writes", self.syncs.clone());
        r.register_with_unit(
            "verify",
            "Elapsed time on the workers that decode submissions and check signatures",
            Unit::Seconds,
            self.verify_seconds.clone(),
        );
        r.register("blocks", "Sealed blocks", self.blocks.clone());
        r.register("expiries", "Holds that ran out", self.expiries.clone());
        r.register(
            "mandatory_overrides",
            "Events that took their creditor below its limit, because the scheme had moved the money already",
            self.mandatory_overrides.clone(),
        );
        r.register("checkpoints", "Signed checkpoints", self.checkpoints.clone());
        let bytes = |r: &mut Registry, name: &str, help: &str, gauge: &Gauge| {
            r.register_with_unit(name, help, Unit::Bytes, gauge.clone());
        };
        bytes(r, "storage_size", "Size of the database on disk", &self.storage_size_bytes);
        bytes(r, "queue", "Submitted events that wait for the writer", &self.queue_bytes);
        bytes(r, "unflushed", "State and indices that live in memory only", &self.unflushed_bytes);
        r.register("unsealed_entries", "Entries that no seal covers yet", self.unsealed_entries.clone());
        r.register("block_height", "Height of the newest durable seal", self.block_height.clone());
        r.register("log_entries", "Entries in the log", self.log_entries.clone());
        r.register(
            "checkpoint_entries",
            "Entries under the published checkpoint",
            self.checkpoint_entries.clone(),
        );
        r.register_with_unit(
            "checkpoint_timestamp",
            "Unix time of the published checkpoint",
            Unit::Seconds,
            self.checkpoint_timestamp_seconds.clone(),
        );
    }

    /// How far the log, its seals and its flushes are.
    pub(crate) fn tell_log(&self, tail: &Tail) {
        let next_index = tail.next_index().0;
        self.log_entries.set(next_index as i64);
        self.unflushed_bytes.set(tail.unflushed_bytes() as i64);
        if let Some((height, log_index)) = tail.sealed() {
            self.block_height.set(height.0 as i64);
            self.unsealed_entries.set((next_index - log_index.0 - 1) as i64);
        }
    }

    /// The published checkpoint; and the size of the database, which is taken as often.
    pub(crate) fn tell_checkpoint(&self, entry_count: u64, signed: SystemTime, db_dir: &Path) {
        self.checkpoint_entries.set(entry_count as i64);
        let since_epoch = signed.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.checkpoint_timestamp_seconds.set(since_epoch.as_secs_f64());
        if let Ok(bytes) = folder_bytes(db_dir) {
            self.storage_size_bytes.set(bytes as i64);
        }
    }

    /// What became of events, and what else a commit group held.
    pub(crate) fn count(&self, tally: &Tally) {
        for (outcome, count) in &tally.outcomes {
            self.events.get_or_create(&OutcomeLabel { outcome }).inc_by(*count);
        }
        for (code, count) in &tally.codes {
            self.refusals.get_or_create(&CodeLabel { code: code.name() }).inc_by(*count);
        }
        self.expiries.inc_by(tally.expiries);
        self.mandatory_overrides.inc_by(tally.overrides);
        for members in &tally.batches {
            self.signed_batch_members.observe(f64::from(*members));
        }
    }
}

/// What is counted once it is on disk.
#[derive(Default)]
pub(crate) struct Tally {
    outcomes: BTreeMap<&'static str, u64>,
    codes: BTreeMap<Code, u64>,
    pub(crate) expiries: u64,
    /// Events that took an account below its limit, because the money had moved already.
    pub(crate) overrides: u64,
    /// Members of each admitted batch.
    pub(crate) batches: Vec<u32>,
}

impl Tally {
    pub(crate) fn take(&mut self, answers: &[EventAnswer]) {
        for EventAnswer { answer, .. } in answers {
            let (outcome, code) = match answer {
                Answer::Recorded { already_exists: true, .. } => ("already_exists", None),
                Answer::Recorded { outcome: 0, .. } => ("accepted", None),
                Answer::Recorded { outcome, .. } => ("refused", Code::from_number(*outcome)),
                Answer::Rejected(refusal) => ("rejected", Some(refusal.code)),
            };
            *self.outcomes.entry(outcome).or_default() += 1;
            if let Some(code) = code {
                *self.codes.entry(code).or_default() += 1;
            }
        }
    }
}

fn folder_bytes(dir: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for file in std::fs::read_dir(dir)? {
        // RocksDB may delete a file between the listing and this look.
        bytes += file?.metadata().map_or(0, |metadata| metadata.len());
    }
    Ok(bytes)
}
