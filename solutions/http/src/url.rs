//! Stage 1: what a URL says, taken apart once, so that nobody downstream has to look for a `/` again.
//!
//! ```text
//!  http://user:pw@Example.org:8080/a/b?q=1#part
//!  │      │       │           │    │   │   └ fragment: the reader's business, never sent
//!  │      │       │           │    └───┴ path and query: the target of the request line
//!  │      │       └───────────┴ host and port: whom to connect to, and the Host header
//!  │      └ userinfo: refused. Dropped, it would turn a log-in into a puzzle; and whoever reads
//!  └ scheme   http://good.example@evil.example/ in a Location tends to look at the wrong half
//! ```
//!
//! Invariant: whatever is in a [`Url`] can be put on a request line. No byte of it is a control character or
//! a space, so no URL, whoever wrote it, can end a line and begin another (request splitting).

mod reference;

use std::net::Ipv6Addr;

use crate::error::{Error, Kind};
use reference::Reference;

/// How the bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// As they are.
    Http,
    /// Under TLS.
    Https,
}

impl Scheme {
    fn parse(name: &str) -> Result<Scheme, Error> {
        match name.to_ascii_lowercase().as_str() {
            "http" => Ok(Scheme::Http),
            "https" => Ok(Scheme::Https),
            other => {
                Err(Error::new(Kind::Unsupported, format!("scheme {other:?}; http and https are spoken")))
            }
        }
    }

    /// The port that goes without saying.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
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
        let reference = Reference::split(text)?;
        let Some(scheme) = reference.scheme else {
            return Err(bad(format!("{text:?} does not begin with http:// or https://")));
        };
        let scheme = Scheme::parse(scheme)?;
        let Some(authority) = reference.authority else {
            return Err(bad(format!("{text:?} has no // and host after its scheme")));
        };
        Url::assemble(scheme, authority, reference.path, reference.query)
    }

    /// A URL of these parts, each checked.
    fn assemble(scheme: Scheme, authority: &str, path: &str, query: Option<&str>) -> Result<Url, Error> {
        let (host, port) = split_authority(authority)?;
        let port = match port {
            "" => scheme.default_port(),
            digits => parse_port(digits)?,
        };
        // A path after an authority is empty or begins with a slash; on the wire it may not be empty.
        let path = if path.is_empty() { "/".to_owned() } else { ascii(path) };
        Ok(Url { scheme, host: parse_host(host)?, port, path, query: query.map(ascii) })
    }

    /// What stands on the request line: path and query.
    pub fn origin_form(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// What stands in the Host header: the port only if it does not go without saying.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The host as resolvers and certificates know it: an IPv6 address without its brackets.
    pub fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Whether a connection to one serves for the other.
    pub fn same_origin(&self, other: &Url) -> bool {
        (self.scheme, &self.host, self.port) == (other.scheme, &other.host, other.port)
    }
}

fn bad(detail: String) -> Error {
    Error::new(Kind::BadUrl, detail)
}

/// Host and port of `host`, `host:`, `host:80`, `[::1]:80`.
fn split_authority(authority: &str) -> Result<(&str, &str), Error> {
    if authority.contains('@') {
        return Err(bad(format!("a user name in {authority:?} is not sent; leave it out")));
    }
    // The colons of an IPv6 address stand inside the brackets.
    let host_end = authority.find(']').map_or(0, |bracket| bracket + 1);
    match authority[host_end..].split_once(':') {
        Some((rest, port)) => Ok((&authority[..host_end + rest.len()], port)),
        None => Ok((authority, "")),
    }
}

/// Digits alone: `u16::from_str` would take `+80` as well.
fn parse_port(digits: &str) -> Result<u16, Error> {
    let port = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    match port {
        Some(port) if port > 0 => Ok(port),
        _ => Err(bad(format!("{digits:?} is no port; ports go from 1 to 65535"))),
    }
}

fn parse_host(host: &str) -> Result<String, Error> {
    let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let sound = match literal {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
    };
    if sound {
        Ok(host.to_ascii_lowercase())
    } else {
        Err(bad(format!("{host:?} is no host name or address")))
    }
}

/// The text with each byte of its non-ASCII characters percent-encoded, as IRIs map to URIs (RFC 3987 §3.1).
fn ascii(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_found_whichever_others_are_there() {
        for (text, authority, port, target) in [
            ("http://h", "h", 80, "/"),
            ("HTTPS://H", "h", 443, "/"),
            ("http://h?q", "h", 80, "/?q"),
            ("http://h#f?q/x", "h", 80, "/"),
            ("http://h/a?b?c/d:e@f#g", "h", 80, "/a?b?c/d:e@f"),
            ("http://h:/", "h", 80, "/"),
            ("http://h:0080/", "h", 80, "/"),
            ("https://h:80/", "h:80", 80, "/"),
            ("http://[::1]/", "[::1]", 80, "/"),
            ("http://[::1]:81", "[::1]:81", 81, "/"),
            ("http://127.0.0.1:65535/%2f/", "127.0.0.1:65535", 65535, "/%2f/"),
            ("http://h/?", "h", 80, "/?"),
            ("http://h/ü?ü", "h", 80, "/%C3%BC?%C3%BC"),
            ("http://h/a/../b", "h", 80, "/a/../b"),
        ] {
            let url = Url::parse(text).unwrap();
            let seen = (url.authority(), url.port, url.origin_form());
            assert_eq!(seen, (authority.to_owned(), port, target.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for text in [
            "",
            "h",
            "//h/",
            "/a",
            "127.0.0.1:80/",
            "http:",
            "http:/h",
            "http:h",
            "http://",
            "http:///a",
            "http://:80/",
            "http://?q",
            "http://h:65536/",
            "http://h:0/",
            "http://h:+80/",
            "http://h:8o/",
            "http://h:80:80/",
            "http://u@h/",
            "http://u:p@h/",
            "http://h h/",
            "http://h/ ",
            " http://h/",
            "http://h/\r\nX: y",
            "http://h/\0",
            "http://h/\t",
            "http://h/\x7f",
            "http://h/#\n",
            "http://[::1/",
            "http://::1/",
            "http://[g]/",
            "http://[::1]x/",
            "http://[127.0.0.1]/",
            "http://[]/",
            "http://h\\/",
            "http://%68/",
            "http://ü/",
        ] {
            assert_eq!(Url::parse(text).unwrap_err().kind, Kind::BadUrl, "{text:?}");
        }
        assert_eq!(Url::parse("ftp://h/").unwrap_err().kind, Kind::Unsupported);
    }
}
