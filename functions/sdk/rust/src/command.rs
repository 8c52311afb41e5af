//! A WASI command without std: standard input in, standard output out.

use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::CStr;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
extern "C" {
    fn fd_read(fd: u32, vectors: *const Span, count: usize, read: *mut usize) -> i32;
    fn fd_write(fd: u32, vectors: *const Span, count: usize, written: *mut usize) -> i32;
    fn environ_sizes_get(count: *mut usize, bytes: *mut usize) -> i32;
    fn environ_get(entries: *mut *const u8, text: *mut u8) -> i32;
    fn proc_exit(status: u32) -> !;
}

/// A piece of memory, as WASI describes one.
#[repr(C)]
struct Span {
    start: *const u8,
    length: usize,
}

/// All of standard input. None: it has more than `bytes_max`, or cannot be read.
pub fn read_input(bytes_max: usize) -> Option<Vec<u8>> {
    let mut input = Vec::new();
    loop {
        let have = input.len();
        // One byte more than allowed tells an input that is too long.
        let room = bytes_max.saturating_add(1) - have;
        input.resize(have + room.min(have.max(4096)), 0);
        let span = Span {
            start: input[have..].as_ptr(),
            length: input.len() - have,
        };
        let mut got = 0;
        if unsafe { fd_read(0, &span, 1, &mut got) } != 0 {
            return None;
        }
        input.truncate(have + got);
        if got == 0 {
            return Some(input);
        }
        if input.len() > bytes_max {
            return None;
        }
    }
}

/// Writes all of it to standard output.
pub fn print(bytes: impl AsRef<[u8]>) {
    write(1, bytes.as_ref());
}

/// Writes all of it to standard error.
pub fn print_error(bytes: impl AsRef<[u8]>) {
    write(2, bytes.as_ref());
}

fn write(fd: u32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let span = Span {
            start: bytes.as_ptr(),
            length: bytes.len(),
        };
        let mut written = 0;
        if unsafe { fd_write(fd, &span, 1, &mut written) } != 0 || written == 0 {
            exit(1);
        }
        bytes = &bytes[written.min(bytes.len())..];
    }
}

/// The value of an environment variable; None when there is none.
pub fn variable(name: &str) -> Option<String> {
    let (mut count, mut bytes) = (0, 0);
    if unsafe { environ_sizes_get(&mut count, &mut bytes) } != 0 {
        return None;
    }
    let mut entries = alloc::vec![core::ptr::null(); count];
    let mut text = alloc::vec![0; bytes];
    if unsafe { environ_get(entries.as_mut_ptr(), text.as_mut_ptr()) } != 0 {
        return None;
    }
    text.split_inclusive(|&byte| byte == 0)
        .filter_map(|entry| CStr::from_bytes_with_nul(entry).ok()?.to_str().ok())
        .filter_map(|entry| entry.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.into())
}

/// Ends the command. 0 means that it did what it should.
pub fn exit(status: u32) -> ! {
    unsafe { proc_exit(status) }
}

#[doc(hidden)]
pub fn log(text: &str) {
    print_error(text);
    print_error("\n");
}

/// Exports a WASI command: `nur::command!(main);`
#[macro_export]
macro_rules! command {
    ($function:path) => {
        const _: () = {
            #[export_name = "_start"]
            extern "C" fn export() {
                $crate::panic::set_log($crate::command::log);
                $function();
            }
        };
    };
}
