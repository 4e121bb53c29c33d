//! Fixed binary layouts: fields one after another, integers big-endian, lengths before what they measure.

/// Bytes that are not of the layout they should have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}, {field}: {found}, expected {expected}")]
pub struct LayoutError {
    /// What was read, such as `entry`.
    pub what: &'static str,
    /// The field that is wrong.
    pub field: &'static str,
    /// What is there.
    pub found: String,
    /// What would be right.
    pub expected: String,
}

/// Reads a layout from front to back.
pub(crate) struct Layout<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Layout<'a> {
    /// A reader of `bytes`, which should be a `what`.
    pub(crate) fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, rest: bytes }
    }

    /// The next `length` bytes.
    pub(crate) fn bytes(&mut self, field: &'static str, length: usize) -> Result<&'a [u8], LayoutError> {
        let Some((bytes, rest)) = self.rest.split_at_checked(length) else {
            let found = format!("{} bytes", self.rest.len());
            return Err(self.error(field, found, format!("{length} bytes")));
        };
        self.rest = rest;
        Ok(bytes)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], LayoutError> {
        let Some((array, rest)) = self.rest.split_first_chunk() else {
            let found = format!("{} bytes", self.rest.len());
            return Err(self.error(field, found, format!("{N} bytes")));
        };
        self.rest = rest;
        Ok(*array)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, LayoutError> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, LayoutError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, LayoutError> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, LayoutError> {
        self.array(field).map(u64::from_be_bytes)
    }

    pub(crate) fn i128(&mut self, field: &'static str) -> Result<i128, LayoutError> {
        self.array(field).map(i128::from_be_bytes)
    }

    /// A 16-byte number that is never negative.
    pub(crate) fn counter(&mut self, field: &'static str) -> Result<i128, LayoutError> {
        let value = self.i128(field)?;
        if value < 0 {
            return Err(self.error(field, value, "0 or more"));
        }
        Ok(value)
    }

    /// A byte that must be `expected`.
    pub(crate) fn constant(&mut self, field: &'static str, expected: u8) -> Result<(), LayoutError> {
        match self.u8(field)? {
            found if found == expected => Ok(()),
            found => Err(self.error(field, found, expected)),
        }
    }

    /// A byte that is a number of a table.
    pub(crate) fn numbered<T>(
        &mut self,
        field: &'static str,
        from_number: impl Fn(u32) -> Option<T>,
    ) -> Result<T, LayoutError> {
        let number = self.u8(field)?;
        from_number(u32::from(number)).ok_or_else(|| self.error(field, number, "a number of its table"))
    }

    /// Printable ASCII after its length in one byte.
    pub(crate) fn text(&mut self, field: &'static str) -> Result<&'a str, LayoutError> {
        let length = self.u8(field)?;
        let bytes = self.bytes(field, usize::from(length))?;
        let printable = bytes.iter().all(|byte| (0x20..=0x7E).contains(byte));
        let text = std::str::from_utf8(bytes).ok().filter(|_| printable);
        text.ok_or_else(|| self.error(field, hex::encode(bytes), "printable ASCII"))
    }

    /// The end of the bytes.
    pub(crate) fn end(self) -> Result<(), LayoutError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(self.error("end", format!("{} more bytes", self.rest.len()), "nothing"))
    }

    /// The error of a field whose bytes were read.
    pub(crate) fn error(
        &self,
        field: &'static str,
        found: impl ToString,
        expected: impl ToString,
    ) -> LayoutError {
        LayoutError { what: self.what, field, found: found.to_string(), expected: expected.to_string() }
    }
}
