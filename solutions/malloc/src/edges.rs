//! Stage 4: from any number a caller may pass to a block's size, or to a no.
//!
//! ```text
//!   request     0 … 24 │ 25 … 40 │ 41 … 56 │ …  16 more each  … │ PTRDIFF_MAX │ … SIZE_MAX
//!   block           32 │      48 │      64 │ …               … │        none │       none
//! ```
//!
//! Invariants: a block has room for header and request; its size is a multiple of 16, so that the next
//! payload is aligned when this one is; no sum in here wraps.

use crate::block::{ALIGN, HEADER, MIN};
use crate::os::PAGE;

/// More is refused, as in glibc: the distance of two bytes of such a block would not fit a `ptrdiff_t`. What
/// is taken off is room for header and rounding, so that no caller of ours needs to think of overflow.
const MAX_REQUEST: usize = isize::MAX as usize - 16 * PAGE;

/// The size of the block that serves a request; `None` if none can.
///
/// A request of nothing gets the least block: its address is unique, and it is freed like any other.
pub fn block_size(request: usize) -> Option<usize> {
    if request > MAX_REQUEST {
        return None;
    }
    Some((request + HEADER).next_multiple_of(ALIGN).max(MIN))
}

/// The size in bytes of an array; `None` if no `usize` can say it.
pub fn array_size(count: usize, size: usize) -> Option<usize> {
    count.checked_mul(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trap: `request + HEADER` wraps, and a request of all memory gets the least block.
    #[test]
    fn requests_near_the_largest_number_are_refused() {
        for below in 0..64 {
            assert_eq!(block_size(usize::MAX - below), None, "SIZE_MAX - {below}");
            assert_eq!(block_size(isize::MAX as usize + below), None, "PTRDIFF_MAX + {below}");
        }
    }

    #[test]
    fn a_block_has_room_for_its_request_and_wastes_less_than_an_alignment() {
        assert_eq!(block_size(0), Some(MIN));
        for request in 24..5000 {
            let size = block_size(request).unwrap();
            assert!(size.is_multiple_of(ALIGN), "{request}");
            assert!((request + HEADER..request + HEADER + ALIGN).contains(&size), "{request}: {size}");
        }
    }
}
