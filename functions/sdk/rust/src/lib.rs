//! What a function for `nurhost` is written with. No dependencies; needs `alloc`, not `std`.
//!
//! A function has one of three shapes:
//!
//! - **handle**: [`handle!`] names the function that is called once for a request. It asks
//!   [`request`], answers through [`response`], and may use [`kv`], [`http`], [`TcpStream`],
//!   [`env`], [`random`] and [`clock`].
//! - **stream**: [`stream!`] names a type of which every connection gets one; it is given bytes as
//!   they arrive and sends bytes ([`stream::Connection`]).
//! - **command**: a WASI command reads standard input and prints. With `std` that needs nothing of
//!   this crate; without, there is [`command!`].
//!
//! Calls are answered with values, never with traps: see [`Error`]. Everything a function leaves
//! behind (memory, connections, responses) ends with its request.

#![no_std]

extern crate alloc;

#[cfg(feature = "no-std")]
mod allocator;
#[cfg(feature = "no-std")]
pub mod command;
pub mod http;
pub mod kv;
#[doc(hidden)]
pub mod panic;
mod raw;
pub mod request;
pub mod response;
pub mod serverless;
pub mod stream;
mod tcp;

pub use tcp::TcpStream;

use alloc::string::String;
use alloc::vec::Vec;

/// Why a call did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Not there, gone, or failed in a way that has no name of its own (-1).
    Failed,
    /// A limit of the host is reached: too many connections, too long a value (-2).
    Limit,
    /// Not granted to this function: an address outside its allow-list, no store (-3).
    Denied,
    /// An argument that means nothing: no such handle, no URL, no number (-4).
    Invalid,
    /// It took longer than was allowed (-5).
    TimedOut,
}

impl Error {
    fn of(code: i64) -> Error {
        match code {
            -2 => Error::Limit,
            -3 => Error::Denied,
            -4 => Error::Invalid,
            -5 => Error::TimedOut,
            _ => Error::Failed,
        }
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        to.write_str(match self {
            Error::Failed => "failed",
            Error::Limit => "a limit is reached",
            Error::Denied => "not granted",
            Error::Invalid => "invalid argument",
            Error::TimedOut => "timed out",
        })
    }
}

impl core::error::Error for Error {}

/// A count or a handle, or the error a negative number stands for.
fn checked(code: i64) -> Result<usize, Error> {
    usize::try_from(code).map_err(|_| Error::of(code))
}

/// Bytes of a call that writes at most `size` of them and returns how many there are.
fn bytes_of(call: impl Fn(*mut u8, u64) -> i64) -> Result<Vec<u8>, Error> {
    let mut bytes = alloc::vec![0; 256];
    loop {
        let length = checked(call(bytes.as_mut_ptr(), bytes.len() as u64))?;
        let fits = length <= bytes.len();
        bytes.resize(length, 0);
        if fits {
            return Ok(bytes);
        }
    }
}

/// The same as text; what is no UTF-8 is replaced.
fn text_of(call: impl Fn(*mut u8, u64) -> i64) -> Result<String, Error> {
    let bytes = bytes_of(call)?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// "Name: value" lines as pairs.
fn pairs_of(lines: &str) -> Vec<(String, String)> {
    lines
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.into(), value.trim().into()))
        .collect()
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error = 0,
    Warning = 1,
    Info = 2,
    Debug = 3,
}

/// A line for the host's log, at level info. Never seen by the client.
pub fn log(text: &str) {
    unsafe { raw::log(text.as_ptr(), text.len() as u64) }
}

/// A line for the host's log.
pub fn log_at(level: Level, text: &str) {
    unsafe { raw::log_at(level as i32, text.as_ptr(), text.len() as u64) }
}

/// What the configuration tells this function.
pub mod env {
    use super::*;

    /// The value of `key` in the function's environment; None when there is none.
    pub fn get(key: &str) -> Option<String> {
        text_of(|to, size| unsafe { raw::env_get(key.as_ptr(), key.len() as u64, to, size) }).ok()
    }
}

/// The name serverless-wasm has for [`env`].
pub mod db {
    use super::*;

    /// The value of `key` in the application's `env` table; None when there is none.
    pub fn get(key: &str) -> Option<String> {
        text_of(|to, size| unsafe { raw::db_get(key.as_ptr(), key.len() as u64, to, size) }).ok()
    }
}

/// Random numbers good enough for keys.
pub mod random {
    use super::*;

    /// Fills `bytes`.
    pub fn fill(bytes: &mut [u8]) -> Result<(), Error> {
        let code = unsafe { raw::random_bytes(bytes.as_mut_ptr(), bytes.len() as u64) };
        checked(code.into()).map(|_| ())
    }

    /// A number of which every value is as likely.
    pub fn number() -> Result<u64, Error> {
        let mut bytes = [0; 8];
        fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// Time. The host's clocks move in steps of a millisecond.
pub mod clock {
    use super::*;
    use core::time::Duration;

    /// Since the beginning of 1970, UTC.
    pub fn wall() -> Duration {
        Duration::from_nanos(unsafe { raw::clock_wall() } as u64)
    }

    /// Since some moment; never goes back.
    pub fn monotonic() -> Duration {
        Duration::from_nanos(unsafe { raw::clock_monotonic() } as u64)
    }

    /// Waits, and holds up nobody else. The function's own time-out goes on.
    pub fn sleep(time: Duration) {
        unsafe { raw::sleep(time.as_nanos().min(i64::MAX as u128) as i64) }
    }
}

/// Exports the function that is called once for every request: `nur::handle!(answer);`
#[macro_export]
macro_rules! handle {
    ($function:path) => {
        const _: () = {
            #[export_name = "handle"]
            extern "C" fn export() {
                $crate::panic::set_log($crate::log);
                $function();
            }
        };
    };
}
