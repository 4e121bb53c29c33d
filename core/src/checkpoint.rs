//! Checkpoints: signed tree heads of the log, in the form of C2SP `tlog-checkpoint.md`.

use base64::engine::{Engine, general_purpose::STANDARD};
use ledger_crypto::note::{self, NoteError, VerifierKey};
use ledger_crypto::{Hash, SigningKey};

/// Entries of the smallest log that has a checkpoint: the genesis and its seal.
pub const SMALLEST_SIZE: u64 = 2;

/// The tree head that a checkpoint signs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Whose log it is; also the name of the key.
    pub origin: String,
    /// Number of entries; the last one is a seal.
    pub size: u64,
    /// Root of the log tree of that size.
    pub root: Hash,
}

/// Why a text is not a checkpoint of the expected log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note, or not signed by the key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The signed text is not origin, size and root.
    #[error("checkpoint, {field}: {found:?}, expected {expected}")]
    Text {
        /// Which line.
        field: &'static str,
        /// What is there.
        found: String,
        /// What would be right.
        expected: String,
    },
}

impl Checkpoint {
    /// The signed text: three lines.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Reads the signed text strictly: three lines, the last newline included, and no extension lines.
    ///
    /// # Errors
    /// [`CheckpointError::Text`].
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let Some(lines) = text.strip_suffix('\n') else {
            return Err(refuse("end", text, "a newline at the end"));
        };
        let lines: Vec<&str> = lines.split('\n').collect();
        let [origin, size, root] = lines.as_slice() else {
            return Err(refuse("lines", &lines.len().to_string(), "3 lines: origin, size, root"));
        };
        if origin.is_empty() {
            return Err(refuse("origin", origin, "a name"));
        }
        let Some(tree_size) = parse_decimal(size) else {
            return Err(refuse("size", size, "a decimal number without leading zeros"));
        };
        let Some(hash) = parse_hash(root) else {
            return Err(refuse("root", root, "32 bytes in standard base64"));
        };
        Ok(Self { origin: (*origin).to_owned(), size: tree_size, root: hash })
    }

    /// The note that `key` signs under the name of the origin.
    ///
    /// # Errors
    /// [`CheckpointError::Note`] when the origin cannot name a key.
    pub fn sign(&self, key: &SigningKey) -> Result<String, CheckpointError> {
        self.sign_by(std::slice::from_ref(key))
    }

    /// The note that each of `keys` signs, in this order: after a rotation the new key, then the old one.
    ///
    /// # Errors
    /// [`CheckpointError::Note`] when the origin cannot name a key, or there is none.
    pub fn sign_by(&self, keys: &[SigningKey]) -> Result<String, CheckpointError> {
        let signers: Vec<_> = keys.iter().map(|key| (self.origin.as_str(), key)).collect();
        Ok(note::sign(&self.text(), &signers)?)
    }

    /// Opens a note signed by `key` for the log `origin`. Lines of other keys are ignored.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(note: &str, key: &VerifierKey, origin: &str) -> Result<Self, CheckpointError> {
        let opened = note::open(note.as_bytes(), std::slice::from_ref(key))?;
        let checkpoint = Self::parse_text(&opened.text)?;
        if checkpoint.origin != origin {
            return Err(refuse("origin", &checkpoint.origin, origin));
        }
        Ok(checkpoint)
    }
}

/// A decimal number without sign and leading zeros.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A hash in standard base64, padding included.
pub(crate) fn parse_hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

fn refuse(field: &'static str, found: &str, expected: &str) -> CheckpointError {
    CheckpointError::Text { field, found: found.to_owned(), expected: expected.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ORIGIN: &str = "ledger.example/test";
    const ROOT: &str = "SfFrwIU2IlyKiBmTrLArbXfhVIzi61b+2h1DIsgBFr4=";

    fn key() -> (SigningKey, VerifierKey) {
        let key = SigningKey::from_seed([7; 32]);
        let verifier = VerifierKey::new(ORIGIN, &key.public()).unwrap();
        (key, verifier)
    }

    #[test]
    fn a_signed_checkpoint_opens() {
        let (key, verifier) = key();
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 55, root: parse_hash(ROOT).unwrap() };
        assert_eq!(checkpoint.text(), format!("{ORIGIN}\n55\n{ROOT}\n"));
        let note = checkpoint.sign(&key).unwrap();
        assert_eq!(Checkpoint::open(&note, &verifier, ORIGIN), Ok(checkpoint));
        assert!(matches!(
            Checkpoint::open(&note, &verifier, "ledger.example/other"),
            Err(CheckpointError::Text { field: "origin", .. })
        ));
        let other = VerifierKey::new(ORIGIN, &SigningKey::from_seed([8; 32]).public()).unwrap();
        assert!(matches!(Checkpoint::open(&note, &other, ORIGIN), Err(CheckpointError::Note(_))));
        let larger = note.replace("\n55\n", "\n56\n");
        assert!(matches!(Checkpoint::open(&larger, &verifier, ORIGIN), Err(CheckpointError::Note(_))));
    }

    #[test]
    fn only_three_exact_lines_are_a_checkpoint() {
        for (text, field) in [
            (format!("{ORIGIN}\n55\n{ROOT}"), "end"),
            (format!("{ORIGIN}\n55\n{ROOT}\n\n"), "lines"),
            (format!("{ORIGIN}\n55\n{ROOT}\nextension\n"), "lines"),
            (format!("{ORIGIN}\n55\n"), "lines"),
            (format!("\n55\n{ROOT}\n"), "origin"),
            (format!("{ORIGIN}\n055\n{ROOT}\n"), "size"),
            (format!("{ORIGIN}\n+55\n{ROOT}\n"), "size"),
            (format!("{ORIGIN}\n-55\n{ROOT}\n"), "size"),
            (format!("{ORIGIN}\n 55\n{ROOT}\n"), "size"),
            (format!("{ORIGIN}\n\n{ROOT}\n"), "size"),
            (format!("{ORIGIN}\n18446744073709551616\n{ROOT}\n"), "size"),
            (format!("{ORIGIN}\n55\n{}\n", &ROOT[..43]), "root"),
            (format!("{ORIGIN}\n55\n{}\n", ROOT.replace("r4=", "r5=")), "root"),
            (format!("{ORIGIN}\n55\n{ROOT}{ROOT}\n"), "root"),
            (format!("{ORIGIN}\r\n55\r\n{ROOT}\r\n"), "size"),
        ] {
            let refused = Checkpoint::parse_text(&text);
            assert!(
                matches!(&refused, Err(CheckpointError::Text { field: found, .. }) if *found == field),
                "{text:?}: {refused:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_is_written(text in "[a-z\n0]{0,3}\n[0-9+]{0,3}\n[A-E=]{42,44}\n{0,2}") {
            if let Ok(checkpoint) = Checkpoint::parse_text(&text) {
                prop_assert_eq!(checkpoint.text(), text);
            }
        }

        #[test]
        fn any_note_is_read_without_panic(note in ".{0,200}") {
            let _ = Checkpoint::open(&note, &key().1, ORIGIN);
        }
    }
}
