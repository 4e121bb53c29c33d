//! The records that the state trees commit to.

use std::sync::Arc;

use ledger_crypto::{Hash, KeyBytes};

use crate::ids::{AccountId, AccountIndex, CurrencyCode, EventId, LogIndex, PaymentId};
use crate::layout::{Layout, LayoutError};
use crate::money::MAX_EXPONENT;
use crate::number::{
    AccountKind, AccountStatus, CaptureMode, KeyStatus, PaymentStatus, ReleaseCause, Roles, Route,
};

/// The four counters of an account, minor units, never negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs, reason = "named as in the published record")]
pub struct Counters {
    pub posted_debits: i128,
    pub posted_credits: i128,
    pub pending_debits: i128,
    pub pending_credits: i128,
}

/// Leaf of the accounts tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRecord {
    /// Whether it takes postings.
    pub status: AccountStatus,
    /// What it is for.
    pub kind: AccountKind,
    /// Decimals of its currency, frozen at opening.
    pub exponent: u8,
    /// Its one currency.
    pub currency: CurrencyCode,
    /// Its name.
    pub id: AccountId,
    /// Minor units below zero that are allowed; CUSTOMER, MERCHANT and CASH only.
    pub limit: u64,
    /// What was posted and held.
    pub counters: Counters,
    /// Log index of the event that opened it.
    pub opened_index: LogIndex,
    /// Number of statement lines.
    pub line_count: u64,
    /// Hash chain over the statement lines.
    pub statement_chain: Hash,
}

/// Leaf of the payments tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentRecord {
    /// What its counters say, by [`PaymentRecord::derived_status`].
    pub status: PaymentStatus,
    /// Deferred or immediate.
    pub capture_mode: CaptureMode,
    /// Direct or through a clearing account.
    pub route: Route,
    /// Cause of the last increase of `rel`.
    pub last_release: Option<ReleaseCause>,
    /// Its id.
    pub id: PaymentId,
    /// Who pays.
    pub debtor: AccountIndex,
    /// Who is paid.
    pub creditor: AccountIndex,
    /// Clearing account of route CLEARING.
    pub clearing: Option<AccountIndex>,
    /// Currency of every amount below.
    pub currency: CurrencyCode,
    /// Instructed amount, minor units.
    pub amount: u64,
    /// Authorized so far.
    pub auth: i128,
    /// Captured.
    pub capt: i128,
    /// Released.
    pub rel: i128,
    /// Settled with the creditor.
    pub sett: i128,
    /// Refunded.
    pub refd: i128,
    /// In dispute.
    pub disp: i128,
    /// Lost in dispute.
    pub lost: i128,
    /// When the hold runs out, unix nanoseconds; 0 none; stays once set.
    pub expires_at_nanos: u64,
    /// Last accepted submitted event.
    pub head: EventId,
    /// Accepted submitted events.
    pub event_count: u32,
    /// Last entry that changed the record.
    pub last_index: LogIndex,
}

/// Leaf of the keys tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRecord {
    /// Whether it may sign.
    pub status: KeyStatus,
    /// What it may sign.
    pub roles: Roles,
    /// The key.
    pub key: KeyBytes,
    /// Log index of its registration; 0 for operators of the genesis.
    pub registered_index: LogIndex,
    /// Log index of its revocation.
    pub revoked_index: Option<LogIndex>,
    /// Name of its party.
    pub party: Arc<str>,
    /// Accounts that it covers: all (empty), one, or those that begin with a prefix ending in `:`.
    pub prefix: Arc<str>,
}

impl Counters {
    /// The four counters as they stand in every layout.
    pub fn to_bytes(&self) -> [u8; COUNTERS_BYTES] {
        let mut bytes = [0; COUNTERS_BYTES];
        let values = [self.posted_debits, self.posted_credits, self.pending_debits, self.pending_credits];
        for (place, value) in bytes.chunks_exact_mut(16).zip(values) {
            place.copy_from_slice(&value.to_be_bytes());
        }
        bytes
    }

