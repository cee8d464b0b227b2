//! Stage 3, if you like: a Bloom filter, which says of most absent keys that they are absent, without a
//! look at the disk. No check asks for it; a get that has to ask many tables is the faster for it.
//!
//! What must hold: never a false "no". A false "maybe" costs one read.

/// A set of keys that may claim too many members, never too few.
#[derive(Debug)]
pub struct Bloom {
    // Your fields.
}

impl Bloom {
    /// An empty filter, sized for `keys` keys.
    pub fn for_keys(keys: usize) -> Bloom {
        todo!("stage 3: a filter that says no to everything")
    }

    /// The filter that [`Bloom::bytes`] gave; `None` if it never gave these.
    pub fn from_bytes(bits: Vec<u8>) -> Option<Bloom> {
        todo!("stage 3: the same answers as before it was stored")
    }

    /// The filter, as it is stored.
    pub fn bytes(&self) -> &[u8] {
        todo!("stage 3: all that `from_bytes` needs")
    }

    /// Adds a key.
    pub fn insert(&mut self, key: &[u8]) {
        todo!("stage 3: from now on it may be contained")
    }

    /// Whether `key` may have been inserted; `false` is certain.
    pub fn may_contain(&self, key: &[u8]) -> bool {
        todo!("stage 3: true for every member, false for most others")
    }
}
