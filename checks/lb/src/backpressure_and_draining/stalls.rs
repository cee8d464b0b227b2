//! Readers that stop reading. The system knows what its own buffers hold: what was sent and is not there is kept by the
//! balancer.

use std::time::Duration;

use harness::{Context, Halt, Judged};

use crate::{
    backend::Backend,
    balancer::Balancer,
    bytes::amount,
    client::Peer,
    machine::{is_idle, queues, settles},
    scene::{Behaviour, Scene},
    stall::{self, MUCH},
};

/// A connection of which one side sends much, and the other one reads nothing: the sender and the reader.
#[track_caller]
fn stalled<'s>(
    scene: &'s Scene<'s>,
    lb: &Balancer<'s>,
    client_sends: bool,
    bytes: u64,
) -> Judged<[Peer<'s>; 2]> {
    let [from, to] = stall::unread(scene, lb, Backend::new(scene, 0), client_sends, bytes)?;
    from.finish();
    settles(scene, lb, || from.sent_bytes())?;
    scene.tell(format!("it can send {} of them; then nothing moves any more", from.sent_bytes()));
    Ok([from, to])
}

/// A balancer before one backend, which reads and says what it is told.
#[track_caller]
fn balancer<'s>(scene: &'s Scene<'s>) -> Judged<Balancer<'s>> {
    let backend = scene.backend("a", Behaviour::Hold)?;
    let lb = scene.balancer(&[backend]).start()?;
    // What a program allocates for its first connection is there from now on.
    let client = lb.client()?;
    client.send(b"hello");
    let server = backend.session(0)?;
    server.receives(b"hello")?;
    server.send(b"hello");
    client.receives(b"hello")?;
    Ok(lb)
}

pub(super) fn a_stalled_reader_stops_the_source(context: &Context) -> Judged {
    const KEPT: u64 = 1 << 20;
    const GROWN: u64 = 8 << 20;
    Scene::play(context, |scene| {
        let lb = balancer(scene)?;
        for client_sends in [false, true] {
            let before = lb.usage().anonymous_bytes;
            let [from, to] = stalled(scene, &lb, client_sends, MUCH)?;
            // On the way from one program to the next: not acknowledged yet, or not read.
            let sender = queues(from.local(), from.remote())?;
            let (in_from, out_to) = (queues(from.remote(), from.local())?, queues(to.remote(), to.local())?);
            let reader = queues(to.local(), to.remote())?;
            let on_the_way = sender.unacknowledged + in_from.unread + out_to.unacknowledged + reader.unread;
            let kept = from.sent_bytes().saturating_sub(to.received_bytes() + on_the_way);
            if kept >= KEPT {
                let expected =
                    format!("less than {} kept, beyond what the kernel's buffers hold", amount(KEPT));
                return Err(Halt::fail(expected, format!("{kept} bytes kept for {}", to.name())));
            }
            let grown = lb.usage().anonymous_bytes.saturating_sub(before);
            if grown >= GROWN {
                let expected = format!("memory that grows by less than {}", amount(GROWN));
                return Err(Halt::fail(expected, format!("{grown} bytes more than before")));
            }
        }
        Ok(())
    })
}

pub(super) fn after_a_stall_nothing_is_missing(context: &Context) -> Judged {
    const SIP: u64 = 100_000;
    /// Longer than anything else takes here.
    const A_WHILE: Duration = Duration::from_millis(600);
    const BYTES: u64 = 32 << 20;
    Scene::play(context, |scene| {
        let lb = balancer(scene)?;
        let both = [stalled(scene, &lb, false, BYTES)?, stalled(scene, &lb, true, BYTES)?];
        scene.tell(format!("{} ms pass", A_WHILE.as_millis()));
        scene.spend(A_WHILE)?;
        for [from, to] in both {
            // A little, and another stall, and then the rest.
            to.read_only(SIP);
            to.receives_stream(SIP)?;
            scene.tell(format!("{} reads {}, and stops again", to.name(), amount(SIP)));
            settles(scene, &lb, || from.sent_bytes())?;
            to.read_on();
            to.receives_stream(BYTES)?;
            to.receives_end()?;
            to.finish();
            from.receives_end()?;
        }
        Ok(())
    })
}

pub(super) fn a_stall_takes_no_cpu_time(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let lb = balancer(scene)?;
        let [_, client] = stalled(scene, &lb, false, MUCH)?;
        is_idle(scene, &lb, "a backend has much to send, and its client reads nothing")?;
        client.reset();
        let [client, _] = stalled(scene, &lb, true, MUCH)?;
        is_idle(scene, &lb, "a client has much to send, and its backend reads nothing")?;
        client.reset();
        // All of it is on the way, the end of the stream as well, and only the reader is waited for.
        stalled(scene, &lb, false, 3 << 20)?;
        is_idle(scene, &lb, "a backend has sent all and ended, and its client reads nothing")
    })
}