    pub(crate) fn read(layout: &mut Layout<'_>) -> Result<Self, LayoutError> {
        Ok(Self {
            posted_debits: layout.counter("posted_debits")?,
            posted_credits: layout.counter("posted_credits")?,
            pending_debits: layout.counter("pending_debits")?,
            pending_credits: layout.counter("pending_credits")?,
        })
    }
}

impl AccountRecord {
    /// The bytes of the leaf.
    pub fn encode(&self) -> Vec<u8> {
        let id = self.id.as_str().as_bytes();
        let mut out = Vec::with_capacity(160 + id.len());
        let head = [ACCOUNT, VERSION, self.status.number(), self.kind.number(), self.exponent];
        out.extend_from_slice(&head);
        out.extend_from_slice(self.currency.as_bytes());
        out.push(id.len() as u8);
        out.extend_from_slice(id);
        out.extend_from_slice(&self.limit.to_be_bytes());
        out.extend_from_slice(&self.counters.to_bytes());
        out.extend_from_slice(&self.opened_index.0.to_be_bytes());
        out.extend_from_slice(&self.line_count.to_be_bytes());
        out.extend_from_slice(&self.statement_chain);
        out
    }

    /// Reads the bytes of a leaf strictly.
    ///
    /// # Errors
    /// [`LayoutError`] names the first field that is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut layout = Layout::new("account record", bytes);
        layout.constant("type", ACCOUNT)?;
        layout.constant("version", VERSION)?;
        let record = Self {
            status: layout.numbered("status", AccountStatus::from_number)?,
            kind: layout.numbered("kind", AccountKind::from_number)?,
            exponent: layout.u8("exponent")?,
            currency: read_currency(&mut layout)?,
            id: read_account_id(&mut layout)?,
            limit: layout.u64("limit")?,
            counters: Counters::read(&mut layout)?,
            opened_index: LogIndex(layout.u64("opened_index")?),
            line_count: layout.u64("line_count")?,
            statement_chain: layout.array("statement_chain")?,
        };
        if record.exponent > MAX_EXPONENT {
            return Err(layout.error("exponent", record.exponent, format!("at most {MAX_EXPONENT}")));
        }
        layout.end()?;
        Ok(record)
    }

    /// Leaf hash in its state tree.
    pub fn leaf_hash(&self) -> Hash {
        ledger_merkle::leaf_hash(&self.encode())
    }
}

impl PaymentRecord {
    /// The bytes of the leaf.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(PAYMENT_BYTES);
        let last_release = self.last_release.map_or(0, ReleaseCause::number);
        let (status, mode) = (self.status.number(), self.capture_mode.number());
        out.extend_from_slice(&[PAYMENT, VERSION, status, mode, self.route.number(), last_release]);
        out.extend_from_slice(&self.id.0);
        let clearing = self.clearing.map_or(NONE, |index| index.0);
        for index in [self.debtor.0, self.creditor.0, clearing] {
            out.extend_from_slice(&index.to_be_bytes());
        }
        out.extend_from_slice(self.currency.as_bytes());
        out.extend_from_slice(&self.amount.to_be_bytes());
        for counter in [self.auth, self.capt, self.rel, self.sett, self.refd, self.disp, self.lost] {
            out.extend_from_slice(&counter.to_be_bytes());
        }
        out.extend_from_slice(&self.expires_at_nanos.to_be_bytes());
        out.extend_from_slice(&self.head.0);
        out.extend_from_slice(&self.event_count.to_be_bytes());
        out.extend_from_slice(&self.last_index.0.to_be_bytes());
        out
    }

    /// Reads the bytes of a leaf strictly.
    ///
    /// # Errors
    /// [`LayoutError`] names the first field that is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut layout = Layout::new("payment record", bytes);
        layout.constant("type", PAYMENT)?;
        layout.constant("version", VERSION)?;
        let record = Self {
            status: layout.numbered("status", PaymentStatus::from_number)?,
            capture_mode: layout.numbered("capture_mode", CaptureMode::from_number)?,
            route: layout.numbered("route", Route::from_number)?,
            last_release: layout.numbered("last_release", |number| match number {
                0 => Some(None),
                _ => ReleaseCause::from_number(number).map(Some),
            })?,
            id: PaymentId(layout.array("payment_id")?),
            debtor: AccountIndex(layout.u64("debtor")?),
            creditor: AccountIndex(layout.u64("creditor")?),
            clearing: some_index(layout.u64("clearing")?).map(AccountIndex),
            currency: read_currency(&mut layout)?,
            amount: layout.u64("amount")?,
            auth: layout.counter("auth")?,
            capt: layout.counter("capt")?,
            rel: layout.counter("rel")?,
            sett: layout.counter("sett")?,
            refd: layout.counter("refd")?,
            disp: layout.counter("disp")?,
            lost: layout.counter("lost")?,
            expires_at_nanos: layout.u64("expires_at")?,
            head: EventId(layout.array("head")?),
            event_count: layout.u32("event_count")?,
            last_index: LogIndex(layout.u64("last_index")?),
        };
        if (record.route == Route::Clearing) != record.clearing.is_some() {
            let found = record.clearing.map_or_else(|| "none".to_owned(), |index| index.to_string());
            return Err(layout.error("clearing", found, "an account exactly on route CLEARING"));
        }
        layout.end()?;
        Ok(record)
    }

    /// Leaf hash in its state tree.
    pub fn leaf_hash(&self) -> Hash {
        ledger_merkle::leaf_hash(&self.encode())
    }
}

