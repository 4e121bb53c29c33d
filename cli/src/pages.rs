//! Lists, page by page, up to the number of rows that was asked for.

use std::future::Future;

use ledger_client::{ClientError, Direction, Page};

/// How much of a list is shown.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Limit {
    /// Most rows; 0: all
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub limit: u64,
    /// The newest first
    #[arg(long)]
    pub descending: bool,
}

/// A page as the service gives it.
pub struct Rows<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Empty: nothing follows.
    pub next_cursor: Vec<u8>,
    /// Number of log entries that it was read at.
    pub read_at: u64,
}

/// A list, or the part of it that was asked for.
pub struct Listed<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Number of log entries that the last page was read at.
    pub read_at: u64,
    /// Whether there is more.
    pub more: bool,
}

impl Limit {
    /// Reads pages until there are enough rows or no more.
    pub async fn read<T, F>(self, page: impl Fn(Page) -> F) -> Result<Listed<T>, ClientError>
    where
        F: Future<Output = Result<Rows<T>, ClientError>>,
    {
        let wanted = if self.limit == 0 { u64::MAX } else { self.limit };
        let mut listed = Listed { rows: Vec::new(), read_at: 0, more: true };
        let mut cursor = Vec::new();
        let direction = if self.descending { Direction::Descending } else { Direction::Ascending };
        while listed.more && (listed.rows.len() as u64) < wanted {
            let read = page(Page { cursor, limit: 0, direction }).await?;
            listed.rows.extend(read.rows);
            listed.read_at = read.read_at;
            listed.more = !read.next_cursor.is_empty();
            cursor = read.next_cursor;
        }
        if listed.rows.len() as u64 > wanted {
            listed.rows.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
            listed.more = true;
        }
        Ok(listed)
    }
}
