//! One strict codec for the signed messages: protobuf in canonical form.
//!
//! Canonical: fields in strictly ascending number (elements of a repeated field one after another), none unknown,
//! none twice; varints minimal; enums and `uint32` below 2^31; a scalar absent when it is zero or empty; strings
//! printable ASCII; no groups, no fixed-width, no packed fields; enum numbers known. So a value has exactly one
//! encoding, and what is read is what was signed.
//!
//! A message is declared once, with [`message!`]: its struct, its field numbers, reader and writer.

use crate::code::{Code, Refusal};
use crate::number::{
    AccountKind, AccountStatus, CaptureMode, ChargebackResult, Payer, RefundCause, Rounding, Side,
};

/// Largest field number of protobuf.
const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;
/// `uint32` fields and enums are below this.
const NUMBER_LIMIT: u64 = 1 << 31;
/// The first field number of the events' bodies.
const FIRST_BODY: u32 = 21;
/// The one body number that is never signed.
const RESERVED_BODY: u32 = 28;

/// Declares a message: struct, numbers, codec.
macro_rules! message {
    ($(#[$doc:meta])* pub struct $name:ident {
        $($(#[$field_doc:meta])* $number:literal $field:ident : $ty:ty),* $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct $name { $($(#[$field_doc])* pub $field: $ty),* }

        $crate::wire::fields!($name { $($number $field),* });
    };
}
pub(crate) use message;

/// The codec of a struct. With `oneof`, field numbers after the last belong to that field.
macro_rules! fields {
    ($name:ident { $($number:literal $field:ident),* $(; oneof $oneof:ident)? }) => {
        impl $crate::wire::Message for $name {
            $(const ENDS_IN: Option<&'static str> = Some(stringify!($oneof));)?

            fn read_field(&mut self, place: $crate::wire::Place<'_, '_>) -> Result<(), $crate::wire::Fault> {
                match place.number {
                    $($number => place.read_into(&mut self.$field, stringify!($field)),)*
                    _ => self.read_other(place),
                }
            }

            $(fn read_other(&mut self, place: $crate::wire::Place<'_, '_>) -> Result<(), $crate::wire::Fault> {
                self.$oneof.read_oneof(place)
            })?

            fn write_fields(&self, out: &mut Vec<u8>) {
                $($crate::wire::Field::write(&self.$field, $number, out);)*
                $(self.$oneof.write_oneof(out);)?
            }
        }
    };
}
pub(crate) use fields;

/// A message: fields by number.
pub(crate) trait Message: Default {
    /// The field that the message must end in: its `oneof`.
    const ENDS_IN: Option<&'static str> = None;

    /// Reads the value of one field, whose number and wire type were read.
    fn read_field(&mut self, place: Place<'_, '_>) -> Result<(), Fault>;

    /// Reads the value of a field that is none of those declared by number.
    fn read_other(&mut self, place: Place<'_, '_>) -> Result<(), Fault> {
        Err(place.skip(Clause::UnknownField))
    }

    /// Appends all fields that are not absent, ascending.
    fn write_fields(&self, out: &mut Vec<u8>);
}

/// Decodes a whole message.
pub(crate) fn decode<M: Message>(bytes: &[u8]) -> Result<M, Refusal> {
    read_message(bytes).map_err(Refusal::from)
}

/// Encodes a whole message.
pub(crate) fn encode<M: Message>(message: &M) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    message.write_fields(&mut out);
    out
}

/// Refuses a payload of more than `limit` bytes.
pub(crate) fn check_length(payload: &[u8], limit: usize) -> Result<(), Refusal> {
    if payload.len() <= limit {
        return Ok(());
    }
    Err(Refusal::of(Code::PayloadTooLarge, "payload", format!("{} bytes", payload.len()), limit))
}

/// The value of a field as it is about to be read.
pub(crate) struct Place<'r, 'a> {
    /// Number of the field.
    pub(crate) number: u32,
    last: u32,
    wire: Wire,
    reader: &'r mut Reader<'a>,
}

impl Place<'_, '_> {
    /// Reads the value into `field`, which is called `name`.
    #[inline]
    pub(crate) fn read_into<F: Field>(self, field: &mut F, name: &'static str) -> Result<(), Fault> {
        let read = if self.number == self.last && !F::REPEATED {
            Err(Clause::Twice.into())
        } else if self.wire != F::WIRE {
            Err(Clause::WireType.into())
        } else {
            field.read(self.reader)
        };
        read.map_err(|fault| fault.under(name))
    }

    /// Number of the body that stands here, counted from 1; 0 for a field that is not one.
    pub(crate) fn body_number(&self) -> u32 {
        self.number.saturating_sub(FIRST_BODY - 1)
    }

    /// Reads the body that stands here.
    pub(crate) fn read_body<M: Message>(self) -> Result<M, Fault> {
        if self.last >= FIRST_BODY {
            return Err(self.fault(Clause::TwoBodies));
        }
        if self.wire != Wire::Bytes {
            return Err(self.fault(Clause::WireType));
        }
        read_message(self.reader.bytes().map_err(|clause| Fault::from(clause).under("body"))?)
    }

    /// The fault of a field that is not a body that there is.
    pub(crate) fn skip_body(self) -> Fault {
        match self.number {
            0..FIRST_BODY => self.skip(Clause::UnknownField),
            _ if self.last >= FIRST_BODY => self.fault(Clause::TwoBodies),
            RESERVED_BODY => self.skip(Clause::BodyReserved),
            _ => self.skip(Clause::BodyUnknown),
        }
    }

    /// Passes over the value of a field that is at fault itself.
    fn skip(self, clause: Clause) -> Fault {
        let skipped = match self.wire {
            Wire::Varint => self.reader.varint().map(drop),
            Wire::Bytes => self.reader.bytes().map(drop),
        };
        self.fault(skipped.err().unwrap_or(clause))
    }

    fn fault(&self, clause: Clause) -> Fault {
        Fault { clause, path: format!("field {}", self.number) }
    }
}

/// Appends a message as the value of a field.
pub(crate) fn write_message<M: Message>(message: &M, number: u32, out: &mut Vec<u8>) {
    let mut bytes = Vec::with_capacity(128);
    message.write_fields(&mut bytes);
    write_bytes(&bytes, number, out);
}

/// Appends the body with this number, counted from 1.
pub(crate) fn write_body<M: Message>(message: &M, body: u32, out: &mut Vec<u8>) {
    write_message(message, FIRST_BODY - 1 + body, out);
}

/// What the bytes break, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    clause: Clause,
    path: String,
}

/// A clause of the canonical form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Clause {
    Truncated,
    VarintNotMinimal,
    VarintTooLarge,
    NumberTooLarge,
    FieldNumber,
    WireType,
    NotAscending,
    Twice,
    TwoBodies,
    DefaultValue,
    BoolAboveOne,
    EnumUnknown,
    NotPrintable,
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

    /// What is there, and what would be right.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Truncated => ("the bytes end within it", "as many bytes as its length says"),
            Self::VarintNotMinimal => ("a varint that is not minimal", "the shortest varint"),
            Self::VarintTooLarge => ("a varint of 2^64 or more", "a varint below 2^64"),
            Self::NumberTooLarge => ("2^31 or more", "below 2^31"),
            Self::FieldNumber => ("a field number outside 1 to 2^29 - 1", "a field number of the message"),
            Self::WireType => ("a wrong wire type", "the wire type of the field"),
            Self::NotAscending => ("after a field with a higher number", "fields in ascending number"),
            Self::Twice => ("there twice", "once"),
            Self::TwoBodies => ("two bodies", "one body"),
            Self::DefaultValue => ("zero or empty, but there", "absent when zero or empty"),
            Self::BoolAboveOne => ("above 1", "1, or absent"),
            Self::EnumUnknown => ("an unknown enum number", "a number of its table"),
            Self::NotPrintable => ("a byte outside 0x20 to 0x7E", "printable ASCII"),
            Self::UnknownField => ("unknown", "a field of the message"),
            Self::BodyUnknown => ("unknown", "a known event type"),
            Self::BodyReserved => ("PaymentExpired", "an event type that is signed"),
            Self::BodyMissing => ("none", "a body"),
        }
    }
}

