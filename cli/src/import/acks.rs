//! The file of acknowledged events: `EVENT_ID LOG_INDEX WHAT`, one line each, on disk before the next request is sent.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ledger_client::sync_folder_of;
use ledger_core::ids::{EventId, LogIndex};
use thiserror::Error;

/// An open file of acknowledgements.
#[derive(Debug)]
pub struct Acks {
    path: PathBuf,
    file: File,
    known: HashMap<EventId, LogIndex>,
    end: u64,
}

/// Why an acknowledgement could not be kept, or contradicts an earlier one.
#[derive(Debug, Error)]
pub enum AcksError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A whole line that is none of ours.
    #[error("{path}:{line}: wanted is EVENT_ID LOG_INDEX WHAT, found is {text:?}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// An event that had been acknowledged stands elsewhere now: the ledger lost it, or is another one.
    #[error(
        "{path}: event {event_id} was acknowledged at log index {acknowledged}, the ledger has it at {found}"
    )]
    Moved {
        /// The file.
        path: PathBuf,
        /// The event.
        event_id: EventId,
        /// Where it stood.
        acknowledged: LogIndex,
        /// Where it stands.
        found: LogIndex,
    },
}

impl Acks {
    /// Opens or creates a file, for one import at a time. A last line without its end, left by an interrupted write, is
    /// cut off: its event had not been acknowledged on disk.
    ///
    /// # Errors
    /// [`AcksError::Io`], also while another import has the file open; [`AcksError::Line`], also for an end that is
    /// not the beginning of a line of ours: the file is then left as it is.
    pub fn open(path: &Path) -> Result<Self, AcksError> {
        let io = |source| AcksError::Io { path: path.to_owned(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(io)?;
        file.try_lock().map_err(|error| io(error.into()))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let end = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let torn = bytes.split_off(end);
        let foreign =
            |line: usize, text: &str| AcksError::Line { path: path.to_owned(), line, text: text.to_owned() };
        let mut known = HashMap::new();
        let whole = String::from_utf8_lossy(&bytes);
        for (at, line) in whole.lines().enumerate() {
            let (id, index) = parse(line).ok_or_else(|| foreign(at + 1, line))?;
            known.insert(id, index);
        }
        if !begins_a_line(&torn) {
            return Err(foreign(whole.lines().count() + 1, &String::from_utf8_lossy(&torn)));
        }
        let end = end as u64;
        file.set_len(end).map_err(io)?;
        file.sync_all().map_err(io)?;
        sync_folder_of(path).map_err(io)?;
        Ok(Self { path: path.to_owned(), file, known, end })
    }

    /// How many events it holds.
    pub fn len(&self) -> u64 {
        self.known.len() as u64
    }

    /// Keeps acknowledgements; on disk when this returns. Known ones are compared instead.
    ///
    /// # Errors
    /// [`AcksError::Moved`], [`AcksError::Io`].
    pub fn keep(
        &mut self,
        answers: impl Iterator<Item = (EventId, LogIndex, String)>,
    ) -> Result<(), AcksError> {
        let mut lines = String::new();
        for (event_id, found, what) in answers {
            match self.known.insert(event_id, found) {
                None => lines.push_str(&format!("{event_id} {found} {what}\n")),
                Some(acknowledged) if acknowledged == found => {}
                Some(acknowledged) => {
                    return Err(AcksError::Moved { path: self.path.clone(), event_id, acknowledged, found });
                }
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.append(lines.as_bytes()).map_err(|source| AcksError::Io { path: self.path.clone(), source })
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(lines)?;
        self.file.sync_data()?;
        self.end += lines.len() as u64;
        Ok(())
    }
}

fn parse(line: &str) -> Option<(EventId, LogIndex)> {
    let mut words = line.splitn(3, ' ');
    let id = EventId::parse(words.next()?)?;
    let index = words.next()?.parse().ok()?;
    words.next().map(|_| (id, LogIndex(index)))
}

/// Whether these bytes may be the beginning of a line of ours.
fn begins_a_line(torn: &[u8]) -> bool {
    const ID: &[u8] = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx ";
    let fits = |(byte, place): (&u8, &u8)| match place {
        b'x' => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        _ => byte == place,
    };
    let index = torn.get(ID.len()..).unwrap_or_default();
    let index = index.split(|byte| *byte == b' ').next().unwrap_or_default();
    torn.iter().zip(ID).all(fits) && index.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> EventId {
        EventId([byte; 16])
    }

    fn answer(byte: u8, index: u64) -> std::iter::Once<(EventId, LogIndex, String)> {
        std::iter::once((id(byte), LogIndex(index), format!("row a {byte}")))
    }

    #[test]
    fn acknowledgements_are_kept_once_and_compared_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acks");
        let mut acks = Acks::open(&path).unwrap();
        acks.keep(answer(1, 7).chain(answer(2, 8))).unwrap();
        acks.keep(answer(1, 7)).unwrap();
        drop(acks);
        let mut acks = Acks::open(&path).unwrap();
        assert_eq!(acks.len(), 2);
        acks.keep(answer(2, 8).chain(answer(3, 9))).unwrap();
        assert!(matches!(
            acks.keep(answer(1, 10)),
            Err(AcksError::Moved { acknowledged: LogIndex(7), found: LogIndex(10), .. })
        ));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{} 7 row a 1\n{} 8 row a 2\n{} 9 row a 3\n", id(1), id(2), id(3)));
    }

    #[test]
    fn a_torn_last_line_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acks");
        let whole = format!("{} 7 row 1\n", id(1));
        std::fs::write(&path, format!("{whole}{} 8 ro", id(2))).unwrap();
        let mut acks = Acks::open(&path).unwrap();
        assert_eq!(acks.len(), 1);
        acks.keep(answer(2, 9)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{whole}{} 9 row a 2\n", id(2)));
        drop(acks);
        let line = format!("{} 12 row 1", id(3));
        for length in 0..=line.len() {
            std::fs::write(&path, format!("{whole}{}", &line[..length])).unwrap();
            assert_eq!(Acks::open(&path).unwrap().len(), 1, "{length}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        }
    }

    #[test]
    fn two_imports_do_not_share_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acks");
        let first = Acks::open(&path).unwrap();
        assert!(matches!(Acks::open(&path), Err(AcksError::Io { .. })));
        drop(first);
        Acks::open(&path).unwrap();
    }

    #[test]
    fn another_file_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes");
        let id = "01020304-0506-0708-090a-0b0c0d0e0f10";
        let bad_index = format!("{id} x row\n");
        let torn_index = format!("{id} 7x");
        for text in ["hello\n", &bad_index, "\n", "hello", "0102030405", &torn_index] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(Acks::open(&path), Err(AcksError::Line { line: 1, .. })));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
