//! Allocators that are right, each in its own way: a test a design, so that a false verdict says whose it is.

use crate::{c, other_languages::CHECKS, suite_run};

fn passes(name: &str) {
    if c::is_there() {
        let library = c::build(&c::source(name), &[]);
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

/// The largest that the specification allows, where it is hardest to tell from a leak.
#[test]
fn a_reserve_of_64_mib() {
    if c::is_there() {
        let library = c::build(&c::source("designs/reserve.c"), &["-DRESERVE=67108864"]);
        for check in
            ["malloc/1/the_footprint_stays_flat_under_churn", "malloc/2/blocks_freed_in_any_order_merge"]
        {
            suite_run::check(&library, check).all_pass("a reserve of 64 MiB", 1);
        }
    }
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
    if c::is_there() {
        let library = c::build(&c::source("designs/best_fit.c"), &["-DSTEP=67108864"]);
        let check = "malloc/1/every_freed_block_is_found_again";
        suite_run::check(&library, check).all_pass("best fit in steps of 64 MiB", 1);
    }
}
