//! The events that payment services sign, decoded. Bytes: [`Event::decode`] and [`Event::encode`].
//!
//! The structs hold what the canonical form allows, not what admission demands: a string may be empty ("absent") and
//! an id may be of the wrong length. [`crate::admit`] checks that afterwards, so that each fault has its own number.

use crate::code::Refusal;
use crate::number::{
    AccountKind, AccountStatus, CaptureMode, ChargebackResult, Payer, RefundCause, Rounding, Side,
};

/// Payload type of a signed event.
pub const EVENT_TYPE: &str = "application/vnd.ledger.event.v1+protobuf";

/// A signed event: header and body.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Event {
    /// Ledger that the event is for, 32 bytes.
    pub ledger_id: Vec<u8>,
    /// UUID v7, 16 bytes: the idempotency key.
    pub event_id: Vec<u8>,
    /// Payment that the event belongs to, 16 bytes or empty.
    pub payment_id: Vec<u8>,
    /// Last accepted submitted event of the payment, 16 bytes or empty.
    pub previous_event_id: Vec<u8>,
    /// Keys that must have signed, ascending, 32 bytes each.
    pub signers: Vec<Vec<u8>>,
    /// Hash of the ids of the atomic group, 32 bytes or empty.
    pub group: Vec<u8>,
    /// The submitter's claim of when, unix nanoseconds.
    pub timestamp_nanos: u64,
    /// yyyymmdd, or 0.
    pub effective_date: u32,
    /// The submitter's reference, unique per party, or empty.
    pub external_ref: String,
    /// Salted hash of private data, 32 bytes or empty.
    pub metadata_commitment: Vec<u8>,
    /// What happened.
    pub body: Body,
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $number:literal $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })+) => {
        $($(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        #[allow(missing_docs, reason = "the fields are those of the published schema")]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* })+

        /// What happened: one of the event types.
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[allow(missing_docs, reason = "one variant per event type, named as its struct")]
        pub enum Body { $($name($name)),+ }

        impl Body {
            /// Number of the event type; its field number in `Event` is 20 more.
            pub fn number(&self) -> u32 {
                match self { $(Self::$name(_) => $number),+ }
            }

            /// Name of the event type.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name)),+ }
            }
        }
    };
}

bodies! {
    /// A payment is announced; nothing is held or posted.
    1 PaymentInitiated { amount: u64, currency: String, debtor: String, creditor: String,
        capture_mode: Option<CaptureMode>, clearing_account: String }
    /// A payment is turned down before anything was held.
    2 PaymentRejected { reason: String }
    /// Money is held on the debtor.
    3 PaymentAuthorized { amount: u64, timeout_s: u32 }
    /// More money is held.
    4 AuthorizationIncreased { amount: u64 }
    /// Part of the hold is released.
    5 AuthorizationReduced { amount: u64 }
    /// Held money is taken.
    6 PaymentCaptured { amount: u64, final_capture: bool, fees: Vec<Fee>, fx: Option<Fx> }
    /// The hold is released.
    7 PaymentVoided { reason: String }
    /// Captured money leaves the clearing account for the creditor.
    9 PaymentSettled { amount: u64, settlement_ref: String, fx: Option<Fx> }
    /// Money goes back to the debtor.
    10 PaymentRefunded { amount: u64, cause: Option<RefundCause>, reason: String, fees: Vec<Fee>, fx: Option<Fx> }
    /// The scheme takes money back from the creditor, into dispute.
    11 ChargebackOpened { amount: u64, reason: String, fx: Option<Fx> }
    /// Disputed money goes to whoever won.
    12 ChargebackResolved { amount: u64, result: Option<ChargebackResult>, fx: Option<Fx> }
    /// The posted postings of an earlier event are mirrored.
    13 PaymentReversed { target_event_id: Vec<u8>, reason: String }
    /// Explicit legs between accounts.
    14 TransferPosted { legs: Vec<Leg>, purpose: String, related_payment_id: Vec<u8> }
    /// An account comes into being.
    15 AccountOpened { account: String, currency: String, kind: Option<AccountKind>, limit: u64 }
    /// An account is frozen, thawed or closed.
    16 AccountStatusChanged { account: String, status: Option<AccountStatus>, reason: String }
    /// A key may sign from now on.
    17 KeyRegistered { key: Vec<u8>, party: String, roles: u32, prefix: String }
    /// A key may not sign any more.
    18 KeyRevoked { key: Vec<u8>, reason: String }
    /// No event may be effective on or before this date any more.
    19 PeriodClosed { through: u32 }
    /// The log is signed by another key from now on.
    20 LogKeyRotated { new_key: Vec<u8> }
    /// Another version of the rules holds from now on.
    21 RulesChanged { rules_version: u32 }
    /// The private data of an event was erased.
    22 MetadataErased { event_id: Vec<u8>, reason: String }
    /// An account's limit is set anew.
    23 AccountLimitChanged { account: String, limit: u64 }
}

impl Default for Body {
    fn default() -> Self {
        Self::PeriodClosed(PeriodClosed::default())
    }
}

/// One leg of a transfer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs, reason = "the fields are those of the published schema")]
pub struct Leg {
    pub account: String,
    pub side: Option<Side>,
    pub currency: String,
    pub amount: u64,
}

/// A fee taken within a capture or refund.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs, reason = "the fields are those of the published schema")]
pub struct Fee {
    pub payer: Option<Payer>,
    pub account: String,
    pub currency: String,
    pub amount: u64,
}

/// A conversion into the creditor's currency.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs, reason = "the fields are those of the published schema")]
pub struct Fx {
    pub counter_currency: String,
    pub counter_amount: u64,
    pub rate_mantissa: u64,
    pub rate_scale: u32,
    pub rounding: Option<Rounding>,
    pub quote_ref: String,
}

impl Event {
    /// Decodes the payload of a single event. Errors: 301, 302, 303, 305, 306.
    pub fn decode(payload: &[u8]) -> Result<Self, Refusal> {
        todo!("core bytes")
    }

    /// Decodes the payload of a member of a signed batch, whose entry leaves it a little more room.
    pub fn decode_batched(payload: &[u8]) -> Result<Self, Refusal> {
        todo!("core bytes")
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        todo!("core bytes")
    }
}
