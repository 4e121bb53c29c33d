//! The numbered answers: 100 × group + n, gapless within a group, never reused.
//!
//! Groups 7 to 10 depend on state: they stand in the log as the outcome of their entry. Groups 2 to 6 leave no trace.
//! Group 1 is the system's own.

macro_rules! codes {
    ($($number:literal $variant:ident $name:ident)+) => {
        /// Why an event was not accepted.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u16)]
        #[allow(missing_docs, reason = "the variants are the names of the published table")]
        pub enum Code { $($variant = $number),+ }

        impl Code {
            /// All codes, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The code of a number.
            pub fn from_number(number: u16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The published name, such as `INSUFFICIENT_FUNDS`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($name)),+ }
            }
        }
    };
}

codes! {
    101 Overloaded OVERLOADED
    102 RateLimited RATE_LIMITED
    103 StorageUnavailable STORAGE_UNAVAILABLE
    104 ShuttingDown SHUTTING_DOWN
    105 ClockRegressed CLOCK_REGRESSED
    106 ClockJumped CLOCK_JUMPED
    107 ReadOnly READ_ONLY
    108 InternalInvariantBroken INTERNAL_INVARIANT_BROKEN
    201 RequestEmpty REQUEST_EMPTY
    202 RequestTooLarge REQUEST_TOO_LARGE
    203 DuplicateEventId DUPLICATE_EVENT_ID
    204 GroupMismatch GROUP_MISMATCH
    205 BatchMismatch BATCH_MISMATCH
    301 PayloadTooLarge PAYLOAD_TOO_LARGE
    302 EncodingNotCanonical ENCODING_NOT_CANONICAL
    303 UnknownField UNKNOWN_FIELD
    304 SchemaVersionUnsupported SCHEMA_VERSION_UNSUPPORTED
    305 EventTypeUnknown EVENT_TYPE_UNKNOWN
    306 EventTypeReserved EVENT_TYPE_RESERVED
    307 LedgerIdMismatch LEDGER_ID_MISMATCH
    401 SignersMismatch SIGNERS_MISMATCH
    402 SignatureMalformed SIGNATURE_MALFORMED
    403 SignatureInvalid SIGNATURE_INVALID
    404 SignerKeyUnknown SIGNER_KEY_UNKNOWN
    405 SignerKeyRevoked SIGNER_KEY_REVOKED
    406 SignerRoleMissing SIGNER_ROLE_MISSING
    407 SignerNotAccountOwner SIGNER_NOT_ACCOUNT_OWNER
    501 EventIdNil EVENT_ID_NIL
    502 EventIdNotV7 EVENT_ID_NOT_V7
    503 EventIdConflict EVENT_ID_CONFLICT
    504 EventAlreadyRefused EVENT_ALREADY_REFUSED
    505 EventIdFromFuture EVENT_ID_FROM_FUTURE
    506 TimestampOutOfRange TIMESTAMP_OUT_OF_RANGE
    601 FieldRequired FIELD_REQUIRED
    602 FieldNotAllowed FIELD_NOT_ALLOWED
    603 FieldInvalid FIELD_INVALID
    604 CurrencyUnknown CURRENCY_UNKNOWN
    605 CurrencyNotSupported CURRENCY_NOT_SUPPORTED
    606 AmountZero AMOUNT_ZERO
    607 AmountTooLarge AMOUNT_TOO_LARGE
    608 AccountIdInvalid ACCOUNT_ID_INVALID
    609 AccountsMustDiffer ACCOUNTS_MUST_DIFFER
    610 LegsTooFew LEGS_TOO_FEW
    611 LegsTooMany LEGS_TOO_MANY
    612 LegsUnbalanced LEGS_UNBALANCED
    613 FeesTooMany FEES_TOO_MANY
    614 FxRateOutOfRange FX_RATE_OUT_OF_RANGE
    615 TimeoutOutOfRange TIMEOUT_OUT_OF_RANGE
    616 ReasonInvalid REASON_INVALID
    617 ExternalRefInvalid EXTERNAL_REF_INVALID
    618 MetadataTooLarge METADATA_TOO_LARGE
    619 MetadataCommitmentMismatch METADATA_COMMITMENT_MISMATCH
    620 EffectiveDateInvalid EFFECTIVE_DATE_INVALID
    701 PaymentNotFound PAYMENT_NOT_FOUND
    702 PaymentAccessDenied PAYMENT_ACCESS_DENIED
    703 PaymentAlreadyExists PAYMENT_ALREADY_EXISTS
    704 DuplicateExternalRef DUPLICATE_EXTERNAL_REF
    705 DebtorAccountNotFound DEBTOR_ACCOUNT_NOT_FOUND
    706 CreditorAccountNotFound CREDITOR_ACCOUNT_NOT_FOUND
    707 AccountNotFound ACCOUNT_NOT_FOUND
    708 AccountAlreadyExists ACCOUNT_ALREADY_EXISTS
    709 AccountKindTaken ACCOUNT_KIND_TAKEN
    710 AccountKindNotAllowed ACCOUNT_KIND_NOT_ALLOWED
    711 AccountCurrencyMismatch ACCOUNT_CURRENCY_MISMATCH
    712 PreviousEventMismatch PREVIOUS_EVENT_MISMATCH
    713 TargetEventNotFound TARGET_EVENT_NOT_FOUND
    714 TargetNotInPayment TARGET_NOT_IN_PAYMENT
    715 TargetNotReversible TARGET_NOT_REVERSIBLE
    716 TargetAlreadyReversed TARGET_ALREADY_REVERSED
    717 KeyNotFound KEY_NOT_FOUND
    718 KeyAlreadyRegistered KEY_ALREADY_REGISTERED
    719 KeyAlreadyRevoked KEY_ALREADY_REVOKED
    801 TransitionNotAllowed TRANSITION_NOT_ALLOWED
    802 AuthorizationExpired AUTHORIZATION_EXPIRED
    803 AuthorizeExceedsInstructed AUTHORIZE_EXCEEDS_INSTRUCTED
    804 ReduceExceedsHold REDUCE_EXCEEDS_HOLD
    805 CaptureExceedsHold CAPTURE_EXCEEDS_HOLD
    806 CaptureMustBeFull CAPTURE_MUST_BE_FULL
    807 SettleExceedsCaptured SETTLE_EXCEEDS_CAPTURED
    808 RefundExceedsRefundable REFUND_EXCEEDS_REFUNDABLE
    809 ChargebackExceedsRefundable CHARGEBACK_EXCEEDS_REFUNDABLE
    810 ResolveExceedsDisputed RESOLVE_EXCEEDS_DISPUTED
    811 ReversalBreaksPayment REVERSAL_BREAKS_PAYMENT
    812 FxRequired FX_REQUIRED
    813 FxNotAllowed FX_NOT_ALLOWED
    814 FxAmountMismatch FX_AMOUNT_MISMATCH
    815 PeriodClosed PERIOD_CLOSED
    816 PeriodNotOver PERIOD_NOT_OVER
    817 OperatorsTooFew OPERATORS_TOO_FEW
    901 AccountClosed ACCOUNT_CLOSED
    902 AccountDebitFrozen ACCOUNT_DEBIT_FROZEN
    903 AccountCreditFrozen ACCOUNT_CREDIT_FROZEN
    904 InsufficientFunds INSUFFICIENT_FUNDS
    905 CreditsExceedDebits CREDITS_EXCEED_DEBITS
    906 AccountNotEmpty ACCOUNT_NOT_EMPTY
    907 AccountHasHolds ACCOUNT_HAS_HOLDS
    1001 GroupMemberFailed GROUP_MEMBER_FAILED
}

