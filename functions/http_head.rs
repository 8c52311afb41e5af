//! The head of an HTTP/1.x request, for functions that are given a connection's bytes.

// Each function uses a part of this.
#![allow(dead_code)]

const HEADERS_MAX: usize = 64;

/// What bytes from the beginning of a connection are so far.
pub enum Head<'a> {
    /// The head's end is still to come.
    Partial,
    Complete(Complete<'a>),
    /// No request ever, and why.
    Invalid(&'static str),
}

pub struct Complete<'a> {
    pub method: &'a str,
    /// Bytes of the head, its empty line included.
    pub length: usize,
    lines: &'a [u8],
}

impl<'a> Complete<'a> {
    /// A header's value by its name in any case, without the white space around it.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        lines(self.lines)
            .skip(1)
            .filter_map(name_and_value)
            .find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }
}

pub fn parse(bytes: &[u8]) -> Head<'_> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    // Lines whose end is not there yet are not judged.
    let whole = match end {
        Some(end) => &bytes[..end + 2],
        None => match bytes.iter().rposition(|&byte| byte == b'\n') {
            Some(last) => &bytes[..=last],
            None => &bytes[..0],
        },
    };
    let mut method = "";
    for (number, line) in lines(whole).enumerate() {
        if number == 0 {
            let mut parts = line.split(|&byte| byte == b' ');
            let (name, target, version) = (parts.next(), parts.next(), parts.next());
            let valid = name.is_some_and(is_token)
                && target.is_some_and(|target| target.iter().all(|byte| byte.is_ascii_graphic()))
                && matches!(version, Some(b"HTTP/1.0" | b"HTTP/1.1"))
                && parts.next().is_none();
            if !valid {
                return Head::Invalid("invalid request line");
            }
            method = core::str::from_utf8(name.unwrap_or_default()).unwrap_or_default();
        } else if !name_and_value(line).is_some_and(|(name, _)| is_token(name)) {
            return Head::Invalid("invalid header");
        } else if number > HEADERS_MAX {
            return Head::Invalid("too many headers");
        }
    }
    match end {
        Some(end) => Head::Complete(Complete {
            method,
            length: end + 4,
            lines: whole,
        }),
        None if method.is_empty() && !bytes.is_empty() && !could_begin_a_request(bytes) => {
            Head::Invalid("invalid token")
        }
        None => Head::Partial,
    }
}

/// Without the line ends; nothing behind the last one.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').map(|line| {
        line.strip_suffix(b"\r\n")
            .or(line.strip_suffix(b"\n"))
            .unwrap_or(line)
    })
}

fn name_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    Some((&line[..colon], line[colon + 1..].trim_ascii()))
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn could_begin_a_request(bytes: &[u8]) -> bool {
    is_token_byte(bytes[0])
        && bytes
            .iter()
            .take_while(|&&byte| byte != b' ')
            .all(|&byte| is_token_byte(byte))
}