impl Fault {
    /// The fault that answers, of this one and those found before; an error when nothing lower can follow.
    fn before(self, lowest: Option<Self>) -> Result<Self, Self> {
        if self.clause.code() == Code::EncodingNotCanonical {
            return Err(self);
        }
        match lowest {
            Some(lowest) if lowest.clause.code() <= self.clause.code() => Ok(lowest),
            _ => Ok(self),
        }
    }

    fn under(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{dot}{}", self.path);
        self
    }

    fn at(mut self, index: usize) -> Self {
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

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wire {
    Varint,
    Bytes,
}

pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    fn tag(&mut self) -> Result<(u32, Wire), Clause> {
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Varint,
            2 => Wire::Bytes,
            _ => return Err(Clause::WireType),
        };
        match u32::try_from(tag >> 3) {
            Ok(number) if (1..=MAX_FIELD_NUMBER).contains(&u64::from(number)) => Ok((number, wire)),
            _ => Err(Clause::FieldNumber),
        }
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Clause> {
        let mut value: u64 = 0;
        for shift in (0..70).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(Clause::Truncated)?;
            self.rest = rest;
            if shift == 63 && byte > 1 {
                return Err(Clause::VarintTooLarge);
            }
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                let minimal = byte != 0 || shift == 0;
                return if minimal { Ok(value) } else { Err(Clause::VarintNotMinimal) };
            }
        }
        Err(Clause::VarintTooLarge)
    }

    #[inline]
    fn bytes(&mut self) -> Result<&'a [u8], Clause> {
        let length = usize::try_from(self.varint()?).map_err(|_| Clause::Truncated)?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Clause::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// Of several faults the lowest code answers, of equal ones the first: so an unknown field is reported only after the
