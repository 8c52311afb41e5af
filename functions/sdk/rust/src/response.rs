//! The answer: a status line, headers and either one body or one written bit by bit.

use crate::*;

/// The status (100 to 599) and its reason. The last call counts.
pub fn set_status(status: u16, reason: &str) {
    unsafe { raw::response_set_status_line(status.into(), reason.as_ptr(), reason.len() as u64) }
}

/// One more header; those of the same name stay.
pub fn set_header(name: &str, value: &str) {
    unsafe {
        raw::response_set_header(
            name.as_ptr(),
            name.len() as u64,
            value.as_ptr(),
            value.len() as u64,
        )
    }
}

/// The whole body. The last call counts.
pub fn set_body(body: impl AsRef<[u8]>) {
    let body = body.as_ref();
    unsafe { raw::response_set_body(body.as_ptr(), body.len() as u64) }
}

/// Status, `Content-Type` and body in one.
pub fn answer(status: u16, reason: &str, content_type: &str, body: impl AsRef<[u8]>) {
    set_status(status, reason);
    set_header("Content-Type", content_type);
    set_body(body);
}

/// Sends the status line and the headers set so far, if that was not done, and these bytes behind
/// them. Waits while the client is slow. Failed: the client is gone.
pub fn write(bytes: impl AsRef<[u8]>) -> Result<(), Error> {
    let mut rest = bytes.as_ref();
    loop {
        let written = checked(unsafe { raw::response_write(rest.as_ptr(), rest.len() as u64) })?;
        rest = &rest[written.min(rest.len())..];
        if rest.is_empty() {
            return Ok(());
        }
        if written == 0 {
            return Err(Error::Failed);
        }
    }
}
