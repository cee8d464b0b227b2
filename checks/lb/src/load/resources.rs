//! What connections take of the machine, while they last and afterwards.

use harness::{Context, Halt, Judged};

use crate::{
    balancer::Balancer,
    client::Peer,
    machine::is_idle,
    scene::{Behaviour, Scene},
};

/// Clients who are connected to a backend: each was answered.
#[track_caller]
fn answered<'s>(scene: &Scene<'s>, lb: &Balancer<'s>, count: usize) -> Judged<Vec<Peer<'s>>> {
    let clients = lb.all_answered(count)?;
    scene.tell("each of them was answered");
    Ok(clients)
}

pub(super) fn descriptors_are_given_back(context: &Context) -> Judged {
    const CLIENTS: usize = 25;
    /// What a program may open later than at its start.
    const MORE: u64 = 3;
    Scene::play(context, |scene| {
        let backends = scene.echoing(2)?;
        let lb = scene.balancer(&backends).start()?;
        for client in answered(scene, &lb, 2)? {
            client.finish();
            client.receives_end()?;
        }
        let before = lb.usage().descriptors;
        let are_back = |how: &str| {
            scene.tell(how);
            match scene.attempt(|| (lb.usage().descriptors <= before + MORE).then_some(()))? {
                Some(()) => Ok(()),
                None => {
                    let got = lb.usage().descriptors;
                    Err(Halt::fail(format!("{before} open descriptors, as before"), got.to_string()))
                }
            }
        };
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
    })
}
