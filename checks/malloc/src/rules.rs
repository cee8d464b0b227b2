//! What holds for every trace, whatever a check is about: blocks that can be written, live data that stays, memory
//! that is the allocator's to give, pointers that are aligned. Each broken rule is told with the operation it broke at.

use std::fmt::Display;

use harness::{
    Halt, Judged,
    process::{Ending, Exit},
    verdict::Verdict,
};

use crate::{
    picture::{self, Block},
    player::Terms,
    seen::{End, Seen},
    trace::Trace,
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
    let story = |about| words::steps_about(trace.ops.get(..=at).unwrap_or_default(), about);
    let op = || words::step(&trace.ops, at);
    if has_ended(seen) {
        return Err(ended(trace, seen, op()).did(story(seen.used_slot())));
    }
    borrowed(trace, seen)?;
    misaligned_or_null(trace, seen, terms)?;
    match seen.end() {
        End::Complete => Ok(()),
        End::Damaged { slot: Some(slot), .. } | End::Overlap { slot } => {
            Err(wrong(trace, seen, op()).did(story(Some(slot))).drawn(picture::at_the_end(trace, seen)))
        }
        _ => Err(wrong(trace, seen, op()).did(story(None))),
    }
}

/// Judges what threads did, where no single operation is to blame.
///
/// # Errors
/// The rule that was broken first.
#[track_caller]
pub(crate) fn judge_threads(seen: &Seen) -> Judged {
    let nobody = Trace::default();
    if has_ended(seen) {
        return Err(ended(&nobody, seen, "every call")
            .likely("two threads changed the same list at once: nothing keeps them apart"));
    }
    borrowed(&nobody, seen)?;
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
            let differ = differ(bytes);
            let got = format!("byte {offset} of a block is {found:#04x} and was {wanted:#04x} ({differ})");
            let halt = Halt::fail("a live block holds what its thread wrote to it", got);
            Err(halt.likely("two threads were given the same block, or overlapping ones"))
        }
        _ => Err(wrong(&nobody, seen, "a call")),
    }
}

/// Judges a request that cannot be met: whatever was returned for it is wrong, and more to the point than what became
/// of using that.
///
/// # Errors
/// A pointer that is not null, or a rule that was broken otherwise.
#[track_caller]
pub(crate) fn judge_refusal(trace: &Trace, seen: &Seen, at: usize, terms: Terms, likely: &str) -> Judged {
    let finished = seen.record(at).map(|record| record.pointer);
    let pointer = finished.unwrap_or(if seen.finished() == at { seen.last_pointer() } else { 0 });
    if pointer != 0 {
        let halt = Halt::fail(format!("{} gives null", words::step(&trace.ops, at)), format!("{pointer:#x}"));
        return Err(halt.did(words::steps(&trace.ops[..=at])).likely(likely));
    }
    judge(trace, seen, terms)
}

/// A program that hangs on the library, told by its name.
pub(crate) fn never_ended(mut halt: Box<Halt>, program: &str) -> Box<Halt> {
    if let Verdict::Timeout { waiting_for } = &mut halt.verdict {
        *waiting_for = format!("{program} to come to its end");
        halt.evidence.expected.clone_from(waiting_for);
    }
    halt
}

/// Calls of libc's allocator.
#[track_caller]
fn borrowed(trace: &Trace, seen: &Seen) -> Judged {
    let Some((count, kind, at)) = seen.borrowed() else { return Ok(()) };
    let story = trace.ops.get(..=at).unwrap_or_default();
    let during = if story.is_empty() { String::new() } else { format!(" during {}", words::step(story, at)) };
    let calls = words::counted(count, "call");
    let got = format!("libc's {kind} was called{during}; {calls} of its allocator in all");
    let halt = Halt::fail("memory from the operating system: sbrk, mmap", got);
    let likely = "borrowed from libc: in Rust, Vec, Box, String, format! and println! allocate too; eprintln! does not";
    Err(halt.did(words::steps(story)).likely(likely))
}

/// Pointers that are no multiple of what they should be, and nulls where there was no reason for one.
#[track_caller]
fn misaligned_or_null(trace: &Trace, seen: &Seen, terms: Terms) -> Judged {
    for (index, (op, record)) in trace.ops.iter().zip(seen.records()).enumerate() {
        let Some(size) = op.requested() else { continue };
        let (op, steps) = (|| words::step(&trace.ops, index), || words::steps(&trace.ops[..=index]));
        if record.pointer % terms.alignment != 0 {
            let got = format!("{:#x}", record.pointer);
            let off = record.pointer % terms.alignment;
            let expected = format!("{} gives an address that is a multiple of {}", op(), terms.alignment);
            return Err(Halt::fail(expected, format!("{got}, which is {off} too much")).did(steps()));
        }
        // A block of no bytes may be null, and so may the answer to what no machine has.
        if record.pointer == 0 && size > 0 && size < 1 << 30 && !terms.may_refuse {
            return Err(Halt::fail(format!("{} gives a block", op()), "null").did(steps()));
        }
    }
    Ok(())
}

