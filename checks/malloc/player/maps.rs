//! Memory that is not the allocator's to give: what was there before the library was loaded, and the library itself.
//!
//! ```text
//!   player  [heap]│break at that time   ...   library    ...   libc  loader  files shared with the suite   [stack]
//!   OTHER    OTHER                            STATIC           OTHER          OTHER                         STACK
//! ```
//!
//! All else is taken for the kernel's answer to a request of the library's, by whatever call: raw ones leave no trace.

use std::{
    fs,
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::{
    kernel,
    library::{Object, objects},
    wire::foreign,
};

/// User space ends here at the latest: 56 bits on machines with five levels of page tables.
const USER_SPACE_END: usize = 1 << 56;
/// The kernel maps nothing below.
const USER_SPACE_START: usize = 4096;
/// The stack grows down to here at most; the kernel keeps mappings further away than that.
const STACK_ROOM: usize = 16 << 20;

/// Foreign memory in address order.
pub(crate) struct Maps {
    foreign: Vec<(Range<usize>, u64)>,
    /// Objects that were loaded before the library.
    own_objects: usize,
    /// The first foreign range above the last block that was not foreign: the next one is likely to lie below it too.
    next: AtomicUsize,
}

impl Maps {
    /// Takes down what there is; before the library is loaded.
    pub(crate) fn before_loading() -> Self {
        let text = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let end_of_heap = kernel::move_break(0).unwrap_or(0);
        let foreign = text.lines().filter_map(|line| mapping(line, end_of_heap)).collect();
        let mut maps = Self { foreign, own_objects: objects().len(), next: AtomicUsize::new(0) };
        maps.sort();
        maps
    }

    /// Adds the library and what came with it.
    pub(crate) fn after_loading(&mut self) {
        for Object { segments } in objects().into_iter().skip(self.own_objects) {
            for (start, end) in segments {
                self.foreign.push((start..end, foreign::STATIC));
            }
        }
        self.sort();
    }

    /// Adds memory of the player's own.
    pub(crate) fn add(&mut self, start: usize, length: usize) {
        let end = start + length.next_multiple_of(kernel::page());
        self.foreign.push((start..end, foreign::OTHER));
        self.sort();
    }

    /// Takes out again what was added at `start`.
    pub(crate) fn remove(&mut self, start: usize) {
        self.foreign.retain(|(range, _)| range.start != start);
        self.sort();
    }

    /// Whether `size` bytes at `address` cannot be memory of a process at all.
    pub(crate) fn is_nowhere(address: usize, size: usize) -> bool {
        !(USER_SPACE_START..USER_SPACE_END).contains(&address) || size > USER_SPACE_END - address
    }

    /// Where the mapped memory ends that `address` lies in; None if nothing is mapped there, or if a mapping goes on
    /// beyond `limit`.
    pub(crate) fn end_of_mapped(address: usize, limit: usize) -> Option<usize> {
        let text = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let mut reached = None;
        for range in text.lines().filter_map(range) {
            if range.contains(&address) || reached == Some(range.start) && range.start < limit {
                reached = Some(range.end);
            }
        }
        reached.filter(|&end| end <= limit)
    }

    /// What `size` bytes at `address` are, when they are not the allocator's.
    pub(crate) fn foreign(&self, address: usize, size: usize) -> Option<u64> {
        let end = address + size.max(1);
        let foreign = self.foreign.as_slice();
        let mut next = self.next.load(Relaxed);
        let is_below = |index: usize| index == foreign.len() || end <= foreign[index].0.start;
        let is_above = |index: usize| index == 0 || address >= foreign[index - 1].0.end;
        if is_below(next) && is_above(next) {
            return None;
        }
        next = foreign.partition_point(|(range, _)| range.end <= address);
        if !is_below(next) {
            return Some(foreign[next].1);
        }
        self.next.store(next, Relaxed);
        None
    }

    fn sort(&mut self) {
        self.foreign.sort_by_key(|(range, _)| range.start);
        self.next.store(0, Relaxed);
    }
}

/// A line of /proc/self/maps (proc_pid_maps(5)): `start-end permissions offset device inode    name`.
fn mapping(line: &str, end_of_heap: usize) -> Option<(Range<usize>, u64)> {
    // The last page of the address space on x86-64 lies beyond user space, and beyond all that is asked for.
    let Range { start, end } = range(line)?;
    if line.ends_with("[stack]") {
        return Some((start - STACK_ROOM..end, foreign::STACK));
    }
    let end = if line.ends_with("[heap]") { end_of_heap } else { end };
    Some((start..end, foreign::OTHER))
}

/// The range that such a line is about.
fn range(line: &str) -> Option<Range<usize>> {
    let (start, rest) = line.split_once('-')?;
    let (end, _) = rest.split_once(' ')?;
    let number = |text: &str| usize::from_str_radix(text, 16).ok();
    Some(number(start)?..number(end)?)
}
