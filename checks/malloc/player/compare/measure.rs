//! One measurement in a process of its own: a trace, an allocator, its speed or its footprint.
//!
//! Every block is touched at its first and last byte and once a page: a program uses what it asks for. Nothing is counted or
//! verified: the calls go straight to the library.

use std::{ffi::CString, fs, hint::black_box, io, ptr};

use crate::{
    borrowed,
    footprint::Footprint,
    kernel,
    library::{LIBC, Library, NAMES, STANDARD_NAMES, last_error},
    play::cpu_nanos,
    text,
    trace::Op,
};

/// A trace is repeated until it has taken so much processor time, which others on the machine do not add to.
const LONG_ENOUGH_NANOS: u64 = 100_000_000;
/// The footprint is read once in so many operations of a long trace.
const READ_EVERY: usize = 16;
/// So many operations are a long trace.
const LONG: usize = 10_000;
/// A byte in each is touched.
const PAGE: usize = 4096;

type Malloc = unsafe extern "C" fn(usize) -> *mut u8;
type Free = unsafe extern "C" fn(*mut u8);
type Calloc = unsafe extern "C" fn(usize, usize) -> *mut u8;
type Realloc = unsafe extern "C" fn(*mut u8, usize) -> *mut u8;

/// An allocator that has everything.
struct Allocator {
    malloc: Malloc,
    free: Free,
    calloc: Calloc,
    realloc: Realloc,
}

/// `measure speed|footprint TRACE LIBRARY SCALE`: prints numbers for [`super::main`].
pub(crate) fn main(arguments: &[String]) -> io::Result<()> {
    let [what, trace, library, scale] = arguments else {
        return Err(io::Error::other("usage: measure speed|footprint TRACE LIBRARY SCALE"));
    };
    let text = fs::read_to_string(trace).map_err(|error| io::Error::other(format!("{trace}: {error}")))?;
    let ops = text::parse(&text).map_err(|mistake| io::Error::other(format!("{trace}, {mistake}")))?.ops;
    let trace = Trace { slots: ops.iter().filter_map(Op::slot).max().map_or(0, |last| last + 1), ops };
    let scale: usize = scale.parse().map_err(io::Error::other)?;
    kernel::prepare();
    if library == LIBC {
        // What libc's heap holds ready would be missing from its footprint.
        // SAFETY: gives back memory that nobody has.
        unsafe { libc::malloc_trim(0) };
    } else {
        // What the loader takes from libc's heap would be charged to the library.
        borrowed::make_room_for_the_loader();
    }
    let footprint = Footprint::open()?;
    let mut session = Session {
        slots: vec![ptr::null_mut(); trace.slots * scale],
        sizes: vec![0; trace.slots * scale],
        trace,
        scale,
    };
    let before = [footprint.writable(), footprint.resident()];
    let allocator = Allocator::load(library).map_err(io::Error::other)?;
    if what == "speed" {
        println!("{}", session.speed(&allocator));
    } else {
        let [payload, writable, resident] = session.footprint(&allocator, &footprint, before);
        println!("{payload} {writable} {resident}");
    }
    Ok(())
}

impl Allocator {
    /// Loads the library, or takes libc's own functions.
    fn load(path: &str) -> Result<Self, String> {
        let library = if path == LIBC {
            Library::from_handle(libc::RTLD_NEXT, STANDARD_NAMES)
        } else {
            let name = CString::new(path).map_err(|error| error.to_string())?;
            // SAFETY: `name` is a C string. Foreign code runs here; what it breaks is this process.
            let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
            if handle.is_null() {
                return Err(last_error());
            }
            let own = Library::from_handle(handle, NAMES);
            if own.malloc.is_some() { own } else { Library::from_handle(handle, STANDARD_NAMES) }
        };
        match library {
            Library {
                malloc: Some(malloc),
                free: Some(free),
                calloc: Some(calloc),
                realloc: Some(realloc),
            } => Ok(Self { malloc, free, calloc, realloc }),
            _ => Err(format!("{path} has not all of malloc, free, calloc and realloc")),
        }
    }
}

