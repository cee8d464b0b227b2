//! More clients than descriptors, and clients who did not wait.

use std::time::Duration;

use harness::{Context, Halt, Judged, process::Limits};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::{
    balancer::Balancer,
    client::Peer,
    machine::is_idle,
    scene::{Behaviour, Scene},
};

const DESCRIPTORS: u64 = 64;

/// Clients, of whom 64 descriptors serve at most 30.
const CLIENTS: usize = 60;

/// As many have to be served at the same time.
const AT_ONCE: usize = 16;

/// A balancer with few descriptors before four backends that echo.
#[track_caller]
fn balancer<'s>(scene: &'s Scene<'s>, health_interval: &str) -> Judged<Balancer<'s>> {
    let mut backends = Vec::new();
    for name in ["a", "b", "c", "d"] {
        backends.push(scene.backend(name, Behaviour::Echo)?);
    }
    let limits = Limits { open_files: DESCRIPTORS, ..Limits::default() };
    let setup = scene.balancer(&backends).limits(limits).health_interval(health_interval);
    scene.tell(format!("lb may have {DESCRIPTORS} descriptors"));
    setup.start()
}

/// Clients who want to be served at the same time: at least so many are.
#[track_caller]
fn crowd<'s>(scene: &Scene<'s>, lb: &Balancer<'s>) -> Judged<Vec<Peer<'s>>> {
    let clients = lb.clients(CLIENTS)?;
    scene.tell("each of them sends \"hello\", and stays");
    scene.untold(|| clients.iter().for_each(|client| client.send(b"hello")));
    let served = || clients.iter().filter(|client| is_served(**client)).count();
    match scene.attempt(|| (served() >= AT_ONCE).then_some(()))? {
        Some(()) => Ok(clients),
        None => {
            let expected = format!("at least {AT_ONCE} of {CLIENTS} clients are served at the same time");
            Err(Halt::fail(expected, format!("{} are", served())))
        }
    }
}

fn is_served(client: Peer<'_>) -> bool {
    client.received_bytes() > 0 && client.end().is_none() && !client.is_closed()
}

pub(super) fn without_descriptors_nothing_ends_or_spins(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let lb = balancer(scene, "1m")?;
        let clients = crowd(scene, &lb)?;
        is_idle(scene, &lb, "nobody is served any more, and nothing moves")?;
        for client in clients.into_iter().filter(|client| is_served(*client)) {
            client.receives(b"hello")?;
            scene.untold(|| client.send(b"still there?"));
            client.receives(b"still there?")?;
        }
        Ok(())
    })
}

pub(super) fn accepting_goes_on_with_free_descriptors(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let lb = balancer(scene, "1m")?;
        let mut waiting = crowd(scene, &lb)?;
        scene.tell("who is served ends its connection; nobody new comes");
        let is_done = || {
            waiting.retain(|client| {
                if is_served(*client) {
                    scene.untold(|| client.finish());
                }
                // Or was turned away, which is an answer too.
                client.received_bytes() == 0 && client.end().is_none()
            });
            waiting.is_empty()
        };
        let awaited = "every client who waits is served, or is closed, as descriptors come free";
        scene.wait(awaited, is_done)?;
        let new = lb.client()?;
        new.send(b"and I?");
        new.receives(b"and I?")
    })
}

pub(super) fn what_cannot_be_checked_is_not_down(context: &Context) -> Judged {
    const INTERVALS: Duration = Duration::from_millis(4 * 300);
    /// What a program may open later than at its start, checks among them.
    const MORE: u64 = 8;
    Scene::play(context, |scene| {
        let lb = balancer(scene, "300ms")?;
        let before = lb.usage().descriptors;
        let clients = crowd(scene, &lb)?;
        scene.tell("four intervals pass, and then all of them close");
        scene.spend(INTERVALS)?;
        scene.untold(|| clients.iter().for_each(|client| client.close()));
        scene.wait("their descriptors come free", || lb.usage().descriptors <= before + MORE)?;
        // Before the next interval is over, all of its four backends serve: none has ever been down.
        for _ in 0..4 {
            lb.answered().map_err(|halt| {
                halt.likely("a check for which there was no descriptor has put its backend out")
            })?;
        }
        Ok(())
    })
}

pub(super) fn clients_may_leave_the_queue(context: &Context) -> Judged {
    const GONE: usize = 20;
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        let lb = scene.balancer(&[backend]).start()?;
        let group = Pid::from_raw(lb.pid());
        for is_reset in [true, false] {
            scene.tell("lb is stopped (SIGSTOP)");
            killpg(group, Signal::SIGSTOP)?;
            // The kernel accepts for it: they stand in the queue.
            let clients = lb.clients(GONE)?;
            scene.untold(|| {
                for (number, client) in clients.iter().enumerate() {
                    if number % 2 == 0 {
                        client.send(b"hello");
                    }
                }
            });
            for client in clients {
                client.has_sent()?;
                scene.untold(|| if is_reset { client.reset() } else { client.close() });
            }
            scene.tell(if is_reset { "all of them reset their connections" } else { "all of them close" });
            scene.tell("lb goes on (SIGCONT)");
            killpg(group, Signal::SIGCONT)?;
            let client = lb.client()?;
            client.send(b"hello");
            client.receives(b"hello")?;
            client.finish();
            client.receives_end()?;
        }
        Ok(())
    })
}
