//! Given: why an exchange failed. One word that a program can act on, and a sentence for whoever reads it.
//!
//! `error: truncated: the server closed the connection 12 bytes before the end of the body`
//!         └ kind     └ detail
//!
//! An [`Error`] travels through `std::io::Read` inside an [`io::Error`], and comes out as it went in.

use std::fmt;
use std::io;

/// What sort of failure it is. Each says who can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The URL cannot be used: the caller's, or one that a server redirected to.
    BadUrl,
    /// The host's name has no address.
    Dns,
    /// No address of the host accepted a connection.
    Connect,
    /// The handshake failed, the certificate was refused, or TLS was broken later on.
    Tls,
    /// It took longer than the caller allows.
    Timeout,
    /// What the server sent is not HTTP, or breaks its rules.
    BadResponse,
    /// The response ended before its framing said so.
    Truncated,
    /// More redirects than are followed.
    TooManyRedirects,
    /// It may be right, but is not spoken here: a scheme, a transfer coding, a version.
    Unsupported,
    /// More bytes where there is a limit to them, as in a head.
    TooLarge,
    /// The connection was lost while sending, a file cannot be read, stdout cannot be written.
    Io,
}

impl Kind {
    /// The word that stands for it on stderr.
    pub fn name(self) -> &'static str {
        match self {
            Kind::BadUrl => "bad-url",
            Kind::Dns => "dns",
            Kind::Connect => "connect",
            Kind::Tls => "tls",
            Kind::Timeout => "timeout",
            Kind::BadResponse => "bad-response",
            Kind::Truncated => "truncated",
            Kind::TooManyRedirects => "too-many-redirects",
            Kind::Unsupported => "unsupported",
            Kind::TooLarge => "too-large",
            Kind::Io => "io",
        }
    }
}

/// A failure: what sort, and what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What sort of failure it is.
    pub kind: Kind,
    /// A lower-case sentence without a full stop.
    pub detail: String,
}

impl Error {
    /// A failure of that kind.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Error {
        Error { kind, detail: detail.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.kind.name(), self.detail)
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::other(error)
    }
}

/// The error that it carries; any other is an `Io`.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        match error.downcast::<Error>() {
            Ok(carried) => carried,
            Err(error) => Error::new(Kind::Io, error.to_string()),
        }
    }
}
