//! The log that the model's history stands for, as bytes: entries with every signature made, seals from the model's
//! books. Nothing here is the core's doing but the layouts.

use ledger_core::batch::{BATCH_TYPE, Batch};
use ledger_core::entry::{Content, Entry, EntrySignature};
use ledger_core::event::EVENT_TYPE;
use ledger_core::genesis::Genesis;
use ledger_core::ids::{BlockHeight, LogIndex};
use ledger_core::seal::{Params, Seal, Totals};
use ledger_crypto::{Hash, dsse};
use ledger_merkle::build::root;

use crate::keyring;
use crate::model::{self, Books, Ledger, What};

/// Entries so far.
pub struct Log {
    /// Encoded.
    pub entries: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
    /// Index of the first entry of the block in hand: the last seal.
    first: usize,
    height: u64,
    /// Position of the next member of a batch, and how many it has.
    batch: (u32, u32),
}

impl Log {
    /// A log with its genesis and the seal after it.
    ///
    /// # Panics
    /// When the model has more entries.
    pub fn new(genesis: &Genesis, model: &Ledger) -> Self {
        assert_eq!(model.history.len(), 2, "a ledger without commands");
        let mut log = Self { entries: Vec::new(), leaves: Vec::new(), first: 0, height: 0, batch: (0, 0) };
        log.push(genesis.to_entry(model.history[0].recorded_at));
        log.take(model);
        log
    }

    /// Takes over what the model did since; call it after every command.
    pub fn take(&mut self, model: &Ledger) {
        while let Some(entry) = model.history.get(self.entries.len()) {
            let (group_len, group_index) = place_in_group(&model.history, self.entries.len());
            let content = self.content(model, entry);
            let (recorded_at_nanos, outcome) = (entry.recorded_at, entry.outcome());
            self.push(Entry { recorded_at_nanos, outcome, group_len, group_index, content }.encode());
        }
    }

    fn push(&mut self, entry: Vec<u8>) {
        self.leaves.push(Entry::leaf_hash(&entry));
        self.entries.push(entry);
    }

    fn content(&mut self, model: &Ledger, entry: &model::Entry) -> Content {
        let (payload, payload_type) = (entry.payload.clone(), EVENT_TYPE.to_owned());
        let (position, count) = self.batch;
        match &entry.what {
            What::Genesis => panic!("a genesis stands at 0"),
            What::Seal => Content::Seal(Box::new(self.seal(model.fixed.ledger_id, &model.books))),
            What::Expiry => Content::Expiry { payment_id: entry.after.as_ref().expect("of a payment").id },
            What::BatchHeader => {
                let batch = Batch::decode(&payload).expect("admitted");
                self.batch = (0, batch.count);
                Content::BatchHeader { signatures: signed(BATCH_TYPE, &payload, &batch.signers), payload }
            }
            What::Event(..) if position < count => {
                self.batch.0 += 1;
                Content::BatchedEvent { position, payload_type, payload }
            }
            What::Event(event, _) => Content::Event {
                signatures: signed(EVENT_TYPE, &payload, &event.signers),
                payload_type,
                payload,
            },
        }
    }

    fn seal(&mut self, ledger_id: Hash, books: &Books) -> Seal {
        let block = &self.leaves[self.first..];
        let accounts: Vec<Hash> = books.accounts.iter().map(|account| account.record().leaf_hash()).collect();
        let payments: Vec<Hash> = books.payments.iter().map(|payment| payment.record().leaf_hash()).collect();
        let keys: Vec<Hash> = books.keys.iter().map(|key| key.record().leaf_hash()).collect();
        let log_key = books.log_keys.last().expect("one").as_slice().try_into().expect("32 bytes");
        let closed_through = books.closed_through;
        let params =
            Params { ledger_id, rules_version: 1, rules_index: LogIndex(0), log_key, closed_through };
        let seal = Seal {
            height: BlockHeight(self.height),
            first_index: LogIndex(self.first as u64),
            entry_count: u32::try_from(block.len()).expect("a few"),
            previous_seal: if self.height == 0 { ledger_id } else { block[0] },
            block_root: root(block),
            log_root: root(&self.leaves),
            account_count: accounts.len() as u64,
            accounts_root: root(&accounts),
            payment_count: payments.len() as u64,
            payments_root: root(&payments),
            key_count: keys.len() as u64,
            keys_root: root(&keys),
            totals_hash: Totals(books.totals()).hash(),
            params_hash: params.hash(),
        };
        (self.first, self.height) = (self.leaves.len(), self.height + 1);
        seal
    }
}

/// Length of the group that an entry stands in, and its position; a group is named by the ids in it, so only once.
fn place_in_group(history: &[model::Entry], position: usize) -> (u16, u16) {
    let group = |entry: &model::Entry| entry.event().map_or(Vec::new(), |event| event.group.clone());
    let own = group(&history[position]);
    if own.is_empty() {
        return (1, 0);
    }
    let before = history[..position].iter().rev().take_while(|entry| group(entry) == own).count();
    let after = history[position..].iter().take_while(|entry| group(entry) == own).count();
    (u16::try_from(before + after).expect("a few"), u16::try_from(before).expect("a few"))
}

fn signed(payload_type: &str, payload: &[u8], signers: &[Vec<u8>]) -> Vec<EntrySignature> {
    let message = dsse::message(payload_type, payload);
    let signature = |key: &Vec<u8>| EntrySignature {
        key: key.as_slice().try_into().expect("admitted"),
        signature: keyring::secret(key).expect("a key of the ring").sign(&message),
    };
    signers.iter().map(signature).collect()
}
