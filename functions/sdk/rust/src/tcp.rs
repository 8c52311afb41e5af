use crate::*;

/// A connection to a backend. Waiting for it holds up nobody else. It is closed when dropped.
pub struct TcpStream {
    handle: i32,
}

impl TcpStream {
    /// Connects to `HOST:PORT`, a name or an address. Denied: not on the function's allow-list.
    /// Limit: too many connections are open.
    pub fn connect(address: &str) -> Result<TcpStream, Error> {
        let handle = unsafe { raw::tcp_connect(address.as_ptr(), address.len() as u64) };
        checked(handle.into())?;
        Ok(TcpStream { handle })
    }

    /// The next bytes, at most as many as there is room for; 0 at the end. Waits for the first.
    pub fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Error> {
        checked(unsafe { raw::tcp_read(self.handle, bytes.as_mut_ptr(), bytes.len() as u64) })
    }

    /// Sends; returns how many bytes were taken.
    pub fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        checked(unsafe { raw::tcp_write(self.handle, bytes.as_ptr(), bytes.len() as u64) })
    }

    /// Sends all of it.
    pub fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            match self.write(bytes)? {
                0 => return Err(Error::Failed),
                written => bytes = &bytes[written.min(bytes.len())..],
            }
        }
        Ok(())
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        unsafe { raw::tcp_close(self.handle) };
    }
}
