//! Steps that fail: the same call of the runtime again and again, each time with another one of its system calls refused.
//!
//! ```text
//!   run 0   mkdir  write  clone3  mount  mount  pivot_root  …     counted, all done
//!   run 1     ✗
//!   run 2            ✗
//!   run 3                   ✗        …                            until none is left
//! ```
//!
//! Which calls there are, and how many, the runtime decides: refused is whichever comes as number k. What is done after
//! the command is executed is the command's, and not counted.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use harness::{
    Judged,
    calls::{Call, Supervisor, Then},
};
use nix::errno::Errno;

use super::steps::Steps;
use crate::{
    call,
    host::{FileId, Host, Root},
    run::{Ended, Inside, Run},
};

/// More steps than any runtime takes: what goes on and on is not tried to its end.
pub(super) const MOST: usize = 80;

/// With which error a call is refused.
pub(crate) type Reason = fn(&Call) -> Errno;

/// It is not allowed.
pub(crate) const DENIED: Reason = |_| Errno::EPERM;

/// It is not possible, on this kernel or at this moment: an invitation to do it in another way.
pub(crate) const IMPOSSIBLE: Reason =
    |call| if call.number == libc::SYS_umount2 { Errno::EBUSY } else { Errno::EINVAL };

/// What a run with a refused step came to.
pub(crate) enum Outcome<'h, 'c> {
    /// The command runs nevertheless.
    Runs(Box<Inside<'h, 'c>>),
    /// It does not, and the runtime has ended.
    Ended(Ended),
}

/// Calls the runtime with each of these steps of its refused in turn, for this reason. `call` makes the same call each
/// time; `judge` gets the name of what was refused and what came of it.
///
/// # Errors
/// Those of `judge`, and of a runtime that hangs.
pub(crate) fn injected<'h, 'c>(
    (steps, why): (&'static Steps, Reason),
    host: &'h Host<'c>,
    call: impl Fn() -> Judged<call::Call<'h, 'c>>,
    mut judge: impl FnMut(&str, Outcome<'h, 'c>) -> Judged,
) -> Judged {
    for number in 0..MOST {
        host.forget();
        let call = call()?;
        let refused = Arc::new(Mutex::new(None));
        let step = Arc::clone(&refused);
        let refuse = move |call: &Call, name: String| {
            let errno = why(call);
            *lock(&step) = Some((name, errno));
            Then::Fail(errno as i32)
        };
        let decide = at_step(steps, host, call.root(), number, refuse)?;
        let supervisor = Supervisor::begin(&steps.numbers(), decide)?;
        let run = call.start_supervised(&supervisor)?;
        let outcome = match run.serves_or_ends()? {
            Ok(inside) => Outcome::Runs(Box::new(inside)),
            Err(ended) => Outcome::Ended(ended),
        };
        let Some((step, errno)) = lock(&refused).take() else {
            // There are no more: this one went through undisturbed.
            return match outcome {
                Outcome::Runs(inside) => inside.finish_well(),
                Outcome::Ended(ended) => {
                    Err(ended.unexpected("a call of which no step is refused runs its command"))
                }
            };
        };
        host.tell(format!("refused, with {errno:?}: {step}"));
        judge(&step, outcome)?;
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something at the step of this number, and lets all others be done.
pub(super) fn at_step(
    steps: &'static Steps,
    host: &Host<'_>,
    root: &Root,
    number: usize,
    mut act: impl FnMut(&Call, String) -> Then + Send + 'static,
) -> Judged<Box<harness::calls::Decide>> {
    // What the command does is its own, and what is done before the runtime is executed is the suite's.
    let others = [root.probe, FileId::of(&host.probe())?, FileId::of(Path::new("/proc/self/exe"))?];
    let mut count = 0;
    Ok(Box::new(move |call| {
        let Some(step) = steps.name(call) else { return Then::GoOn };
        let program = fs::metadata(format!("/proc/{}/exe", call.pid));
        if program.is_ok_and(|file| others.contains(&FileId { device: file.dev(), inode: file.ino() })) {
            return Then::GoOn;
        }
        if count != number {
            count += 1;
            return Then::GoOn;
        }
        let then = act(call, step);
        // Asked about once more, it is the same step.
        count += usize::from(then != Then::Later);
        then
    }))
}

impl<'h, 'c> Run<'h, 'c> {
    /// Waits for the probe's first line, or for the end of the runtime.
    ///
    /// # Errors
    /// Timeout when neither comes.
    #[track_caller]
    pub(crate) fn serves_or_ends(self) -> Judged<Result<Inside<'h, 'c>, Ended>> {
        if self.says_something()? { self.serves().map(Ok) } else { self.ends().map(Err) }
    }
}
