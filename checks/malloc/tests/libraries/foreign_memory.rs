//! Pointers to memory that is not the allocator's to give.

use crate::{
    c,
    suite_run::{self, WRITABLE, expect},
};

/// What my_malloc returns, and what is said of that.
const POINTERS: [(&str, &str, &[&str]); 9] = [
    ("return (char *)0x123456789000;", "CRASH", &["SIGSEGV", "a = malloc(1)", "0x123456789000"]),
    ("return (char *)sbrk(0) + (1 << 30);", "CRASH", &["SIGSEGV", "a = malloc(1)"]),
    (
        "return mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);",
        "CRASH",
        &["SIGSEGV", "a = malloc(1)"],
    ),
    ("return (char *)-1;", "FAIL", &["an address range that no process has"]),
    ("return (char *)16;", "FAIL", &["an address range that no process has"]),
    ("char here[64]; char *volatile p = here + 32; return p;", "FAIL", &["the stack"]),
    (
        "static char heap[1 << 20]; static size_t used; return heap + (used += size + 15 & ~15ul);",
        "FAIL",
        &["a static array"],
    ),
    ("return (char *)&my_malloc;", "FAIL", &["a static array"]),
    ("return NULL;", "FAIL", &["a = malloc(1) gives a block", "null"]),
];

#[test]
fn foreign_memory_is_named_for_what_it_is() {
    if !c::is_there() {
        return;
    }
    for (statement, word, says) in POINTERS {
        let source = format!(
            "#include <bump.h>
             char *my_malloc(size_t size) {{ {statement} }}
             void my_free(void *p) {{}}"
        );
        let report = suite_run::check(&c::build(&source, &[]), WRITABLE);
        expect(report.only(), statement, word, says);
    }
}

/// Regions of sbrk are taken for neighbours, whatever lies between them.
#[test]
fn a_heap_that_reaches_across_a_gap_is_told() {
    if !c::is_there() {
        return;
    }
    let library = c::wrong(&[
        ("if (start != end_of_heap) {", "if (!end_of_heap) {"),
        ("start -= WORD; /* the old fence becomes the first header */", "start = end_of_heap - WORD;"),
    ]);
    let report = suite_run::check(&library, "malloc/2/merging_stops_where_somebody_else_begins");
    expect(report.only(), "a heap that takes sbrk for its own", "FAIL", &["somebody else"]);
}
