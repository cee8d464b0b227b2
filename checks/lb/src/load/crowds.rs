//! Many at once: all are there before the first one is done.

use harness::{Context, Judged, process::Limits};

use crate::{balancer::Balancer, bytes::amount, machine::have_descriptors, scene::Scene};

pub(super) fn fifty_at_once_are_served(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = scene.echoing(3)?;
        let lb = scene.balancer(&backends).start()?;
        // Twice: what the first fifty have used is free again.
        crowd(scene, &lb, 50, 40 << 10)?;
        crowd(scene, &lb, 50, 40 << 10)
    })
}

pub(super) fn a_thousand_at_once_are_served(context: &Context) -> Judged {
    const OF_THE_SUITE: u64 = 2_200;
    have_descriptors(OF_THE_SUITE)?;
    Scene::play(context, |scene| {
        let backends = scene.echoing(3)?;
        let limits = Limits { open_files: 4096, ..Limits::default() };
        let lb = scene.balancer(&backends).limits(limits).start()?;
        crowd(scene, &lb, 200, 2_000)?;
        crowd(scene, &lb, 1_000, 2_000)
    })
}

/// So many clients, who are all served before the first of them leaves.
#[track_caller]
fn crowd(scene: &Scene<'_>, lb: &Balancer<'_>, count: usize, bytes: u64) -> Judged {
    let clients = lb.clients(count)?;
    scene.tell("each of them sends \"hello\", and waits for the echo");
    scene.untold(|| clients.iter().for_each(|client| client.send(b"hello")));
    for client in &clients {
        client.receives(b"hello")?;
    }
    scene.tell(format!("all are connected; each of them sends {} of its own, and ends", amount(bytes)));
    scene.untold(|| {
        for client in &clients {
            let stream = scene.stream();
            client.expects(stream);
            client.send_stream(stream, 0, bytes);
            client.finish();
        }
    });
    for client in &clients {
        client.receives_stream(bytes)?;
        client.receives_end()?;
    }
    Ok(())
}
