//! Key files: private ones readable by their owner only, none ever overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::pem::PemError;
use crate::public_key::PublicKey;
use crate::signing_key::SigningKey;

/// No key file is longer.
const MAX_BYTES: u64 = 4096;
const PRIVATE_MODE: u32 = 0o600;
const PUBLIC_MODE: u32 = 0o644;

/// Why a key file was not read or not written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The operating system refused.
    #[error("key file {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A private key that others may read is no longer private.
    #[error(
        "key file {}: mode {mode:04o} lets others than its owner use it; it must be 0600",
        path.display()
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A folder, a device, a socket.
    #[error("key file {}: not a regular file", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// Too long for a key.
    #[error("key file {}: longer than {limit} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// The content is not a key.
    #[error("key file {}: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PemError,
    },
}

/// Reads a private key (PKCS#8 PEM).
///
/// # Errors
/// [`KeyFileError`]; a file with any permission for group or others is refused unread.
pub fn load(path: &Path) -> Result<SigningKey, KeyFileError> {
    let (file, mode) = open(path)?;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(KeyFileError::OpenToOthers { path, mode });
    }
    let text = read(path, file)?;
    SigningKey::from_pkcs8_pem(&text).map_err(content(path))
}

/// Writes a private key (PKCS#8 PEM, mode 0600), durably.
///
/// # Errors
/// [`KeyFileError::Io`]; of kind `AlreadyExists` when there is a file, which stays as it is.
pub fn create(path: &Path, key: &SigningKey) -> Result<(), KeyFileError> {
    write_new(path, key.to_pkcs8_pem().as_bytes(), PRIVATE_MODE).map_err(at(path))
}

/// Reads a public key (SPKI PEM).
///
/// # Errors
/// [`KeyFileError`].
pub fn load_public(path: &Path) -> Result<PublicKey, KeyFileError> {
    let (file, _) = open(path)?;
    let text = read(path, file)?;
    PublicKey::from_spki_pem(&text).map_err(content(path))
}

/// Writes a public key (SPKI PEM, mode 0644), durably.
///
/// # Errors
/// [`KeyFileError::Io`]; of kind `AlreadyExists` when there is a file, which stays as it is.
pub fn create_public(path: &Path, key: &PublicKey) -> Result<(), KeyFileError> {
    write_new(path, key.to_spki_pem().as_bytes(), PUBLIC_MODE).map_err(at(path))
}

/// Opens a file and reads the mode of what was opened, not of what the path names later.
fn open(path: &Path) -> Result<(File, u32), KeyFileError> {
    let file = File::open(path).map_err(at(path))?;
    let metadata = file.metadata().map_err(at(path))?;
    if !metadata.is_file() {
        return Err(KeyFileError::NotAFile { path: path.to_owned() });
    }
    Ok((file, metadata.permissions().mode() & 0o7777))
}

fn read(path: &Path, file: File) -> Result<Zeroizing<String>, KeyFileError> {
    // Reserved at once: a string that grew would leave copies of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(MAX_BYTES as usize + 1));
    let mut limited = file.take(MAX_BYTES + 1);
    let length = limited.read_to_string(&mut text).map_err(at(path))?;
    if length as u64 > MAX_BYTES {
        let path = path.to_owned();
        return Err(KeyFileError::TooLong { path, limit: MAX_BYTES });
    }
    Ok(text)
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // A half-written key would bar the way for the next attempt.
        let _ = fs::remove_file(path);
        return Err(error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn at(path: &Path) -> impl Fn(io::Error) -> KeyFileError {
    move |source| KeyFileError::Io { path: path.to_owned(), source }
}

fn content(path: &Path) -> impl Fn(PemError) -> KeyFileError {
    move |source| KeyFileError::Content { path: path.to_owned(), source }
}
