//! The checks themselves, as backends see them: how often they come, what they do, and what they leave.

use std::time::{Duration, Instant};

use harness::{Context, Halt, Judged};

use super::pace::{Pace, names};
use crate::{
    backend::Backend,
    client::Peer,
    round_robin::{expect_cycle, name},
    scene::Scene,
};

/// The times at which a backend has accepted connections that were no client's.
fn times(backend: Backend<'_>) -> Vec<Instant> {
    let probes = backend.accepted().into_iter().filter(|peer| peer.received_bytes() == 0);
    probes.map(Peer::opened).collect()
}

pub(super) fn checks_come_once_an_interval(context: &Context) -> Judged {
    const PACE: Pace = Pace::of_ms(100, 1000);
    const CHECKS: usize = 8;
    /// An interval, and as much again for whoever counts it from the end of a check, or rounds it up.
    const TOO_LONG: Duration = Duration::from_millis(250);
    Scene::play(context, |scene| {
        // With four, one check an interval in all would be one in four intervals for each.
        let backends = scene.named(4)?;
        let began = Instant::now();
        PACE.told(scene.balancer(&backends)).start()?;
        let end = began + PACE.interval * CHECKS as u32;
        scene.tell("nobody connects");
        let all_came = || backends.iter().all(|backend| backend.probes() > CHECKS) && Instant::now() > end;
        scene.wait(format!("{CHECKS} intervals of 100 ms, and a check of each backend in each"), all_came)?;
        let intervals = began.elapsed().as_millis() / PACE.interval.as_millis() + 1;
        for backend in backends {
            let times = times(backend);
            // The shortest of all: a machine that is busy makes times longer, and some of them only.
            let shortest = times.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or_default();
            if shortest > TOO_LONG {
                let got = format!("never less than {} ms between two", shortest.as_millis());
                return Err(Halt::fail(format!("backend {} is checked every 100 ms", backend.name()), got));
            }
            if times.len() as u128 > 3 * intervals {
                let expected = format!("backend {} is checked once an interval", backend.name());
                return Err(Halt::fail(expected, format!("{} checks in {intervals} intervals", times.len())));
            }
        }
        Ok(())
    })
}

pub(super) fn checks_connect_and_close(context: &Context) -> Judged {
    const PACE: Pace = Pace::of_ms(100, 200);
    const CHECKS: usize = 7;
    Scene::play(context, |scene| {
        let backend = scene.backend("a", crate::scene::Behaviour::Echo)?;
        PACE.told(scene.balancer(&[backend])).start()?;
        scene.tell("nobody connects");
        // How long each of them was open.
        let mut ages: Vec<Option<Duration>> = vec![None; CHECKS];
        scene.wait(
            format!("{CHECKS} connections of the balancer's own, one every 100 ms, each closed soon"),
            || {
                for (check, age) in backend.accepted().into_iter().zip(&mut ages) {
                    if age.is_none() && (check.end().is_some() || check.received_bytes() > 0) {
                        *age = Some(check.opened().elapsed());
                    }
                }
                ages.iter().all(Option::is_some)
            },
        )?;
        if let Some(check) = backend.accepted().into_iter().find(|check| check.received_bytes() > 0) {
            let got = format!("{} bytes", check.received_bytes());
            return Err(Halt::fail("a check that sends nothing", got));
        }
        // One of the shorter ones: on a busy machine some take longer, and some intervals are short.
        ages.sort_unstable();
        let short = ages[CHECKS / 3].unwrap_or_default();
        if short > PACE.interval / 2 {
            let got = format!("most of them are open for {} ms and more", short.as_millis());
            return Err(Halt::fail("a check is closed soon after it was accepted", got));
        }
        Ok(())
    })
}

pub(super) fn checks_have_no_place_in_the_rotation(context: &Context) -> Judged {
    const PACE: Pace = Pace::of_ms(15, 200);
    const CLIENTS: usize = 12;
    const BACKENDS: usize = 3;
    Scene::play(context, |scene| {
        let backends = scene.named(BACKENDS)?;
        let lb = PACE.told(scene.balancer(&backends)).start()?;
        let checks = || backends.iter().map(|backend| backend.probes()).sum::<usize>();
        let mut seen = String::new();
        for number in 0..CLIENTS {
            // From one check between two clients, to ten intervals of them.
            let more = [1, 2, BACKENDS + 1, 10 * BACKENDS][number % 4];
            let enough = checks() + more;
            scene.wait(format!("{more} checks, of any backend"), || checks() >= enough)?;
            seen.push(name(scene, &lb)?);
        }
        expect_cycle("abc", &seen)
    })
}

pub(super) fn checks_leave_no_descriptor_behind(context: &Context) -> Judged {
    const PACE: Pace = Pace::of_ms(20, 50);
    const CHECKS: usize = 45;
    /// One under way for each backend, and a few for whatever else a program may open late.
    const MORE: u64 = 8;
    Scene::play(context, |scene| {
        let backends = scene.named(3)?;
        backends[1].stops_listening();
        backends[2].swallows()?;
        let lb = PACE.told(scene.balancer(&backends)).start()?;
        let after = |checks: usize| {
            let awaited = format!("{checks} checks of backend a, one every 20 ms");
            scene.wait(awaited, || backends[0].probes() >= checks)
        };
        after(5)?;
        let before = lb.usage().descriptors;
        after(5 + CHECKS)?;
        let got = lb.usage().descriptors;
        scene.tell(format!("{CHECKS} checks of each backend"));
        if got > before + MORE {
            let expected = format!("{before} open descriptors, as before, and those of checks under way");
            return Err(Halt::fail(expected, format!("{got}")));
        }
        names(scene, &lb, 1).map(drop)
    })
}
