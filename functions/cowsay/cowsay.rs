//! A cow says what is posted. The request is put together from its chunks, and every step is logged.

#![no_std]

extern crate alloc;

#[path = "../http_head.rs"]
mod http_head;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use http_head::Head;
use nur::stream::{end, log, send, Connection};

const COW: &str = r#"      \
       \   (__)
        \  (oo)__________
           (..)          )~*
            ""||-----w||
              ||      ||
"#;

#[derive(Default)]
struct Cowsay {
    request: Vec<u8>,
    head_seen: bool,
}

impl Connection for Cowsay {
    fn chunk(&mut self, bytes: &[u8]) {
        self.request.extend_from_slice(bytes);
        let total = self.request.len();
        let head = match http_head::parse(&self.request) {
            Head::Partial => {
                return log(&format!(
                    "🐄 Received partial request chunk with len: {}, total buffered: {total}",
                    bytes.len()
                ));
            }
            Head::Invalid(reason) => {
                log(&format!("🐄 {reason}"));
                return answer("400 Bad Request", "muu! no entiendo");
            }
            Head::Complete(head) => head,
        };
        if !self.head_seen {
            log(&format!(
                "🐄 Received complete request with total len: {total}!"
            ));
            self.head_seen = true;
        }
        if head.method != "POST" {
            return answer("200 OK", "muu! intenta con POST!");
        }
        let Some(length) = head.header("content-length") else {
            return answer("411 Length Required", "muu! no content-length?");
        };
        let Some(length) = decimal(length) else {
            return answer("400 Bad Request", "muu! invalid content-length?");
        };
        let body = &self.request[head.length..];
        if body.len() < length {
            return log(&format!(
                "🐄 Body is not there yet, content-length={length}, body={}. \
                 Waiting for more data...",
                body.len()
            ));
        }
        if body.len() > length {
            log(&format!(
                "🐄 Body is longer than content-length={length}: trimming {} bytes",
                body.len() - length
            ));
        }
        // All of it is said nevertheless.
        answer("200 OK", &String::from_utf8_lossy(body));
    }

    fn closed(&mut self) {
        log("Request end forced, mu... 🐄🥛");
        end();
        // Nobody reads this: the connection has ended.
        log(&format!("🐄 {} bytes forgotten", self.request.len()));
    }
}

fn decimal(digits: &[u8]) -> Option<usize> {
    let valid = digits.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(digits)
        .ok()
        .filter(|_| valid)?
        .parse()
        .ok()
}

fn answer(status: &str, message: &str) {
    log(&format!("🗨️🐄 cow message: {message}\n"));
    log(&format!("{status}\n"));
    let width = message.chars().count() + 2;
    let body = format!(
        " {}\n< {message} >\n {}\n{COW}",
        "_".repeat(width),
        "-".repeat(width)
    );
    send(format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    send(body);
    end();
}

nur::stream!(Cowsay);
