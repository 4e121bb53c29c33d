//! Distinct types for the numbers and ids that must never be mixed up.

use std::fmt;

use arrayvec::ArrayString;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(/// Position of an entry in the log, gapless from 0.
    LogIndex);
number!(/// Height of a block, gapless from 0.
    BlockHeight);
number!(/// Position of an account in the accounts tree: order of opening, from 0.
    AccountIndex);
number!(/// Position of a payment in the payments tree: order of initiation, from 0.
    PaymentIndex);
number!(/// Position of a key in the keys tree: order of registration, from 0.
    KeyIndex);

macro_rules! id16 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The id of 16 zero bytes: "none".
            pub const NIL: Self = Self([0; 16]);

            /// Whether all 16 bytes are zero.
            pub fn is_nil(&self) -> bool {
                self.0 == [0; 16]
            }

            /// Parses the text form: 32 hexadecimal digits, lower case, hyphenated 8-4-4-4-12 or without hyphens.
            pub fn parse(text: &str) -> Option<Self> {
                parse_uuid(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(&self.0, f)
            }
        }
    };
}

id16!(/// UUID v7 of an event: its idempotency key.
    EventId);
id16!(/// Id of a payment, chosen by its initiator.
    PaymentId);
id16!(/// UUID v7 of a signed batch.
    BatchId);

/// Name of an account: `[a-z0-9][a-z0-9:_-]{0,63}`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(ArrayString<64>);

impl AccountId {
    /// Checks the form of an account id.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, rest) = text.as_bytes().split_first()?;
        let letter = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let well_formed = letter(first) && rest.iter().all(|b| letter(b) || matches!(b, b':' | b'_' | b'-'));
        if !well_formed {
            return None;
        }
        ArrayString::from(text).ok().map(Self)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Code of a currency: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CurrencyCode([u8; 3]);

impl CurrencyCode {
    /// Checks the form of a currency code; says nothing about whether a ledger knows it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_bytes(text.as_bytes().try_into().ok()?)
    }

    /// The same from bytes.
    pub fn from_bytes(bytes: [u8; 3]) -> Option<Self> {
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The three bytes.
    pub fn as_bytes(&self) -> &[u8; 3] {
        &self.0
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let plain: String = match text.len() {
        32 => text.to_owned(),
        36 => {
            let hyphens = text.char_indices().filter(|(_, c)| *c == '-').map(|(at, _)| at);
            if !hyphens.eq([8, 13, 18, 23]) {
                return None;
            }
            text.replace('-', "")
        }
        _ => return None,
    };
    if plain.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    hex::decode(plain).ok()?.try_into().ok()
}

fn write_uuid(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}
