//! Cases that wait more than they work: a hang is told after ten seconds, however many there are at once.

use std::thread;

/// Tests every case, each in a thread of its own.
pub(crate) fn test<T: Sync>(cases: &[T], test: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| test(case));
        }
    });
}
