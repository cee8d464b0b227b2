//! Blocks from the right memory that are wrong nevertheless: they overlap, are misaligned or too small, or change.

use crate::{
    c,
    suite_run::{self, WRITABLE, expect},
};

/// What my_malloc and my_free do, the check that meets it, and what is said of that.
const BLOCKS: [(&str, &str, &str, &[&str]); 8] = [
    (
        "return (char *)bump(size + 1) + 1;",
        "",
        "malloc/1/blocks_are_aligned_to_8",
        &["a multiple of 8", "1 too much"],
    ),
    (
        "return (char *)bump(size + 4) + 4;",
        "",
        "malloc/1/blocks_are_aligned_to_8",
        &["a multiple of 8", "4 too much"],
    ),
    ("return (char *)bump(size + 4) + 4;", "", WRITABLE, &["a multiple of 8", "4 too much"]),
    (
        "static char *one; if (!one) one = bump(1 << 20); return one;",
        "",
        WRITABLE,
        &["no live block touches", "inside a"],
    ),
    (
        "static char *one; if (!one) one = bump(1 << 20); return one += 16;",
        "",
        WRITABLE,
        &["no live block touches"],
    ),
    (
        "return (char *)bump(size + 16);",
        "char *q = p; if (q) memset(q, 0, 4096);",
        "malloc/1/live_blocks_keep_their_bytes",
        &["holds what was written to it", "after free("],
    ),
    (
        "static char *last; char *p = bump(size); if (last) *last = 0; last = p + size - 1; return p;",
        "",
        WRITABLE,
        &["a holds what was written to it", "b = malloc("],
    ),
    (
        "return bump(size);",
        "",
        "malloc/4/impossible_sizes_are_refused",
        &["d = malloc(SIZE_MAX) gives null", "wraps around"],
    ),
];

#[test]
fn wrong_blocks_are_told_for_what_is_wrong() {
    if !c::is_there() {
        return;
    }
    for (in_malloc, in_free, check, says) in BLOCKS {
        let source = format!(
            "#include <bump.h>
             char *my_malloc(size_t size) {{ {in_malloc} }}
             void my_free(void *p) {{ {in_free} }}"
        );
        let report = suite_run::check(&c::build(&source, &[]), check);
        expect(report.only(), &source, "FAIL", says);
    }
}
