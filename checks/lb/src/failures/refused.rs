//! Backends that refuse: the next one gets the same client, with all its bytes.

use harness::{Context, Halt, Judged};

use crate::{
    balancer::Balancer,
    scene::{Behaviour, Scene},
};

/// A client that is served, from its first byte to the last.
#[track_caller]
pub(super) fn is_served(lb: &Balancer<'_>, words: &str) -> Judged {
    let client = lb.client()?;
    client.send(words.as_bytes());
    client.receives(words.as_bytes())?;
    client.finish();
    client.receives_end()
}

pub(super) fn a_refused_connection_goes_to_the_next(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = scene.echoing(3)?;
        let lb = scene.balancer(&backends).start()?;
        // All of them are up, and known to be.
        for number in 0..3 {
            is_served(&lb, &format!("before {number}"))?;
        }
        backends[1].dies();
        for number in 0..9 {
            is_served(&lb, &format!("after {number}"))?;
        }
        // The last one of the cycle, from which it has to come round.
        backends[2].dies();
        for number in 0..4 {
            is_served(&lb, &format!("at last {number}"))?;
        }
        Ok(())
    })
}

pub(super) fn no_byte_is_lost_or_doubled_on_the_way(context: &Context) -> Judged {
    const LARGE: u64 = 300 << 10;
    Scene::play(context, |scene| {
        let backends = scene.echoing(4)?;
        let last = backends[3];
        let lb = scene.balancer(&backends).start()?;
        // All of them are up, and known to be.
        for number in 0..4 {
            is_served(&lb, &format!("before {number}"))?;
        }
        let before = last.sessions().len();
        for backend in &backends[..3] {
            backend.stops_listening();
        }
        last.behaves(Behaviour::Hold);
        scene.tell("backend d holds its connections now");
        for number in 0..4 {
            let stream = scene.stream();
            let begin = || {
                let client = lb.client()?;
                client.send_stream(stream, 0, LARGE);
                client.finish();
                // Twice while the balancer looks on, and twice so that it finds a client who has begun already.
                client.has_begun_to_send().map(|()| client)
            };
            let client = if number % 2 == 0 { begin()? } else { lb.held(begin)? };
            let server = last.session_of(client, before + number)?;
            // From the first byte on: nothing of it was asked for yet.
            let has_all = || server.end().is_some() || server.received_bytes() >= LARGE;
            scene.wait(format!("backend d receives {LARGE} bytes"), has_all)?;
            server.is_closed_on()?;
            let got = server.received();
            let kept = got.len() as u64;
            if let Some(difference) = stream.difference(0, &got) {
                let expected = "backend d receives what the client has sent, once";
                let halt = Halt::fail(expected, format!("another byte at offset {}", difference.at));
                return Err(halt.drawn(difference.picture));
            }
            if server.received_bytes() != LARGE || kept == 0 {
                let got = format!("{} bytes", server.received_bytes());
                return Err(Halt::fail(format!("backend d receives {LARGE} bytes, and the end"), got));
            }
            server.send(b"thank you");
            server.finish();
            client.receives(b"thank you")?;
            client.receives_end()?;
        }
        match last.sessions().len() - before {
            4 => Ok(()),
            count => {
                Err(Halt::fail("4 connections with bytes at backend d, one a client", count.to_string()))
            }
        }
    })
}

pub(super) fn all_are_served_while_one_is_down(context: &Context) -> Judged {
    const AT_ONCE: usize = 30;
    Scene::play(context, |scene| {
        let backends = scene.echoing(3)?;
        let lb = scene.balancer(&backends).start()?;
        is_served(&lb, "hello")?;
        backends[2].dies();
        for number in 0..30 {
            scene.untold(|| is_served(&lb, &format!("client {number}")))?;
        }
        scene.tell("30 clients were served, one after another");
        let clients = lb.clients(AT_ONCE)?;
        scene.tell("each of them sends, and ends");
        scene.untold(|| {
            for client in &clients {
                client.send(client.name().as_bytes());
                client.finish();
            }
        });
        for client in clients {
            client.receives(client.name().as_bytes())?;
            client.receives_end()?;
        }
        Ok(())
    })
}

pub(super) fn with_nobody_left_a_client_is_closed(context: &Context) -> Judged {
    // Whether they were up before or never, and one or several.
    for (count, were_up) in [(3, true), (2, false), (1, false), (1, true)] {
        Scene::play(context, |scene| {
            let backends = scene.echoing(count)?;
            if !were_up {
                backends.iter().for_each(|backend| backend.stops_listening());
            }
            let lb = scene.balancer(&backends).start()?;
            if were_up {
                is_served(&lb, "hello")?;
                backends.iter().for_each(|backend| backend.dies());
            }
            for words in [&b""[..], b"anybody?", b""] {
                let client = lb.client()?;
                if !words.is_empty() {
                    client.send(words);
                }
                client.is_closed_on()?;
                client.has_nothing_more()?;
            }
            Ok(())
        })?;
    }
    Ok(())
}
