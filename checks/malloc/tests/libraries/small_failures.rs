//! What a student is shown of a failure: the shortest story that has it.

use harness::{event::CheckFinished, evidence::Evidence};

use crate::{
    c,
    suite_run::{self, expect},
};

fn evidence(check: &CheckFinished) -> &Evidence {
    check.evidence.as_ref().expect("a failed check has evidence")
}

/// The last of what was done. Before it there may be a block that leaves the heap just the room for the story.
#[track_caller]
fn ends_with(check: &CheckFinished, story: &[&str]) {
    let did = &evidence(check).did;
    let told = &did[did.len().saturating_sub(story.len())..];
    assert_eq!(told, story, "the end of {did:#?}");
    let before = &did[..did.len() - story.len()];
    let is_filler = |step: &String| step.starts_with("filler = malloc(");
    assert!(before.len() <= 1 && before.iter().all(is_filler), "a filler before it at most: {did:#?}");
}

#[test]
fn a_failure_after_many_operations_is_shown_with_the_last_of_them() {
    if !c::is_there() {
        return;
    }
    let source = "
        #include <bump.h>
        static int calls;
        void *my_malloc(size_t size) { if (++calls == 400) abort(); return bump(size); }
        void my_free(void *p) {}";
    let report = suite_run::check(&c::build(source, &[]), "malloc/3/what_is_left_of_a_block_is_a_block");
    let did = &evidence(report.only()).did;
    assert!(did.len() <= 20, "as much as a reader takes in: {did:#?}");
    assert!(did[0].starts_with("… ") && did[0].ends_with(" more operations …"), "it was long: {did:#?}");
    let last = did.last().expect("a story has an end");
    expect(report.only(), source, "CRASH", &[&format!("{last} returns")]);
}

/// Four blocks in a row, and one that keeps them apart from what comes behind.
const FIVE: [&str; 5] =
    ["a = malloc(120)", "b = malloc(120)", "c = malloc(120)", "d = malloc(120)", "e = malloc(120)"];

#[test]
fn no_splitting_is_shown_with_one_block_and_two_requests() {
    if !c::is_there() {
        return;
    }
    let library = c::wrong(&[("if (all - wanted >= LEAST) {", "if (all > 4096) {")]);
    let report = suite_run::check(&library, "malloc/3/a_large_free_block_serves_small_requests");
    expect(report.only(), "no splitting", "FAIL", &["d = malloc(120) finds room"]);
    let story = ["a = malloc(480)", "b = malloc(16)", "free(a)", "c = malloc(120)", "d = malloc(120)"];
    ends_with(report.only(), &story);
}

#[test]
fn a_free_that_does_nothing_is_shown_with_one_block() {
    if !c::is_there() {
        return;
    }
    let library = c::wrong(&[("if (!p) return;", "return;")]);
    let report = suite_run::check(&library, "malloc/1/a_freed_block_is_used_again");
    expect(
        report.only(),
        "a free that does nothing",
        "FAIL",
        &["takes more from the OS", "free does nothing"],
    );
    ends_with(report.only(), &["a = malloc(120)", "free(a)", "a = malloc(120)"]);
}

#[test]
fn merging_with_the_next_alone_is_told_by_the_order_of_frees() {
    if !c::is_there() {
        return;
    }
    let library = c::wrong(&[("if (!(before & USED)) {", "if (!b) {")]);
    let report = suite_run::check(&library, "malloc/2/blocks_freed_first_to_last_merge");
    let likely = "does not merge with the free one before it";
    expect(report.only(), "merging with the next alone", "FAIL", &[likely]);
    ends_with(
        report.only(),
        &[FIVE, ["free(a)", "free(b)", "free(c)", "free(d)", "a = malloc(480)"]].concat(),
    );
    suite_run::check(&library, "malloc/2/blocks_freed_last_to_first_merge").all_pass("the other order", 1);
}

#[test]
fn merging_with_the_previous_alone_is_told_by_the_order_of_frees() {
    if !c::is_there() {
        return;
    }
    let library = c::wrong(&[("if (!(next->tag & USED)) {", "if (!next) {")]);
    let report = suite_run::check(&library, "malloc/2/blocks_freed_last_to_first_merge");
    let likely = "does not merge with the free one behind it";
    expect(report.only(), "merging with the previous alone", "FAIL", &[likely]);
    ends_with(
        report.only(),
        &[FIVE, ["free(d)", "free(c)", "free(b)", "free(a)", "a = malloc(480)"]].concat(),
    );
    suite_run::check(&library, "malloc/2/blocks_freed_first_to_last_merge").all_pass("the other order", 1);
}
