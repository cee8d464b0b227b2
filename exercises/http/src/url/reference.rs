//! Stage 4: references, such as a Location header holds them, and the URL that one means on a given page
//! (RFC 3986 §5.2; §5.4 has a table of examples).
//!
//! What must hold: each part that the reference has is its own, and so is all that follows; all that precedes
//! it is the base's. The result is as sound as a URL that was parsed.

use super::Url;
use crate::error::Error;

impl Url {
    /// What `reference` means on the page that this URL names.
    pub fn resolve(&self, reference: &str) -> Result<Url, Error> {
        todo!("stage 4: absolute, //host, /path, path, ?query, and dots in paths")
    }
}
