//! Stage 5: the same bytes under TLS. rustls does the cryptography; what is left is to say whom to trust and
//! whom to expect, and to carry records between the session and the socket.
//!
//! ```text
//! request ─► writer ─► ┌─────────┐ ─► write_tls ────────────────────────────► socket
//!                      │ session │
//! answer  ◄─ reader ◄─ └─────────┘ ◄─ process ◄─ read_tls ◄─ 64 KiB buffer ◄── socket
//! ```
//!
//! The session's reads are of 4 KiB; the buffer makes of sixteen of them one system call.
//! Invariant: not a byte of the request is encrypted before the certificate has been verified: its chain up to
//! a trusted root, its dates, and that it names the host of *this* URL, anew for each connection.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::connection::{BUFFER_BYTES, Transport};
use crate::error::{Error, Kind};
use crate::hostile::Deadline;
use crate::poll::{self, Interest};
use crate::url::Url;

/// What every connection of a run shares: the built-in roots, those in the file `ca` beside them, TLS 1.2
/// and 1.3. It takes a while to build, so whoever meets no https URL does without.
pub fn config(ca: Option<&Path>) -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca {
        let pem = std::fs::read(path)
            .map_err(|error| Error::new(Kind::Io, format!("cannot read {}: {error}", path.display())))?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let certificates = certificates.map_err(|error| tls(format!("{}: {error}", path.display())))?;
        // A bundle may hold some that are of no use here; without any, nothing would verify.
        if let (0, _) = roots.add_parsable_certificates(certificates) {
            return Err(tls(format!("{} holds no usable certificate", path.display())));
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A resumed session is not verified again. A run has few connections: it can do that each time.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// A socket under TLS. As the socket does not block, neither does this.
#[derive(Debug)]
pub struct TlsStream {
    session: ClientConnection,
    socket: BufReader<TcpStream>,
}

impl TlsStream {
    /// Shakes hands over `socket` with whoever can prove to be the host of `url`.
    pub fn handshake(
        socket: TcpStream,
        url: &Url,
        config: Arc<ClientConfig>,
        deadline: Deadline,
    ) -> Result<TlsStream, Error> {
        // A name goes along in the clear (SNI), so that the server can choose its certificate; an address never.
        let name = ServerName::try_from(url.bare_host().to_owned())
            .map_err(|_| tls(format!("no certificate can name {:?}", url.host)))?;
        let session = ClientConnection::new(config, name).map_err(|error| tls(error.to_string()))?;
        let mut stream = TlsStream { session, socket: BufReader::with_capacity(BUFFER_BYTES, socket) };
        while stream.session.is_handshaking() {
            let left = deadline.remaining()?;
            let interest = match stream.pull() {
                Ok(0) => return Err(tls("the server closed the connection during the handshake".to_owned())),
                Ok(_) => continue,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock && stream.session.wants_write() => {
                    Interest::ReadOrWrite
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Interest::Read,
                Err(error) => {
                    return Err(tls(format!("during the handshake: {}", Error::from(error).detail)));
                }
            };
            poll::wait(stream.socket(), interest, left)?;
        }
        Ok(stream)
    }

    /// Has the session take in some of what the socket holds; 0 at the end of the stream.
    fn pull(&mut self) -> io::Result<usize> {
        // The session may owe the server a word. If it cannot be said now, or ever, reading goes on.
        let _ = self.flush();
        let bytes = self.session.read_tls(&mut self.socket)?;
        if let Err(error) = self.session.process_new_packets() {
            // The session has prepared an alert that tells the server; it matters to nobody else.
            let _ = self.flush();
            return Err(tls(error.to_string()).into());
        }
        Ok(bytes)
    }
}

impl Transport for TlsStream {
    fn socket(&self) -> &TcpStream {
        self.socket.get_ref()
    }
}

impl Read for TlsStream {
    /// Reads on while there is room and something has come: a record is 16 KiB at most, and whoever has room
    /// for more should not be woken for each. 0 is an end that was announced; one that was not is an error.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut had = 0;
        while had < out.len() {
            let more = match self.session.reader().read(&mut out[had..]) {
                Ok(0) => break,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.pull().map(|_| 0),
                other => other,
            };
            match more {
                Ok(bytes) => had += bytes,
                // It comes again at the next read.
                Err(_) if had > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(had)
    }
}

impl Write for TlsStream {
    /// Encrypts as much as the session has room for. What the socket does not take of it, `flush` sends.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flush()?;
        let taken = self.session.writer().write(bytes)?;
        match self.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }

    /// Sends what is encrypted; `WouldBlock` if some of it is left.
    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(self.socket.get_mut())?;
        }
        Ok(())
    }
}

impl Drop for TlsStream {
    /// Announces the end (RFC 9112 §9.8), as far as that goes without waiting.
    fn drop(&mut self) {
        self.session.send_close_notify();
        let _ = self.flush();
    }
}

fn tls(detail: String) -> Error {
    Error::new(Kind::Tls, detail)
}
