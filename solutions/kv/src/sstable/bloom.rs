//! A Bloom filter: says of most absent keys that they are absent, without a look at the disk.
//!
//! ```text
//! insert(key):  0 0 1 0 0 0 1 0 0 1 0 0 …      each key sets PROBES bits, chosen by its hash;
//!                   └───────┴─────┘            if one of them is 0, the key was never inserted
//! ```
//!
//! Invariant: never a false "no". With ten bits a key, one "maybe" in a hundred is false.

/// Bits a key: 10 bits and 7 probes give about 1 % of false "maybe"s.
const BITS_PER_KEY: usize = 10;
const PROBES: u64 = 7;

/// A set of keys that may claim too many members, never too few.
#[derive(Debug)]
pub struct Bloom {
    bits: Vec<u8>,
}

impl Bloom {
    /// An empty filter, sized for `keys` keys.
    pub fn for_keys(keys: usize) -> Bloom {
        Bloom { bits: vec![0; (keys * BITS_PER_KEY).div_ceil(8).max(8)] }
    }

    /// The filter that [`Bloom::bytes`] gave; `None` if it never gave these.
    pub fn from_bytes(bits: Vec<u8>) -> Option<Bloom> {
        (!bits.is_empty()).then_some(Bloom { bits })
    }

    /// The filter, as it is stored.
    pub fn bytes(&self) -> &[u8] {
        &self.bits
    }

    /// Adds a key.
    pub fn insert(&mut self, key: &[u8]) {
        for bit in probes(key, self.bits.len()) {
            self.bits[bit / 8] |= 1 << (bit % 8);
        }
    }

    /// Whether `key` may have been inserted; `false` is certain.
    pub fn may_contain(&self, key: &[u8]) -> bool {
        probes(key, self.bits.len()).all(|bit| self.bits[bit / 8] & 1 << (bit % 8) != 0)
    }
}

/// The bits of a key: one hash stepped by another (Kirsch and Mitzenmacher 2006: as good as seven hashes).
fn probes(key: &[u8], bytes: usize) -> impl Iterator<Item = usize> {
    let start = hash(key);
    let step = start.rotate_left(32) | 1;
    let bits = bytes as u64 * 8;
    (0..PROBES).map(move |probe| (start.wrapping_add(probe.wrapping_mul(step)) % bits) as usize)
}

/// FNV-1a, with its high bits folded down. Of our own because it is stored: std's may change with a release.
fn hash(key: &[u8]) -> u64 {
    let sum = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (sum ^ sum >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_member_is_denied_and_few_strangers_are_let_in() {
        for keys in [0, 1, 10_000] {
            let mut filter = Bloom::for_keys(keys);
            (0..keys).for_each(|n| filter.insert(format!("key{n}").as_bytes()));
            let denied = (0..keys).filter(|n| !filter.may_contain(format!("key{n}").as_bytes())).count();
            assert_eq!(denied, 0, "members denied, of {keys}");
            let let_in = (0..10_000).filter(|n| filter.may_contain(format!("other{n}").as_bytes())).count();
            assert!(let_in < 300, "{let_in} of 10000 strangers let in by a filter of {keys} keys");
        }
    }
}
