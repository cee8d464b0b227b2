//! The contract asks for no particular language, nor for how much memory is asked of the OS at a time.

use harness::verdict::Verdict;

use crate::{c, suite_run};

/// Checks of stages 1 to 3.
pub(crate) const CHECKS: usize = 21;

fn passes_with_steps_of(bytes: usize) {
    if c::is_there() {
        let library = c::build(&c::source("my_malloc.c"), &[&format!("-DSTEP={bytes}")]);
        let report = suite_run::stages(&library, &[1, 2, 3]);
        report.all_pass(&format!("my_malloc.c with STEP={bytes}"), CHECKS);
    }
}

#[test]
fn an_allocator_in_c_passes_with_steps_of_4_kib() {
    passes_with_steps_of(4 << 10);
}

#[test]
fn an_allocator_in_c_passes_with_steps_of_64_kib() {
    passes_with_steps_of(64 << 10);
}

#[test]
fn an_allocator_in_c_passes_with_steps_of_64_mib() {
    passes_with_steps_of(64 << 20);
}

#[test]
fn an_allocator_for_stage_3_is_told_about_alignment_at_stage_4() {
    if !c::is_there() {
        return;
    }
    let library = c::build(&c::source("my_malloc.c"), &[]);
    let report = suite_run::stages(&library, &[4]);
    for check in &report.finished {
        match &check.verdict {
            Verdict::Pass => {}
            _ => suite_run::expect(check, "my_malloc.c", "FAIL", &["multiple of 16"]),
        }
    }
    let alignment = report.finished.iter().find(|check| check.id == "malloc/4/blocks_are_aligned_to_16");
    let verdict = alignment.map(|check| &check.verdict);
    assert_eq!(verdict, Some(&Verdict::Fail), "blocks at multiples of 8 alone are told");
}
