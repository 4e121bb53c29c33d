//! Reading the golden files.

pub mod compare;
pub mod offer;
pub mod writer;

use std::path::PathBuf;

pub use serde_json::Value as Json;

/// A golden file; `None` when the folder is not there and nobody insists.
pub fn load(file: &str) -> Option<Json> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/golden");
    match std::fs::read_to_string(folder.join(file)) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) if std::env::var_os("CI").is_some() => panic!("{file}: {error}"),
        Err(error) => {
            println!("skipped: {file}: {error}");
            None
        }
    }
}

pub fn list<'j>(of: &'j Json, name: &str) -> &'j [Json] {
    of[name].as_array().unwrap_or_else(|| panic!("{name} is a list"))
}

pub fn text<'j>(of: &'j Json, name: &str) -> &'j str {
    of[name].as_str().unwrap_or_else(|| panic!("{name} is a text, in {of}"))
}

pub fn bytes(of: &Json, name: &str) -> Vec<u8> {
    hex::decode(text(of, name)).unwrap()
}

/// A number, or the decimal string that large ones are written as.
pub fn number(of: &Json, name: &str) -> i128 {
    match &of[name] {
        Json::Number(number) => i128::from(number.as_i64().unwrap()),
        Json::String(digits) => digits.parse().unwrap(),
        other => panic!("{name} is a number, not {other}"),
    }
}
