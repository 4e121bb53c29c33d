//! Reading a delimited bank file, plain or gzip-compressed.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use flate2::bufread::MultiGzDecoder;
use thiserror::Error;

use super::accounts::Accounts;
use super::layout::{FieldFault, Layout, Row};
use super::mapping::{Charset, Mapping, MappingError, RowOrder, wrong};

/// A file, understood.
pub struct BankFile {
    /// Where it is.
    pub path: PathBuf,
    /// The mapping, resolved against its header.
    pub layout: Layout,
    /// Its rows, oldest day first.
    pub rows: Vec<Row>,
    /// The accounts they name.
    pub accounts: Accounts,
}

/// Why a file cannot be imported; nothing was sent.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be opened.
    #[error("{path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Its lines cannot be read: a broken compression, a line with more or fewer fields than the header.
    #[error("{path}: {source}")]
    Lines {
        /// The file.
        path: PathBuf,
        /// The place and what is wrong.
        source: csv::Error,
    },
    /// A line is not in the charset.
    #[error("{path}:{line}: not UTF-8; the mapping's file.charset may be \"latin-1\"")]
    Charset {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// The mapping does not fit the file.
    #[error("mapping: {0}")]
    Mapping(#[from] MappingError),
    /// A field of a row is wrong.
    #[error(transparent)]
    Row(Box<RowFault>),
}

/// A field that is wrong, and the row that it stands in.
#[derive(Debug, Error)]
#[error("{path}:{line}: row {key:?}, column {:?}: {:?} is not {}", fault.column, fault.value, fault.expected)]
pub struct RowFault {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// The row's key.
    pub key: String,
    /// Column, value and what may stand there.
    pub fault: FieldFault,
}

impl BankFile {
    /// Reads and understands a whole file.
    ///
    /// # Errors
    /// [`FileError`] for the first line that is wrong.
    pub fn read(path: &Path, mapping: &Mapping) -> Result<Self, FileError> {
        let delimiter = u8::try_from(mapping.file.delimiter).ok().filter(u8::is_ascii);
        let delimiter = delimiter.ok_or_else(|| {
            wrong("file.delimiter", &mapping.file.delimiter.to_string(), "one ASCII character")
        })?;
        let input = open(path).map_err(|source| FileError::Open { path: path.to_owned(), source })?;
        let mut lines = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(input);
        let failed = |source| FileError::Lines { path: path.to_owned(), source };
        let text = |line, record: &ByteRecord| {
            decode(record, mapping.file.charset)
                .ok_or_else(|| FileError::Charset { path: path.to_owned(), line })
        };
        let header = text(1, lines.byte_headers().map_err(failed)?)?;
        let layout = Layout::new(mapping, header)?;
        let mut rows = Vec::new();
        let mut accounts = Accounts::default();
        let mut record = ByteRecord::new();
        while lines.read_byte_record(&mut record).map_err(failed)? {
            let line = record.position().map_or(0, csv::Position::line);
            let fields = text(line, &record)?;
            let row = layout.row(line, &fields, &mut accounts);
            rows.push(row.map_err(|fault| named(path, line, layout.key(&fields), fault))?);
        }
        if mapping.file.rows == RowOrder::NewestFirst {
            rows.reverse();
        }
        let file = Self { path: path.to_owned(), layout, rows, accounts };
        file.check_days()?;
        file.check_keys()?;
        Ok(file)
    }

    fn check_days(&self) -> Result<(), FileError> {
        let step_back = self.rows.windows(2).find(|pair| pair[1].day < pair[0].day);
        step_back.map_or(Ok(()), |pair| {
            let expected = format!("on or after {}, the day of line {}", pair[0].day, pair[0].line);
            Err(self.fault(&pair[1], self.layout.date_column(), pair[1].day.to_string(), expected))
        })
    }

    fn check_keys(&self) -> Result<(), FileError> {
        let mut lines = HashMap::with_capacity(self.rows.len());
        for row in &self.rows {
            if let Some(line) = lines.insert(row.key.as_str(), row.line) {
                let expected = format!("different from that of line {line}");
                return Err(self.fault(row, self.layout.key_column(), row.key.clone(), expected));
            }
        }
        Ok(())
    }

    fn fault(&self, row: &Row, column: &str, value: String, expected: String) -> FileError {
        named(&self.path, row.line, &row.key, FieldFault { column: column.to_owned(), value, expected })
    }
}

fn named(path: &Path, line: u64, key: &str, fault: FieldFault) -> FileError {
    FileError::Row(Box::new(RowFault { path: path.to_owned(), line, key: key.to_owned(), fault }))
}

/// Gzip is known by its first two bytes (RFC 1952), whatever the file is called.
fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = BufReader::new(File::open(path)?);
    if file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(MultiGzDecoder::new(file)));
    }
    Ok(Box::new(file))
}

