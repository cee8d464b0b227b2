//! Lines of the log: what they say, and when they come.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use harness::{Context, Halt, Judged};

use crate::{
    balancer::Balancer,
    client::Peer,
    log::Line,
    scene::{Behaviour, Scene},
};

/// Demands what a client's line says; `backend` is `-` for none.
#[track_caller]
fn says(lb: &Balancer<'_>, client: Peer<'_>, backend: &str, bytes: [u64; 2], status: &str) -> Judged<Line> {
    let line = lb.logged(client)?;
    let [sent, received] = bytes;
    let of_line = line.backend.map_or("-".to_owned(), |backend| backend.to_string());
    if (of_line.as_str(), line.sent, line.received, line.status.as_str()) == (backend, sent, received, status)
    {
        return Ok(line);
    }
    let expected = format!(
        "client={} backend={backend} sent={sent} received={received} status={status}, of {}",
        client.local(),
        client.name()
    );
    Err(Halt::fail(expected, line.text))
}

/// Demands so many lines in all.
#[track_caller]
fn are_all(lb: &Balancer<'_>, clients: usize) -> Judged {
    match lb.log()?.len() {
        lines if lines == clients => Ok(()),
        lines => Err(Halt::fail(format!("{clients} lines in the log, one a client"), format!("{lines}"))),
    }
}

pub(super) fn each_connection_has_its_line(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = scene.named(2)?;
        let lb = scene.balancer(&backends).health_interval("20ms").start()?;
        for _ in 0..4 {
            let client = lb.client()?;
            client.send(b"who?");
            client.finish();
            client.is_closed_on()?;
            let backend = backends.iter().find(|backend| client.received() == backend.name().into_bytes());
            let backend = backend.ok_or_else(|| Halt::fail("the name of a backend", "something else"))?;
            says(&lb, client, &backend.address().to_string(), [4, 1], "ok")?;
        }
        scene.wait("10 checks of backend a", || backends[0].probes() >= 10)?;
        are_all(&lb, 4)
    })?;
    Scene::play(context, |scene| {
        let backends = scene.named(2)?;
        let address = backends[1].address().to_string();
        let lb = scene.balancer(&backends).start()?;
        let served = || {
            let client = lb.client()?;
            client.send(b"who?");
            client.finish();
            client.is_closed_on().map(|_| client)
        };
        // Both are up, and known to be.
        for _ in 0..2 {
            served()?;
        }
        backends[0].stops_listening();
        // Whoever served it stands in the line, also where it was not the first one that was asked.
        for _ in 0..3 {
            says(&lb, served()?, &address, [4, 1], "ok")?;
        }
        Ok(())
    })?;
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        let address = backend.address().to_string();
        let lb = scene.balancer(&[backend]).start()?;
        // How much the client says, and the backend, which says it without being asked.
        let amounts = [(0, 0), (5, 0), (0, 7), (300, 70_000), (3_000_000, 1), (65_536, 4_096)];
        for (sent, received) in amounts {
            let stream = scene.stream();
            backend.behaves(Behaviour::Speak(stream, received));
            scene.tell(format!("the backend says {received} bytes to whoever connects now"));
            let client = lb.client()?;
            client.expects(stream);
            client.send_stream(scene.stream(), 0, sent);
            client.finish();
            client.receives_stream(received)?;
            client.receives_end()?;
            says(&lb, client, &address, [sent, received], "ok")?;
        }
        are_all(&lb, amounts.len())
    })
}

pub(super) fn each_failure_has_its_line(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Hold)?;
        let address = backend.address().to_string();
        let lb = scene.balancer(&[backend]).start()?;
        // Everything has arrived and nothing is under way when it breaks, so that there is one truth.
        let pair = |number: usize| {
            let client = lb.client()?;
            client.send(b"a question");
            let server = backend.session(number)?;
            server.receives(b"a question")?;
            server.send(b"half an ans");
            client.receives(b"half an ans")?;
            Ok::<_, Box<Halt>>((client, server))
        };
        let (client, server) = pair(0)?;
        server.reset();
        client.is_closed_on()?;
        says(&lb, client, &address, [10, 11], "backend-error")?;
        let (client, server) = pair(1)?;
        client.reset();
        server.is_closed_on()?;
        says(&lb, client, &address, [10, 11], "client-error")?;
        backend.dies();
        for words in [&b""[..], b"anybody?"] {
            let client = lb.client()?;
            if !words.is_empty() {
                client.send(words);
            }
            client.is_closed_on()?;
            says(&lb, client, "-", [0, 0], "no-backend")?;
        }
        are_all(&lb, 4)
    })
}

pub(super) fn a_line_comes_when_a_connection_ends(context: &Context) -> Judged {
    const CLIENTS: usize = 6;
    /// So much later than its beginning is the end of each connection.
    const A_WHILE: Duration = Duration::from_millis(300);
    /// Clocks that are read cheaply are a little behind.
    const BEHIND_MS: u64 = 100;
    Scene::play(context, |scene| {
        let backends = scene.echoing(2)?;
        let lb = scene.balancer(&backends).start()?;
        let mut clients = (0..CLIENTS).map(|_| lb.answered()).collect::<Judged<Vec<_>>>()?;
        scene.tell(format!("{} ms pass", A_WHILE.as_millis()));
        scene.spend(A_WHILE)?;
        scene.rng().shuffle(&mut clients);
        are_all(&lb, 0)?;
        for (number, client) in clients.into_iter().enumerate() {
            let began_ms = now_ms();
            client.finish();
            client.receives_end()?;
            let line = lb.logged(client)?;
            are_all(&lb, number + 1)?;
            if lb.log()?.last() != Some(&line) {
                return Err(Halt::fail(
                    "the line of the connection that ended last is the last one",
                    line.text,
                ));
            }
            if !(began_ms - BEHIND_MS..=now_ms() + BEHIND_MS).contains(&line.time_ms) {
                let off = line.time_ms as i64 - began_ms as i64;
                let got = format!("{off} ms after that: {}", line.text);
                return Err(Halt::fail("the time at which the connection ended, in UTC", got));
            }
        }
        Ok(())
    })
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
