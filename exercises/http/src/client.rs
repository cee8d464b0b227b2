//! One run: ties the stages together. Come here once a URL is taken apart.
//!
//! What must hold: one response comes out, the final one, or one error. A connection is made for a URL that
//! can be used, and for no other. Nothing is paid for TLS before the first https URL is met.

use std::marker::PhantomData;

use crate::error::Error;
use crate::request::Request;
use crate::{Options, Response};

/// What the exchanges of one run have in common.
#[derive(Debug)]
pub struct Client<'a> {
    // Your fields; the options take the place of this one.
    options: PhantomData<&'a Options>,
}

impl<'a> Client<'a> {
    /// A client whose time runs from now on.
    pub fn new(options: &'a Options) -> Client<'a> {
        todo!("stage 1: a client that has asked for nothing yet")
    }

    /// The final response to `request`, redirects followed.
    pub fn fetch(&mut self, request: Request<'_>) -> Result<Response, Error> {
        todo!("stage 1: connect, send, read; from stage 4 on as often as it takes")
    }
}
