//! Making a ledger: entries 0 and 1, block 0, the first state. Built aside and renamed, so it is there whole or not.

use std::io;
use std::path::PathBuf;

use ledger_core::apply::{genesis_effects, genesis_params};
use ledger_core::genesis::{Genesis, GenesisError};
use ledger_core::ids::{BlockHeight, LogIndex};
use ledger_core::seal::{SealChain, Totals};
use ledger_crypto::{Hash, SigningKey, sha256};
use ledger_merkle::leaf_hash;
use ledger_merkle::tile::TileWriter;
use rocksdb::WriteBatch;

use crate::block::OpenBlock;
use crate::commit::put_seal;
use crate::config::Config;
use crate::head::{Durable, Marker, swap_head, sync_dir};
use crate::ledger::Ledger;
use crate::rows::events;
use crate::rows::state::{Record, WATERMARK_KEY, Watermark, record_key};
use crate::sealer::{SealState, SealedCut, sign};
use crate::store::{Store, family};

/// Why a ledger was not made. Existing files are never overwritten.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There is a ledger, or part of one.
    #[error("{path} exists: a ledger is never made over another one")]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// An earlier creation was interrupted.
    #[error("{path} is what an interrupted creation left: remove it and create again")]
    Interrupted {
        /// What is there.
        path: PathBuf,
    },
    /// The genesis is not valid.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The log key is not the one that the genesis names.
    #[error("the log key is {found}, the genesis names {expected}")]
    LogKey {
        /// Public key of the given one.
        found: String,
        /// Key in the genesis.
        expected: String,
    },
    /// A file could not be written.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The store could not be made.
    #[error("the store could not be made: {0}")]
    Store(String),
}

/// The database while it is built.
const BUILDING: &str = "db.creating";
/// There while the database has its name, and marker and head are not written yet.
const PENDING: &str = "create.pending";

/// What an interrupted creation left, if there is anything.
pub(crate) fn interrupted_creation(config: &Config) -> Option<PathBuf> {
    [BUILDING, PENDING].map(|name| config.dir.join(name)).into_iter().find(|path| path.exists())
}

impl Ledger {
    /// Makes a ledger in `config.dir` and returns its id. The genesis is sealed at once, as block 0, so the ledger has
    /// a checkpoint from the first moment; the first event has log index 2.
    pub fn create(config: &Config, genesis: &Genesis, log_key: &SigningKey) -> Result<Hash, CreateError> {
        let (db, head) = (config.db_dir(), config.head_dir());
        if let Some(path) = interrupted_creation(config) {
            return Err(CreateError::Interrupted { path });
        }
        let (building, pending) = (config.dir.join(BUILDING), config.dir.join(PENDING));
        for path in [db.clone(), head.join("head"), head.join("marker")] {
            if path.exists() {
                return Err(CreateError::Exists { path });
            }
        }
        if genesis.log_key != log_key.public_bytes() {
            let (found, expected) = (hex::encode(log_key.public_bytes()), hex::encode(&genesis.log_key));
            return Err(CreateError::LogKey { found, expected });
        }
        let now = config.clock.read().wall_nanos;
        let entry = genesis.to_entry(now);
        let (constants, _) = Genesis::from_entry(&entry)?;
        for dir in [&config.dir, &head] {
            std::fs::create_dir_all(dir).map_err(|error| CreateError::Io { path: dir.clone(), error })?;
        }

        let effects = genesis_effects(&constants);
        let params = genesis_params(&constants);
        let mut block = OpenBlock::new(BlockHeight(0), Totals::default(), params.clone());
        block.push(leaf_hash(&entry), &effects, 0);
        let cut = block.cut(LogIndex(1), now + 1);
        let watermark = Watermark {
            next_index: LogIndex(2),
            height: BlockHeight(0),
            seal_nanos: now + 1,
            epoch: 0,
            params,
            account_count: 0,
            payment_count: 0,
            key_count: effects.keys.len() as u64,
            totals: Totals::default(),
        };
        let mut bundle = Vec::new();
        events::push(&mut bundle, &entry);
        events::push(&mut bundle, &[]);

        let store_error = |error: &dyn std::fmt::Display| CreateError::Store(error.to_string());
        let store = Store::open(&building, true).map_err(|error| store_error(&error))?;
        let mut seals = SealState::new(SealChain::new(constants.ledger_id), TileWriter::new());
        let sealed: SealedCut = seals.seal(&store, cut).map_err(|error| store_error(&error))?;
        let mut batch = WriteBatch::default();
        batch.put_cf(store.family(family::EVENTS), events::key(0), &bundle);
        put_seal(&mut batch, &store, &sealed);
        let state = store.family(family::STATE);
        for (index, key) in &effects.keys {
            batch.put_cf(state, record_key(Record::Key, index.0, 0), key.encode());
        }
        batch.put_cf(state, WATERMARK_KEY, watermark.encode());
        store.commit(batch).map_err(|error| store_error(&error))?;
        drop(store);

        let published = sign(
            &genesis.origin,
            std::slice::from_ref(log_key),
            BlockHeight(0),
            2,
            sealed.block.checkpoint_root,
        )
        .map_err(|error| store_error(&error))?;
        // From here until the head is written, the ledger has a name and is not whole.
        std::fs::File::create_new(&pending)
            .and_then(|_| std::fs::rename(&building, &db))
            .and_then(|()| sync_dir(&config.dir))
            .map_err(|error| CreateError::Io { path: db, error })?;
        let durable = Durable { next_index: 2, last_bundle: 0, bundle_hash: sha256(&bundle) };
        Marker::create(&head, durable)
            .map_err(|error| CreateError::Io { path: head.join("marker"), error })?;
        swap_head(&head, None, &published.text).map_err(|error| store_error(&error))?;
        std::fs::remove_file(&pending)
            .and_then(|()| sync_dir(&config.dir))
            .map_err(|error| CreateError::Io { path: pending, error })?;
        Ok(constants.ledger_id)
    }
}
