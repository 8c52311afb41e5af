//! Short addresses for long ones, in the key-value store.
//!
//! ```text
//!   POST /shorten              the address as body -> 201, the short one; ?ttl=SECONDS limits its life
//!   GET  /shorten/CODE         -> 302 to the address, counted
//!   GET  /shorten/CODE/visits  -> how often
//! ```
//!
//! Keys: `to/CODE` has the address, `visits/CODE` the count.

#![no_std]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use core::time::Duration;
use nur::{kv, random, request, response, Error};

const ADDRESS_BYTES_MAX: usize = 2048;
const CODE_LENGTH: usize = 8;
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

enum Refusal {
    Status(u16, &'static str, &'static str),
    Host(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Host(error)
    }
}

fn text(status: u16, reason: &str, body: &str) {
    response::answer(status, reason, "text/plain", body);
}

fn is_address(text: &str) -> bool {
    let rest = text
        .strip_prefix("http://")
        .or(text.strip_prefix("https://"));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['))
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn time_to_live() -> Result<Option<Duration>, Refusal> {
    let query = request::query();
    let Some(asked) = query.split('&').find_map(|part| part.strip_prefix("ttl=")) else {
        return Ok(None);
    };
    match asked.parse() {
        Ok(seconds @ 1..=31_536_000) => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(Refusal::Status(
            400,
            "Bad Request",
            "ttl is a number of seconds, up to a year\n",
        )),
    }
}

fn shorten(base: &str) -> Result<(), Refusal> {
    let ttl = time_to_live()?;
    let body = match request::body(ADDRESS_BYTES_MAX) {
        Err(Error::Limit) => {
            return Err(Refusal::Status(
                413,
                "Content Too Large",
                "an address may have 2,048 bytes\n",
            ))
        }
        other => other?,
    };
    let address = core::str::from_utf8(&body).unwrap_or_default().trim();
    if !is_address(address) {
        return Err(Refusal::Status(
            400,
            "Bad Request",
            "send an address that begins with http:// or https://\n",
        ));
    }
    let mut bits = random::number()?;
    let mut code = String::new();
    for _ in 0..CODE_LENGTH {
        code.push(char::from(LETTERS[(bits % 32) as usize]));
        bits /= 32;
    }
    kv::set(&format!("to/{code}"), address, ttl)?;
    kv::set(&format!("visits/{code}"), "0", ttl)?;

    let short = format!("{base}/{code}");
    response::set_header("Location", &short);
    let host = request::header("Host").unwrap_or_default();
    text(201, "Created", &format!("http://{host}{short}\n"));
    Ok(())
}

fn follow(code: &str) -> Result<(), Refusal> {
    let Some(address) = kv::get(&format!("to/{code}"))? else {
        return Err(Refusal::Status(404, "Not Found", "no such short address\n"));
    };
    kv::increment(&format!("visits/{code}"), 1, None)?;
    let address = String::from_utf8_lossy(&address);
    response::set_header("Location", &address);
    response::set_header("Cache-Control", "no-store");
    text(302, "Found", &format!("{address}\n"));
    Ok(())
}

fn visits(code: &str) -> Result<(), Refusal> {
    match kv::get(&format!("visits/{code}"))? {
        Some(count) => text(200, "OK", &format!("{}\n", String::from_utf8_lossy(&count))),
        None => return Err(Refusal::Status(404, "Not Found", "no such short address\n")),
    }
    Ok(())
}

fn route() -> Result<(), Refusal> {
    let (method, path) = (request::method(), request::path());
    // "/NAME" and what is below it; the function may be served by any name.
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let base = format!("/{}", parts.next().unwrap_or_default());
    let below = parts.next().unwrap_or_default();
    let is_code =
        |code: &str| code.len() == CODE_LENGTH && code.bytes().all(|byte| LETTERS.contains(&byte));
    match (method.as_str(), below.split_once('/')) {
        ("POST", None) if below.is_empty() => shorten(&base),
        ("GET" | "HEAD", None) if is_code(below) => follow(below),
        ("GET" | "HEAD", Some((code, "visits"))) if is_code(code) => visits(code),
        ("GET" | "HEAD", None) if below.is_empty() => {
            text(200, "OK", "POST an address here, get a short one\n");
            Ok(())
        }
        ("GET" | "HEAD", _) => Err(Refusal::Status(404, "Not Found", "no such short address\n")),
        _ => {
            response::set_header("Allow", "GET, HEAD, POST");
            Err(Refusal::Status(
                405,
                "Method Not Allowed",
                "POST an address, or GET a short one\n",
            ))
        }
    }
}

fn answer() {
    match route() {
        Ok(()) => {}
        Err(Refusal::Status(status, reason, why)) => text(status, reason, why),
        Err(Refusal::Host(error)) => {
            nur::log_at(nur::Level::Error, &format!("the store: {error}"));
            text(503, "Service Unavailable", "the store does not answer\n");
        }
    }
}

nur::handle!(answer);
