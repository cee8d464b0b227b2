//! Stage 5: the same bytes under TLS. rustls does the cryptography; what is left is to say whom to trust and
//! whom to expect, and to carry records between the session and the socket.
//!
//! What must hold: not a byte of the request is encrypted before the certificate has been verified, anew for
//! each connection and for the host of *its* URL. An end that was not announced (no close_notify) is an end
//! only where the framing does not depend on it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;

use crate::connection::Transport;
use crate::error::Error;
use crate::hostile::Deadline;
use crate::url::Url;

/// What every connection of a run shares: the built-in roots, those in the file `ca` beside them, TLS 1.2
/// and 1.3. It takes a while to build, so whoever meets no https URL does without.
pub fn config(ca: Option<&Path>) -> Result<Arc<ClientConfig>, Error> {
    todo!("stage 5: rustls with its ring provider, and webpki-roots; the roots in `ca` are added to them")
}

/// A socket under TLS. As the socket does not block, neither does this.
#[derive(Debug)]
pub struct TlsStream {
    // Your fields.
}

impl TlsStream {
    /// Shakes hands over `socket` with whoever can prove to be the host of `url`.
    pub fn handshake(
        socket: TcpStream,
        url: &Url,
        config: Arc<ClientConfig>,
        deadline: Deadline,
    ) -> Result<TlsStream, Error> {
        todo!("stage 5: a session whose other end has proved who it is")
    }
}

impl Transport for TlsStream {
    fn socket(&self) -> &TcpStream {
        todo!("stage 5: the socket underneath")
    }
}

impl Read for TlsStream {
    /// 0 is an end that was announced; one that was not is an error.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        todo!("stage 5: what the server sent, decrypted")
    }
}

impl Write for TlsStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        todo!("stage 5: how many of the bytes the session has taken")
    }

    /// Sends what is encrypted; `WouldBlock` if some of it is left.
    fn flush(&mut self) -> io::Result<()> {
        todo!("stage 5: nothing that was written is left behind")
    }
}
