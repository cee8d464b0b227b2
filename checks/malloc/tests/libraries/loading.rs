//! Libraries that cannot be loaded, lack what they should export, or do harm while they are loaded.

use std::{fs, time::Duration};

use crate::{
    c::{self, Library},
    side_by_side,
    suite_run::{self, WRITABLE, expect},
};

/// `e_machine` in the header of an ELF file (elf(5)).
const MACHINE: usize = 18;
const SPARC: u8 = 2;

#[test]
fn a_function_that_is_not_exported_is_named() {
    if !c::is_there() {
        return;
    }
    for (source, missing) in [
        ("#include <bump.h>\nvoid *my_malloc(size_t size) { return bump(size); }", "my_free"),
        ("void my_free(void *p) {}", "my_malloc"),
        ("#include <bump.h>\nstatic void *my_malloc(size_t size) { return bump(size); }", "my_malloc"),
    ] {
        let report = suite_run::check(&c::build(source, &[]), WRITABLE);
        expect(report.only(), source, "FAIL", &[missing, "no such symbol", "nm -D"]);
    }
}

#[test]
fn what_is_no_library_cannot_be_loaded() {
    let text = Library::of_bytes(b"not a library\n");
    for (library, what) in
        [(text, "a text"), (Library::of_bytes(b""), "an empty file"), (Library::none(), "nothing")]
    {
        let report = suite_run::check(&library, WRITABLE);
        expect(report.only(), what, "CRASH", &["could not be loaded", "libmymalloc.so"]);
    }
}

#[test]
fn a_library_for_another_machine_cannot_be_loaded() {
    if !c::is_there() {
        return;
    }
    let built = c::build(&c::source("my_malloc.c"), &[]);
    let mut bytes = fs::read(built.path()).expect("the library was built");
    bytes[MACHINE] = SPARC;
    let report = suite_run::check(&Library::of_bytes(&bytes), WRITABLE);
    expect(report.only(), "a library for SPARC", "CRASH", &["could not be loaded", "libmymalloc.so"]);
    let half = Library::of_bytes(&bytes[..bytes.len() / 2]);
    expect(suite_run::check(&half, WRITABLE).only(), "half a library", "CRASH", &["could not be loaded"]);
}

#[test]
fn a_symbol_that_nobody_has_is_named() {
    if !c::is_there() {
        return;
    }
    let source =
        "void *elsewhere(unsigned long); void *my_malloc(unsigned long size) { return elsewhere(size); }
                  void my_free(void *p) {}";
    let report = suite_run::check(&c::build(source, &[]), WRITABLE);
    expect(report.only(), source, "CRASH", &["could not be loaded", "undefined symbol: elsewhere"]);
}

/// What a constructor does, and what is said of that.
const CONSTRUCTORS: [(&str, &str, &[&str]); 4] = [
    ("*(volatile int *)8 = 1;", "CRASH", &["SIGSEGV", "the library to be loaded"]),
    ("abort();", "CRASH", &["SIGABRT", "the library to be loaded"]),
    ("exit(3);", "CRASH", &["exited with status 3", "the library to be loaded"]),
    ("pause();", "TIMEOUT", &["the library to be loaded"]),
];

#[test]
fn harm_in_a_constructor_is_told_as_such() {
    if !c::is_there() {
        return;
    }
    side_by_side::test(&CONSTRUCTORS, |(statement, word, says)| {
        let source = format!(
            "#include <bump.h>
             __attribute__((constructor)) static void at_load_time(void) {{ {statement} }}
             void *my_malloc(size_t size) {{ return bump(size); }}
             void my_free(void *p) {{}}"
        );
        let report = suite_run::check(&c::build(&source, &[]), WRITABLE);
        expect(report.only(), statement, word, says);
        let did = report.only().evidence.as_ref().map(|evidence| evidence.did.as_slice());
        assert_eq!(did, Some([].as_slice()), "{statement}: nothing was called yet");
        assert!(report.elapsed < Duration::from_secs(90), "{statement}: {:?}", report.elapsed);
    });
}
