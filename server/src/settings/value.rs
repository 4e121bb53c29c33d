//! Text forms of configured values.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::LogFormat;

/// A value with one text form, which environment, flags and TOML strings share.
pub trait Value: Sized {
    /// What a text must be, for the error.
    const EXPECTED: &'static str;

    /// Reads the text form.
    fn parse(text: &str) -> Option<Self>;

    /// The value as a TOML literal; `None`: not set.
    fn show(&self) -> Option<String>;
}

macro_rules! whole_numbers {
    ($($type:ty)+) => {
        $(impl Value for $type {
            const EXPECTED: &'static str = "a whole number";

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }
        })+
    };
}

whole_numbers!(u32 u64);

impl Value for bool {
    const EXPECTED: &'static str = "true or false";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for String {
    const EXPECTED: &'static str = "a text";

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn show(&self) -> Option<String> {
        quoted(self)
    }
}

impl Value for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.into())
    }

    fn show(&self) -> Option<String> {
        quoted(&self.to_string_lossy())
    }
}

impl Value for Option<PathBuf> {
    const EXPECTED: &'static str = PathBuf::EXPECTED;

    fn parse(text: &str) -> Option<Self> {
        PathBuf::parse(text).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(Value::show)
    }
}

impl Value for SocketAddr {
    const EXPECTED: &'static str = "ADDRESS:PORT";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> Option<String> {
        quoted(&self.to_string())
    }
}

impl Value for Duration {
    const EXPECTED: &'static str = "a number with ms, s, m or h";

    fn parse(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(millis).map(Self::from_millis)
    }

    fn show(&self) -> Option<String> {
        let millis = self.as_millis();
        let text =
            if millis.is_multiple_of(1_000) { format!("{}s", millis / 1_000) } else { format!("{millis}ms") };
        quoted(&text)
    }
}

impl Value for LogFormat {
    const EXPECTED: &'static str = "text or json";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn show(&self) -> Option<String> {
        quoted(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

fn quoted(text: &str) -> Option<String> {
    Some(toml::Value::String(text.to_owned()).to_string())
}
