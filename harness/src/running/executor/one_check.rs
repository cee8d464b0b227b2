//! One check from context to outcome. A panic on the way is the grader's bug, and is reported as such.

use std::{
    cell::RefCell,
    hash::{DefaultHasher, Hash, Hasher},
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    sync::{Arc, Once},
    time::Instant,
};

use super::Run;
use crate::{
    event::CheckFinished,
    running::{Check, Context, Halt, Judged, Stage},
    verdict::Verdict,
};

thread_local! {
    /// The place and message of this thread's last panic.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs one check and says what it came to.
pub(super) fn judge(run: &Run<'_>, stage: &Stage, check: &Check) -> CheckFinished {
    let began = Instant::now();
    let id = run.suite.id(stage, check);
    let mut transcript = None;
    let mut measured = Vec::new();
    let outcome = context(run, &id).and_then(|context| {
        let outcome = catch_panic(|| (check.run)(&context));
        measured = context.take_measured();
        if outcome.is_err() {
            let path = PathBuf::from(format!("{}-{}", stage.number, check.name)).join("transcript.txt");
            // A transcript is a courtesy: where it cannot be kept, the verdict stands without it.
            transcript = context.save_transcript(&run.request.output.join(&path)).is_ok().then_some(path);
        }
        outcome
    });
    let (verdict, evidence) = match outcome {
        Ok(()) => (Verdict::Pass, None),
        Err(halt) => {
            let halt = halt.abridged();
            (halt.verdict, Some(halt.evidence))
        }
    };
    CheckFinished {
        id,
        points: check.points,
        must: check.must.to_owned(),
        verdict,
        evidence,
        measured,
        elapsed_ms: began.elapsed().as_millis() as u64,
        transcript,
    }
}

fn context(run: &Run<'_>, id: &str) -> Judged<Context> {
    let mut hasher = DefaultHasher::new();
    (run.request.seed, id).hash(&mut hasher);
    let marker = format!("{}.{}.", std::process::id(), id);
    Context::new(
        run.workspace,
        run.request.subject.clone(),
        Arc::clone(&run.watchdog),
        marker,
        hasher.finish(),
        run.request.file.clone(),
    )
}

/// Turns a panic into a fault that says where it was.
fn catch_panic(check: impl FnOnce() -> Judged) -> Judged {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            LAST_PANIC.with(|last| last.replace(info.to_string().replace('\n', " ")));
        }));
    });
    panic::catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|_| Err(Halt::fault(LAST_PANIC.take())))
}
