//! The types of fields: how the value of each is read and written.

use super::fault::{Clause, Fault};
use super::{Message, Reader, Wire, read_message, write_bytes, write_message, write_tag, write_varint};
use crate::number::{
    AccountKind, AccountStatus, CaptureMode, ChargebackResult, Payer, RefundCause, Rounding, Side,
};

/// `uint32` fields and enums are below this.
const NUMBER_LIMIT: u32 = 1 << 31;

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
        match present(reader.varint()?)? {
            1 => *self = true,
            number => return Err(Clause::BoolAboveOne(number).into()),
        }
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
        if let Some(byte) = bytes.iter().find(|byte| !(0x20..=0x7E).contains(*byte)) {
            return Err(Clause::NotPrintable(*byte).into());
        }
        *self = bytes.iter().copied().map(char::from).collect();
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
                let number = read_u32(reader)?;
                *self = Some($name::from_number(number).ok_or(Clause::EnumUnknown(number))?);
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
    let value = present(reader.varint()?)?;
    u32::try_from(value).ok().filter(|number| *number < NUMBER_LIMIT).ok_or(Clause::NumberTooLarge(value))
}

fn present(value: u64) -> Result<u64, Clause> {
    if value == 0 { Err(Clause::DefaultValue) } else { Ok(value) }
}

fn not_empty(bytes: &[u8]) -> Result<&[u8], Clause> {
    if bytes.is_empty() { Err(Clause::DefaultValue) } else { Ok(bytes) }
}
