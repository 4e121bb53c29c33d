//! How the rules see state: by key, read only.

use std::sync::Arc;

use ledger_crypto::{Hash, KeyBytes};

use crate::genesis::{Genesis, Limits};
use crate::ids::{AccountIndex, BatchId, CurrencyCode, EventId, KeyIndex, LogIndex, PaymentId, PaymentIndex};
use crate::number::AccountKind;
use crate::original::Original;
use crate::record::{AccountRecord, KeyRecord, PaymentRecord};
use crate::seal::{Params, Totals};

/// State could not be read (a disk error, a missing record): never a refusal, the ledger stops.
#[derive(Debug, thiserror::Error)]
#[error("state could not be read: {0}")]
pub struct ViewError(pub Box<dyn std::error::Error + Send + Sync>);

/// What is known of an event id that is in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KnownEvent {
    /// Where it stands.
    pub log_index: LogIndex,
    /// `recorded_at` of its entry.
    pub recorded_at_nanos: u64,
    /// 0 accepted, else the refusal code.
    pub outcome: u16,
    /// [`crate::unit::content_digest`] of its type and payload: equal digests are the same event.
    pub digest: Hash,
}

/// What the genesis fixed, in checked types.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Constants {
    /// The genesis as decoded.
    pub genesis: Genesis,
    /// Leaf hash of entry 0.
    pub ledger_id: Hash,
    /// How many operator keys sign together.
    pub operator_threshold: u32,
    /// Currencies and their decimals, ascending by code.
    pub currencies: Vec<(CurrencyCode, u8)>,
    /// Bounds of groups and batches.
    pub limits: Limits,
}

impl Constants {
    /// Decimals of a currency of this ledger.
    pub fn exponent(&self, currency: CurrencyCode) -> Option<u8> {
        let position = self.currencies.binary_search_by_key(&currency, |(code, _)| *code).ok()?;
        self.currencies.get(position).map(|(_, exponent)| *exponent)
    }
}

/// Whose reference an external reference is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Referenced {
    /// A payment, by event 1.
    Payment(PaymentId),
    /// A transfer, by event 14.
    Transfer(EventId),
}

/// State before an event, by key. Implemented by the verifier's memory, the writer's tail over RocksDB, and an
/// overlay over either.
pub trait StateView {
    /// What the genesis fixed.
    fn constants(&self) -> &Constants;
    /// What is in force now.
    fn params(&self) -> &Params;
    /// Number of accounts: the index of the next one.
    fn account_count(&self) -> u64;
    /// Number of payments.
    fn payment_count(&self) -> u64;
    /// Number of keys.
    fn key_count(&self) -> u64;
    /// Index of an account.
    fn account_index(&self, id: &str) -> Result<Option<AccountIndex>, ViewError>;
    /// Record of an account that exists.
    fn account(&self, index: AccountIndex) -> Result<Arc<AccountRecord>, ViewError>;
    /// The one FX or DISPUTE account of a currency, closed or not.
    fn special_account(
        &self,
        kind: AccountKind,
        currency: CurrencyCode,
    ) -> Result<Option<AccountIndex>, ViewError>;
    /// Index of a payment.
    fn payment_index(&self, id: &PaymentId) -> Result<Option<PaymentIndex>, ViewError>;
    /// Record of a payment that exists.
    fn payment(&self, index: PaymentIndex) -> Result<Arc<PaymentRecord>, ViewError>;
    /// Index of a key ever registered.
    fn key_index(&self, key: &KeyBytes) -> Result<Option<KeyIndex>, ViewError>;
    /// Record of a key that exists.
    fn key(&self, index: KeyIndex) -> Result<Arc<KeyRecord>, ViewError>;
    /// Number of active keys with role operator and an empty prefix.
    fn operator_count(&self) -> u64;
    /// What is known of an event id.
    fn known_event(&self, id: &EventId) -> Result<Option<KnownEvent>, ViewError>;
    /// An event in the log, accepted or refused, as far as later events ask.
    fn original(&self, id: &EventId) -> Result<Option<Arc<Original>>, ViewError>;
    /// Log index of the reversal of an event.
    fn reversed_at(&self, id: &EventId) -> Result<Option<LogIndex>, ViewError>;
    /// Since which log index a key is or was the log key; 0 that of the genesis.
    fn log_key_since(&self, key: &KeyBytes) -> Result<Option<LogIndex>, ViewError>;
    /// Log index of the header of a batch.
    fn known_batch(&self, id: &BatchId) -> Result<Option<LogIndex>, ViewError>;
    /// Who has taken an external reference of a party.
    fn external_reference(&self, party: &str, reference: &str) -> Result<Option<Referenced>, ViewError>;
    /// The least (expires_at_nanos, payment) with hold > 0 and expires_at ≤ `at`.
    fn next_due(&self, at_nanos: u64) -> Result<Option<(u64, PaymentIndex)>, ViewError>;
}

/// State that moves forward an entry at a time.
pub trait State: StateView {
    /// Sums of the counters per currency, after everything absorbed.
    fn totals(&self) -> &Totals;
    /// Takes over what an entry did. Called in log order for every entry but seals.
    fn absorb(&mut self, executed: &crate::apply::ExecutedEntry<'_>);
}