impl KeyRecord {
    /// The bytes of the leaf.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.party.len() + self.prefix.len());
        out.extend_from_slice(&[KEY, VERSION, self.status.number()]);
        out.extend_from_slice(&self.roles.0.to_be_bytes());
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.registered_index.0.to_be_bytes());
        out.extend_from_slice(&self.revoked_index.map_or(NONE, |index| index.0).to_be_bytes());
        for text in [&self.party, &self.prefix] {
            out.push(text.len() as u8);
            out.extend_from_slice(text.as_bytes());
        }
        out
    }

    /// Reads the bytes of a leaf strictly.
    ///
    /// # Errors
    /// [`LayoutError`] names the first field that is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut layout = Layout::new("key record", bytes);
        layout.constant("type", KEY)?;
        layout.constant("version", VERSION)?;
        let record = Self {
            status: layout.numbered("status", KeyStatus::from_number)?,
            roles: Roles(layout.u16("roles")?),
            key: layout.array("key")?,
            registered_index: LogIndex(layout.u64("registered_index")?),
            revoked_index: some_index(layout.u64("revoked_index")?).map(LogIndex),
            party: layout.text("party")?.into(),
            prefix: layout.text("prefix")?.into(),
        };
        if record.roles.0 == 0 || !Roles::ALL.contains(record.roles) {
            return Err(layout.error("roles", record.roles.0, format!("bits of {}, not none", Roles::ALL.0)));
        }
        if (record.status == KeyStatus::Revoked) != record.revoked_index.is_some() {
            return Err(layout.error("status", record.status, "REVOKED exactly with a revoked_index"));
        }
        layout.end()?;
        Ok(record)
    }

    /// Leaf hash in its state tree.
    pub fn leaf_hash(&self) -> Hash {
        ledger_merkle::leaf_hash(&self.encode())
    }
}

const ACCOUNT: u8 = 0x41;
const PAYMENT: u8 = 0x50;
const KEY: u8 = 0x4B;
const VERSION: u8 = 1;
/// Encoded length of the four counters.
pub(crate) const COUNTERS_BYTES: usize = 64;
/// Encoded length of a payment.
const PAYMENT_BYTES: usize = 205;
/// An index that stands for "none".
const NONE: u64 = u64::MAX;

fn some_index(index: u64) -> Option<u64> {
    (index != NONE).then_some(index)
}

fn read_currency(layout: &mut Layout<'_>) -> Result<CurrencyCode, LayoutError> {
    let bytes = layout.array("currency")?;
    CurrencyCode::from_bytes(bytes)
        .ok_or_else(|| layout.error("currency", hex::encode(bytes), "three capitals"))
}

fn read_account_id(layout: &mut Layout<'_>) -> Result<AccountId, LayoutError> {
    let id = layout.text("id")?;
    AccountId::parse(id).ok_or_else(|| layout.error("id", id, "[a-z0-9][a-z0-9:_-]{0,63}"))
}