/// What a program does, and how many variables it needs for it.
struct Trace {
    ops: Vec<Op>,
    slots: usize,
}

/// A trace, played as often in step as it is scaled.
struct Session {
    trace: Trace,
    scale: usize,
    slots: Vec<*mut u8>,
    sizes: Vec<usize>,
}

impl Session {
    /// Million operations a second.
    fn speed(&mut self, allocator: &Allocator) -> f64 {
        let start = cpu_nanos();
        let mut rounds = 0;
        while cpu_nanos() - start < LONG_ENOUGH_NANOS {
            for op in &self.trace.ops {
                for copy in 0..self.scale {
                    play(allocator, &mut self.slots[copy * self.trace.slots..], *op);
                }
            }
            for slot in &mut self.slots {
                // SAFETY: the allocator's own block, or null.
                unsafe { (allocator.free)(*slot) };
                *slot = ptr::null_mut();
            }
            rounds += 1;
        }
        (self.trace.ops.len() * self.scale * rounds) as f64 * 1e3 / (cpu_nanos() - start) as f64
    }

    /// The highest payload, and the highest growth of the process: writable memory, memory in RAM.
    fn footprint(&mut self, allocator: &Allocator, footprint: &Footprint, before: [usize; 2]) -> [usize; 3] {
        let (mut payload, mut highest) = (0, [0; 3]);
        let read_every = if self.trace.ops.len() < LONG { 1 } else { READ_EVERY };
        let mut until_read = read_every;
        for op in &self.trace.ops {
            for copy in 0..self.scale {
                let base = copy * self.trace.slots;
                play(allocator, &mut self.slots[base..], *op);
                let (slot, size) = match *op {
                    Op::Malloc { slot, size } | Op::Realloc { slot, size } => (slot, size),
                    Op::Calloc { slot, count, size } => (slot, count * size),
                    Op::Free { slot } => (slot, 0),
                    _ => continue,
                };
                payload = payload - self.sizes[base + slot] + size;
                self.sizes[base + slot] = size;
            }
            highest[0] = highest[0].max(payload);
            until_read -= 1;
            if until_read == 0 {
                until_read = read_every;
                highest[1] = highest[1].max(footprint.writable().saturating_sub(before[0]));
                highest[2] = highest[2].max(footprint.resident().saturating_sub(before[1]));
            }
        }
        highest
    }
}

/// Plays one operation on these slots.
#[inline]
fn play(allocator: &Allocator, slots: &mut [*mut u8], op: Op) {
    match op {
        Op::Malloc { slot, size } => {
            // SAFETY: foreign code; what it breaks is this process.
            slots[slot] = unsafe { (allocator.malloc)(size) };
            touch(slots[slot], size);
        }
        Op::Calloc { slot, count, size } => {
            // SAFETY: as above.
            slots[slot] = unsafe { (allocator.calloc)(count, size) };
            touch(slots[slot], count * size);
        }
        Op::Realloc { slot, size } => {
            // SAFETY: as above; the old block is used no more.
            slots[slot] = unsafe { (allocator.realloc)(slots[slot], size) };
            touch(slots[slot], size);
        }
        Op::Free { slot } => {
            // SAFETY: as above.
            unsafe { (allocator.free)(slots[slot]) };
            slots[slot] = ptr::null_mut();
        }
        // Text holds nothing else.
        _ => {}
    }
}

/// Uses a block as little as a program would.
#[inline]
fn touch(block: *mut u8, size: usize) {
    if black_box(block).is_null() || size == 0 {
        return;
    }
    for offset in (0..size).step_by(PAGE).chain([size - 1]) {
        // SAFETY: within the block, as its size was asked for.
        unsafe { *block.wrapping_add(offset) = 1 };
    }
}
