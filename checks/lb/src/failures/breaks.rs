//! Connections that break while they are used.

use std::time::Duration;

use harness::{Context, Halt, Judged};

use super::refused::is_served;
use crate::{
    balancer::Balancer,
    client::Peer,
    scene::{Behaviour, Scene},
};

pub(super) fn a_dying_backend_ends_its_own_connections(context: &Context) -> Judged {
    const CLIENTS: usize = 6;
    for is_reset in [false, true] {
        Scene::play(context, |scene| {
            let backends = scene.echoing(3)?;
            let lb = scene.balancer(&backends).start()?;
            let clients = (0..CLIENTS).map(|_| lb.answered()).collect::<Judged<Vec<_>>>()?;
            // Whose clients are whose: the backends know by the addresses, but those are the balancer's. So each client
            // sends once more, and the backend that is about to die echoes no more.
            let (mut lost, mut kept) = (Vec::new(), Vec::new());
            for client in clients {
                let before: u64 = backends[0].sessions().iter().map(|session| session.received_bytes()).sum();
                client.send(b"again");
                client.receives(b"again")?;
                let after: u64 = backends[0].sessions().iter().map(|session| session.received_bytes()).sum();
                if after > before { lost.push(client) } else { kept.push(client) }
            }
            if is_reset {
                backends[0].dies_by_reset();
            } else {
                backends[0].dies();
            }
            for client in lost {
                client.is_closed_on()?;
                client.has_nothing_more()?;
            }
            for client in kept {
                client.send(b"still there?");
                client.receives(b"still there?")?;
                client.finish();
                client.receives_end()?;
            }
            is_served(&lb, "and a new one")
        })?;
    }
    Ok(())
}

pub(super) fn nothing_is_sent_again_elsewhere(context: &Context) -> Judged {
    const CLIENTS: usize = 6;
    Scene::play(context, |scene| {
        let backends = scene.echoing(3)?;
        // As soon as a byte has arrived.
        backends.iter().for_each(|backend| backend.behaves(Behaviour::Reset));
        scene.tell("every backend resets its connections as soon as a byte has arrived");
        let lb = scene.balancer(&backends).start()?;
        for _ in 0..CLIENTS {
            let client = lb.client()?;
            client.send(b"do it once");
            client.is_closed_on()?;
            client.has_nothing_more()?;
        }
        // After an answer, too.
        backends.iter().for_each(|backend| backend.behaves(Behaviour::Hold));
        scene.tell("every backend holds its connections now");
        for number in 0..3 {
            let client = lb.client()?;
            client.send(b"do it once");
            let find = || {
                let all = backends.iter().flat_map(|backend| backend.sessions());
                all.filter(|session| !session.is_closed()).last()
            };
            let server = scene
                .until(format!("a backend receives the bytes of client {}", CLIENTS + number + 1), find)?;
            server.send(b"begun");
            client.receives(b"begun")?;
            server.reset();
            client.is_closed_on()?;
            client.has_nothing_more()?;
        }
        let sessions: usize = backends.iter().map(|backend| backend.sessions().len()).sum();
        if sessions == CLIENTS + 3 {
            return Ok(());
        }
        let expected =
            format!("{} clients, and as many connections that brought bytes to a backend", CLIENTS + 3);
        Err(Halt::fail(expected, format!("{sessions} connections")))
    })
}

/// The backends' sides that are still open.
fn open_sessions<'s>(backends: &[crate::backend::Backend<'s>]) -> Vec<Peer<'s>> {
    let all = backends.iter().flat_map(|backend| backend.sessions());
    all.filter(|session| session.end().is_none()).collect()
}

