//! Recovery: from the last flush, by executing the tail of the log again. Every outcome and every seal must come out
//! as stored.

use std::sync::Arc;

use ledger_core::apply::{At, Effects, ExecutedEntry, Subject, execute, expire};
use ledger_core::batch::BATCH_TYPE;
use ledger_core::entry::{Content, Entry, EntrySignature};
use ledger_core::ids::LogIndex;
use ledger_core::seal::SealChain;
use ledger_core::unit::{SignedEvent, Submitted, Unit, VerifiedBatch, VerifiedEvent};
use ledger_core::view::{Constants, State as _, StateView as _, ViewError};
use ledger_merkle::dense::DenseTree;
use ledger_merkle::leaf_hash;
use ledger_merkle::tile::{TileWriter, frontier};
use rocksdb::WriteBatch;

use crate::base::Base;
use crate::block::OpenBlock;
use crate::commit::put_seal;
use crate::config::Config;
use crate::log_read::StoredTiles;
use crate::rows::events;
use crate::rows::state::Watermark;
use crate::sealer::SealState;
use crate::store::{Store, StoreError};
use crate::tail::Tail;

/// Why the store cannot be taken into use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoverError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("entry {log_index}: {words}")]
    Entry { log_index: LogIndex, words: String },
}

/// A store brought up to its last entry.
pub(crate) struct Recovered {
    pub(crate) tail: Tail,
    pub(crate) block: OpenBlock,
    pub(crate) seals: SealState,
}

/// A decoded entry that belongs to a unit which is not complete yet.
struct Member {
    log_index: LogIndex,
    recorded_at_nanos: u64,
    outcome: u16,
    leaf_hash: ledger_crypto::Hash,
    event: VerifiedEvent,
}

/// The decoded header of a batch that is not complete yet.
struct Header {
    log_index: LogIndex,
    recorded_at_nanos: u64,
    leaf_hash: ledger_crypto::Hash,
    batch: VerifiedBatch,
}

struct Recovery<'a> {
    config: &'a Config,
    store: &'a Store,
    recovered: Recovered,
    boot_nanos: u64,
    header: Option<Header>,
    unit: Vec<Member>,
    unit_len: usize,
}

/// Loads the state of the last flush, checks it against its seal, and executes what follows.
pub(crate) fn recover(
    config: &Config,
    store: &Store,
    constants: Arc<Constants>,
    base: Arc<Base>,
    boot_nanos: u64,
) -> Result<Recovered, RecoverError> {
    let recovered = at_watermark(store, constants, base)?;
    let first = recovered.tail.next_index();
    let mut recovery =
        Recovery { config, store, recovered, boot_nanos, header: None, unit: Vec::new(), unit_len: 0 };
    // The bundle that the watermark lies in may begin before it.
    let begin = store.bundle_of(first.0)?.map_or(0, |(start, _)| start);
    for bundle in store.bundles_from(begin) {
        let (start, bytes) = bundle?;
        let entries = events::entries(&bytes).map_err(StoreError::from)?;
        for (log_index, entry) in (start..).zip(entries) {
            if log_index >= first.0 {
                recovery.take(LogIndex(log_index), entry)?;
            }
        }
    }
    if recovery.unit_len > 0 {
        let first_index = LogIndex(recovery.next_index().0 - recovery.unit_entries());
        return Err(wrong(first_index, "the log ends inside the unit that begins here"));
    }
    Ok(recovery.recovered)
}

fn at_watermark(
    store: &Store,
    constants: Arc<Constants>,
    base: Arc<Base>,
) -> Result<Recovered, RecoverError> {
    let watermark = base.watermark().clone();
    let seal_index = LogIndex(watermark.next_index.0 - 1);
    let of_seal = |words: String| RecoverError::Entry { log_index: seal_index, words };
    let missing = || StoreError::Missing(format!("the seal of block {}", watermark.height));
    let (stored_index, seal_entry) = store.seal(watermark.height.0)?.ok_or_else(missing)?;
    if stored_index != seal_index.0 {
        return Err(of_seal(format!("the watermark is here, its seal at {stored_index}")));
    }
    let log = frontier(&StoredTiles(store), seal_index.0).map_err(|error| of_seal(error.to_string()))?;
    let (accounts, payments) = (base.accounts()?, base.payments()?);
    check_against_seal(&watermark, &seal_entry).map_err(of_seal)?;
    let tree = |leaves: Vec<_>| DenseTree::from_leaves(leaves);
    let chain = SealChain::restore(
        log,
        tree(accounts.iter().map(|(_, record)| record.leaf_hash()).collect()),
        tree(payments.iter().map(|(_, record)| record.leaf_hash()).collect()),
        tree(base.keys()?.iter().map(|(_, record)| record.leaf_hash()).collect()),
        seal_index,
        &seal_entry,
    )
    .map_err(|error| of_seal(error.to_string()))?;
    let tiles = TileWriter::restore(watermark.next_index.0, |level, index| {
        // A tile that cannot be read is missing: the error names it.
        store.tile(level, index).ok().flatten()
    })
    .map_err(|error| of_seal(error.to_string()))?;
    let next_height = chain.next_height;
    let block = OpenBlock::new(next_height, watermark.totals, watermark.params);
    let tail = Tail::at_base(constants, base, &accounts, &payments)?;
    Ok(Recovered { tail, block, seals: SealState::new(chain, tiles) })
}

