//! Stage 1: a request, and the bytes that say it.
//!
//! ```text
//! POST /a?q=1 HTTP/1.1\r\n          the target in origin form: the host is not part of it
//! Host: example.org:8080\r\n        but which of a server's many sites is meant has to be said
//! User-Agent: …\r\n                 who asks: nobody needs it but the one who looks through the log
//! Accept: */*\r\n                   no Accept-Encoding: what is advertised has to be decoded
//! Connection: keep-alive\r\n
//! Content-Length: 5\r\n             where the body ends; with a POST always, with a GET never
//! \r\n
//! hello                             bytes as they are
//! ```
//!
//! One string of bytes, head and body, so that what fits is one write and one packet.

use crate::url::Url;

/// What is to be done with the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Fetch it. Asking twice does no harm.
    Get,
    /// Hand it a body. Whether that may be done twice, only the server knows.
    Post,
}

/// A request that has not been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// What to do.
    pub method: Method,
    /// With what.
    pub url: Url,
    /// Empty in a GET.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// A request to fetch `url`.
    pub fn get(url: Url) -> Request<'static> {
        Request { method: Method::Get, url, body: &[] }
    }

    /// A request to hand `body` to `url`.
    pub fn post(url: Url, body: &'a [u8]) -> Request<'a> {
        Request { method: Method::Post, url, body }
    }

    /// The request as it goes over the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let mut head = format!(
            "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: groundwork/1\r\nAccept: */*\r\nConnection: keep-alive\r\n",
            self.url.origin_form(),
            self.url.authority(),
        );
        if self.method == Method::Post {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        [head.as_bytes(), self.body].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The traps: a length for a GET, none for an empty POST, and a length in characters.
    #[test]
    fn the_length_is_that_of_the_body_in_bytes() {
        let url = Url::parse("http://[::1]:80?q#f").unwrap();
        let text = |request: Request<'_>| String::from_utf8(request.to_bytes()).unwrap();
        let get = text(Request::get(url.clone()));
        assert!(get.starts_with("GET /?q HTTP/1.1\r\nHost: [::1]\r\n") && get.ends_with("\r\n\r\n"), "{get}");
        assert!(!get.contains("Content-Length"), "{get}");
        assert!(text(Request::post(url.clone(), b"")).contains("\r\nContent-Length: 0\r\n"));
        assert!(text(Request::post(url, "é".as_bytes())).ends_with("\r\nContent-Length: 2\r\n\r\né"));
    }
}
