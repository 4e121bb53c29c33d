//! The handle of an open ledger, and what its threads share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use ledger_core::ids::{BlockHeight, LogIndex};
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, KeyBytes, PublicKey, SigningKey};
use tokio::sync::watch;

use crate::answer::Failure;
use crate::config::Config;
use crate::erase::Erasures;
use crate::log_keys::{LogKeys, NamedKey, verifier_keys};
use crate::metrics::Metrics;
use crate::sealer::Published;
use crate::store::Store;
use crate::view::View;
use crate::writer::Inbox;

/// An open ledger. Clones are handles of the same one.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What intake, writer, sealer and readers share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) origin: String,
    pub(crate) log_keys: LogKeys,
    pub(crate) view: ArcSwap<View>,
    pub(crate) published: watch::Sender<Arc<Published>>,
    pub(crate) health: watch::Sender<Health>,
    pub(crate) metrics: Metrics,
    pub(crate) inbox: Sender<Inbox>,
    pub(crate) queue_bytes: AtomicUsize,
    pub(crate) closing: AtomicBool,
    pub(crate) erasures: Erasures,
    pub(crate) workers: rayon::ThreadPool,
    /// Registered keys, decompressed once. Bounded by the registry.
    pub(crate) keys: RwLock<HashMap<KeyBytes, PublicKey>>,
    /// Held for as long as the ledger is open.
    pub(crate) _lock: std::fs::File,
}

/// Whether the ledger takes events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// It does.
    Serving,
    /// It does not, for now: the clock is off.
    NotServing(Failure),
    /// It has stopped for good: a write failed, or a check of the ledger against itself.
    Stopped(Failure),
}

/// Where an open ledger stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Leaf hash of the genesis.
    pub ledger_id: Hash,
    /// Origin of its checkpoints.
    pub origin: String,
    /// C2SP verifier key of its checkpoints.
    pub verifier_key: String,
    /// First log index that is not durable.
    pub next_index: LogIndex,
    /// Height of the newest durable seal.
    pub height: Option<BlockHeight>,
    /// Entries under the published checkpoint.
    pub checkpoint_size: u64,
    /// Entries that no durable seal covers.
    pub unsealed_entries: u64,
    /// State and indices that live in memory only, in bytes.
    pub unflushed_bytes: u64,
    /// Submitted events that wait for the writer, in bytes.
    pub queue_bytes: u64,
    /// Number of accounts.
    pub account_count: u64,
    /// Number of payments.
    pub payment_count: u64,
    /// Whether it takes events.
    pub health: Health,
}

impl Ledger {
    pub(crate) fn new(shared: Arc<Shared>, threads: Vec<JoinHandle<()>>) -> Self {
        Self(Arc::new(Inner { shared, threads: Mutex::new(threads) }))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.shared.store
    }

    /// One consistent, synced state.
    pub fn view(&self) -> Arc<View> {
        self.0.shared.view.load_full()
    }

    /// Hands over the private half of the next log key. From then on a LogKeyRotated to it is taken; without, it is
    /// turned away, because no checkpoint could be signed after it. Hand it over again to the next [`Ledger::open`].
    pub fn hand_log_key(&self, key: SigningKey) {
        self.shared().log_keys.insert(key);
    }

    /// The published checkpoint.
    pub fn checkpoint(&self) -> Arc<Published> {
        Arc::clone(&self.0.shared.published.borrow())
    }

    /// Follows the published checkpoints.
    pub fn checkpoints(&self) -> watch::Receiver<Arc<Published>> {
        self.0.shared.published.subscribe()
    }

    /// Whether it takes events.
    pub fn health(&self) -> Health {
        self.0.shared.health.borrow().clone()
    }

    /// Follows the health. After [`Health::Stopped`] the process should end.
    pub fn healths(&self) -> watch::Receiver<Health> {
        self.0.shared.health.subscribe()
    }

    /// What an operator sees.
    pub fn metrics(&self) -> &Metrics {
        &self.0.shared.metrics
    }

    /// Where it stands.
    pub fn status(&self) -> Status {
        let view = self.view();
        let shared = self.shared();
        let next_index = view.next_index();
        let sealed = view.tail().sealed().map_or(0, |(_, log_index)| log_index.0 + 1);
        Status {
            ledger_id: view.constants().ledger_id,
            origin: shared.origin.clone(),
            verifier_key: verifier_key(&shared.origin, view.params().log_key),
            next_index,
            height: view.height(),
            checkpoint_size: self.checkpoint().size,
            unsealed_entries: next_index.0.saturating_sub(sealed),
            unflushed_bytes: view.tail().unflushed_bytes(),
            queue_bytes: shared.queue_bytes.load(Ordering::Relaxed) as u64,
            account_count: view.account_count(),
            payment_count: view.payment_count(),
            health: self.health(),
        }
    }

    /// Stops taking requests, decides and commits what is queued, seals it and signs a checkpoint. Later calls, and
    /// requests on other handles, get [`Failure::ShuttingDown`]. Dropping the last handle does the same.
    ///
    /// # Errors
    /// Why the ledger had stopped for good, before this call or in it: then something queued may not be durable.
    pub fn close(&self) -> Result<(), Failure> {
        self.0.close()
    }
}

impl Inner {
    fn close(&self) -> Result<(), Failure> {
        if self.shared.closing.swap(true, Ordering::SeqCst) {
            return Err(Failure::ShuttingDown);
        }
        let (done, closed) = mpsc::channel();
        let asked = self.shared.inbox.send(Inbox::Close(done)).map_err(|_| Failure::StorageUnavailable);
        let result = asked.and_then(|()| closed.recv().map_err(|_| Failure::StorageUnavailable));
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                self.shared.stop(Failure::InvariantBroken("a thread of the ledger panicked".into()));
            }
        }
        match &*self.shared.health.borrow() {
            Health::Stopped(failure) => Err(failure.clone()),
            Health::Serving | Health::NotServing(_) => result,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Closed before, or stopped: both are known already.
        let _ = self.close();
    }
}

impl Shared {
    /// The ledger has stopped for good.
    pub(crate) fn stop(&self, failure: Failure) {
        tracing::error!(%failure, "the ledger has stopped");
        self.health.send_replace(Health::Stopped(failure));
        self.erasures.close();
    }

    /// Whether the store may still be written to.
    pub(crate) fn may_write(&self) -> bool {
        !matches!(&*self.health.borrow(), Health::Stopped(_))
    }

    /// Why no request can be taken now, if so.
    pub(crate) fn refusal(&self) -> Option<Failure> {
        match &*self.health.borrow() {
            Health::Stopped(failure) => return Some(failure.clone()),
            Health::NotServing(_) | Health::Serving => {}
        }
        self.closing.load(Ordering::SeqCst).then_some(Failure::ShuttingDown)
    }

    /// The decompressed key of a registered one.
    pub(crate) fn registered_key(&self, key: &KeyBytes) -> Option<PublicKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = keys.get(key) {
            return Some(known.clone());
        }
        drop(keys);
        self.view.load().key(key).ok().flatten()?;
        let public = PublicKey::from_bytes(key).ok()?;
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(*key, public.clone());
        Some(public)
    }
}

/// The C2SP form of the log key in force.
fn verifier_key(origin: &str, log_key: KeyBytes) -> String {
    let named = [NamedKey { key: log_key, log_index: LogIndex(0), since_nanos: 0 }];
    verifier_keys(origin, &named).first().map_or(String::new(), VerifierKey::to_string)
}
