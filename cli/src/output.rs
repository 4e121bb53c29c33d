//! What a command prints: tables for people, or one JSON document.

use std::fmt::Display;
use std::io::{self, Write};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use serde_json::Value;

/// Standard output in the form that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// JSON, or for people.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether people read it.
    pub fn is_human(self) -> bool {
        !self.json
    }

    /// Prints a result: the words for people, or the JSON document.
    pub fn print(self, human: impl Display, json: &Value) {
        if self.json { line(json) } else { line(human) }
    }
}

/// A line on standard error, for what is not the result.
pub fn note(words: impl Display) {
    let _ = writeln!(io::stderr(), "{words}");
}

/// A table with a header; the columns named in `right` hold numbers.
pub fn table(header: &[&str], right: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = empty();
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for (position, name) in header.iter().enumerate() {
        if let (true, Some(column)) = (right.contains(name), table.column_mut(position)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A table of names and values.
pub fn facts<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> Table {
    let mut table = empty();
    for (name, value) in rows {
        table.add_row(vec![Cell::new(name), Cell::new(value)]);
    }
    table
}

fn empty() -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// A reader that went away (`| head`) is no error.
fn line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}
