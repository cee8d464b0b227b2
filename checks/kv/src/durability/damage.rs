//! Files as a failing disk might return them: one byte flipped, the end of one turned to zeros, or cut off.

use harness::{Judged, process::Exit};

use crate::{disk::Files, store::Store};

/// Damaged files, and what was done to them.
pub(super) struct Damage {
    pub(super) files: Files,
    pub(super) what: String,
}

/// Positions that are tried in one file; a longer one is sampled, its beginning and end in full.
const POSITIONS: usize = 240;
const EDGE: usize = 60;

/// Every file damaged at every position that matters, one at a time.
pub(super) fn everywhere(files: &Files, rng: &mut fastrand::Rng) -> Vec<Damage> {
    let mut all = Vec::new();
    for (path, bytes) in files {
        for position in positions(bytes.len(), rng) {
            let random = 1_u8 << rng.u32(..8);
            // The highest bit too, where there is time: it is what makes a length absurd, or negative.
            let masks =
                if bytes.len() <= POSITIONS && random != 0x80 { vec![random, 0x80] } else { vec![random] };
            for mask in masks {
                let mut flipped = bytes.clone();
                flipped[position] ^= mask;
                let (file, length) = (path.display(), bytes.len());
                let what = format!("flip bit {mask:#04x} of byte {position} in {file} ({length} bytes)");
                all.push(Damage { files: with(files, path, flipped), what });
            }
        }
        for length in 1..=bytes.len().min(EDGE / 2) {
            let from = bytes.len() - length;
            let mut zeroed = bytes.clone();
            zeroed[from..].fill(0);
            let what = format!("zero {} from byte {from} to its end ({} bytes)", path.display(), bytes.len());
            all.push(Damage { files: with(files, path, zeroed), what });
        }
        for length in positions(bytes.len(), rng) {
            let what = format!("cut {} to {length} of its {} bytes", path.display(), bytes.len());
            all.push(Damage { files: with(files, path, bytes[..length].to_vec()), what });
        }
    }
    all
}

fn with(files: &Files, path: &std::path::Path, bytes: Vec<u8>) -> Files {
    let mut files = files.clone();
    files.insert(path.to_owned(), bytes);
    files
}

fn positions(length: usize, rng: &mut fastrand::Rng) -> Vec<usize> {
    if length <= POSITIONS {
        return (0..length).collect();
    }
    let middle = EDGE..length - EDGE;
    let sampled = std::iter::repeat_with(|| rng.usize(middle.clone())).take(POSITIONS - 2 * EDGE);
    (0..EDGE).chain(length - EDGE..length).chain(sampled).collect()
}

/// What a store does with damaged files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// It said why on stderr and exited with a nonzero status, before any reply.
    Refused,
    /// It opened; its answers are to be judged.
    Answers,
}

/// Waits for a store to open or to refuse; a panic or a signal is neither.
#[track_caller]
pub(super) fn opened(store: &mut Store<'_>) -> Judged<Opened> {
    match store.first_words()? {
        None => Ok(Opened::Answers),
        Some(ending) => {
            let says_why = !ending.stderr.trim().is_empty() && !ending.stderr.contains("panicked at ");
            match ending.exit {
                Exit::Status(status) if status != 0 && says_why => Ok(Opened::Refused),
                _ => {
                    let awaited =
                        "answers, or a refusal to open: a sentence on stderr and a nonzero exit status";
                    Err(store.tell(ending.halt(awaited)))
                }
            }
        }
    }
}