/// rest was found canonical.
fn read_message<M: Message>(bytes: &[u8]) -> Result<M, Fault> {
    let mut message = M::default();
    let mut reader = Reader { rest: bytes };
    let mut last = 0;
    let mut lowest = None;
    while !reader.rest.is_empty() {
        let (number, wire) = reader.tag()?;
        if number < last {
            return Err(Fault { clause: Clause::NotAscending, path: format!("field {number}") });
        }
        if let Err(fault) = message.read_field(Place { number, last, wire, reader: &mut reader }) {
            lowest = Some(fault.before(lowest)?);
        }
        last = number;
    }
    if let Some(name) = M::ENDS_IN.filter(|_| last < FIRST_BODY) {
        lowest = Some(Fault::from(Clause::BodyMissing).under(name).before(lowest)?);
    }
    lowest.map_or(Ok(message), Err)
}

/// The type of a field: how its value is read and written.
pub(crate) trait Field {
    const WIRE: Wire;
    const REPEATED: bool = false;

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault>;
    fn write(&self, number: u32, out: &mut Vec<u8>);
}

impl Field for u64 {
    const WIRE: Wire = Wire::Varint;

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        *self = present(reader.varint()?)?;
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if *self != 0 {
            write_tag(number, Wire::Varint, out);
            write_varint(*self, out);
        }
    }
}

impl Field for u32 {
    const WIRE: Wire = Wire::Varint;

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        *self = read_u32(reader)?;
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        u64::from(*self).write(number, out);
    }
}

impl Field for bool {
    const WIRE: Wire = Wire::Varint;

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if present(reader.varint()?)? > 1 {
            return Err(Clause::BoolAboveOne.into());
        }
        *self = true;
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        u64::from(*self).write(number, out);
    }
}

impl Field for Vec<u8> {
    const WIRE: Wire = Wire::Bytes;

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        *self = not_empty(reader.bytes()?)?.to_vec();
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            write_bytes(self, number, out);
        }
    }
}

impl Field for String {
    const WIRE: Wire = Wire::Bytes;

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let bytes = not_empty(reader.bytes()?)?;
        if !bytes.iter().all(|byte| (0x20..=0x7E).contains(byte)) {
            return Err(Clause::NotPrintable.into());
        }
        *self = std::str::from_utf8(bytes).map_err(|_| Clause::NotPrintable)?.to_owned();
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            write_bytes(self.as_bytes(), number, out);
        }
    }
}

impl Field for Vec<Vec<u8>> {
    const WIRE: Wire = Wire::Bytes;
    const REPEATED: bool = true;

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let bytes = reader.bytes().map_err(|clause| Fault::from(clause).at(self.len()))?;
        self.push(bytes.to_vec());
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        for bytes in self {
            write_bytes(bytes, number, out);
        }
    }
}

impl<M: Message> Field for Vec<M> {
    const WIRE: Wire = Wire::Bytes;
    const REPEATED: bool = true;

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let message = reader.bytes().map_err(Fault::from).and_then(read_message);
        self.push(message.map_err(|fault| fault.at(self.len()))?);
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        for message in self {
            write_message(message, number, out);
        }
    }
}

impl<M: Message> Field for Option<M> {
    const WIRE: Wire = Wire::Bytes;

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        *self = Some(read_message(reader.bytes()?)?);
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if let Some(message) = self {
            write_message(message, number, out);
        }
    }
}

macro_rules! enum_fields {
    ($($name:ident)+) => {$(
        impl Field for Option<$name> {
            const WIRE: Wire = Wire::Varint;

            fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
                *self = Some($name::from_number(read_u32(reader)?).ok_or(Clause::EnumUnknown)?);
                Ok(())
            }

            fn write(&self, number: u32, out: &mut Vec<u8>) {
                self.map_or(0, |value| u64::from(value.number())).write(number, out);
            }
        }
    )+};
}

enum_fields! { AccountKind AccountStatus CaptureMode ChargebackResult Payer RefundCause Rounding Side }

fn read_u32(reader: &mut Reader<'_>) -> Result<u32, Clause> {
    match present(reader.varint()?)? {
        value if value < NUMBER_LIMIT => u32::try_from(value).map_err(|_| Clause::NumberTooLarge),
        _ => Err(Clause::NumberTooLarge),
    }
}

fn present(value: u64) -> Result<u64, Clause> {
    if value == 0 { Err(Clause::DefaultValue) } else { Ok(value) }
}

fn not_empty(bytes: &[u8]) -> Result<&[u8], Clause> {
    if bytes.is_empty() { Err(Clause::DefaultValue) } else { Ok(bytes) }
}

fn write_tag(number: u32, wire: Wire, out: &mut Vec<u8>) {
    let wire = match wire {
        Wire::Varint => 0,
        Wire::Bytes => 2,
    };
    write_varint(u64::from(number) << 3 | wire, out);
}

fn write_bytes(bytes: &[u8], number: u32, out: &mut Vec<u8>) {
    write_tag(number, Wire::Bytes, out);
    write_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
