//! Allocators that are right, each in its own way: a test a design, so that a false verdict says whose it is.

use crate::{c, other_languages::CHECKS, suite_run};

fn passes(name: &str) {
    passes_with(name, &[]);
}

fn passes_with(name: &str, flags: &[&str]) {
    if c::is_there() {
        let library = c::build(&c::source(name), flags);
        suite_run::stages(&library, &[1, 2, 3]).all_pass(name, CHECKS);
    }
}

#[test]
fn chunks_that_are_never_joined() {
    passes("designs/own_chunks.c");
}

#[test]
fn merging_that_waits_until_nothing_fits() {
    passes("designs/deferred_merging.c");
}

#[test]
fn next_fit_in_address_order() {
    passes("designs/next_fit.c");
}

#[test]
fn best_fit_in_address_order() {
    passes("designs/best_fit.c");
}

#[test]
fn lists_for_powers_of_two() {
    passes("designs/segregated.c");
}

#[test]
fn the_end_of_the_heap_given_back_at_once() {
    passes("designs/gives_back.c");
}

#[test]
fn a_reserve_taken_past_libc_at_load_time() {
    passes("designs/reserve.c");
}

#[test]
fn large_blocks_as_mappings_of_their_own() {
    passes("designs/mapped_blocks.c");
}

#[test]
fn bitmaps_in_place_of_headers() {
    passes("designs/bitmap.c");
}

/// A list of thousands of blocks that is searched to its end takes its time: that is no loop without an end.
#[test]
fn a_slow_search_in_a_large_heap_is_not_taken_for_a_hang() {
    passes_with("designs/best_fit.c", &["-DSTEP=67108864"]);
}
