//! Stage 4: a response that says "elsewhere", and the request that follows from it.
//!
//! ```text
//!            GET                 POST
//! 301, 302   GET there           GET there, without body and without Content-Length
//! 303        GET there           the same: "see what has become of it"
//! 307, 308   GET there           POST there, with its body
//! 300, 304, … or without a Location: final
//! ```
//!
//! That 301 and 302 turn a POST into a GET is a mistake of the first browsers which nobody could take back
//! (RFC 9110 §15.4); 307 and 308 are its repair. What must not be is a mix: a GET with a body's headers.
//! https to http is followed, as browsers do. Whoever minds it looks at where they ended up.

use crate::error::{Error, Kind};
use crate::request::{Method, Request};
use crate::response::Head;

/// The most redirects in a row. The answer that asks for one more ends the exchange.
pub const MAX_HOPS: usize = 5;

/// What to ask next, in answer to `head`; none if that is the final one.
pub fn next<'a>(request: &Request<'a>, head: &Head) -> Result<Option<Request<'a>>, Error> {
    let method = match head.status {
        301..=303 => Method::Get,
        307 | 308 => request.method,
        _ => return Ok(None),
    };
    let location = match head.values("location")[..] {
        [] | ["", ..] => return Ok(None),
        [location, ..] => location,
    };
    let url = request.url.resolve(location)?;
    Ok(Some(match method {
        Method::Get => Request::get(url),
        Method::Post => Request::post(url, request.body),
    }))
}

/// Counts one more hop after `taken` of them, if there may be one.
pub fn count(taken: usize) -> Result<usize, Error> {
    if taken == MAX_HOPS {
        return Err(Error::new(Kind::TooManyRedirects, format!("a redirect after {MAX_HOPS} redirects")));
    }
    Ok(taken + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::Url;

    #[test]
    fn a_post_stays_whole_or_becomes_a_get() {
        let url = Url::parse("http://h/a").unwrap();
        let post = Request::post(url.clone(), b"body");
        let head = |status, location: &str| Head {
            minor_version: 1,
            status,
            headers: vec![("location".to_owned(), location.to_owned())],
        };
        let there = Url::parse("http://h/b").unwrap();
        for status in [301, 302, 303] {
            assert_eq!(next(&post, &head(status, "b")), Ok(Some(Request::get(there.clone()))), "{status}");
        }
        for status in [307, 308] {
            assert_eq!(
                next(&post, &head(status, "b")),
                Ok(Some(Request::post(there.clone(), b"body"))),
                "{status}"
            );
        }
        for (status, location) in [(300, "b"), (304, "b"), (305, "b"), (200, "b"), (302, "")] {
            assert_eq!(next(&post, &head(status, location)), Ok(None), "{status} {location:?}");
        }
    }
}
