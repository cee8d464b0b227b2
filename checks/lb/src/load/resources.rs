//! What connections take of the machine, while they last and afterwards.

use std::time::{Duration, Instant};

use harness::{Context, Halt, Judged};

use crate::{
    balancer::Balancer,
    client::Peer,
    machine::{is_idle, settles},
    scene::{Behaviour, Scene},
};

/// Clients who are connected to a backend: each was answered.
#[track_caller]
fn answered<'s>(scene: &Scene<'s>, lb: &Balancer<'s>, count: usize) -> Judged<Vec<Peer<'s>>> {
    let clients = lb.all_answered(count)?;
    scene.tell("each of them was answered");
    Ok(clients)
}

/// Waits until as few descriptors are open as before.
#[track_caller]
fn are_back(scene: &Scene<'_>, lb: &Balancer<'_>, before: u64, how: &str) -> Judged {
    /// What a program may open later than at its start.
    const MORE: u64 = 3;
    scene.tell(how);
    match scene.attempt(|| (lb.usage().descriptors <= before + MORE).then_some(()))? {
        Some(()) => Ok(()),
        None => {
            let got = lb.usage().descriptors;
            Err(Halt::fail(format!("{before} open descriptors, as before"), got.to_string()))
        }
    }
}

pub(super) fn descriptors_are_given_back(context: &Context) -> Judged {
    const CLIENTS: usize = 25;
    Scene::play(context, |scene| {
        let backends = scene.echoing(2)?;
        let lb = scene.balancer(&backends).start()?;
        for client in answered(scene, &lb, 2)? {
            client.finish();
            client.receives_end()?;
        }
        let before = lb.usage().descriptors;
        let are_back = |how: &str| are_back(scene, &lb, before, how);
        let clients = answered(scene, &lb, CLIENTS)?;
        scene.untold(|| clients.iter().for_each(|client| client.finish()));
        are_back("all clients end")?;
        let clients = answered(scene, &lb, CLIENTS)?;
        scene.untold(|| clients.iter().for_each(|client| client.reset()));
        are_back("all clients reset their connections")?;
        answered(scene, &lb, CLIENTS)?;
        backends.iter().for_each(|backend| backend.dies_by_reset());
        are_back("all backends are gone")?;
        for client in lb.clients(CLIENTS)? {
            client.is_closed_on()?;
        }
        are_back("no backend could be had")
    })?;
    Scene::play(context, |scene| {
        let lb = scene.balancer(&scene.swallowing(2)?).connect_timeout("100ms").start()?;
        // Whatever checks there are at the start, they are over by then.
        lb.client()?.is_closed_on()?;
        let before = lb.usage().descriptors;
        for client in lb.clients(CLIENTS)? {
            client.is_closed_on()?;
        }
        are_back(scene, &lb, before, "no backend has answered in time")
    })
}

pub(super) fn threads_do_not_grow_with_connections(context: &Context) -> Judged {
    const FEW: usize = 10;
    const MANY: usize = 150;
    /// As many as a pool may have that is filled as it is used.
    const A_POOL: u64 = 70;
    Scene::play(context, |scene| {
        let backends = scene.echoing(2)?;
        let lb = scene.balancer(&backends).start()?;
        answered(scene, &lb, FEW)?;
        let with_few = lb.usage().threads;
        answered(scene, &lb, MANY)?;
        let with_many = lb.usage().threads;
        if with_many < with_few + A_POOL {
            return Ok(());
        }
        let expected = format!("as many threads with {} connections as with {FEW}: {with_few}", FEW + MANY);
        Err(Halt::fail(expected, format!("{with_many} threads")))
    })
}

pub(super) fn idle_is_idle(context: &Context) -> Judged {
    const CLIENTS: usize = 40;
    Scene::play(context, |scene| {
        let backends = scene.echoing(2)?;
        let lb = scene.balancer(&backends).health_interval("100ms").start()?;
        is_idle(scene, &lb, "nobody is connected")?;
        answered(scene, &lb, CLIENTS)?;
        is_idle(scene, &lb, "they are silent")?;
        backends.iter().for_each(|backend| backend.behaves(Behaviour::Hold));
        let clients = lb.clients(CLIENTS)?;
        scene.untold(|| {
            for client in &clients {
                client.send(b"hello");
                client.finish();
            }
        });
        is_idle(scene, &lb, "they have ended their side, and the backends have not")?;
        backends.iter().for_each(|backend| backend.behaves(Behaviour::HalfClose));
        for client in lb.clients(CLIENTS)? {
            client.receives_end()?;
        }
        is_idle(scene, &lb, "the backends have ended their side, and the clients have not")
    })?;
    Scene::play(context, |scene| {
        let lb = scene.balancer(&scene.echoing(2)?).start()?;
        let _silent = answered(scene, &lb, CLIENTS)?;
        wakes_seldom(scene, &lb)
    })
}

/// Demands that it sleeps while there is nothing to be done, however little it takes to look around.
#[track_caller]
fn wakes_seldom(scene: &Scene<'_>, lb: &Balancer<'_>) -> Judged {
    const A_WHILE: Duration = Duration::from_secs(1);
    /// More than a language's runtime wakes for purposes of its own.
    const A_SECOND: f64 = 60.0;
    settles(scene, lb, || 0)?;
    scene.tell("they are silent, and no check is due");
    let (before, began) = (lb.sleeps(), Instant::now());
    scene.spend(A_WHILE)?;
    let a_second = (lb.sleeps() - before) as f64 / began.elapsed().as_secs_f64();
    if a_second < A_SECOND {
        return Ok(());
    }
    let expected = "it wakes for what there is to do, and otherwise seldom";
    let halt = Halt::fail(expected, format!("it wakes {a_second:.0} times a second, with nothing to do"));
    Err(halt.likely(
        "the loop looks at a clock every few milliseconds, instead of waiting until the next deadline",
    ))
}
