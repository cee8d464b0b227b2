//! One that stands still, or never does, beside others who want to be served.

use harness::{Context, Judged};

use crate::{
    balancer::Balancer,
    client::Peer,
    scene::{Behaviour, Scene},
};

/// Of each sort that stands still.
const STALLED: usize = 10;

pub(super) fn a_stalled_client_delays_no_other(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        let lb = scene.balancer(&[backend]).start()?;
        let old = lb.client()?;
        is_served(scene, &lb, old)?;
        backend.behaves(Behaviour::Speak(scene.stream(), u64::MAX));
        scene.tell("the backend sends without end to whoever connects");
        for _ in 0..STALLED {
            let client = lb.client()?;
            client.stop_reading();
            // It is full of it, as far as that goes.
            let is_stopped = || backend.accepted().last().is_some_and(|side| side.sent_bytes() > 1 << 20);
            scene.wait("the backend to send a mebibyte", is_stopped)?;
        }
        is_served(scene, &lb, old)?;
        backend.behaves(Behaviour::Hold);
        scene.tell("the backend reads, and says nothing, to whoever connects now");
        for _ in 0..STALLED {
            // One is silent, and one never stops.
            lb.client()?;
            lb.client()?.send_stream(scene.stream(), 0, u64::MAX);
        }
        is_served(scene, &lb, old)?;
        backend.behaves(Behaviour::Echo);
        scene.tell("the backend echoes to whoever connects now");
        is_served(scene, &lb, old)
    })
}

pub(super) fn a_stalled_backend_delays_no_other(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        let lb = scene.balancer(&[backend]).start()?;
        let old = lb.client()?;
        is_served(scene, &lb, old)?;
        backend.behaves(Behaviour::Stall);
        scene.tell("the backend neither reads nor writes for whoever connects now");
        for _ in 0..STALLED {
            lb.client()?.send(b"hello?");
            let client = lb.client()?;
            client.send_stream(scene.stream(), 0, u64::MAX);
            scene.wait("a client to send a mebibyte", || client.sent_bytes() > 1 << 20)?;
        }
        is_served(scene, &lb, old)?;
        backend.behaves(Behaviour::Echo);
        scene.tell("the backend echoes to whoever connects now");
        is_served(scene, &lb, old)
    })
}

/// One that was there before is served many times, and if the backend echoes to newcomers, one of those as well.
#[track_caller]
fn is_served(scene: &Scene<'_>, lb: &Balancer<'_>, old: Peer<'_>) -> Judged {
    const TIMES: usize = 20;
    scene.tell(format!("{} sends and is answered {TIMES} times", old.name()));
    for _ in 0..TIMES {
        scene.untold(|| old.send(b"hello"));
        old.receives(b"hello")?;
    }
    if scene.poller_mut().places[0].behaviour == Behaviour::Echo {
        let new = lb.client()?;
        new.send(b"and I?");
        new.receives(b"and I?")?;
        new.finish();
        new.receives_end()?;
    }
    Ok(())
}
