//! Statement lines: one per posting on an account, chained by hash.

use ledger_crypto::{Hash, Hasher, domain};

use crate::ids::{AccountId, AccountIndex, EventId, LogIndex, PaymentId};
use crate::layout::{Layout, LayoutError};
use crate::number::{Layer, Side};
use crate::posting::Posting;
use crate::record::Counters;

/// Encoded length of a line.
pub const LINE_BYTES: usize = 138;

/// A statement line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// The account, by position; not part of the bytes.
    pub account: AccountIndex,
    /// From 1, gapless per account.
    pub number: u64,
    /// Entry that posted it.
    pub log_index: LogIndex,
    /// `recorded_at` of that entry.
    pub recorded_at_nanos: u64,
    /// What was posted.
    pub posting: Posting,
    /// The event; nil for an expiry.
    pub event_id: EventId,
    /// The payment; nil for transfers.
    pub payment_id: PaymentId,
    /// Counters of the account after it.
    pub after: Counters,
}

impl Line {
    /// The bytes of the line.
    pub fn encode(&self) -> [u8; LINE_BYTES] {
        let mut line = [0; LINE_BYTES];
        let mut rest = line.as_mut_slice();
        let mut put = |bytes: &[u8]| {
            if let Some((place, after)) = std::mem::take(&mut rest).split_at_mut_checked(bytes.len()) {
                place.copy_from_slice(bytes);
                rest = after;
            }
        };
        put(&self.number.to_be_bytes());
        put(&self.log_index.0.to_be_bytes());
        put(&self.recorded_at_nanos.to_be_bytes());
        put(&[self.posting.layer.number(), self.posting.side.number()]);
        put(&self.posting.delta.to_be_bytes());
        put(&self.event_id.0);
        put(&self.payment_id.0);
        put(&self.after.to_bytes());
        line
    }

    /// Reads the bytes of a line of `account` strictly.
    ///
    /// # Errors
    /// [`LayoutError`] names the first field that is wrong.
    pub fn decode(account: AccountIndex, bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut layout = Layout::new("statement line", bytes);
        let number = layout.u64("number")?;
        if number == 0 {
            return Err(layout.error("number", number, "1 or more"));
        }
        let line = Self {
            account,
            number,
            log_index: LogIndex(layout.u64("log_index")?),
            recorded_at_nanos: layout.u64("recorded_at")?,
            posting: Posting {
                account,
                layer: layout.numbered("layer", Layer::from_number)?,
                side: layout.numbered("side", Side::from_number)?,
                delta: layout.i128("delta")?,
            },
            event_id: EventId(layout.array("event_id")?),
            payment_id: PaymentId(layout.array("payment_id")?),
            after: Counters::read(&mut layout)?,
        };
        layout.end()?;
        Ok(line)
    }

    /// The chain after this line: `H(0x03 ‖ chain ‖ line)`.
    pub fn chained(&self, chain: &Hash) -> Hash {
        let mut hasher = Hasher::tagged(domain::STATEMENT);
        hasher.update(chain).update(&self.encode());
        hasher.finish()
    }
}

/// First value of an account's chain: `H(0x03 ‖ account id)`.
pub fn first_chain(account: &AccountId) -> Hash {
    let mut hasher = Hasher::tagged(domain::STATEMENT);
    hasher.update(account.as_str().as_bytes());
    hasher.finish()
}
