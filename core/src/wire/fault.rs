//! What bytes break, and which code that is.

use crate::code::{Code, Refusal};

/// What the bytes break, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub(super) clause: Clause,
    pub(super) path: String,
}

/// A clause of the canonical form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Clause {
    Truncated,
    VarintNotMinimal,
    VarintTooLarge,
    NumberTooLarge(u64),
    FieldNumber(u64),
    WireType(u8),
    NotAscending,
    Twice,
    TwoBodies,
    DefaultValue,
    BoolAboveOne(u64),
    EnumUnknown(u32),
    NotPrintable(u8),
    UnknownField,
    BodyUnknown,
    BodyReserved,
    BodyMissing,
}

impl Clause {
    fn code(self) -> Code {
        match self {
            Self::UnknownField => Code::UnknownField,
            Self::BodyUnknown | Self::BodyMissing => Code::EventTypeUnknown,
            Self::BodyReserved => Code::EventTypeReserved,
            _ => Code::EncodingNotCanonical,
        }
    }

    /// What is there, with the number where one is wrong, and what would be right.
    fn words(self) -> (String, &'static str) {
        let (found, right) = match self {
            Self::Truncated => ("the bytes end within it", "as many bytes as its length says"),
            Self::VarintNotMinimal => ("a varint that is not minimal", "the shortest varint"),
            Self::VarintTooLarge => ("a varint of 2^64 or more", "a varint below 2^64"),
            Self::NumberTooLarge(number) => return (number.to_string(), "below 2^31"),
            Self::FieldNumber(number) => return (format!("field number {number}"), "1 to 2^29 - 1"),
            Self::WireType(wire) => return (format!("wire type {wire}"), "the wire type of the field"),
            Self::NotAscending => ("after a field with a higher number", "fields in ascending number"),
            Self::Twice => ("there twice", "once"),
            Self::TwoBodies => ("two bodies", "one body"),
            Self::DefaultValue => ("zero or empty, but there", "absent when zero or empty"),
            Self::BoolAboveOne(number) => return (number.to_string(), "1, or absent"),
            Self::EnumUnknown(number) => return (number.to_string(), "a number of its table"),
            Self::NotPrintable(byte) => return (format!("byte {byte:#04x}"), "0x20 to 0x7e"),
            Self::UnknownField => ("unknown", "a field of the message"),
            Self::BodyUnknown => ("unknown", "a known event type"),
            Self::BodyReserved => ("PaymentExpired", "an event type that is signed"),
            Self::BodyMissing => ("none", "a body"),
        };
        (found.to_owned(), right)
    }
}

impl Fault {
    /// The fault that answers, of this one and those found before; an error when nothing lower can follow.
    pub(super) fn before(self, lowest: Option<Self>) -> Result<Self, Self> {
        if self.clause.code() == Code::EncodingNotCanonical {
            return Err(self);
        }
        match lowest {
            Some(lowest) if lowest.clause.code() <= self.clause.code() => Ok(lowest),
            _ => Ok(self),
        }
    }

    pub(super) fn under(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{dot}{}", self.path);
        self
    }

    pub(super) fn at(mut self, index: usize) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.path = format!("[{index}]{dot}{}", self.path);
        self
    }
}

impl From<Clause> for Fault {
    fn from(clause: Clause) -> Self {
        Self { clause, path: String::new() }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let (found, expected) = fault.clause.words();
        Self::of(fault.clause.code(), fault.path, found, expected)
    }
}
