//! Stage 1: what a URL says, taken apart once.
//!
//! What must hold: whatever is in a [`Url`] can be put on a request line, so no byte of it is a space or a
//! control character. Fragment and userinfo are never sent. What cannot be used is refused here, before
//! anybody connects. From stage 4 on servers write URLs too, and from stage 6 on they mean harm.
//!
//! Draw a URL with all of its parts here, and say of each who reads it.

mod reference;

use crate::error::Error;

/// How the bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// As they are.
    Http,
    /// Under TLS.
    Https,
}

impl Scheme {
    /// The port that goes without saying.
    pub fn default_port(self) -> u16 {
        todo!("stage 1: the port of a URL that names none")
    }
}

/// An absolute http or https URL, without its fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// How to talk.
    pub scheme: Scheme,
    /// A name in lower case, or an IP address, of version 6 in brackets: as it stands in a Host header.
    pub host: String,
    /// The port to connect to, the default one included.
    pub port: u16,
    /// Begins with `/`.
    pub path: String,
    /// What follows the `?`. An empty query is not the same as none.
    pub query: Option<String>,
}

impl Url {
    /// Takes an absolute URL apart.
    pub fn parse(text: &str) -> Result<Url, Error> {
        todo!("stage 1: every part, whichever others are there; or the reason why it cannot be used")
    }

    /// What stands on the request line: path and query.
    pub fn origin_form(&self) -> String {
        todo!("stage 1: never empty")
    }

    /// What stands in the Host header: the port only if it does not go without saying.
    pub fn authority(&self) -> String {
        todo!("stage 1: host, or host and port")
    }

    /// The host as resolvers and certificates know it: an IPv6 address without its brackets.
    pub fn bare_host(&self) -> &str {
        todo!("stage 1: what the resolver is asked for")
    }

    /// Whether a connection to one serves for the other.
    pub fn same_origin(&self, other: &Url) -> bool {
        todo!("stage 7: the same server, spoken to in the same way")
    }
}
