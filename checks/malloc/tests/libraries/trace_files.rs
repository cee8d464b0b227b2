//! A student's own trace: its three forms, and files that cannot be played.

use std::fs;

use harness::verdict::Verdict;

use crate::{c, suite_run};

const GOOD: [(&str, &str); 3] = [
    ("own.txt", "# mine\na = malloc 24\nb = malloc 40\nfree a\n\nfree b  # both\n"),
    ("short.rep", "20000\n2\n4\n1\na 0 512\na 1 128\nf 0\nf 1\n"),
    ("recorded.trace", "m 24\nm 100\nf 0\nm 8\nf 2\nf 1\n"),
];

/// Each with the words that its reason has.
const BAD: [(&str, &str, &[&str]); 9] = [
    ("empty.txt", "", &["empty.txt, line 1", "no operation"]),
    ("comments.txt", "# one\n# two\n", &["comments.txt, line 2", "no operation"]),
    (
        "cut.rep",
        "20000\n2\n4\n1\na 0 512\na 1 128\nf 0\n",
        &["cut.rep, line 7", "promises 4 operations, and 3", "cut short"],
    ),
    ("header.rep", "20000\n2\n", &["header.rep, line 2", "four numbers"]),
    ("words.txt", "a = malloc 24\nb = new 8\n", &["words.txt, line 2", "is no operation"]),
    ("size.txt", "a = malloc many\n", &["size.txt, line 1", "no number of bytes"]),
    ("twice.txt", "a = malloc 8\nfree a\nfree a\n", &["twice.txt, line 3", "a holds no block"]),
    ("lost.txt", "a = malloc 8\na = malloc 8\n", &["lost.txt, line 2", "holds a block already"]),
    ("bytes.trace", "m 8\n\u{0}\u{1}\u{7f}\n", &["bytes.trace, line 2", "is no operation"]),
];

#[test]
fn a_trace_in_each_form_is_played_and_measured() {
    if !c::is_there() {
        return;
    }
    let library = c::build(&c::source("my_malloc.c"), &[]);
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in GOOD {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("a file can be written");
        let report = suite_run::file(&library, &file);
        report.all_pass(name, 1);
        let operations =
            text.lines().filter(|line| line.contains(['a', 'm', 'f']) && !line.starts_with('#')).count();
        let measured = report.only().measured.join("; ");
        for says in [&format!("{operations} operations"), "utilisation", "the largest", "of libc's"] {
            assert!(measured.contains(says), "{name} was measured: {says:?} in {measured:?}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_played_is_skipped_with_its_line_and_why() {
    if !c::is_there() {
        return;
    }
    let library = c::build(&c::source("my_malloc.c"), &[]);
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (name, text, says) in BAD {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("a file can be written");
        let report = suite_run::file(&library, &file);
        let Verdict::Skip { reason } = &report.only().verdict else {
            panic!("{name} cannot be played, but came to {:#?}", report.only());
        };
        for words in says {
            assert!(reason.contains(words), "the reason for skipping {name} says {words:?}, but: {reason}");
        }
    }
}

#[test]
fn a_rule_that_a_trace_breaks_is_told_with_the_line_of_the_file() {
    if !c::is_there() {
        return;
    }
    let source = "
        #include <bump.h>
        void *my_malloc(size_t size) { return bump(size); }
        void my_free(void *p) { memset(p, 0, 4096); }";
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("story.txt");
    fs::write(&file, "# a story\na = malloc 24\nb = malloc 40\n\nfree a\nfree b\n")
        .expect("a file can be written");
    let report = suite_run::file(&c::build(source, &[]), &file);
    suite_run::expect(
        report.only(),
        source,
        "FAIL",
        &["story.txt, line 5: free a", "b holds what was written to it"],
    );
}
