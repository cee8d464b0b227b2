//! Stage 1: a request, and the bytes that say it.
//!
//! What must hold: a request line in origin form, exactly one Host, `Connection`, and exactly one
//! Content-Length with a POST, none with a GET; then the body's bytes as they are. No coding is advertised
//! that is not decoded.
//!
//! Write a request out here, byte by byte, line ends included.

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
        todo!("stage 1: head and body, as the server has to read them")
    }
}