/// What the watermark says beside sizes is what its seal says.
fn check_against_seal(watermark: &Watermark, seal_entry: &[u8]) -> Result<(), String> {
    let entry = Entry::decode(seal_entry).map_err(|error| error.to_string())?;
    let Content::Seal(seal) = entry.content else { return Err("the watermark is not at a seal".to_owned()) };
    for (field, says, has) in [
        ("totals_hash", hex::encode(seal.totals_hash), hex::encode(watermark.totals.hash())),
        ("params_hash", hex::encode(seal.params_hash), hex::encode(watermark.params.hash())),
        ("recorded_at", entry.recorded_at_nanos.to_string(), watermark.seal_nanos.to_string()),
    ] {
        if says != has {
            return Err(format!("{field}: the seal says {says}, the stored state has {has}"));
        }
    }
    Ok(())
}

impl Recovery<'_> {
    fn take(&mut self, log_index: LogIndex, entry: &[u8]) -> Result<(), RecoverError> {
        if log_index != self.next_index() {
            return Err(wrong(log_index, format!("the log has a gap: {} was expected", self.next_index())));
        }
        if entry.is_empty() {
            if self.unit_entries() > 0 {
                return Err(wrong(log_index, "the place of a seal lies inside a unit"));
            }
            return self.take_seal(log_index);
        }
        let hash = leaf_hash(entry);
        let decoded = Entry::decode(entry).map_err(|error| wrong(log_index, error))?;
        match decoded.content {
            Content::Event { signatures, payload_type, payload } => {
                let submitted = submitted(signatures, payload_type, payload);
                let signed = SignedEvent::decode(submitted).map_err(|error| wrong(log_index, error))?;
                if self.header.is_some() {
                    return Err(wrong(log_index, "an event that is no member stands inside a batch"));
                }
                self.unit_len = usize::from(decoded.group_len);
                self.take_member(Member {
                    log_index,
                    recorded_at_nanos: decoded.recorded_at_nanos,
                    outcome: decoded.outcome,
                    leaf_hash: hash,
                    event: VerifiedEvent::trust(signed),
                })
            }
            Content::BatchHeader { signatures, payload } => {
                let submitted = submitted(signatures, BATCH_TYPE.to_owned(), payload);
                let batch = VerifiedBatch::trust(submitted).map_err(|error| wrong(log_index, error))?;
                self.unit_len = batch.batch().count as usize;
                let recorded_at_nanos = decoded.recorded_at_nanos;
                self.header = Some(Header { log_index, recorded_at_nanos, leaf_hash: hash, batch });
                Ok(())
            }
            Content::BatchedEvent { position, payload_type, payload } => {
                if self.header.is_none() || position as usize != self.unit.len() {
                    return Err(wrong(
                        log_index,
                        format!("member {position} of a batch does not stand here"),
                    ));
                }
                let signed = SignedEvent::decode_batched(submitted(Vec::new(), payload_type, payload))
                    .map_err(|error| wrong(log_index, error))?;
                self.take_member(Member {
                    log_index,
                    recorded_at_nanos: decoded.recorded_at_nanos,
                    outcome: decoded.outcome,
                    leaf_hash: hash,
                    event: VerifiedEvent::of_batch(signed),
                })
            }
            Content::Expiry { payment_id } => {
                let t_nanos = decoded.recorded_at_nanos;
                let at = At { t_nanos, log_index, recorded_at_nanos: t_nanos };
                let tail = &self.recovered.tail;
                let in_view = |error: ViewError| wrong(log_index, error);
                let due = tail.next_due(t_nanos).map_err(in_view)?.map(|(_, payment)| payment);
                let stored = tail.payment_index(&payment_id).map_err(in_view)?;
                let Some(payment) = due.filter(|due| Some(*due) == stored) else {
                    return Err(wrong(log_index, format!("payment {payment_id} is not the one that is due")));
                };
                let effects = expire(tail, payment, at).map_err(in_view)?;
                self.absorb(at, hash, 0, Subject::Expiry { payment_id }, &effects);
                Ok(())
            }
            Content::Genesis { .. } | Content::Seal(_) => {
                Err(wrong(log_index, "an entry of this kind does not stand here"))
            }
        }
    }

    fn next_index(&self) -> LogIndex {
        LogIndex(self.recovered.tail.next_index().0 + self.unit_entries())
    }

    /// Entries taken of a unit that is not complete.
    fn unit_entries(&self) -> u64 {
        self.unit.len() as u64 + u64::from(self.header.is_some())
    }

    fn take_member(&mut self, member: Member) -> Result<(), RecoverError> {
        self.unit.push(member);
        if self.unit.len() == self.unit_len { self.execute_unit() } else { Ok(()) }
    }

    fn execute_unit(&mut self) -> Result<(), RecoverError> {
        self.unit_len = 0;
        let (header, members) = (self.header.take(), std::mem::take(&mut self.unit));
        let first_nanos = members.first().map_or(0, |member| member.recorded_at_nanos);
        let t_nanos = header.as_ref().map_or(first_nanos, |header| header.recorded_at_nanos);
        if let Some(Header { log_index, recorded_at_nanos, leaf_hash, batch }) = &header {
            let batch_id = batch.batch_id().ok_or_else(|| wrong(*log_index, "a batch id of 16 bytes"))?;
            let at = At { t_nanos, log_index: *log_index, recorded_at_nanos: *recorded_at_nanos };
            self.absorb(at, *leaf_hash, 0, Subject::Batch { batch_id }, &Effects::default());
        }
        let events = members.iter().map(|member| member.event.clone()).collect();
        let unit = match header {
            Some(header) => Unit::batch(header.batch, events),
            None => Unit::logged(events),
        };
        let mut rest = members.as_slice();
        for run in unit.runs() {
            let (entries, after) = rest.split_at(run.len());
            rest = after;
            self.execute_run(t_nanos, run, entries)?;
        }
        Ok(())
    }

    fn execute_run(
        &mut self,
        t_nanos: u64,
        run: &[VerifiedEvent],
        entries: &[Member],
    ) -> Result<(), RecoverError> {
        let Some(head) = entries.first() else { return Ok(()) };
        let first_index = head.log_index;
        let first = At { t_nanos, log_index: first_index, recorded_at_nanos: head.recorded_at_nanos };
        let outcomes =
            execute(&self.recovered.tail, run, first).map_err(|error| wrong(first_index, error))?;
        for (member, outcome) in entries.iter().zip(outcomes) {
            if member.outcome != outcome.number() {
                let words = format!("outcome {} is stored, {} comes out", member.outcome, outcome.number());
                return Err(wrong(member.log_index, words));
            }
            let at = At { t_nanos, log_index: member.log_index, recorded_at_nanos: member.recorded_at_nanos };
            let signed = member.event.signed();
            let subject = Subject::Event { event: signed.event(), digest: *signed.digest() };
            self.absorb(at, member.leaf_hash, member.outcome, subject, &outcome.effects);
        }
        Ok(())
    }

    fn absorb(
        &mut self,
        at: At,
        hash: ledger_crypto::Hash,
        outcome: u16,
        subject: Subject<'_>,
        effects: &Effects,
    ) {
        let At { t_nanos, log_index, recorded_at_nanos } = at;
        self.recovered.block.push(hash, effects, self.boot_nanos);
        self.recovered.tail.absorb(&ExecutedEntry {
            log_index,
            recorded_at_nanos,
            t_nanos,
            outcome,
            subject,
            effects,
        });
    }

    /// Computes the seal at its reserved place, and compares it with the stored one or stores it.
    fn take_seal(&mut self, log_index: LogIndex) -> Result<(), RecoverError> {
        let Recovered { tail, block, seals } = &mut self.recovered;
        let recorded_at_nanos = tail.last_nanos() + 1;
        let cut = block.cut(log_index, recorded_at_nanos);
        let height = cut.height;
        tail.take_seal(height, recorded_at_nanos, tail.freeze_at(self.config));
        let sealed = seals.seal(self.store, cut).map_err(|error| wrong(log_index, error))?;
        match self.store.seal(height.0)? {
            Some(stored) if stored != (log_index.0, sealed.block.entry.clone()) => {
                return Err(wrong(log_index, format!("the stored seal of block {height} is another one")));
            }
            Some(_) => {}
            None => {
                let mut batch = WriteBatch::default();
                put_seal(&mut batch, self.store, &sealed);
                self.store.commit(batch)?;
            }
        }
        seals.take_stored(height);
        tail.set_sealed(height, log_index);
        Ok(())
    }
}

fn wrong(log_index: LogIndex, words: impl std::fmt::Display) -> RecoverError {
    RecoverError::Entry { log_index, words: words.to_string() }
}

fn submitted(signatures: Vec<EntrySignature>, payload_type: String, payload: Vec<u8>) -> Submitted {
    let signatures = signatures.into_iter().map(|by| (by.key.to_vec(), by.signature.to_vec())).collect();
    Submitted { payload_type, payload, signatures, sidecar: None }
}
