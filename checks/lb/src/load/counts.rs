//! What is counted: bytes that a socket has accepted. The system knows how many those are: what waits in the queues of
//! both sockets was written, and nothing else was.

use std::time::Duration;

use harness::{Context, Halt, Judged};

use crate::{
    client::Peer,
    machine::{queues, settles},
    scene::{Behaviour, Scene},
    stall::{self, MUCH},
};

pub(super) fn what_was_not_delivered_is_not_counted(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Hold)?;
        let lb = scene.balancer(&[backend]).start()?;
        for is_sent in [true, false] {
            let [from, to] = stall::unread(scene, &lb, backend, is_sent, MUCH)?;
            settles(scene, &lb, || from.sent_bytes())?;
            let written = written_to(scene, to)?;
            scene.tell(format!("nothing moves any more; {} was sent {written} bytes in all", to.name()));
            to.reset();
            from.is_closed_on()?;
            let line = lb.logged(if is_sent { from } else { to })?;
            let (field, logged) = if is_sent { ("sent", line.sent) } else { ("received", line.received) };
            if logged != written {
                let halt = Halt::fail(format!("{field}={written}"), format!("{field}={logged}"));
                return Err(if logged > written {
                    halt.likely("bytes are counted when they are read")
                } else {
                    halt
                });
            }
        }
        Ok(())
    })
}

/// How many bytes the balancer's socket towards this side has accepted.
#[track_caller]
fn written_to(scene: &Scene<'_>, side: Peer<'_>) -> Judged<u64> {
    // What moves from one queue to the other between two looks is in none of them, and what has moved is in both until
    // it is acknowledged, which may be put off for 200 ms (RFC 9293 §3.8.6.3).
    const APART: Duration = Duration::from_millis(100);
    const LOOKS: u32 = 5;
    let look = || -> Judged<_> {
        Ok((queues(side.local(), side.remote())?.unread, queues(side.remote(), side.local())?.unacknowledged))
    };
    let (mut seen, mut times) = (look()?, 1);
    while times < LOOKS {
        scene.spend(APART)?;
        let again = look()?;
        times = if again == seen { times + 1 } else { 1 };
        seen = again;
    }
    Ok(side.received_bytes() + seen.0 + seen.1)
}
