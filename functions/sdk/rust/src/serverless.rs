//! The names and types of serverless-wasm's own crate, for sources written with it:
//! `use nur::serverless as api;` in place of `extern crate serverless_api as api;`.

pub use crate::{db, log};

/// The parts of a response.
pub mod response {
    pub use crate::response::{set_header, set_status};

    pub fn set_body(body: &[u8]) {
        crate::response::set_body(body);
    }
}

/// [`crate::TcpStream`] whose calls do not say why they failed.
pub struct TcpStream(crate::TcpStream);

impl TcpStream {
    pub fn connect(address: &str) -> Option<TcpStream> {
        crate::TcpStream::connect(address).ok().map(TcpStream)
    }

    pub fn read(&mut self, bytes: &mut [u8]) -> Option<usize> {
        self.0.read(bytes).ok()
    }

    pub fn write(&mut self, bytes: &[u8]) -> Option<usize> {
        self.0.write(bytes).ok()
    }
}
