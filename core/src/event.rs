//! The events that payment services sign, decoded. Bytes: [`Event::decode`] and [`Event::encode`].
//!
//! The structs hold what the canonical form allows, not what admission demands: a string may be empty ("absent") and
//! an id may be of the wrong length. [`crate::admit`] checks that afterwards, so that each fault has its own number.

use crate::code::Refusal;
use crate::entry;
use crate::number::{
    AccountKind, AccountStatus, CaptureMode, ChargebackResult, Payer, RefundCause, Rounding, Side,
};
use crate::wire;

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

wire::fields!(Event {
    1 ledger_id, 2 event_id, 3 payment_id, 4 previous_event_id, 5 signers, 6 group, 7 timestamp_nanos,
    8 effective_date, 9 external_ref, 10 metadata_commitment; oneof body
});

impl Event {
    /// Decodes the payload of a single event or a member of a group.
    ///
    /// # Errors
    /// 301 when the payload and the signatures of its `signers` are too long for an entry, 302, 303, 305, 306.
    pub fn decode(payload: &[u8]) -> Result<Self, Refusal> {
        wire::check_length(payload, entry::payload_room(EVENT_TYPE, 1))?;
        let event: Self = wire::decode(payload)?;
        wire::check_length(payload, entry::payload_room(EVENT_TYPE, event.signers.len()))?;
        Ok(event)
    }

    /// Decodes the payload of a member of a signed batch, whose entry holds no signatures.
    ///
    /// # Errors
    /// As [`Event::decode`].
    pub fn decode_batched(payload: &[u8]) -> Result<Self, Refusal> {
        wire::check_length(payload, entry::batched_payload_room(EVENT_TYPE))?;
        wire::decode(payload)
    }

    /// The canonical bytes. What could not be decoded is not encoded either: a string outside printable ASCII, a
    /// `uint32` of 2^31 or more give bytes that [`Event::decode`] refuses.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $event:literal $name:ident { $($number:literal $field:ident : $ty:ty),* $(,)? })+) => {
        $(wire::message! {
            $(#[$doc])*
            #[allow(missing_docs, reason = "the fields are those of the published schema")]
            pub struct $name { $($number $field: $ty),* }
        })+

        /// What happened: one of the event types.
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[allow(missing_docs, reason = "one variant per event type, named as its struct")]
        pub enum Body { $($name($name)),+ }

        impl Body {
            /// Number of the event type; its field number in `Event` is 20 more.
            pub fn number(&self) -> u32 {
                match self { $(Self::$name(_) => $event),+ }
            }

            /// Name of the event type.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name)),+ }
            }

            fn read_oneof(&mut self, place: wire::Place<'_, '_>) -> Result<(), wire::Fault> {
                *self = match place.body_number() {
                    $($event => Self::$name(place.read_body()?),)+
                    _ => return Err(place.skip_body()),
                };
                Ok(())
            }

            fn write_oneof(&self, out: &mut Vec<u8>) {
                match self { $(Self::$name(body) => wire::write_body(body, $event, out)),+ }
            }
        }
    };
}