fn decode(record: &ByteRecord, charset: Charset) -> Option<Vec<String>> {
    let field = |bytes: &[u8]| {
        let text = match charset {
            Charset::Latin1 => bytes.iter().copied().map(char::from).collect(),
            Charset::Utf8 => String::from_utf8(bytes.to_vec()).ok()?,
        };
        Some(text.trim().to_owned())
    };
    record.iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const MAPPING: &str = r#"
        source = "test"
        file = { delimiter = ";", charset = "latin-1", rows = "oldest-first", within_day = "file" }
        columns = { key = "id", date = "day", amount = "amount" }
        date = { format = "yyyymmdd" }
        amount = { currency = "JPY", decimal_mark = "." }
        account = { id = "c", kind = "CUSTOMER" }
        transfer = { purpose = "x" }
        counter = [{ when = { note = ["caf\u00e9", ""] }, account = { id = "outside", kind = "EXTERNAL" } }]
    "#;
    const LINES: &[u8] = b"id;day;amount;note\n1;20240101;5;caf\xe9\n\"2\";20240101;-5; \n3;20240102;7;\n";

    fn read(mapping: &str, bytes: &[u8]) -> Result<BankFile, FileError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        std::fs::write(&path, bytes).unwrap();
        BankFile::read(&path, &toml::from_str(mapping).unwrap())
    }

    fn keys(file: &BankFile) -> Vec<(u64, &str)> {
        file.rows.iter().map(|row| (row.line, row.key.as_str())).collect()
    }

    #[test]
    fn plain_and_compressed_files_are_read() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(LINES).unwrap();
        for bytes in [LINES.to_vec(), gzip.finish().unwrap()] {
            let file = read(MAPPING, &bytes).unwrap();
            assert_eq!(keys(&file), [(2, "1"), (3, "2"), (4, "3")]);
            let ids = [0, 1].map(|position| file.accounts.at(position).id.to_string());
            assert_eq!(ids, ["c", "outside"]);
        }
    }

    #[test]
    fn a_file_with_the_newest_first_is_read_backwards() {
        let mapping = MAPPING.replace("oldest", "newest");
        let turned = b"id;day;amount;note\n3;20240102;7;\n2;20240101;-5;\n1;20240101;5;\n";
        assert_eq!(keys(&read(&mapping, turned).unwrap()), [(4, "1"), (3, "2"), (2, "3")]);
    }

    #[test]
    fn the_line_that_is_wrong_is_named() {
        let wrong = |mapping: &str, bytes: &[u8]| match read(mapping, bytes) {
            Err(FileError::Row(row)) => format!("{} {} {}", row.line, row.key, row.fault.column),
            Err(FileError::Charset { line, .. }) => format!("{line} charset"),
            Err(FileError::Lines { source, .. }) => {
                source.position().map_or(0, csv::Position::line).to_string()
            }
            Err(other) => other.to_string(),
            Ok(_) => "taken".to_owned(),
        };
        assert_eq!(wrong(&MAPPING.replace("oldest", "newest"), LINES), "3 2 day");
        assert_eq!(wrong(&MAPPING.replace("latin-1", "utf-8"), LINES), "2 charset");
        let head = b"id;day;amount;note\n1;20240101;5;\n";
        let with = |line: &[u8]| wrong(MAPPING, &[head, line].concat());
        assert_eq!(with(b"2;20231231;5;\n"), "3 2 day");
        assert_eq!(with(b"1;20240101;6;\n"), "3 1 id");
        assert_eq!(with(b"2;20240101;6\n"), "3");
        assert_eq!(with(b"2;20240101;0.5;\n"), "3 2 amount");
    }

    #[test]
    fn a_cut_off_archive_is_an_error() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(LINES).unwrap();
        let mut bytes = gzip.finish().unwrap();
        bytes.truncate(bytes.len() - 9);
        assert!(matches!(read(MAPPING, &bytes), Err(FileError::Lines { .. })));
    }
}
