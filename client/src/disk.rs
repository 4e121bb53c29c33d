//! Files that are whole after a crash: written aside, synced, renamed, and their folder synced.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes a file durably, in place of the one that may be there.
///
/// # Errors
/// As the file system gives them; the file is then the old one or the new one.
pub fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes)?;
    sync_folder_of(path)
}

/// Makes the name of a file durable.
///
/// # Errors
/// As the file system gives them.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    sync_folder(folder_of(path))
}

/// Files written below a folder; their names are durable after [`Tree::sync`].
pub(crate) struct Tree {
    root: PathBuf,
    touched: BTreeSet<PathBuf>,
}

impl Tree {
    /// Makes the folder when it is missing.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        Ok(Self { root: root.to_owned(), touched: BTreeSet::new() })
    }

    /// Writes `bytes` at a relative path; a file that holds them already stays as it is.
    pub(crate) fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.root.join(path);
        if fs::read(&path).is_ok_and(|present| present == bytes) {
            return Ok(());
        }
        let folder = folder_of(&path);
        if !self.touched.contains(folder) {
            fs::create_dir_all(folder)?;
            let above = folder.ancestors().take_while(|ancestor| ancestor.starts_with(&self.root));
            self.touched.extend(above.map(Path::to_owned));
        }
        replace(&path, bytes)
    }

    /// Syncs every folder in which a file was written or a folder made.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        for folder in std::mem::take(&mut self.touched) {
            sync_folder(&folder)?;
        }
        sync_folder_of(&self.root)
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{}: not a file", path.display())));
    };
    let aside = path.with_file_name(format!(".{}.new", name.to_string_lossy()));
    let mut file = File::create(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, path)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_whole_and_nothing_is_left_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::open(&folder.path().join("a")).unwrap();
        tree.write("tile/0/000.p/5", b"old").unwrap();
        tree.write("tile/0/000.p/5", b"new").unwrap();
        tree.sync().unwrap();
        write_durably(&folder.path().join("a/checkpoint"), b"note").unwrap();
        assert_eq!(fs::read(folder.path().join("a/tile/0/000.p/5")).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path().join("a/tile/0/000.p")).unwrap().count(), 1);
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 2);
    }
}
