//! Enumerations of the ledger. The numbers are hashed and signed; 0 means "not given" and has no variant.

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $number:literal => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the variants are the names of the published table")]
        pub enum $name { $($variant = $number),+ }

        impl $name {
            /// All values, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The value of a number; `None` for 0 and for numbers not in the table.
            pub fn from_number(number: u32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The number that is hashed and signed.
            pub fn number(self) -> u8 {
                self as u8
            }

            /// The name as the tables and error texts write it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value of a name as [`Self::name`] writes it.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

numbered!(/// What an account is for; decides its normal side and its constraint.
AccountKind {
    Customer = 1 => "CUSTOMER", Merchant = 2 => "MERCHANT", Clearing = 3 => "CLEARING", Dispute = 4 => "DISPUTE",
    Fee = 5 => "FEE", Fx = 6 => "FX", Cash = 7 => "CASH", External = 8 => "EXTERNAL",
});
numbered!(/// Whether an account takes postings.
AccountStatus {
    Open = 1 => "OPEN", DebitFrozen = 2 => "DEBIT_FROZEN", CreditFrozen = 3 => "CREDIT_FROZEN",
    Frozen = 4 => "FROZEN", Closed = 5 => "CLOSED",
});
numbered!(/// Status of a payment: a pure function of its counters.
PaymentStatus {
    Initiated = 1 => "INITIATED", Rejected = 2 => "REJECTED", Authorized = 3 => "AUTHORIZED",
    PartiallyCaptured = 4 => "PARTIALLY_CAPTURED", Captured = 5 => "CAPTURED", Settled = 6 => "SETTLED",
    PartiallyRefunded = 7 => "PARTIALLY_REFUNDED", Refunded = 8 => "REFUNDED", Disputed = 9 => "DISPUTED",
    ChargedBack = 10 => "CHARGED_BACK", Voided = 11 => "VOIDED", Expired = 12 => "EXPIRED",
    Reversed = 13 => "REVERSED",
});
numbered!(/// Whether a payment is authorized first or captured at once.
    CaptureMode { Deferred = 1 => "DEFERRED", Immediate = 2 => "IMMEDIATE" });
numbered!(/// Way of the money: straight to the creditor, or through a clearing account.
    Route { Direct = 1 => "DIRECT", Clearing = 2 => "CLEARING" });
numbered!(/// Why the released part of a payment last grew.
ReleaseCause {
    Void = 1 => "VOID", Expiry = 2 => "EXPIRY", FinalCapture = 3 => "FINAL_CAPTURE", Reduction = 4 => "REDUCTION",
    Reversal = 5 => "REVERSAL",
});
numbered!(/// Why money goes back to the debtor.
    RefundCause { Merchant = 1 => "MERCHANT", Return = 2 => "RETURN", Recall = 3 => "RECALL" });
numbered!(/// Side of a posting.
    Side { Debit = 1 => "DEBIT", Credit = 2 => "CREDIT" });
numbered!(/// Layer of a posting: settled money, or held money.
    Layer { Posted = 1 => "POSTED", Pending = 2 => "PENDING" });
numbered!(/// Who pays a fee.
    Payer { Debtor = 1 => "DEBTOR", Creditor = 2 => "CREDITOR" });
numbered!(/// How a converted amount is rounded to minor units.
    Rounding { Floor = 1 => "FLOOR", HalfEven = 2 => "HALF_EVEN" });
numbered!(/// How a chargeback ended, seen from the creditor.
    ChargebackResult { Won = 1 => "WON", Lost = 2 => "LOST" });
numbered!(/// Whether a registered key may sign.
    KeyStatus { Active = 1 => "ACTIVE", Revoked = 2 => "REVOKED" });

impl Side {
    /// The other side.
    pub fn opposite(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

/// Roles of a key, as bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Roles(pub u16);

impl Roles {
    /// May initiate and void payments.
    pub const INITIATOR: Self = Self(1);
    /// May authorize, capture, void, settle, refund, dispute.
    pub const PROCESSOR: Self = Self(2);
    /// May debit the accounts that its prefix covers, and refund from them.
    pub const OWNER: Self = Self(4);
    /// May open accounts, register keys, correct.
    pub const OPERATOR: Self = Self(8);
    /// May sign events whose timestamp lies outside the window.
    pub const IMPORTER: Self = Self(16);
    /// Reserved; accepted, without effect.
    pub const AUDITOR: Self = Self(32);
    /// Every defined bit.
    pub const ALL: Self = Self(63);

    /// Whether every role of `wanted` is among these.
    pub fn contains(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// Names in ascending order of bits, such as `initiator+owner`.
    pub fn names(self) -> String {
        let names = ["initiator", "processor", "owner", "operator", "importer", "auditor"];
        let set = names.iter().enumerate().filter(|(bit, _)| self.0 & (1 << bit) != 0);
        set.map(|(_, name)| *name).collect::<Vec<_>>().join("+")
    }
}
