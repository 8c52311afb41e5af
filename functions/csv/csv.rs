//! JSON in, CSV (RFC 4180) out: an array of objects, or of arrays, becomes rows. The columns of
//! objects are their keys, in the order in which they are first seen. A text is written as it is, null
//! as nothing, everything else as it stands in the JSON.

#![no_std]

extern crate alloc;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nur::command::{print, read_input, variable};

const INPUT_BYTES_MAX: usize = 8 << 20;
const COLUMNS_MAX: usize = 4096;
const DEPTH_MAX: usize = 64;

/// Where in the text, and what is wrong there.
struct Mistake(usize, &'static str);

type Parsed<T> = Result<T, Mistake>;

/// What becomes of one value: its text, quoted when written if need be.
type Cell = String;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn mistake<T>(&self, what: &'static str) -> Parsed<T> {
        Err(Mistake(self.at, what))
    }

    /// The next byte that is no white space; 0 at the end.
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(0)
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Parsed<()> {
        if self.peek() != byte {
            return self.mistake(what);
        }
        self.at += 1;
        Ok(())
    }

    /// The elements between `[` and `]`, or the members between `{` and `}`.
    fn each(
        &mut self,
        open: u8,
        close: u8,
        mut element: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<()> {
        self.expect(open, "expected a list or an object")?;
        if self.peek() == close {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            match self.peek() {
                b',' => self.at += 1,
                byte if byte == close => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.mistake("expected a comma, or the end of the list or object"),
            }
        }
    }

    fn cell(&mut self) -> Parsed<Cell> {
        match self.peek() {
            b'"' => self.string(),
            b'n' => self.skip(0).map(|_| Cell::new()),
            _ => {
                let start = self.at;
                self.skip(0)?;
                Ok(self.text[start..self.at].to_owned())
            }
        }
    }

    /// Passes over any value.
    fn skip(&mut self, depth: usize) -> Parsed<()> {
        if depth > DEPTH_MAX {
            return self.mistake("nested too deeply");
        }
        match self.peek() {
            b'"' => self.string().map(|_| ()),
            b'[' => self.each(b'[', b']', |parser| parser.skip(depth + 1)),
            b'{' => self.each(b'{', b'}', |parser| {
                parser.key()?;
                parser.skip(depth + 1)
            }),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.mistake("expected a value"),
        }
    }

    fn key(&mut self) -> Parsed<String> {
        if self.peek() != b'"' {
            return self.mistake("expected a key in quotes");
        }
        let key = self.string()?;
        self.expect(b':', "expected a colon behind the key")?;
        Ok(key)
    }

    fn word(&mut self, word: &str) -> Parsed<()> {
        if !self.text[self.at..].starts_with(word) {
            return self.mistake("expected a value");
        }
        self.at += word.len();
        Ok(())
    }

    /// Passes over some digits; whether there were any.
    fn digits(&mut self) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count > 0
    }

    fn number(&mut self) -> Parsed<()> {
        let bytes = self.text.as_bytes();
        if bytes[self.at] == b'-' {
            self.at += 1;
        }
        let leading_zero = bytes.get(self.at) == Some(&b'0');
        let start = self.at;
        if !self.digits() || (leading_zero && self.at > start + 1) {
            return self.mistake("this is no number");
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if !self.digits() {
                return self.mistake("expected digits behind the point");
            }
        }
        if matches!(bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !self.digits() {
                return self.mistake("expected digits in the exponent");
            }
        }
        Ok(())
    }

    /// Begins at the opening quote.
    fn string(&mut self) -> Parsed<String> {
        let mut result = String::new();
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let Some(length) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                return self.mistake("the text does not end");
            };
            result.push_str(&rest[..length]);
            self.at += length;
            match self.text.as_bytes()[self.at] {
                b'"' => {
                    self.at += 1;
                    return Ok(result);
                }
                b'\\' => result.push(self.escape()?),
                _ => return self.mistake("a control character has to be written as an escape"),
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let letter = self.text.as_bytes().get(self.at + 1).copied().unwrap_or(0);
        let plain = match letter {
            b'"' | b'\\' | b'/' => letter as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return self.mistake("unknown escape"),
        };
        self.at += 2;
        Ok(plain)
    }

    /// `\uXXXX`, or two of them for what is beyond 16 bits. Half of such a pair becomes U+FFFD.
    fn unicode_escape(&mut self) -> Parsed<char> {
        let Some(first) = self.hexadecimal(self.at) else {
            return self.mistake("expected four hexadecimal digits");
        };
        self.at += 6;
        if (0xd800..0xdc00).contains(&first) {
            if let Some(second @ 0xdc00..0xe000) = self.hexadecimal(self.at) {
                self.at += 6;
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
        }
        Ok(char::from_u32(first).unwrap_or('\u{fffd}'))
    }

    fn hexadecimal(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        let valid = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok().filter(|_| valid)
    }
}

/// Columns by name, and rows whose cells know their column.
#[derive(Default)]
struct Table {
    columns: BTreeMap<String, usize>,
    names: Vec<String>,
    rows: Vec<Vec<(usize, Cell)>>,
}

impl Table {
    fn column(&mut self, name: String) -> Option<usize> {
        if let Some(&known) = self.columns.get(&name) {
            return Some(known);
        }
        let new = self.names.len();
        self.names.push(name.clone());
        self.columns.insert(name, new);
        Some(new).filter(|&column| column < COLUMNS_MAX)
    }

    fn row(&mut self, parser: &mut Parser) -> Parsed<()> {
        let mut row: Vec<(usize, Cell)> = Vec::new();
        match parser.peek() {
            b'{' => parser.each(b'{', b'}', |parser| {
                let key = parser.key()?;
                let Some(column) = self.column(key) else {
                    return parser.mistake("too many columns");
                };
                row.push((column, parser.cell()?));
                Ok(())
            })?,
            b'[' => parser.each(b'[', b']', |parser| {
                if row.len() == COLUMNS_MAX {
                    return parser.mistake("too many columns");
                }
                row.push((row.len(), parser.cell()?));
                Ok(())
            })?,
            _ => return parser.mistake("expected an object or a list for each row"),
        }
        self.rows.push(row);
        Ok(())
    }

    fn write(&self) -> String {
        let mut csv = String::new();
        if !self.names.is_empty() {
            write_row(&mut csv, self.names.iter().map(String::as_str));
        }
        for row in &self.rows {
            let width = row.iter().map(|(column, _)| column + 1).max().unwrap_or(0);
            let mut cells = alloc::vec![""; width.max(self.names.len())];
            // Of a key that is there twice, the last counts.
            for (column, cell) in row {
                cells[*column] = cell;
            }
            write_row(&mut csv, cells.into_iter());
        }
        csv
    }
}

fn write_row<'a>(csv: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (number, cell) in cells.enumerate() {
        if number > 0 {
            csv.push(',');
        }
        if cell.contains(['"', ',', '\r', '\n']) {
            csv.push('"');
            csv.push_str(&cell.replace('"', "\"\""));
            csv.push('"');
        } else {
            csv.push_str(cell);
        }
    }
    csv.push_str("\r\n");
}

