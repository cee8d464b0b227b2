//! The balancer's process, as a scene looks after it: whether it still runs, and what its end means.

use std::{
    cell::RefMut,
    time::{Duration, Instant},
};

use harness::{
    Halt, Judged,
    process::{Ending, Process},
};

use super::Scene;

impl Scene<'_> {
    /// Hands over the balancer's process, to be looked after.
    pub(crate) fn watch(&self, process: Process) {
        self.process.replace(Some(process));
    }

    /// The balancer's process, for what it uses of the machine; none before its start and after its end.
    pub(crate) fn process(&self) -> RefMut<'_, Option<Process>> {
        self.process.borrow_mut()
    }

    /// How the balancer ended that was seen to end. The scene may go on without it.
    #[track_caller]
    pub(crate) fn ending(&self, awaited: &str) -> Judged<Ending> {
        self.is_running.set(true);
        let process = self.process.take();
        process.ok_or_else(|| Halt::fault("asked how a balancer ended that was not started"))?.end(awaited)
    }

    /// Whether the balancer runs, or has not been started, or was seen to end.
    #[track_caller]
    pub(crate) fn is_running(&self) -> Judged<bool> {
        const OFTEN: Duration = Duration::from_millis(4);
        if self.looked.get().elapsed() > OFTEN
            && let Some(process) = self.process.borrow_mut().as_mut()
        {
            self.is_running.set(process.is_running()?);
            self.looked.set(Instant::now());
        }
        Ok(self.is_running.get())
    }

    /// The reason behind a failure: what clients see of a balancer that crashes is its crash.
    pub(crate) fn explain(&self, halt: Box<Halt>) -> Judged<Box<Halt>> {
        const ENDING: Duration = Duration::from_secs(2);
        let Some(mut process) = self.process.take() else { return Ok(halt) };
        if !halt.verdict.is_failure() {
            return Ok(halt);
        }
        // A program that panics closes its sockets a little before it is gone.
        let began = Instant::now();
        let mut idle_looks = 0;
        while process.is_running()? {
            idle_looks = if process.is_waiting() { idle_looks + 1 } else { 0 };
            if idle_looks > 4 || began.elapsed() > ENDING {
                return Ok(halt);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let ending = process.end("it to be gone")?;
        let mut crash = ending.halt(&halt.evidence.expected);
        crash.evidence.expectation = halt.evidence.expectation;
        Ok(crash)
    }
}
