//! Answers an HTTP/1.1 request with its own body. nur stream ABI, no_std, no dependencies.
//!
//! The host calls `alloc(n)` for room, writes `n` <= 1024 bytes of the connection there and calls
//! `poll_stream(data, n)`. The request therefore arrives in pieces, split anywhere; `alloc` hands
//! out the place behind the bytes kept so far, so the pieces join without being copied:
//!
//! ```text
//!   heap_base             heap_base + LENGTH        end of memory
//!     |--- request so far ---|--- next chunk ---| ... |
//! ```
//!
//! A connection has an instance of its own, so nothing is ever freed.

#![no_std]

use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::Cell;

#[link(wasm_import_module = "nur")]
extern "C" {
    fn nur_send(bytes: *const u8, length: usize);
    fn nur_end();
}

extern "C" {
    /// Set by the linker: the first byte behind data and stack.
    static __heap_base: u8;
}

const PAGE_BYTES: usize = 65536;

/// What a body may take. Longer ones are answered 413.
const BODY_BYTES_MAX: usize = 16 << 20;

/// What its head alone may take; it is searched anew with every chunk. Longer ones are answered 431.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// A cell for one thread, which is all a guest has.
struct Single<T>(Cell<T>);
unsafe impl<T> Sync for Single<T> {}

/// Bytes of the request received so far.
static LENGTH: Single<usize> = Single(Cell::new(0));

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

fn heap_base() -> usize {
    core::ptr::addr_of!(__heap_base) as usize
}

/// Room for `length` bytes behind the request so far. Traps when the host gives no more memory.
#[no_mangle]
pub extern "C" fn alloc(length: usize) -> *mut u8 {
    let start = heap_base() + LENGTH.0.get();
    let end = start.checked_add(length).expect("address space");
    let pages = end.div_ceil(PAGE_BYTES);
    let have = memory_size(0);
    if pages > have {
        // Doubling keeps the number of calls small when a body is long.
        let wanted = pages.max(2 * have);
        if memory_grow(0, wanted - have) == usize::MAX {
            assert!(memory_grow(0, pages - have) != usize::MAX);
        }
    }
    start as *mut u8
}

/// One more chunk of the connection, or its end when `length` is 0.
#[no_mangle]
pub extern "C" fn poll_stream(data: *const u8, length: usize) {
    if length == 0 {
        return answer(
            "400 Bad Request",
            b"the connection ended inside the request\n",
        );
    }
    let start = heap_base() as *mut u8;
    let place = start.wrapping_add(LENGTH.0.get());
    if data != place.cast_const() {
        // A host may put a chunk elsewhere; alloc makes room for it in its place.
        unsafe { core::ptr::copy(data, alloc(length), length) };
    }
    LENGTH.0.set(LENGTH.0.get() + length);

    let request = unsafe { core::slice::from_raw_parts(start.cast_const(), LENGTH.0.get()) };
    match body_of(request) {
        Progress::Complete(body) => answer("200 OK", body),
        Progress::Refused(status) => answer(status, b""),
        Progress::Incomplete => {}
    }
}

enum Progress<'a> {
    Incomplete,
    Complete(&'a [u8]),
    Refused(&'static str),
}

fn body_of(request: &[u8]) -> Progress<'_> {
    let Some(head_length) = find(request, b"\r\n\r\n") else {
        if request.len() > HEAD_BYTES_MAX {
            return Progress::Refused("431 Request Header Fields Too Large");
        }
        return Progress::Incomplete;
    };
    let body = &request[head_length + 4..];
    let length = match content_length(&request[..head_length]) {
        Ok(length) => length,
        Err(status) => return Progress::Refused(status),
    };
    if length > BODY_BYTES_MAX {
        return Progress::Refused("413 Content Too Large");
    }
    match body.get(..length) {
        Some(whole) => Progress::Complete(whole),
        None => Progress::Incomplete,
    }
}

/// Content-Length of a request head without its final empty line; 0 if there is none.
fn content_length(head: &[u8]) -> Result<usize, &'static str> {
    let mut found = None;
    // The request line has no name before its first colon that could be taken for a header: a
    // header name holds no space.
    for line in head.split(|&byte| byte == b'\n') {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return Err("411 Length Required");
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = decimal(value).ok_or("400 Bad Request")?;
            if found.is_some_and(|other| other != length) {
                return Err("400 Bad Request");
            }
            found = Some(length);
        }
    }
    Ok(found.unwrap_or(0))
}

fn decimal(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0usize, |number, &digit| {
        let value = digit.is_ascii_digit().then(|| usize::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(value)
    })
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn answer(status: &str, body: &[u8]) {
    let mut digits = [0; 20];
    send(b"HTTP/1.1 ");
    send(status.as_bytes());
    send(b"\r\nContent-Type: application/octet-stream\r\nContent-Length: ");
    send(decimal_text(body.len(), &mut digits));
    send(b"\r\n\r\n");
    send(body);
    unsafe { nur_end() };
}

fn send(bytes: &[u8]) {
    unsafe { nur_send(bytes.as_ptr(), bytes.len()) };
}

fn decimal_text(mut number: usize, digits: &mut [u8; 20]) -> &[u8] {
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[first..];
        }
    }
}
