//! A CSV file in memory, each row with the line of the file that it starts on.
//!
//! It is read by RFC 4180. Beyond that, rows may end with `\n` or `\r`, blank lines are passed over, a byte order mark may come
//! first, and the delimiter may be another. A quote where none may stand is an error, and so is a row of another length.

#[path = "strict.rs"]
mod strict;

use std::fs;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use crate::csv_support::{Result, doing};
use strict::Misplaced;

/// A header and rows of as many cells.
pub(crate) struct Table {
    /// The file, for messages.
    pub(crate) file: String,
    pub(crate) headers: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

pub(crate) struct Row {
    /// Counted from 1. Quoted cells may go over several lines.
    pub(crate) line: usize,
    pub(crate) cells: StringRecord,
}

impl Table {
    pub(crate) fn read(path: &Path, delimiter: u8) -> Result<Self> {
        let file = path.display().to_string();
        let bytes = fs::read(path).map_err(doing(format!("cannot read {file}")))?;
        let text =
            String::from_utf8(bytes).map_err(|error| not_utf8(&file, error.as_bytes(), error.utf8_error().valid_up_to()))?;
        Self::parse(file, &text, delimiter)
    }

    fn parse(file: String, text: &str, delimiter: u8) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        strict::check(text, delimiter).map_err(|Misplaced { line, column, what }| format!("{file}:{line}:{column}: {what}"))?;
        let mut rows = Vec::new();
        let mut at = Cursor { text, byte: 0, line: 1 };
        for record in records(text, delimiter) {
            let cells = record.map_err(doing(format!("cannot read {file}")))?;
            let start = cells.position().map_or(0, csv::Position::byte);
            rows.push(Row { line: at.advance(usize::try_from(start)?), cells });
        }
        let mut rows = rows.into_iter();
        let Some(header) = rows.next() else {
            return Err(format!("{file} is empty; its first line names the columns").into());
        };
        let (headers, rows) = (header.cells.iter().map(str::to_owned).collect::<Vec<_>>(), rows.collect::<Vec<_>>());
        if let Some(row) = rows.iter().find(|row| row.cells.len() != headers.len()) {
            let (found, wanted) = (cells(row.cells.len()), headers.len());
            return Err(format!("{file}:{}: the row has {found}, and the header has {wanted}", row.line).into());
        }
        Ok(Self { file, headers, rows })
    }
}

/// Rows of any length: what is wrong with their shape is said with the line of the file.
fn records(text: &str, delimiter: u8) -> csv::StringRecordsIntoIter<&[u8]> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes()).into_records()
}

/// Counts lines as editors do. The reader's own count lags behind after `\r\n` and after blank lines.
struct Cursor<'a> {
    text: &'a str,
    byte: usize,
    line: usize,
}

impl Cursor<'_> {
    /// The line of the first row at or after this byte.
    fn advance(&mut self, byte: usize) -> usize {
        let bytes = self.text.as_bytes();
        let is_blank = |byte: &usize| bytes.get(*byte).is_some_and(|b| matches!(b, b'\r' | b'\n'));
        let start = (byte..).find(|byte| !is_blank(byte)).unwrap_or(byte);
        self.line += line_ends(&bytes[self.byte..start]);
        self.byte = start;
        self.line
    }
}

/// `\n`, `\r\n`, and the `\r` alone of old systems.
fn line_ends(bytes: &[u8]) -> usize {
    let ends = |(index, b): (usize, &u8)| *b == b'\n' || (*b == b'\r' && bytes.get(index + 1) != Some(&b'\n'));
    bytes.iter().enumerate().filter(|pair| ends(*pair)).count()
}

fn not_utf8(file: &str, bytes: &[u8], valid: usize) -> String {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return format!("{file} is UTF-16; convert it to UTF-8 first");
    }
    let (line, byte) = (1 + line_ends(&bytes[..valid]), bytes.get(valid).copied().unwrap_or_default());
    format!("{file}:{line}: the byte 0x{byte:02X} is not UTF-8; convert the file to UTF-8 first")
}

fn cells(count: usize) -> String {
    if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") }
}
