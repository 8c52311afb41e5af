//! Requests to other servers. Waiting for them holds up nobody else.
//!
//! ```ignore
//! let mut response = nur::http::Request::get("http://backend:8080/list")
//!     .header("Accept", "text/plain")
//!     .send()?;
//! let text = response.body(1 << 20)?;
//! ```

use crate::*;
use core::time::Duration;

/// A request that is being put together.
pub struct Request {
    method: String,
    url: String,
    headers: String,
    body: Vec<u8>,
    timeout_ms: i64,
}

impl Request {
    /// Any method; the URL begins with `http://` or `https://`.
    pub fn new(method: &str, url: &str) -> Request {
        Request {
            method: method.into(),
            url: url.into(),
            headers: String::new(),
            body: Vec::new(),
            timeout_ms: 0,
        }
    }

    pub fn get(url: &str) -> Request {
        Request::new("GET", url)
    }

    pub fn post(url: &str, body: impl AsRef<[u8]>) -> Request {
        Request::new("POST", url).body(body)
    }

    /// One more header.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        for part in [name, ": ", value, "\r\n"] {
            self.headers.push_str(part);
        }
        self
    }

    pub fn body(mut self, body: impl AsRef<[u8]>) -> Request {
        self.body = body.as_ref().into();
        self
    }

    /// How long it may take until the response's head is there, and then between pieces of its
    /// body. Without, as long as the host allows.
    pub fn timeout(mut self, time: Duration) -> Request {
        self.timeout_ms = time.as_millis().clamp(1, i64::MAX as u128) as i64;
        self
    }

    /// Sends it and waits for the head of the response. Denied: the address is not on the
    /// function's allow-list. TimedOut, Limit (too many at once), Invalid (no such URL or header).
    pub fn send(&self) -> Result<Response, Error> {
        let handle = unsafe {
            raw::http_open(
                self.method.as_ptr(),
                self.method.len() as u64,
                self.url.as_ptr(),
                self.url.len() as u64,
                self.headers.as_ptr(),
                self.headers.len() as u64,
                self.body.as_ptr(),
                self.body.len() as u64,
                self.timeout_ms,
            )
        };
        checked(handle.into())?;
        Ok(Response { handle })
    }
}

/// A response whose body may still be on its way. It is given up when dropped.
pub struct Response {
    handle: i32,
}

impl Response {
    pub fn status(&self) -> u16 {
        unsafe { raw::http_status(self.handle) as u16 }
    }

    /// A header by its name in any case. Several of that name are joined by `, `. None: absent.
    pub fn header(&self, name: &str) -> Option<String> {
        text_of(|to, size| unsafe {
            raw::http_header(self.handle, name.as_ptr(), name.len() as u64, to, size)
        })
        .ok()
    }

    /// All headers, in order.
    pub fn headers(&self) -> Vec<(String, String)> {
        let lines = text_of(|to, size| unsafe { raw::http_headers(self.handle, to, size) });
        pairs_of(&lines.unwrap_or_default())
    }

    /// The next bytes of the body, at most as many as there is room for; 0 at its end.
    pub fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Error> {
        checked(unsafe { raw::http_read(self.handle, bytes.as_mut_ptr(), bytes.len() as u64) })
    }

    /// The whole body. Limit: it has more than `bytes_max`.
    pub fn body(&mut self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        request::read_all(bytes_max, |bytes| self.read(bytes))
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        unsafe { raw::http_close(self.handle) };
    }
}
