//! What holds for every trace, whatever a check is about: blocks that can be written, live data that stays, memory
//! that is the allocator's to give, pointers that are aligned. Each broken rule is told with the operation it broke at.

use std::fmt::Display;

use harness::{
    Halt, Judged,
    process::{Ending, Exit},
    verdict::Verdict,
};

use crate::{
    picture,
    player::Terms,
    seen::{End, Seen},
    trace::{Op, Trace, name},
    wire::foreign,
    words,
};

/// Judges a trace by the rules.
///
/// # Errors
/// The first rule that was broken, with the operations up to there.
#[track_caller]
pub(crate) fn judge(trace: &Trace, seen: &Seen, terms: Terms) -> Judged {
    let at = seen.finished().min(trace.ops.len().saturating_sub(1));
    let op = trace.ops.get(at).copied().unwrap_or(Op::Sweep);
    let up_to = |index: usize| words::steps(trace.ops.get(..=index).unwrap_or_default());
    if let End::Signal { .. } | End::Exited { .. } | End::Unknown | End::NoSymbol = seen.end() {
        return Err(ended(seen, op).did(up_to(at)));
    }
    if let Some((count, kind, index)) = seen.borrowed() {
        let during = trace.ops.get(index).map_or_else(String::new, |op| format!(" during {op}"));
        let got = format!("libc's {kind} was called{during}; {count} calls of its allocator in all");
        let halt = Halt::fail("memory from the operating system: sbrk, mmap", got);
        let likely = "borrowed from libc: in Rust, Vec, Box, String, format! and println! allocate too; eprintln! does not";
        return Err(halt.did(up_to(index)).likely(likely));
    }
    misaligned_or_null(trace, seen, terms)?;
    match seen.end() {
        End::Complete => Ok(()),
        _ => Err(wrong(seen, op).did(up_to(at)).drawn(picture::at_the_end(trace, seen))),
    }
}

/// Judges what threads did, where no single operation is to blame.
///
/// # Errors
/// The rule that was broken first.
#[track_caller]
pub(crate) fn judge_threads(seen: &Seen) -> Judged {
    if let End::Signal { .. } | End::Exited { .. } | End::Unknown | End::NoSymbol = seen.end() {
        return Err(ended(seen, "every call")
            .likely("two threads changed the same list at once: nothing keeps them apart"));
    }
    if let Some((count, kind, _)) = seen.borrowed() {
        let got = format!("libc's {kind} was called; {count} calls of its allocator in all");
        return Err(Halt::fail("memory from the operating system: sbrk, mmap", got));
    }
    let (refused, misaligned) = seen.of_threads();
    if misaligned > 0 {
        let got = format!("{misaligned} that are not");
        return Err(Halt::fail("addresses that are multiples of 16", got));
    }
    if refused > 0 {
        return Err(Halt::fail("a block for every request", format!("null for {refused} of them")));
    }
    match seen.end() {
        End::Complete => Ok(()),
        End::Damaged { offset, wanted, found, bytes, .. } => {
            let got = format!(
                "byte {offset} of a block is {found:#04x} and was {wanted:#04x} ({bytes} bytes differ)"
            );
            let halt = Halt::fail("a live block holds what its thread wrote to it", got);
            Err(halt.likely("two threads were given the same block, or overlapping ones"))
        }
        _ => Err(wrong(seen, "a call")),
    }
}

/// Pointers that are no multiple of what they should be, and nulls where there was no reason for one.
#[track_caller]
fn misaligned_or_null(trace: &Trace, seen: &Seen, terms: Terms) -> Judged {
    for (index, (op, record)) in trace.ops.iter().zip(seen.records()).enumerate() {
        let Some(size) = op.requested() else { continue };
        let steps = || words::steps(&trace.ops[..=index]);
        if record.pointer % terms.alignment != 0 {
            let got = format!("{:#x}", record.pointer);
            let off = record.pointer % terms.alignment;
            let expected = format!("{op} is a multiple of {}", terms.alignment);
            return Err(Halt::fail(expected, format!("{got}, which is {off} too much")).did(steps()));
        }
        // A block of no bytes may be null, and so may the answer to what no machine has.
        if record.pointer == 0 && size > 0 && size < 1 << 30 && !terms.may_refuse {
            return Err(Halt::fail(format!("{op} gives a block"), "null").did(steps()));
        }
    }
    Ok(())
}