pub(super) fn a_client_that_resets_ends_only_itself(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = scene.echoing(2)?;
        let lb = scene.balancer(&backends).start()?;
        let others = [lb.client()?, lb.client()?];
        for other in others {
            other.send(b"hello");
            other.receives(b"hello")?;
        }
        let flood = scene.stream();
        let gone = || {
            let accepted = backends.iter().flat_map(|backend| backend.accepted());
            accepted.filter(|side| side.end().is_none()).count() <= others.len()
        };
        for moment in 0..8 {
            if moment == 4 {
                scene.tell("every backend sends without end now");
                backends.iter().for_each(|backend| backend.behaves(Behaviour::Speak(flood, u64::MAX)));
            }
            vanishes(&lb, moment % 4)?;
            // Before it was even accepted.
            scene.tell("the balancer stands still meanwhile:");
            lb.held(|| vanishes(&lb, moment % 4))?;
            // The other side of it is closed, and no other one.
            scene.wait("the backend's connection of a client that is gone is closed", gone)?;
            for other in others {
                other.send(b"still there?");
                other.receives(b"still there?")?;
            }
        }
        // Those as well that came to a backend only now.
        scene.wait("the backends' connections of all clients that are gone are closed", gone)?;
        match open_sessions(&backends).len() {
            2 => Ok(()),
            count => Err(Halt::fail("the connections of 2 clients are open", format!("{count} are"))),
        }
    })
}

/// A client that resets its connection at one moment or another.
#[track_caller]
fn vanishes(lb: &Balancer<'_>, moment: u32) -> Judged {
    let client = lb.client()?;
    match moment {
        0 => {}
        1 => client.send(b"hello"),
        2 => {
            client.send(b"hello");
            client.finish();
        }
        _ => {
            client.stop_reading();
            client.send(&[b'x'; 100_000]);
        }
    }
    if moment > 0 {
        client.has_begun_to_send()?;
    }
    client.reset();
    Ok(())
}

/// What one side does to a connection, in one order or another.
const MOVES: u32 = 7;

pub(super) fn no_break_ends_the_program(context: &Context) -> Judged {
    const ROUNDS: usize = 60;
    Scene::play(context, |scene| {
        let backends = scene.echoing(2)?;
        let flood = scene.stream();
        let behaviours = [
            Behaviour::Echo,
            Behaviour::Name,
            Behaviour::Reset,
            Behaviour::HalfClose,
            Behaviour::Hold,
            Behaviour::Stall,
            Behaviour::Speak(flood, u64::MAX),
            Behaviour::Speak(flood, 100_000),
        ];
        let lb = scene.balancer(&backends).start()?;
        for round in 0..ROUNDS {
            for backend in &backends {
                let behaviour = behaviours[scene.rng().usize(..behaviours.len())].clone();
                if round % 6 == 0 {
                    scene.tell(format!("backend {} behaves as {behaviour:?}", backend.name()));
                }
                backend.behaves(behaviour);
            }
            if round % 4 == 3 {
                scene.tell("the balancer stands still meanwhile:");
                lb.held(|| clients_come_and_go(scene, &lb))?;
            } else {
                clients_come_and_go(scene, &lb)?;
            }
            if round % 10 == 9 {
                let backend = backends[round / 10 % 2];
                backend.dies_by_reset();
                backend.comes_back()?;
            }
        }
        backends.iter().for_each(|backend| backend.behaves(Behaviour::Echo));
        scene.tell("every backend echoes again");
        is_served(&lb, "hello")
    })
}

/// Clients of whom each does a few things, and is gone.
fn clients_come_and_go(scene: &Scene<'_>, lb: &Balancer<'_>) -> Judged {
    for client in [lb.client()?, lb.client()?, lb.client()?] {
        let count = scene.rng().u32(1..4);
        for _ in 0..count {
            let choice = scene.rng().u32(..MOVES);
            moves(scene, client, choice)?;
        }
        let is_rude = scene.rng().bool();
        if is_rude { client.reset() } else { client.close() }
    }
    Ok(())
}

/// Does one thing to a connection that may be gone already.
fn moves(scene: &Scene<'_>, client: Peer<'_>, choice: u32) -> Judged {
    match choice {
        0 => client.send(b"hello"),
        1 => client.send(&[b'x'; 70_000]),
        2 => client.finish(),
        3 => client.stop_reading(),
        4 => scene.spend(Duration::from_micros(300))?,
        5 => scene.spend(Duration::from_millis(1))?,
        _ => client.read_only(1000),
    }
    Ok(())
}