bodies! {
    /// A payment is announced; nothing is held or posted.
    1 PaymentInitiated { 1 amount: u64, 2 currency: String, 3 debtor: String, 4 creditor: String, 5 capture_mode: Option<CaptureMode>, 6 clearing_account: String }
    /// A payment is turned down before anything was held.
    2 PaymentRejected { 1 reason: String }
    /// Money is held on the debtor.
    3 PaymentAuthorized { 1 amount: u64, 2 timeout_s: u32 }
    /// More money is held.
    4 AuthorizationIncreased { 1 amount: u64 }
    /// Part of the hold is released.
    5 AuthorizationReduced { 1 amount: u64 }
    /// Held money is taken.
    6 PaymentCaptured { 1 amount: u64, 2 final_capture: bool, 3 fees: Vec<Fee>, 4 fx: Option<Fx> }
    /// The hold is released.
    7 PaymentVoided { 1 reason: String }
    /// Captured money leaves the clearing account for the creditor.
    9 PaymentSettled { 1 amount: u64, 2 settlement_ref: String, 3 fx: Option<Fx> }
    /// Money goes back to the debtor.
    10 PaymentRefunded { 1 amount: u64, 2 cause: Option<RefundCause>, 3 reason: String, 4 fees: Vec<Fee>, 5 fx: Option<Fx> }
    /// The scheme takes money back from the creditor, into dispute.
    11 ChargebackOpened { 1 amount: u64, 2 reason: String, 3 fx: Option<Fx> }
    /// Disputed money goes to whoever won.
    12 ChargebackResolved { 1 amount: u64, 2 result: Option<ChargebackResult>, 3 fx: Option<Fx> }
    /// The posted postings of an earlier event are mirrored.
    13 PaymentReversed { 1 target_event_id: Vec<u8>, 2 reason: String }
    /// Explicit legs between accounts.
    14 TransferPosted { 1 legs: Vec<Leg>, 2 purpose: String, 3 related_payment_id: Vec<u8> }
    /// An account comes into being.
    15 AccountOpened { 1 account: String, 2 currency: String, 3 kind: Option<AccountKind>, 4 limit: u64 }
    /// An account is frozen, thawed or closed.
    16 AccountStatusChanged { 1 account: String, 2 status: Option<AccountStatus>, 3 reason: String }
    /// A key may sign from now on.
    17 KeyRegistered { 1 key: Vec<u8>, 2 party: String, 3 roles: u32, 4 prefix: String }
    /// A key may not sign any more.
    18 KeyRevoked { 1 key: Vec<u8>, 2 reason: String }
    /// No event may be effective on or before this date any more.
    19 PeriodClosed { 1 through: u32 }
    /// The log is signed by another key from now on.
    20 LogKeyRotated { 1 new_key: Vec<u8> }
    /// Another version of the rules holds from now on.
    21 RulesChanged { 1 rules_version: u32 }
    /// The private data of an event was erased.
    22 MetadataErased { 1 event_id: Vec<u8>, 2 reason: String }
    /// An account's limit is set anew.
    23 AccountLimitChanged { 1 account: String, 2 limit: u64 }
}

/// What an event is about: it decides which fields a header carries, where the event may stand, and who signs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// The first event of a payment.
    Initiation,
    /// A later event of a payment.
    Step,
    /// The reversal of a payment's event or of a transfer.
    Reversal,
    /// Explicit legs.
    Transfer,
    /// Accounts, periods, erasures: never in a group.
    Control,
    /// What admission itself reads, keys and versions: never in a group or batch.
    Registry,
}

impl Body {
    /// What the event is about.
    pub fn family(&self) -> Family {
        match self {
            Self::PaymentInitiated(_) => Family::Initiation,
            Self::PaymentRejected(_)
            | Self::PaymentAuthorized(_)
            | Self::AuthorizationIncreased(_)
            | Self::AuthorizationReduced(_)
            | Self::PaymentCaptured(_)
            | Self::PaymentVoided(_)
            | Self::PaymentSettled(_)
            | Self::PaymentRefunded(_)
            | Self::ChargebackOpened(_)
            | Self::ChargebackResolved(_) => Family::Step,
            Self::PaymentReversed(_) => Family::Reversal,
            Self::TransferPosted(_) => Family::Transfer,
            Self::AccountOpened(_)
            | Self::AccountStatusChanged(_)
            | Self::PeriodClosed(_)
            | Self::MetadataErased(_)
            | Self::AccountLimitChanged(_) => Family::Control,
            Self::KeyRegistered(_) | Self::KeyRevoked(_) | Self::LogKeyRotated(_) | Self::RulesChanged(_) => {
                Family::Registry
            }
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::PeriodClosed(PeriodClosed::default())
    }
}

wire::message! {
    /// One leg of a transfer.
    #[allow(missing_docs, reason = "the fields are those of the published schema")]
    pub struct Leg {
        1 account: String,
        2 side: Option<Side>,
        3 currency: String,
        4 amount: u64,
    }
}

wire::message! {
    /// A fee taken within a capture or refund.
    #[allow(missing_docs, reason = "the fields are those of the published schema")]
    pub struct Fee {
        1 payer: Option<Payer>,
        2 account: String,
        3 currency: String,
        4 amount: u64,
    }
}

wire::message! {
    /// A conversion into the creditor's currency.
    #[allow(missing_docs, reason = "the fields are those of the published schema")]
    pub struct Fx {
        1 counter_currency: String,
        2 counter_amount: u64,
        3 rate_mantissa: u64,
        4 rate_scale: u32,
        5 rounding: Option<Rounding>,
        6 quote_ref: String,
    }
}