/// A child that did not live to the end of its trace.
#[track_caller]
fn ended(seen: &Seen, op: impl Display) -> Box<Halt> {
    let ending = |exit| Ending { exit, unread: Vec::new(), stderr: seen.stderr.clone() };
    match seen.end() {
        End::NoSymbol => {
            let task = "stage 5: export my_calloc and my_realloc".to_owned();
            Halt::new(Verdict::NotStarted { at: String::new(), task: task.clone() }, op.to_string(), task)
        }
        End::Exited { status } => ending(Exit::Status(status)).halt(&format!("{op} returns")),
        End::Signal { signal, address } if seen.was_inside() => {
            let halt = ending(Exit::Signal(signal)).halt(&format!("{op} returns"));
            if halt.can_shrink() && address != 0 && is_about_memory(signal) {
                return halt.likely(format!("a pointer that leads nowhere: the address was {address:#x}"));
            }
            halt
        }
        End::Signal { signal, address } => {
            let how = format!("{} at address {address:#x}", Exit::Signal(signal));
            let got = format!("the program was {how} while it used the block at {:#x}", seen.last_pointer());
            let expected = format!("{op}: a block that can be read and written");
            Halt::new(Verdict::Crash { how }, expected, got)
        }
        _ => {
            let how = "it was killed".to_owned();
            Halt::new(Verdict::Crash { how: how.clone() }, format!("{op} returns"), how)
        }
    }
}

fn is_about_memory(signal: i32) -> bool {
    matches!(signal, libc::SIGSEGV | libc::SIGBUS)
}

/// A trace that came to something that must not be.
#[track_caller]
fn wrong(seen: &Seen, op: impl Display) -> Box<Halt> {
    let pointer = seen.last_pointer();
    match seen.end() {
        End::Damaged { slot: Some(slot), offset, wanted, found, bytes } => {
            let slot = name(slot);
            let expected = format!("{slot} holds what was written to it, after {op} as before");
            let got = format!(
                "byte {offset} of {slot} is {found:#04x} and was {wanted:#04x} ({bytes} bytes differ)"
            );
            Halt::fail(expected, got)
        }
        End::Damaged { slot: None, offset, bytes, .. } => {
            let expected = "what somebody else got from sbrk is left alone";
            let got = format!("after {op} byte {offset} of it has changed ({bytes} bytes differ)");
            Halt::fail(expected, got).likely("what lies behind the heap was taken for a part of it")
        }
        End::Overlap { slot } => {
            let slot = name(slot);
            let got = format!("{pointer:#x}, which lies inside {slot} or reaches into it");
            Halt::fail(format!("{op}: a block that no live block touches"), got)
        }
        End::Foreign { what } => {
            let got = match what {
                foreign::STATIC => "memory of the library itself: a static array",
                foreign::STACK => "the stack",
                foreign::LIBC_HEAP => "a block that libc's malloc gave to the library",
                foreign::BEYOND_GAP => "memory that somebody else got from sbrk",
                foreign::NOWHERE => "an address range that no process has",
                _ => "memory that was there before the library was loaded",
            };
            let expected = format!("{op}: memory that the library got from the operating system");
            Halt::fail(expected, format!("{pointer:#x}: {got}"))
        }
        End::NotZero { offset, found } => {
            Halt::fail(format!("{op}: zeros"), format!("byte {offset} is {found:#04x}"))
                .likely("memory that was used before is not cleared")
        }
        End::PrefixLost { offset, wanted, found } => {
            let expected = format!("{op}: the block begins with what it held, as far as it reaches");
            Halt::fail(expected, format!("byte {offset} is {found:#04x} and was {wanted:#04x}"))
        }
        other => Halt::fault(format!("no rule knows {other:?}")),
    }
}
