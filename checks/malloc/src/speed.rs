//! Throughput, as a ratio: the processor time that a trace takes with the subject's library and with libc's allocator,
//! in the same run, in turns. No time is judged by itself, so a slow or busy machine changes nothing.

use harness::{Context, Judged};

use crate::{player::Player, trace::Trace};

/// A trace shorter than this is played several times over.
const OPERATIONS: usize = 20_000;

/// Each of the two is measured so many times; the least counts, which is the one with the fewest disturbances.
const ROUNDS: usize = 4;

/// The subject's time for a trace divided by libc's.
///
/// # Errors
/// What an unwatched trace may still come to: a crash, or an operation that never returns.
pub(crate) fn against_libc(context: &Context, trace: &Trace) -> Judged<f64> {
    let trace = trace.sustained(OPERATIONS).unwatched();
    let (mut subject, mut libc) = (Player::new(context)?, Player::of_libc(context)?);
    let mut least = [u64::MAX; 2];
    for _ in 0..ROUNDS {
        for (player, least) in [&mut subject, &mut libc].into_iter().zip(&mut least) {
            *least = player.complete(&trace)?.cpu_nanos().min(*least);
        }
    }
    let [subject, libc] = least.map(|nanos| nanos.max(1) as f64);
    Ok(subject / libc)
}
