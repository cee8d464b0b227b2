//! Your HTTP client. The specification is in this crate's README.md, and each stage has a page in `stages/`.
//!
//! What is graded is the program `http`, and so [`get`] and [`post`]: follow them from here. Begin in
//! `url.rs`, then go to `client.rs`. `main.rs`, `error.rs` and `poll.rs` are given. The other modules are a
//! suggestion, one or two a stage, with the types and verbs that the reference solution has; change them, or
//! do it your way. The grader looks at the bytes that the program sends and at what it makes of those that it
//! gets, and at nothing else.
//!
//! One thing in the suggestion is worth keeping: what parses, decides and counts takes bytes and gives bytes
//! or a verdict, and knows no socket. It can be tested in microseconds, with the bytes cut anywhere.

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

// What can fail. Given.
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
