//! Stage 1: one direction of a connection: bytes of a source go to a target, in order, and then the end.
//!
//! What must hold: every byte once and in order, whatever a read gives and a write takes. The end is told when
//! the target has everything before it, and so is a break of the source. From stage 6 on: a target that takes
//! nothing stops its source, and what is kept meanwhile is bounded.
//!
//! An event tells that something has changed (edge-triggered), once. What does a half-pipe have to remember, so
//! that it never waits for an event that has been told already? Draw its states. It knows no socket: with a
//! source and a target of your own making you can test it with reads and writes of any size.

use std::io::{Read, Write};

use crate::ten_thousand::Pool;

/// How far a half-pipe came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The source has nothing, or the target takes nothing: an event will tell when that changes.
    Waiting,
    /// Its turn is over, and there may be more to do: no event will tell.
    Again,
    /// The source has ended, and the target has all that came before.
    Ended,
    /// The source broke, and the target has all that came before.
    SourceBroke,
    /// The target broke: what is left is lost.
    TargetBroke,
}

/// One direction of a connection.
#[derive(Debug)]
pub struct HalfPipe {
    // Your fields.
}

impl HalfPipe {
    /// A half-pipe whose source has said nothing yet, and whose target takes bytes.
    pub fn new() -> HalfPipe {
        todo!("stage 1: nothing read, nothing written")
    }

    /// The source may have something to read.
    pub fn source_ready(&mut self) {
        todo!("stage 1: the next `pump` reads")
    }

    /// The source has ended or broken, perhaps after bytes that are still to be read.
    pub fn source_closing(&mut self) {
        todo!("stage 1: the next `pump` reads until it is told what happened")
    }

    /// The target may take bytes.
    pub fn target_ready(&mut self) {
        todo!("stage 1: the next `pump` writes")
    }

    /// How many bytes the target took.
    pub fn moved(&self) -> u64 {
        todo!("stage 1: counted where the target took them; logged from stage 5 on")
    }

    /// Whether the source has ended, and the target has it all.
    pub fn has_ended(&self) -> bool {
        todo!("stage 1: not before the last byte is written")
    }

    /// Moves what can be moved without waiting, for one turn at most.
    pub fn pump(&mut self, source: &mut impl Read, target: &mut impl Write, pool: &mut Pool) -> Flow {
        todo!(
            "stage 1: read, write, until one of them has no more to give or take; how long may one turn be?"
        )
    }
}

impl Default for HalfPipe {
    fn default() -> HalfPipe {
        HalfPipe::new()
    }
}
