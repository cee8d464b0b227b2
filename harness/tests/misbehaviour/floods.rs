//! Subjects that say far too much: judged quickly, and in bounded memory.

use crate::suite_run::{Run, check};

/// The suite's own memory: the flood that it puts up with, twice over while a buffer grows, and itself.
const SUITE_BYTES: u64 = 256 << 20;

#[test]
fn a_flood_is_cut_off_quickly_and_in_bounded_memory() {
    for (id, subject, word) in [
        ("echo/1/echoes_a_line", "exec yes", "FAIL"),
        ("echo/1/echoes_a_line", "exec cat /dev/zero", "LIMIT"),
        ("echo/1/exits_at_end_of_input", "read -r line; echo \"$line\"; exec yes", "LIMIT"),
        ("echo/1/exits_at_end_of_input", "read -r line; echo \"$line\"; exec cat /dev/zero", "LIMIT"),
        // In small pieces, each of which could make the suite look through all the others again.
        ("echo/1/echoes_a_line", "exec dd if=/dev/zero bs=512 status=none", "LIMIT"),
    ] {
        let says = if word == "LIMIT" { "64 MiB of output that nobody asked for" } else { "\"y\"" };
        let report = check(id, subject, word, &[says]);
        let (secs, mib) = (report.elapsed.as_secs(), report.peak_bytes >> 20);
        assert!(secs < 10, "a flood ({subject}) needs no wait, but took {secs} s");
        assert!(
            report.peak_bytes < SUITE_BYTES,
            "the suite stays small during {subject}, but grew to {mib} MiB"
        );
    }
}

#[test]
fn a_flood_on_stderr_is_no_ones_business() {
    for subject in
        ["yes 'a warning' >&2 & exec cat", "cat /dev/zero >&2 & exec cat", "head -c 20M /dev/zero >&2; cat"]
    {
        let report = Run::of_shell(subject).finish();
        report.all_pass(subject);
        let mib = report.peak_bytes >> 20;
        assert!(
            report.peak_bytes < SUITE_BYTES,
            "of {subject} only the end is kept, but the suite grew to {mib} MiB"
        );
    }
}
