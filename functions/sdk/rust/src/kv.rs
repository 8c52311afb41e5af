//! The function's own store: values by key. It survives restarts; other functions do not see it.
//! Calls fail with Denied where the function has no store, and with Limit when a key, a value or
//! the store becomes too large.

use crate::*;
use core::time::Duration;

/// Milliseconds as the host wants them: 0 is for ever, so what is shorter than one becomes one.
fn milliseconds(ttl: Option<Duration>) -> i64 {
    ttl.map_or(0, |time| time.as_millis().clamp(1, i64::MAX as u128) as i64)
}

/// The value of `key`. None: it is not there, or has expired.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    match bytes_of(|to, size| unsafe { raw::kv_get(key.as_ptr(), key.len() as u64, to, size) }) {
        Ok(value) => Ok(Some(value)),
        Err(Error::Failed) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets `key`, for ever or until `ttl` has passed.
pub fn set(key: &str, value: impl AsRef<[u8]>, ttl: Option<Duration>) -> Result<(), Error> {
    let value = value.as_ref();
    let code = unsafe {
        raw::kv_set(
            key.as_ptr(),
            key.len() as u64,
            value.as_ptr(),
            value.len() as u64,
            milliseconds(ttl),
        )
    };
    checked(code.into()).map(|_| ())
}

/// Deletes `key`; whether it was there.
pub fn delete(key: &str) -> Result<bool, Error> {
    let code = unsafe { raw::kv_delete(key.as_ptr(), key.len() as u64) };
    checked(code.into()).map(|count| count != 0)
}

/// Adds `delta` to the decimal number that `key` has, at once and whole; one that is not there
/// counts as 0 and gets `ttl`. Returns the sum. Invalid: the value is no number.
pub fn increment(key: &str, delta: i64, ttl: Option<Duration>) -> Result<i64, Error> {
    let mut result = 0;
    let code = unsafe {
        raw::kv_increment(
            key.as_ptr(),
            key.len() as u64,
            delta,
            milliseconds(ttl),
            &mut result,
        )
    };
    checked(code.into()).map(|_| result)
}

/// Some of the keys that begin with `prefix` and come behind `after`, in the order of their bytes.
/// None are left when there are none; else go on behind the last.
pub fn list(prefix: &str, after: &str) -> Result<Vec<String>, Error> {
    let mut bytes = alloc::vec![0; 4096];
    let length = loop {
        let code = unsafe {
            raw::kv_list(
                prefix.as_ptr(),
                prefix.len() as u64,
                after.as_ptr(),
                after.len() as u64,
                bytes.as_mut_ptr(),
                bytes.len() as u64,
            )
        };
        match checked(code) {
            // Not even one key had room.
            Err(Error::Limit) if bytes.len() < 1 << 20 => bytes.resize(bytes.len() * 4, 0),
            other => break other?,
        }
    };
    let mut keys = Vec::new();
    let mut rest = &bytes[..length.min(bytes.len())];
    while let Some((size, behind)) = rest.split_first_chunk::<4>() {
        let Some((key, behind)) = behind.split_at_checked(u32::from_le_bytes(*size) as usize)
        else {
            break;
        };
        keys.push(String::from_utf8_lossy(key).into_owned());
        rest = behind;
    }
    Ok(keys)
}

/// All keys that begin with `prefix`, in the order of their bytes.
pub fn keys(prefix: &str) -> Result<Vec<String>, Error> {
    let mut all = list(prefix, "")?;
    let mut more = !all.is_empty();
    while more {
        let next = list(prefix, &all[all.len() - 1])?;
        more = !next.is_empty();
        all.extend(next);
    }
    Ok(all)
}
