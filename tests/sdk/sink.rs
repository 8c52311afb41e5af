//! Calls every function of the crate and tells what came of it; report.txt is what all languages
//! must say.

#![no_std]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Display;
use core::time::Duration;
use nur::{clock, db, env, http, kv, random, request, response, Error, Level, TcpStream};

struct Report(String);

impl Report {
    fn line(&mut self, name: &str, value: impl Display) {
        self.0.push_str(&format!("{name} {value}\n"));
    }

    fn text(&mut self, name: &str, value: Option<impl AsRef<[u8]>>) {
        match value {
            Some(text) => self.line(name, String::from_utf8_lossy(text.as_ref())),
            None => self.line(name, "absent"),
        }
    }

    fn done<T>(&mut self, name: &str, result: Result<T, Error>) {
        match result {
            Ok(_) => self.line(name, "ok"),
            Err(error) => self.line(name, format!("{error:?}")),
        }
    }

    fn keys(&mut self, name: &str, after: &str) {
        let keys = kv::list("k/", after).unwrap();
        let all: Vec<&str> = [name]
            .into_iter()
            .chain(keys.iter().map(String::as_str))
            .collect();
        self.0.push_str(&all.join(" "));
        self.0.push('\n');
    }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn ask(report: &mut Report) {
    report.line("method", request::method());
    report.line("target", request::target());
    report.line("path", request::path());
    report.line("query", request::query());
    let client = request::client();
    report.line("client", client.rsplit_once(':').unwrap().0);
    report.text("header", request::header("X-SINK"));
    report.text("no header", request::header("X-None"));
    let headers = request::headers();
    let has = |value| headers.iter().any(|(_, found)| found == value);
    report.line("headers", has("one") && has("two"));
    let body = request::body(100).unwrap();
    report.text("body", Some(body));
    report.line("body end", request::read_body(&mut [0; 10]).unwrap());
}

fn process(report: &mut Report) {
    report.text("env", env::get("greeting"));
    report.text("db", db::get("greeting"));
    report.text("no env", env::get("nothing"));
    report.line("random", random::number() != random::number());
    report.line("wall", clock::wall() > Duration::from_secs(1_600_000_000));
    let begun = clock::monotonic();
    clock::sleep(ms(20));
    report.line("slept", clock::monotonic() - begun >= ms(19));
}

fn store(report: &mut Report) {
    report.done("set", kv::set("k/a", "value", None));
    report.text("get", kv::get("k/a").unwrap());
    report.text("no key", kv::get("k/none").unwrap());
    report.line("increment", kv::increment("k/b", 5, None).unwrap());
    report.line("decrement", kv::increment("k/b", -8, None).unwrap());
    report.done("no number", kv::increment("k/a", 1, None));
    report.keys("keys", "");
    report.keys("keys behind", "k/a");
    report.keys("no keys", "k/b");
    assert_eq!(kv::keys("k/").unwrap(), ["k/a", "k/b"]);
    report.line("delete", kv::delete("k/a").unwrap());
    report.line("delete again", kv::delete("k/a").unwrap());
    kv::delete("k/b").unwrap();
    report.done("set for a while", kv::set("k/c", "value", Some(ms(5))));
    clock::sleep(ms(50));
    report.text("expired", kv::get("k/c").unwrap());
}

fn fetch(report: &mut Report) {
    let backend = env::get("backend").unwrap();
    let mut response = http::Request::post(&format!("http://{backend}/pong"), "ping")
        .header("X-Ask", "yes")
        .timeout(ms(5000))
        .send()
        .unwrap();
    report.line("http", response.status());
    report.text("http header", response.header("x-BACK"));
    report.text("no http header", response.header("X-None"));
    let back = response.headers().iter().any(|(_, value)| value == "back");
    report.line("http headers", back);
    let body = response.body(100).unwrap();
    report.text("http body", Some(body));
    let get = |url: &str, time| http::Request::get(url).timeout(ms(time)).send();
    report.done("http not granted", get("http://192.0.2.1/", 1000));
    report.done("http no url", get("nonsense", 1000));
    report.done("http too slow", get(&format!("http://{backend}/slow"), 50));
}

fn connect(report: &mut Report) {
    let mut connection = TcpStream::connect(&env::get("echo").unwrap()).unwrap();
    connection.write_all(b"ping").unwrap();
    let (mut back, mut chunk) = (Vec::new(), [0; 64]);
    while let Some(got) = connection.read(&mut chunk).ok().filter(|&got| got > 0) {
        back.extend_from_slice(&chunk[..got]);
    }
    report.text("tcp", Some(back));
    report.done("tcp not granted", TcpStream::connect("192.0.2.1:80"));
    let closed = env::get("closed").unwrap();
    report.done("tcp refused", TcpStream::connect(&closed));
}

fn answer() {
    nur::log("a line of info");
    nur::log_at(Level::Error, "a line of error");
    nur::log_at(Level::Warning, "a line of warning");
    nur::log_at(Level::Info, "another line of info");
    nur::log_at(Level::Debug, "a line of debug");

    let mut report = Report(String::new());
    for part in [ask, process, store, fetch, connect] {
        part(&mut report);
    }

    response::set_status(200, "All called");
    response::set_header("Content-Type", "text/plain");
    response::set_header("X-Sink", "one");
    response::set_header("X-Sink", "two");
    if request::header("X-Whole").is_some() {
        return response::set_body(report.0);
    }
    response::write(&report.0[..10]).unwrap();
    response::write(&report.0[10..]).unwrap();
}

nur::handle!(answer);
