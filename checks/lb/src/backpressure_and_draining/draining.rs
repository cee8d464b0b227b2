//! SIGTERM: nobody new, and everybody else to the end.

use std::time::Duration;

use harness::{
    Context, Halt, Judged,
    process::{Ending, Exit},
};

use crate::{
    backend::Backend,
    balancer::Balancer,
    client::Peer,
    scene::{Behaviour, Scene},
};

/// Waits until connections are refused.
#[track_caller]
fn is_closed(scene: &Scene<'_>, lb: &Balancer<'_>) -> Judged {
    const TRIES: usize = 500;
    for _ in 0..TRIES {
        let client = scene.untold(|| scene.connect(lb.address()))?;
        if !client.is_connected()? {
            scene.tell("who connects now is refused");
            return Ok(());
        }
        scene.untold(|| client.close());
        scene.spend(Duration::from_millis(10))?;
    }
    Err(Halt::fail("after SIGTERM, who connects is refused", "connections are still accepted"))
}

/// Demands that it has exited with 0, and said nothing on stdout but where it listens.
#[track_caller]
fn is_in_order(ending: &Ending) -> Judged {
    if ending.exit != Exit::Status(0) {
        return Err(Halt::fail("exit status 0", ending.exit.to_string()));
    }
    match ending.unread.first() {
        None => Ok(()),
        Some(line) => Err(Halt::fail("with --log, nothing on stdout after the first line", line.clone())),
    }
}

pub(super) fn sigterm_lets_connections_finish(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = ["a", "b"].map(|name| scene.backend(name, Behaviour::Echo));
        let [a, b] = backends;
        let lb = scene.balancer(&[a?, b?]).start()?;
        let mut clients = Vec::new();
        for _ in 0..4 {
            let client = lb.client()?;
            client.send(b"hello");
            client.receives(b"hello")?;
            clients.push(client);
        }
        lb.terminate()?;
        is_closed(scene, &lb)?;
        for (number, client) in clients.iter().enumerate() {
            for other in &clients[number..] {
                other.send(b"still there?");
                other.receives(b"still there?")?;
            }
            if number == 2 {
                lb.terminate()?;
            }
            let (large, bytes) = (scene.stream(), 2 << 20);
            client.expects(large);
            client.send_stream(large, 0, bytes);
            client.finish();
            client.receives_stream(bytes)?;
            client.receives_end()?;
        }
        is_in_order(&lb.ends("the program to end after the last connection")?)?;
        let lines = lb.log()?;
        match clients.iter().find(|client| lines.iter().all(|line| line.client != client.local())) {
            None => Ok(()),
            Some(client) => Err(Halt::fail(format!("a line in the log for {}", client.name()), "none")),
        }
    })
}

pub(super) fn who_waits_for_a_backend_is_served_too(context: &Context) -> Judged {
    // By the backend that they wait for, or, when its time is up, by the next one.
    who_waits_is_served(context, "1m", |_, backend| backend.comes_back())?;
    who_waits_is_served(context, "1s", |scene, _| {
        scene.tell("the connect timeout, a second, passes");
        Ok(())
    })
}

#[track_caller]
fn who_waits_is_served(
    context: &Context,
    connect_timeout: &str,
    meanwhile: impl FnOnce(&Scene<'_>, Backend<'_>) -> Judged,
) -> Judged {
    Scene::play(context, |scene| {
        let (a, b) = (scene.backend("a", Behaviour::Echo)?, scene.backend("b", Behaviour::Echo)?);
        let lb = scene.balancer(&[a, b]).connect_timeout(connect_timeout).start()?;
        b.swallows()?;
        let mut clients = Vec::new();
        for _ in 0..4 {
            let client = lb.client()?;
            client.send(b"hello");
            clients.push(client);
        }
        // Every other one. Those who connected before the last of them have been accepted as well.
        let is_served = |client: &&Peer<'_>| client.received_bytes() > 0;
        scene.wait("two of four clients are served, by backend a", || {
            clients.iter().filter(is_served).count() >= 2
        })?;
        let last = clients.iter().rposition(|client| client.received_bytes() > 0).unwrap_or(0);
        scene.tell(format!(
            "{} is served; who connected before and is not waits for backend b",
            clients[last].name()
        ));
        for late in clients.drain(last + 1..) {
            late.close();
        }
        lb.terminate()?;
        is_closed(scene, &lb)?;
        meanwhile(scene, b)?;
        for client in clients {
            client.receives(b"hello")?;
            client.finish();
            client.receives_end()?;
        }
        is_in_order(&lb.ends("the program to end after the last connection")?)
    })
}

pub(super) fn with_nothing_running_sigterm_ends_it(context: &Context) -> Judged {
    const AWAITED: &str = "the program to end after SIGTERM";
    Scene::play(context, |scene| {
        let lb = scene.balancer(&[scene.backend("a", Behaviour::Echo)?]).start()?;
        lb.terminate()?;
        is_in_order(&lb.ends(AWAITED)?)
    })?;
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        let lb = scene.balancer(&[backend]).health_interval("30ms").start()?;
        for _ in 0..3 {
            let client = lb.client()?;
            client.send(b"hello");
            client.receives(b"hello")?;
            client.finish();
            client.receives_end()?;
        }
        backend.swallows()?;
        scene.tell("several intervals pass: a check is under way, for a minute");
        scene.spend(Duration::from_millis(150))?;
        lb.terminate()?;
        is_in_order(&lb.ends(AWAITED)?)
    })
}
