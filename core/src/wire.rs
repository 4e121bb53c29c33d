//! One strict codec for the signed messages: protobuf in canonical form.
//!
//! Canonical: fields in strictly ascending number (elements of a repeated field one after another), none unknown,
//! none twice; varints minimal; enums and `uint32` below 2^31; a scalar absent when it is zero or empty; strings
//! printable ASCII; no groups, no fixed-width, no packed fields; enum numbers known. So a value has exactly one
//! encoding, and what is read is what was signed.
//!
//! A message is declared once, with [`message!`]: its struct, its field numbers, reader and writer.

mod fault;
mod field;

use crate::code::{Code, Refusal};

pub(crate) use fault::Fault;
pub(crate) use field::Field;

use fault::Clause;

/// Largest field number of protobuf.
const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;
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
            Err(Clause::WireType(self.wire.number()).into())
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
            return Err(self.fault(Clause::WireType(self.wire.number())));
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

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wire {
    Varint,
    Bytes,
}

impl Wire {
    fn number(self) -> u8 {
        match self {
            Self::Varint => 0,
            Self::Bytes => 2,
        }
    }
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
            wire => return Err(Clause::WireType(wire as u8)),
        };
        match u32::try_from(tag >> 3) {
            Ok(number) if (1..=MAX_FIELD_NUMBER).contains(&u64::from(number)) => Ok((number, wire)),
            _ => Err(Clause::FieldNumber(tag >> 3)),
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

fn write_tag(number: u32, wire: Wire, out: &mut Vec<u8>) {
    write_varint(u64::from(number) << 3 | u64::from(wire.number()), out);
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
