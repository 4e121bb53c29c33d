//! C2SP signed notes (`signed-note.md`) with Ed25519 keys: text, a blank line, signature lines.

use std::fmt;

use base64::engine::{Engine, general_purpose::STANDARD};

use crate::digest::Hasher;
use crate::public_key::{KeyBytes, KeyError, PublicKey, SignatureBytes};
use crate::signing_key::SigningKey;

/// Signature type byte of Ed25519.
const ED25519: u8 = 0x01;
/// More signature lines than this are refused; the specification asks for 16 at least.
const MAX_SIGNATURES: usize = 100;

/// Why a note, a verifier key or a name was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A key name that is empty or holds a space, a plus sign or a control character.
    #[error("key name {name:?}: empty, or with a space, a plus sign or a control character")]
    Name {
        /// The refused name.
        name: String,
    },
    /// A verifier key that is not `name+hash+base64`.
    #[error("verifier key {text:?}: {clause}")]
    VerifierKey {
        /// The refused text.
        text: String,
        /// The clause that it breaks.
        clause: &'static str,
    },
    /// A verifier key whose public key is not acceptable.
    #[error("verifier key of {name}: {source}")]
    PublicKey {
        /// The key's name.
        name: String,
        /// What is wrong with the key.
        source: KeyError,
    },
    /// Text that cannot be signed or is not a note.
    #[error("note: {clause}")]
    Syntax {
        /// The clause that it breaks.
        clause: &'static str,
    },
    /// A signature line that is malformed.
    #[error("note, signature line {number}: {clause}")]
    Line {
        /// The line's number, from 1.
        number: usize,
        /// The clause that it breaks.
        clause: &'static str,
    },
    /// More signature lines than are read.
    #[error("note: {count} signature lines, more than {limit}")]
    TooManySignatures {
        /// How many there are.
        count: usize,
        /// How many are read.
        limit: usize,
    },
    /// A note signed by nobody.
    #[error("note: no signer given")]
    NoSigner,
    /// Two known keys with one name and one key id: a line could mean either.
    #[error("two known keys are both {name}+{}", hex::encode(key_id))]
    Ambiguous {
        /// Their name.
        name: String,
        /// Their key id.
        key_id: [u8; 4],
    },
    /// A known key's line whose signature does not hold.
    #[error("note: the signature of {name}+{} is not valid", hex::encode(key_id))]
    BadSignature {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: [u8; 4],
    },
    /// A known key that has two lines.
    #[error("note: {name}+{} has more than one line", hex::encode(key_id))]
    RepeatedSignature {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: [u8; 4],
    },
    /// No line of a known key.
    #[error("note: no signature of a known key")]
    Unsigned,
}

/// A public key under a name. Its text form is `name+hash+base64(0x01 ‖ key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifierKey {
    /// The name, usually a URL without its scheme.
    pub name: String,
    /// The first four bytes of SHA-256(name ‖ LF ‖ 0x01 ‖ key).
    pub key_id: [u8; 4],
    /// The key.
    pub key: PublicKey,
}

impl VerifierKey {
    /// The key under a name.
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn new(name: &str, key: &PublicKey) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), key_id: key_id(name, key.as_bytes()), key: key.clone() })
    }

    /// Reads the text form; the hash must be that of name and key.
    ///
    /// # Errors
    /// [`NoteError::VerifierKey`], [`NoteError::Name`] or [`NoteError::PublicKey`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let refuse = |clause| NoteError::VerifierKey { text: text.to_owned(), clause };
        let form = "not of the form name+hash+base64";
        let (name, rest) = text.split_once('+').ok_or_else(|| refuse(form))?;
        let (hash, encoded) = rest.split_once('+').ok_or_else(|| refuse(form))?;
        let bytes = STANDARD.decode(encoded).map_err(|_| refuse("the key is not base64"))?;
        let Some((&ED25519, key)) = bytes.split_first() else {
            return Err(refuse("not a key of type 0x01, Ed25519"));
        };
        let key = KeyBytes::try_from(key).map_err(|_| refuse("the key is not 32 bytes long"))?;
        let key = PublicKey::from_bytes(&key)
            .map_err(|source| NoteError::PublicKey { name: name.to_owned(), source })?;
        let parsed = Self::new(name, &key)?;
        if hex::encode(parsed.key_id) != hash {
            return Err(refuse("the hash is not that of name and key"));
        }
        Ok(parsed)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([&[ED25519], self.key.as_bytes().as_slice()].concat());
        write!(f, "{}+{}+{encoded}", self.name, hex::encode(self.key_id))
    }
}

/// A private key under a name.
#[derive(Debug)]
pub struct NoteSigner<'a> {
    name: &'a str,
    key_id: [u8; 4],
    key: &'a SigningKey,
}

impl<'a> NoteSigner<'a> {
    /// The key under a name.
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn new(name: &'a str, key: &'a SigningKey) -> Result<Self, NoteError> {
        check_name(name)?;
        let key_id = key_id(name, &key.public_bytes());
        Ok(Self { name, key_id, key })
    }