fn convert(text: &str) -> Parsed<String> {
    let mut parser = Parser { text, at: 0 };
    let mut table = Table::default();
    match parser.peek() {
        b'{' => table.row(&mut parser)?,
        b'[' => parser.each(b'[', b']', |parser| table.row(parser))?,
        _ => return parser.mistake("expected a list of rows, or one object"),
    }
    if parser.peek() != 0 || parser.at < text.len() {
        return parser.mistake("something follows the value");
    }
    Ok(table.write())
}

fn main() {
    let cgi = variable("REQUEST_METHOD").is_some();
    let result = match read_input(INPUT_BYTES_MAX) {
        None => Err(("413 Content Too Large", "more than 8 MiB\n".into())),
        Some(input) => match core::str::from_utf8(&input) {
            Err(_) => Err(("400 Bad Request", "the input is no UTF-8\n".into())),
            Ok(text) => convert(text).map_err(|Mistake(at, what)| {
                let before = &text.as_bytes()[..at.min(text.len())];
                let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
                let column = before
                    .iter()
                    .rev()
                    .take_while(|&&byte| byte != b'\n')
                    .count()
                    + 1;
                (
                    "400 Bad Request",
                    format!("line {line}, column {column}: {what}\n"),
                )
            }),
        },
    };
    match result {
        Ok(csv) => {
            if cgi {
                print("Content-Type: text/csv; charset=utf-8\n\n");
            }
            print(csv);
        }
        Err((status, message)) if cgi => print(format!(
            "Status: {status}\nContent-Type: text/plain; charset=utf-8\n\n{message}"
        )),
        Err((_, message)) => {
            nur::command::print_error(message);
            nur::command::exit(1);
        }
    }
}

nur::command!(main);
