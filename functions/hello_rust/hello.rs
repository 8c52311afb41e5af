//! The nur stream ABI in Rust, with the SDK's crate: one value of `Hello` for each connection.

#![no_std]

use nur::stream::{end, send, Connection};

const BODY: &str = "Hello from Rust\n";

#[derive(Default)]
struct Hello;

impl Connection for Hello {
    // The request may come in more chunks, which nobody needs to see.
    fn chunk(&mut self, _bytes: &[u8]) {
        send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n\r\n");
        send(BODY);
        end();
    }
}

const _: () = assert!(BODY.len() == 16);

nur::stream!(Hello);
