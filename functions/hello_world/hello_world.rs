//! Answers every request with a greeting in JSON, and talks to the log meanwhile. A request may come
//! in chunks; what is no request is not answered.

#![no_std]

extern crate alloc;

#[path = "../http_head.rs"]
mod http_head;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use http_head::Head;
use nur::stream::{end, log, send, Connection};

#[derive(Default)]
struct HelloWorld {
    request: Vec<u8>,
}

impl Connection for HelloWorld {
    fn chunk(&mut self, bytes: &[u8]) {
        self.request.extend_from_slice(bytes);
        match http_head::parse(&self.request) {
            // Sic: that is what the log has.
            Head::Partial => log("🌎 Accumulating request data of len={len}"),
            Head::Complete(_) => {
                log("Look, there is a request!\n");
                log("👋 Let's send them a hello\n");
                send(
                    "HTTP/1.1 200 OK\r\n\
                     Content-Type: application/json\r\n\
                     Content-Length: 29\r\n\
                     \r\n\
                     {\"msg\": \"Hello world, wasm!\"}",
                );
                end();
            }
            Head::Invalid(reason) => {
                let data = String::from_utf8_lossy(&self.request);
                log(&format!("Got invalid request, digo waa: {reason}: {data}"));
                end();
            }
        }
    }
}

nur::stream!(HelloWorld);
