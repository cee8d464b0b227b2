//! How long a balancer has to notice something, in its own time: counted in checks that a backend gets which is up
//! throughout. So a balancer that is given little processor time is not hurried, and no verdict hangs on a clock.

use std::time::{Duration, Instant};

use harness::{Halt, Judged};

use crate::{
    backend::Backend,
    balancer::{Balancer, Setup},
    round_robin::name,
    scene::Scene,
};

/// How many intervals the specification gives a balancer to notice.
const INTERVALS: u32 = 3;

/// An interval and a connect timeout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

impl Pace {
    /// An interval and a timeout in milliseconds.
    pub(super) const fn of_ms(interval: u64, timeout: u64) -> Self {
        Self { interval: Duration::from_millis(interval), timeout: Duration::from_millis(timeout) }
    }

    /// Tells a balancer.
    pub(super) fn told<'s>(self, setup: Setup<'s>) -> Setup<'s> {
        let ms = |duration: Duration| format!("{}ms", duration.as_millis());
        setup.health_interval(&ms(self.interval)).connect_timeout(&ms(self.timeout))
    }

    /// Waits for as long as a balancer has to notice that another backend than `witness` refuses connections.
    #[track_caller]
    pub(super) fn passes(self, scene: &Scene<'_>, witness: Backend<'_>) -> Judged {
        // So many checks have so many whole intervals between them, and one more for those that are not in step.
        let checks = INTERVALS as usize + 2;
        let until = Instant::now() + INTERVALS * self.interval + self.timeout;
        self.checks(scene, witness, checks, until)
    }

    /// The same, for a backend that does not answer: each check of it takes a timeout, and the next one may begin an
    /// interval after that.
    #[track_caller]
    pub(super) fn passes_for_a_blackhole(self, scene: &Scene<'_>, witness: Backend<'_>) -> Judged {
        let time = INTERVALS * (self.interval + self.timeout);
        let checks = time.as_millis().div_ceil(self.interval.as_millis()) as usize + 2;
        self.checks(scene, witness, checks, Instant::now() + time)
    }

    /// Waits for the next check of `witness`: from then on nearly a whole interval is left.
    #[track_caller]
    pub(super) fn begins(self, scene: &Scene<'_>, witness: Backend<'_>) -> Judged {
        self.checks(scene, witness, 1, Instant::now())
    }

    /// Waits until each of them has had a check: they were there, and the balancer knows it.
    #[track_caller]
    pub(super) fn are_known(self, scene: &Scene<'_>, backends: &[Backend<'_>]) -> Judged {
        scene.wait("a first check of each backend", || backends.iter().all(|backend| backend.probes() > 0))
    }

    #[track_caller]
    fn checks(self, scene: &Scene<'_>, witness: Backend<'_>, checks: usize, until: Instant) -> Judged {
        let before = witness.probes();
        let awaited =
            format!("{checks} more checks of backend {}, one every {:?}", witness.name(), self.interval);
        scene.wait(&awaited, || witness.probes() >= before + checks && Instant::now() >= until)?;
        scene.tell(format!("{awaited}: they have come"));
        Ok(())
    }

    /// Waits for as long as a balancer has to notice that `back` accepts connections again, of which it has accepted
    /// `before` until then: three checks have succeeded, since a fourth was made.
    ///
    /// # Errors
    /// A failure when it is not checked as often as `witness`, which is up throughout.
    #[track_caller]
    pub(super) fn notices(self, scene: &Scene<'_>, back: Backend<'_>, witness: Backend<'_>) -> Judged {
        const PATIENCE: usize = 3;
        let checks = INTERVALS as usize + 1;
        let (before, witness_before) = (back.probes(), witness.probes());
        let has_come = || back.probes() - before >= checks;
        let until = Instant::now() + INTERVALS * self.interval + self.timeout;
        let is_late = || witness.probes() - witness_before > PATIENCE * checks && Instant::now() > until;
        let awaited = format!("{checks} checks of backend {}, which is back", back.name());
        scene.wait(&awaited, || has_come() || is_late())?;
        if has_come() {
            scene.tell(format!("{awaited}: they have come"));
            return Ok(());
        }
        let expected = format!("backend {}, which is back, is checked every interval", back.name());
        let (own, others) = (back.probes() - before, witness.probes() - witness_before);
        Err(Halt::fail(
            expected,
            format!("{own} checks of it, while backend {} had {others}", witness.name()),
        ))
    }
}

/// The names of those who serve so many clients, one after the other.
#[track_caller]
pub(super) fn names(scene: &Scene<'_>, lb: &Balancer<'_>, clients: usize) -> Judged<String> {
    let mut seen = String::new();
    for _ in 0..clients {
        seen.push(name(scene, lb)?);
    }
    Ok(seen)
}

/// Demands that a backend which is back was checked before it got a client: of what it has accepted since then.
#[track_caller]
pub(super) fn was_checked_first(back: Backend<'_>, accepted_before: usize) -> Judged {
    match back.accepted().get(accepted_before) {
        Some(first) if first.received_bytes() > 0 => {
            let expected =
                format!("backend {}, which was down, gets no client before a check of it", back.name());
            let halt = Halt::fail(expected, "a client's connection was the first that it accepted");
            Err(halt.likely("it was never out: clients were sent to it all the time"))
        }
        _ => Ok(()),
    }
}
