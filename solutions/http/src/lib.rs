//! An HTTP/1.1 client: a request is a few lines of text in a TCP stream, so is the head of its answer; what
//! follows is bytes, and the art is to know where they end.
//!
//! # The life of a request
//!
//! 1. [`Url`] is taken apart. From here on nothing in it can break a line.
//! 2. [`dial`] finds the host's addresses and connects to the first that accepts; [`https`] shakes hands.
//! 3. [`Request::to_bytes`] writes it out, and [`Connection`](connection::Connection)
//!    sends it, while it already listens for the answer.
//! 4. [`HeadParser`](response::HeadParser) is fed what arrives, cut wherever TCP cut it, until it has a head.
//! 5. [`Framing`](framing::Framing) says where the body ends. [`redirects`] may say that this is not the
//!    answer yet: then from 1 again, over the same connection if [`keep_alive`] finds it fit.
//! 6. [`Body`] streams to the caller, through [`chunked`] if need be. Whole, or an error.
//!
//! What parses, decides and counts is plain data: fed bytes, it gives bytes or a verdict, and knows no socket.
//! `dial`, `connection`, `https` and `body` are the shell that has one. Time is a [`hostile::Deadline`], and
//! every wait is in [`poll`].
//!
//! Left out on purpose: proxies, cookies, compression, authentication, caching, HTTP/2. Measured against
//! curl by `cargo run --release -p http-solution --example cost`.
//!
//! The modules stand in the order of the stages.

#![deny(unsafe_code)]

use std::path::PathBuf;
use std::time::Duration;

// Stage 1: a URL becomes a connection and a request.
pub mod connection;
pub mod dial;
pub mod poll;
pub mod request;
pub mod url;

// Stage 2: bytes become a head and a body.
pub mod body;
pub mod framing;
pub mod response;

// Stage 3: a body that says itself where it ends.
pub mod chunked;

// Stage 4: "elsewhere".
pub mod redirects;

// Stage 5: the same, and nobody listens in.
pub mod https;

// Stage 6: servers that are broken or mean harm.
pub mod hostile;

// Stage 7: the next request over the same connection.
pub mod keep_alive;

// All of them, tied together.
pub mod client;

// What can fail.
pub mod error;

pub use body::Body;
pub use error::{Error, Kind};

use client::Client;
use request::Request;
use url::Url;

/// How to go about it.
#[derive(Debug, Clone)]
pub struct Options {
    /// A PEM file of roots that are trusted beside the built-in ones.
    pub ca: Option<PathBuf>,
    /// How long the whole exchange may take, from the name's lookup to the last byte of the body.
    pub max_time: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options { ca: None, max_time: Duration::from_secs(60) }
    }
}

/// A response whose head has arrived.
#[derive(Debug)]
pub struct Response {
    /// Three digits.
    pub status: u16,
    /// Names and values, in the order in which they came; repeated ones stay repeated.
    pub headers: Vec<(String, String)>,
    /// The body, as it arrives.
    pub body: Body,
}

/// Fetches `url`.
pub fn get(url: &str, options: &Options) -> Result<Response, Error> {
    let request = Request::get(Url::parse(url)?);
    Client::new(options).fetch(request)
}

/// Hands `body` to `url`.
pub fn post(url: &str, body: &[u8], options: &Options) -> Result<Response, Error> {
    let request = Request::post(Url::parse(url)?, body);
    Client::new(options).fetch(request)
}