    /// The signature line, with its newline, for a note's text.
    ///
    /// # Errors
    /// [`NoteError::Syntax`] when `text` cannot be a note's text.
    pub fn line(&self, text: &str) -> Result<String, NoteError> {
        check_text(text)?;
        let signature = self.key.sign(text.as_bytes());
        let encoded = STANDARD.encode([self.key_id.as_slice(), signature.as_slice()].concat());
        Ok(format!("— {} {encoded}\n", self.name))
    }
}

/// The note: `text`, which ends in a newline, signed by each signer in order.
///
/// # Errors
/// [`NoteError::NoSigner`], [`NoteError::Name`] or [`NoteError::Syntax`].
pub fn sign(text: &str, signers: &[(&str, &SigningKey)]) -> Result<String, NoteError> {
    if signers.is_empty() {
        return Err(NoteError::NoSigner);
    }
    let mut note = format!("{text}\n");
    for (name, key) in signers {
        note.push_str(&NoteSigner::new(name, key)?.line(text)?);
    }
    Ok(note)
}

/// A note that at least one known key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenNote {
    /// The signed text, with its last newline.
    pub text: String,
    /// The known keys that signed, in the order of their lines.
    pub verified: Vec<VerifierKey>,
    /// How many lines were of unknown keys or algorithms, and ignored.
    pub unknown: usize,
}

/// Opens a note for a reader who trusts the `known` keys.
///
/// # Errors
/// [`NoteError`]: malformed bytes; a line of a known key that does not verify, or a second one; no
/// line of a known key.
pub fn open(note: &[u8], known: &[VerifierKey]) -> Result<OpenNote, NoteError> {
    check_known(known)?;
    let note = std::str::from_utf8(note).map_err(|_| syntax("not UTF-8"))?;
    let Some((head, signatures)) = note.rsplit_once("\n\n") else {
        return Err(syntax("no blank line before the signatures"));
    };
    let text = format!("{head}\n");
    check_text(&text)?;
    let lines = signature_lines(signatures)?;

    let mut verified: Vec<VerifierKey> = Vec::new();
    let mut unknown = 0;
    for line in &lines {
        let (name, key_id) = (line.name.to_owned(), line.key_id);
        let signer = |key: &&VerifierKey| key.name == name && key.key_id == key_id;
        let Some(key) = known.iter().find(signer) else {
            unknown += 1;
            continue;
        };
        if verified.iter().any(|key| signer(&key)) {
            return Err(NoteError::RepeatedSignature { name, key_id });
        }
        let signature = SignatureBytes::try_from(line.signature.as_slice());
        let valid = signature.is_ok_and(|s| key.key.verify(text.as_bytes(), &s).is_ok());
        if !valid {
            return Err(NoteError::BadSignature { name, key_id });
        }
        verified.push(key.clone());
    }
    if verified.is_empty() {
        return Err(NoteError::Unsigned);
    }
    Ok(OpenNote { text, verified, unknown })
}

struct SignatureLine<'a> {
    name: &'a str,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

fn signature_lines(block: &str) -> Result<Vec<SignatureLine<'_>>, NoteError> {
    let Some(block) = block.strip_suffix('\n') else {
        return Err(syntax("no newline at the end"));
    };
    let count = block.split('\n').count();
    if count > MAX_SIGNATURES {
        let limit = MAX_SIGNATURES;
        return Err(NoteError::TooManySignatures { count, limit });
    }
    let numbered = block.split('\n').zip(1..);
    numbered
        .map(|(line, number)| signature_line(line).map_err(|clause| NoteError::Line { number, clause }))
        .collect()
}

fn signature_line(line: &str) -> Result<SignatureLine<'_>, &'static str> {
    let rest = line.strip_prefix("— ").ok_or("no em dash and space at its start")?;
    let (name, encoded) = rest.split_once(' ').ok_or("no space after the key name")?;
    check_name(name).map_err(|_| "not a key name")?;
    let bytes = STANDARD.decode(encoded).map_err(|_| "the signature is not base64")?;
    match bytes.split_first_chunk() {
        Some((key_id, signature)) if !signature.is_empty() => {
            Ok(SignatureLine { name, key_id: *key_id, signature: signature.to_vec() })
        }
        _ => Err("no signature after the key id"),
    }
}

fn check_known(known: &[VerifierKey]) -> Result<(), NoteError> {
    for (i, a) in known.iter().enumerate() {
        let same = |b: &VerifierKey| b.name == a.name && b.key_id == a.key_id;
        if known.iter().skip(i + 1).any(same) {
            let (name, key_id) = (a.name.clone(), a.key_id);
            return Err(NoteError::Ambiguous { name, key_id });
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let refused = |c: char| c == '+' || c.is_whitespace() || c.is_control();
    if name.is_empty() || name.contains(refused) {
        let name = name.to_owned();
        return Err(NoteError::Name { name });
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if !text.ends_with('\n') {
        return Err(syntax("the text does not end in a newline"));
    }
    if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(syntax("the text holds a control character"));
    }
    Ok(())
}

fn key_id(name: &str, key: &KeyBytes) -> [u8; 4] {
    let mut hasher = Hasher::new();
    hasher.update(name.as_bytes()).update(b"\n").update(&[ED25519]).update(key);
    let [a, b, c, d, ..] = hasher.finish();
    [a, b, c, d]
}

fn syntax(clause: &'static str) -> NoteError {
    NoteError::Syntax { clause }
}
