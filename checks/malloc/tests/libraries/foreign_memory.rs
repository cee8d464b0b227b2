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

#[test]
fn a_block_that_is_longer_than_its_memory_is_told_by_how_much() {
    if !c::is_there() {
        return;
    }
    let source = "
        #include <bump.h>
        void *my_malloc(size_t size) {
            char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            return page + 4096 - 8;
        }
        void my_free(void *p) {}";
    let report = suite_run::check(&c::build(source, &[]), "malloc/1/memory_comes_from_the_os");
    let says = ["a = malloc(24)", "it reaches 16 bytes past the end of the memory that the library got"];
    expect(report.only(), source, "FAIL", &says);
}

/// Each block is a page, and the page below it, where the next block is, goes with it.
#[test]
fn a_block_whose_memory_was_given_back_is_named() {
    if !c::is_there() {
        return;
    }
    let source = "
        #include <bump.h>
        static char *next;
        void *my_malloc(size_t size) {
            if (!next) next = (char *)mmap(NULL, 1 << 24, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + (1 << 24);
            return next -= 4096;
        }
        void my_free(void *p) { if (p) munmap((char *)p - 4096, 8192); }";
    let report = suite_run::check(&c::build(source, &[]), "malloc/1/free_of_null_does_nothing");
    let says = [
        "SIGSEGV",
        "b can be read and written, after free(a) as before",
        "byte 0 of b",
        "given back to the OS",
    ];
    expect(report.only(), source, "CRASH", &says);
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
