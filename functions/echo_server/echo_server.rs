//! Answers the first chunk of a connection with itself, as text.

#![no_std]

extern crate alloc;

use alloc::format;
use nur::stream::{end, log, send, Connection};

#[derive(Default)]
struct EchoServer;

impl EchoServer {
    fn answer(&self, bytes: &[u8]) {
        match core::str::from_utf8(bytes) {
            Ok(text) => {
                log("Hola UX! El usuario nos ha enviado una petición!!");
                send(format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}",
                    text.len()
                ));
            }
            Err(error) => log(&format!("{error}")),
        }
        end();
    }
}

impl Connection for EchoServer {
    fn chunk(&mut self, bytes: &[u8]) {
        self.answer(bytes);
    }

    fn closed(&mut self) {
        self.answer(b"");
    }
}

nur::stream!(EchoServer);