impl Code {
    /// The number that is hashed as the outcome of an entry.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// Whose fault, by hundreds: 1 system, 2 request, 3 envelope, 4 signature, 5 identity, 6 field, 7 reference,
    /// 8 state, 9 account, 10 group.
    pub fn group(self) -> u16 {
        self.number() / 100
    }

    /// Whether the refusal stands in the log (groups 7 to 10) and burns the event id.
    pub fn is_logged(self) -> bool {
        self.group() >= 7
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Name of a field, written out only when something is wrong with it.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    Plain(&'static str),
    Leg(usize, &'static str),
    Fee(usize, &'static str),
    Fx(&'static str),
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(name) => f.write_str(name),
            Self::Leg(position, name) => write!(f, "legs[{position}].{name}"),
            Self::Fee(position, name) => write!(f, "fees[{position}].{name}"),
            Self::Fx(name) => write!(f, "fx.{name}"),
        }
    }
}

impl From<Field> for String {
    fn from(field: Field) -> Self {
        field.to_string()
    }
}

/// What travels with a code, so that a client needs no second call to explain it. Empty strings mean "not of use
/// here".
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Detail {
    /// Name of the offending field, as in the schema (`legs[1].account`).
    pub field: String,
    /// The value that was found.
    pub value: String,
    /// What would have been allowed, or what is in its place (the limit, the current head, what is left).
    pub limit: String,
}

/// A numbered answer with its detail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Which answer.
    pub code: Code,
    /// Field, value and limit.
    pub detail: Detail,
}

impl Refusal {
    /// An answer about a field: its name, the value found, and what would be allowed.
    pub fn of(code: Code, field: impl Into<String>, value: impl ToString, limit: impl ToString) -> Self {
        let detail = Detail { field: field.into(), value: value.to_string(), limit: limit.to_string() };
        Self { code, detail }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code.number(), self.code)?;
        for (word, text) in
            [("field", &self.detail.field), ("value", &self.detail.value), ("limit", &self.detail.limit)]
        {
            if !text.is_empty() {
                write!(f, " {word}={text}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
