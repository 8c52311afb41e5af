//! The nur stream ABI: bytes of a connection in, bytes for the client out. Over HTTP the bytes are
//! those of a request and of its response, heads included.

use crate::raw;
use alloc::vec::Vec;
use core::cell::UnsafeCell;

/// One connection. Every connection has an instance of the function to itself.
pub trait Connection: Default {
    /// The next bytes, 1 to 1,024 of them, split anywhere.
    fn chunk(&mut self, bytes: &[u8]);

    /// The client sends no more. Not called after [`end`].
    fn closed(&mut self) {
        end();
    }
}

/// Sends bytes to the client, in order.
pub fn send(bytes: impl AsRef<[u8]>) {
    let bytes = bytes.as_ref();
    unsafe { raw::nur_send(bytes.as_ptr(), bytes.len()) }
}

/// A line for the host's log.
pub fn log(text: &str) {
    unsafe { raw::nur_log(text.as_ptr(), text.len()) }
}

/// Done: nothing is delivered any more, and what is sent or logged afterwards is dropped. Returns.
pub fn end() {
    unsafe { raw::nur_end() }
}

/// What [`stream!`] keeps between calls.
#[doc(hidden)]
pub struct State<T> {
    room: UnsafeCell<Vec<u8>>,
    connection: UnsafeCell<Option<T>>,
}

// A guest has one thread.
unsafe impl<T> Sync for State<T> {}

impl<T: Connection> State<T> {
    pub const fn new() -> State<T> {
        State {
            room: UnsafeCell::new(Vec::new()),
            connection: UnsafeCell::new(None),
        }
    }

    pub fn alloc(&self, length: usize) -> *mut u8 {
        // The host asks, writes and delivers; it never has two chunks under way.
        let room = unsafe { &mut *self.room.get() };
        if room.len() < length {
            room.resize(length, 0);
        }
        room.as_mut_ptr()
    }

    /// # Safety
    /// `data` has `length` bytes.
    pub unsafe fn poll(&self, data: *const u8, length: usize) {
        crate::panic::set_log(log);
        let connection = (*self.connection.get()).get_or_insert_with(T::default);
        match length {
            0 => connection.closed(),
            _ => connection.chunk(core::slice::from_raw_parts(data, length)),
        }
    }
}

impl<T: Connection> Default for State<T> {
    fn default() -> State<T> {
        State::new()
    }
}

/// Exports a function of the stream ABI, with one value of the type for each connection:
/// `nur::stream!(Echo);`
#[macro_export]
macro_rules! stream {
    ($connection:ty) => {
        const _: () = {
            static STATE: $crate::stream::State<$connection> = $crate::stream::State::new();

            #[export_name = "alloc"]
            extern "C" fn alloc(length: usize) -> *mut u8 {
                STATE.alloc(length)
            }

            #[export_name = "poll_stream"]
            extern "C" fn poll_stream(data: *const u8, length: usize) {
                unsafe { STATE.poll(data, length) }
            }
        };
    };
}
