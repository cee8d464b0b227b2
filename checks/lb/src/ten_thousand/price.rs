//! What a connection costs: memory while it is silent, processor time while it works.

use harness::{Context, Halt, Judged};

use super::crowd::{come, most_connections, setup};
use crate::{balancer::Balancer, machine::have_descriptors, scene::Scene};

pub(super) fn an_idle_connection_is_cheap(context: &Context) -> Judged {
    const CONNECTIONS: usize = 1_000;
    const WAVE: usize = 100;
    /// More than a buffer holds, so that all of it has been in use.
    const BYTES: u64 = 150 << 10;
    const AT_MOST: u64 = 64 << 10;
    have_descriptors(2 * CONNECTIONS as u64 + 500)?;
    Scene::play(context, |scene| {
        let lb = setup(scene, CONNECTIONS + WAVE)?.start()?;
        let carry = |count: usize| {
            let clients = scene.untold(|| lb.clients(count))?;
            for client in &clients {
                let stream = scene.stream();
                client.expects(stream);
                scene.untold(|| client.send_stream(stream, 0, BYTES));
            }
            scene.all("clients to have their bytes back", &clients, |client| {
                client.received_bytes() == BYTES || client.end().is_some()
            })?;
            clients.iter().try_for_each(|client| client.is_unchanged())
        };
        // What a program allocates once is there from now on.
        carry(WAVE)?;
        let before = lb.usage().anonymous_bytes;
        for _ in 0..CONNECTIONS / WAVE {
            carry(WAVE)?;
        }
        scene.tell(format!("{CONNECTIONS} clients come, {WAVE} at a time, have 150 KiB echoed, and stay"));
        let each = lb.usage().anonymous_bytes.saturating_sub(before) / CONNECTIONS as u64;
        context.measured(format!("an idle connection takes {each} bytes of memory"));
        if each < AT_MOST {
            return Ok(());
        }
        Err(Halt::fail("less than 64 KiB of memory for an idle connection", format!("{} KiB", each >> 10)))
    })
}

pub(super) fn the_price_is_per_connection(context: &Context) -> Judged {
    const FEW: usize = 100;
    /// Caches hold less of each when there are many, and neighbours of this program come and go.
    const FACTOR: u64 = 3;
    // Those that are measured come beside them.
    let many = most_connections(context)? - 10;
    Scene::play(context, |scene| {
        let lb = setup(scene, many + 10)?.start()?;
        come(scene, &lb, FEW)?;
        let with_few = price(scene, &lb)?;
        come(scene, &lb, many - FEW)?;
        let with_many = price(scene, &lb)?;
        context.measured(format!(
            "a connection takes {} µs of CPU time beside {FEW} others, {} µs beside {many}",
            with_few / 1000,
            with_many / 1000
        ));
        if with_many < FACTOR * with_few {
            return Ok(());
        }
        let expected =
            format!("about {} µs of CPU time for a connection, as with {FEW} others", with_few / 1000);
        Err(Halt::fail(expected, format!("{} µs with {many} others", with_many / 1000)))
    })
}

/// Nanoseconds of processor time that a connection takes, from its first byte to its last: the least of several tries,
/// since a machine that does something else makes it more and never less.
#[track_caller]
fn price(scene: &Scene<'_>, lb: &Balancer<'_>) -> Judged<u64> {
    const TRIES: usize = 5;
    const CONNECTIONS: u64 = 60;
    let mut least = u64::MAX;
    for _ in 0..TRIES {
        let before = lb.usage().cpu_nanos;
        for _ in 0..CONNECTIONS {
            scene.untold(|| {
                let client = lb.client()?;
                client.send(b"hello");
                client.receives(b"hello")?;
                client.finish();
                client.receives_end()
            })?;
        }
        least = least.min((lb.usage().cpu_nanos - before) / CONNECTIONS);
    }
    scene.tell(format!(
        "{} more connect, one after the other, are answered, and end",
        TRIES as u64 * CONNECTIONS
    ));
    Ok(least)
}
