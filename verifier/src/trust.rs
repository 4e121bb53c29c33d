//! What the auditor brings along, and the export cannot choose: a verifier key of the log and the ledger's id.

use std::fs;
use std::path::Path;

use ledger_crypto::Hash;
use ledger_crypto::note::{NoteError, VerifierKey};

/// Most bytes of a file that holds a verifier key.
const KEY_FILE_BYTES: u64 = 4096;

/// The pinned key and ledger id.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Key of the log; its name is the origin of the checkpoints.
    pub key: VerifierKey,
    /// Leaf hash of entry 0.
    pub ledger_id: Hash,
}

/// Why key or ledger id on the command line cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Not a verifier key, or one whose public key is weak.
    #[error(transparent)]
    Key(#[from] NoteError),
    /// A file that was named instead of a key, and is not one line of a bounded length.
    #[error("key file {path}: {clause}")]
    KeyFile {
        /// Its path.
        path: String,
        /// What is wrong with it.
        clause: String,
    },
    /// Not 64 hexadecimal digits.
    #[error("ledger id {text:?}: not 64 hexadecimal digits")]
    LedgerId {
        /// What was given.
        text: String,
    },
}

impl TrustError {
    /// Which option is meant: `key` or `ledger_id`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Key(_) | Self::KeyFile { .. } => "key",
            Self::LedgerId { .. } => "ledger_id",
        }
    }

    /// What the option takes.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        match self {
            Self::Key(_) | Self::KeyFile { .. } => {
                "a C2SP verifier key, or a file, without '+' in its path, that holds one line of it"
            }
            Self::LedgerId { .. } => "64 hexadecimal digits",
        }
    }
}

impl Trust {
    /// Reads a C2SP verifier key, or the path of a file that holds one, and the hexadecimal ledger id. A text with a
    /// `+` is a key and never a path: a folder that is being judged must not replace the key by a file of its name.
    ///
    /// # Errors
    /// [`TrustError`] names the option.
    pub fn parse(key: &str, ledger_id: &str) -> Result<Self, TrustError> {
        let key = if key.contains('+') {
            VerifierKey::parse(key)?
        } else {
            VerifierKey::parse(&only_line(Path::new(key))?)?
        };
        let mut id = Hash::default();
        hex::decode_to_slice(ledger_id, &mut id)
            .map_err(|_| TrustError::LedgerId { text: ledger_id.to_owned() })?;
        Ok(Self { key, ledger_id: id })
    }
}

fn only_line(path: &Path) -> Result<String, TrustError> {
    let refuse = |clause: String| TrustError::KeyFile { path: path.display().to_string(), clause };
    let length = fs::metadata(path).map_err(|error| refuse(error.to_string()))?.len();
    if length > KEY_FILE_BYTES {
        return Err(refuse(format!("{length} bytes, more than {KEY_FILE_BYTES}")));
    }
    let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    if line.contains('\n') {
        return Err(refuse("more than one line".to_owned()));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use ledger_crypto::SigningKey;

    use super::*;

    fn vkey() -> String {
        VerifierKey::new("ledger.example/log", &SigningKey::from_seed([1; 32]).public()).unwrap().to_string()
    }

    #[test]
    fn a_key_is_given_as_text_or_as_a_file_of_one_line() {
        let id = "00".repeat(32);
        let text = vkey();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("log.vkey");
        for content in [text.clone(), format!("{text}\n")] {
            fs::write(&file, content).unwrap();
            assert_eq!(Trust::parse(file.to_str().unwrap(), &id).unwrap().key.to_string(), text);
        }
        assert_eq!(Trust::parse(&text, &id).unwrap().key.to_string(), text);

        fs::write(&file, format!("{text}\n{text}\n")).unwrap();
        let error = Trust::parse(file.to_str().unwrap(), &id).unwrap_err();
        assert!(matches!(error, TrustError::KeyFile { .. }));
        assert_eq!(error.field(), "key");
    }

    #[test]
    fn a_ledger_id_is_64_digits() {
        for text in ["", "00", "zz", &"0g".repeat(32), &"00".repeat(33)] {
            let error = Trust::parse(&vkey(), text).unwrap_err();
            assert_eq!(error.field(), "ledger_id", "{text}");
        }
    }
}
