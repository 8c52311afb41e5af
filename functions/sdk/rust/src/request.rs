//! The request being answered.

use crate::*;

/// The method, as it was sent: `GET`.
pub fn method() -> String {
    text_of(|to, size| unsafe { raw::request_method(to, size) }).unwrap_or_default()
}

/// Path and query, as they were sent: `/name/a%20b?x=1`.
pub fn target() -> String {
    text_of(|to, size| unsafe { raw::request_target(to, size) }).unwrap_or_default()
}

/// The target in front of the first `?`.
pub fn path() -> String {
    text_of(|to, size| unsafe { raw::request_path(to, size) }).unwrap_or_default()
}

/// The target behind the first `?`; empty when there is none.
pub fn query() -> String {
    text_of(|to, size| unsafe { raw::request_query(to, size) }).unwrap_or_default()
}

/// Who asks, as `ADDRESS:PORT`.
pub fn client() -> String {
    text_of(|to, size| unsafe { raw::request_client(to, size) }).unwrap_or_default()
}

/// All headers, in order.
pub fn headers() -> Vec<(String, String)> {
    let lines = text_of(|to, size| unsafe { raw::request_headers(to, size) });
    pairs_of(&lines.unwrap_or_default())
}

/// A header by its name in any case. Several of that name are joined by `, `. None: absent.
pub fn header(name: &str) -> Option<String> {
    text_of(|to, size| unsafe { raw::request_header(name.as_ptr(), name.len() as u64, to, size) })
        .ok()
}

/// The next bytes of the body, at most as many as `bytes` has room for; 0 at its end. Waits until
/// there are some. Failed: the client is gone.
pub fn read_body(bytes: &mut [u8]) -> Result<usize, Error> {
    checked(unsafe { raw::request_body(bytes.as_mut_ptr(), bytes.len() as u64) })
}

/// The whole body. Limit: it has more than `bytes_max`.
pub fn body(bytes_max: usize) -> Result<Vec<u8>, Error> {
    read_all(bytes_max, read_body)
}

pub(crate) fn read_all(
    bytes_max: usize,
    mut read: impl FnMut(&mut [u8]) -> Result<usize, Error>,
) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    loop {
        let have = body.len();
        // One byte more than allowed tells a body that is too long.
        let room = bytes_max.saturating_add(1) - have;
        body.resize(have + room.min(have.max(4096)), 0);
        let got = read(&mut body[have..])?;
        body.truncate(have + got);
        if got == 0 {
            return Ok(body);
        }
        if body.len() > bytes_max {
            return Err(Error::Limit);
        }
    }
}
