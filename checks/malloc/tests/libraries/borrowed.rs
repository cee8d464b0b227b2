//! Who passes libc's memory on has no allocator.

use crate::{c, suite_run};

const LIBC: &str = "
    #include <stdlib.h>
    void *my_malloc(size_t size) { return malloc(size); }
    void my_free(void *p) { free(p); }";

/// Memory of its own, and a note about every block in libc's.
const NOTES: &str = "
    #include <bump.h>
    struct note { struct note *next; void *block; } *notes;
    void *my_malloc(size_t size) {
        struct note *note = calloc(1, sizeof *note);
        note->next = notes;
        notes = note;
        return note->block = bump(size);
    }
    void my_free(void *p) {}";

#[test]
fn libc_behind_my_malloc_fails_every_check_of_stage_1() {
    if !c::is_there() {
        return;
    }
    for (source, says) in [(LIBC, "libc's "), (NOTES, "libc's calloc was called during a = malloc(")] {
        let report = suite_run::stages(&c::build(source, &[]), &[1]);
        assert_eq!(report.finished.len(), 9, "all checks of the stage are run: {report:?}");
        for check in &report.finished {
            suite_run::expect(check, source, "FAIL", &[says, "borrowed from libc"]);
        }
    }
}
