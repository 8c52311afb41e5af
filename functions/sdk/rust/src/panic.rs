//! What a panic says goes to the host's log, by the call that the function's ABI has for it.

use core::cell::Cell;

struct Single<T>(Cell<T>);
// A guest has one thread.
unsafe impl<T> Sync for Single<T> {}

static LOG: Single<Option<fn(&str)>> = Single(Cell::new(None));

pub fn set_log(log: fn(&str)) {
    LOG.0.set(Some(log));
}

#[cfg(feature = "no-std")]
#[panic_handler]
fn panic(information: &core::panic::PanicInfo) -> ! {
    use core::fmt::Write;

    // Without the heap, which may be why. What has no room is cut off.
    struct Line {
        bytes: [u8; 256],
        length: usize,
    }
    impl Write for Line {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            for (to, from) in self.bytes[self.length..].iter_mut().zip(text.bytes()) {
                *to = from;
                self.length += 1;
            }
            Ok(())
        }
    }
    // A panic on the way here ends without words.
    if let Some(log) = LOG.0.take() {
        let mut line = Line {
            bytes: [0; 256],
            length: 0,
        };
        let _ = write!(line, "{information}");
        let text = match core::str::from_utf8(&line.bytes[..line.length]) {
            Ok(text) => text,
            Err(error) => {
                core::str::from_utf8(&line.bytes[..error.valid_up_to()]).unwrap_or_default()
            }
        };
        log(text);
    }
    core::arch::wasm32::unreachable()
}
