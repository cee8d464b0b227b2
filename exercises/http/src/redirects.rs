//! Stage 4: a response that says "elsewhere", and the request that follows from it.
//!
//! What must hold: a redirected POST becomes a GET without body and body headers, or stays a whole POST; never
//! a mix. Five hops are followed; the response that asks for a sixth ends the exchange. A Location is what a
//! stranger wrote: it is checked like any other URL.
//!
//! Make a table here: status by method.

use crate::error::Error;
use crate::request::Request;
use crate::response::Head;

/// The most redirects in a row. The answer that asks for one more ends the exchange.
pub const MAX_HOPS: usize = 5;

/// What to ask next, in answer to `head`; none if that is the final one.
pub fn next<'a>(request: &Request<'a>, head: &Head) -> Result<Option<Request<'a>>, Error> {
    todo!("stage 4: the request that the status and the Location ask for")
}

/// Counts one more hop after `taken` of them, if there may be one.
pub fn count(taken: usize) -> Result<usize, Error> {
    todo!("stage 4: one more, or an error")
}
