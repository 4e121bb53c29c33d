//! Files of private data: the data itself, and salt and data beside an envelope.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ledger_core::sidecar::{MAX_METADATA_BYTES, SALT_BYTES, Sidecar};

use crate::exit::CliError;

/// Where salt and private data of an envelope are; the envelope itself goes to every signer.
pub fn path_beside(envelope: &Path) -> PathBuf {
    let mut path = envelope.as_os_str().to_owned();
    path.push(".private");
    PathBuf::from(path)
}

/// Salt and private data beside an envelope, if there are any.
pub fn read_beside(envelope: &Path) -> Result<Option<Sidecar>, CliError> {
    let path = path_beside(envelope);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(CliError::io(&path))?,
    };
    let (salt, metadata) = bytes.split_at(SALT_BYTES.min(bytes.len()));
    let sidecar = Sidecar { salt: salt.to_vec(), metadata: metadata.to_vec() };
    check_size("metadata", &sidecar)?;
    Ok(Some(sidecar))
}

/// No ledger takes private data above its limit.
pub fn check_size(name: &'static str, sidecar: &Sidecar) -> Result<(), CliError> {
    match sidecar.metadata.len() {
        0..=MAX_METADATA_BYTES => Ok(()),
        bytes => Err(CliError::argument(
            name,
            format!("{bytes} bytes"),
            format!("at most {MAX_METADATA_BYTES} bytes"),
        )),
    }
}

/// Writes salt and private data beside an envelope, when it has any; a file that is there is not replaced.
pub fn write_beside(envelope: &Path, sidecar: Option<&Sidecar>) -> Result<(), CliError> {
    let Some(Sidecar { salt, metadata }) = sidecar else { return Ok(()) };
    write(&path_beside(envelope), &[&salt[..], metadata].concat())
}

/// Writes a new file for its owner only.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all())).map_err(CliError::io(path))
}