/// Whether the child did not live to the end of its trace.
fn has_ended(seen: &Seen) -> bool {
    matches!(seen.end(), End::Signal { .. } | End::Exited { .. } | End::Unknown | End::NoSymbol)
}

/// What became of it, in the middle of `op`.
#[track_caller]
fn ended(trace: &Trace, seen: &Seen, op: impl Display) -> Box<Halt> {
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
        End::Signal { signal, address } => unusable(trace, seen, op, signal, address),
        _ => {
            let how = "it was killed".to_owned();
            Halt::new(Verdict::Crash { how: how.clone() }, format!("{op} returns"), how)
        }
    }
}

/// The program died of using a block: the one that `op` gave it, or one that it had before.
#[track_caller]
fn unusable(trace: &Trace, seen: &Seen, op: impl Display, signal: i32, address: usize) -> Box<Halt> {
    let how = format!("{} at address {address:#x}", Exit::Signal(signal));
    let crash = |expected: String, used: &str| {
        let got = format!("the program was {how} while it used {used}");
        Halt::new(Verdict::Crash { how: how.clone() }, expected, got)
    };
    let (at, pointer) = (seen.finished(), seen.last_pointer());
    let gave = trace.ops.get(at).filter(|op| pointer != 0 && op.slot() == seen.used_slot());
    let block = match gave.and_then(|op| op.slot().zip(op.requested())) {
        Some((slot, size)) => Some(Block { slot, start: pointer, size }),
        None => picture::live_after(trace, seen, at)
            .into_iter()
            .find(|block| Some(block.slot) == seen.used_slot()),
    };
    let Some(Block { slot, start, size }) = block else {
        let used = if seen.used_slot().is_some() { "a block" } else { "what somebody else got from sbrk" };
        return crash(format!("after {op} all memory in use can be read and written"), used);
    };
    let name = trace.name(slot);
    let byte = address.checked_sub(start).filter(|&byte| byte < size);
    let byte = byte.map_or_else(String::new, |byte| format!("byte {byte} of "));
    let used = format!("{byte}{name}, which lies at {start:#x}");
    match gave {
        Some(_) => crash(format!("{op}: a block that can be read and written"), &used),
        None => crash(format!("{name} can be read and written, after {op} as before"), &used)
            .likely(format!("memory was given back to the OS in which {name} lives")),
    }
}

fn is_about_memory(signal: i32) -> bool {
    matches!(signal, libc::SIGSEGV | libc::SIGBUS)
}

/// A trace that came to something that must not be.
#[track_caller]
fn wrong(trace: &Trace, seen: &Seen, op: impl Display) -> Box<Halt> {
    let pointer = seen.last_pointer();
    match seen.end() {
        End::Damaged { slot: Some(slot), offset, wanted, found, bytes } => {
            let (slot, differ) = (trace.name(slot), differ(bytes));
            let expected = format!("{slot} holds what was written to it, after {op} as before");
            let got = format!("byte {offset} of {slot} is {found:#04x} and was {wanted:#04x} ({differ})");
            Halt::fail(expected, got)
        }
        End::Damaged { slot: None, offset, bytes, .. } => {
            let expected = "what somebody else got from sbrk is left alone";
            let got = format!("after {op} byte {offset} of it has changed ({})", differ(bytes));
            Halt::fail(expected, got).likely("what lies behind the heap was taken for a part of it")
        }
        End::Overlap { slot } => {
            let slot = trace.name(slot);
            let got = format!("{pointer:#x}, which lies inside {slot} or reaches into it");
            Halt::fail(format!("{op}: a block that no live block touches"), got)
        }
        End::Foreign { what, offset, reaches } => {
            let what = match what {
                foreign::STATIC if offset > 0 => "the code and variables of the library itself",
                foreign::STATIC => "memory of the library itself: a static array",
                foreign::STACK => "the stack",
                foreign::LIBC_HEAP => "a block that libc's malloc gave to the library",
                foreign::BEYOND_GAP => "memory that somebody else got from sbrk",
                foreign::NOWHERE => "an address range that no process has",
                _ => "memory that was there before the library was loaded",
            };
            let expected = format!("{op}: memory that the library got from the operating system");
            let got = match (offset, words::counted(reaches, "byte")) {
                (_, bytes) if reaches > 0 => {
                    format!(
                        "{pointer:#x}: it reaches {bytes} past the end of the memory that the library got"
                    )
                }
                (0, _) => format!("{pointer:#x}: {what}"),
                (offset, _) => format!("{pointer:#x}: from byte {offset} on it lies in {what}"),
            };
            Halt::fail(expected, got)
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

fn differ(bytes: usize) -> String {
    format!("{} differ{}", words::counted(bytes, "byte"), if bytes == 1 { "s" } else { "" })
}
