//! Stage 2: a backend for each connection, in turn.

mod property;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use harness::{
    Check, Context, Halt, Judged, Stage,
    process::{Exit, Launch},
};

use crate::{
    backend::Backend,
    balancer::Balancer,
    client::Peer,
    scene::{Behaviour, End, Scene, has_address},
};

pub(crate) const STAGE: Stage = Stage {
    number: 2,
    slug: "round-robin",
    bonus: false,
    checks: &[
        Check::new("connections_go_round", connections_go_round)
            .points(3)
            .must("of any three connections in a row, made one after the other, each of three backends has one")
            .why("A share that is equal only on average is a queue in front of one backend and idleness at another."),
        Check::new("the_order_is_that_of_the_command_line", the_order_is_that_of_the_command_line)
            .points(2)
            .must("connections go to the backends in the order of the command line, beginning anywhere")
            .why("Who looks for the one request that fails needs to know where it went."),
        Check::new("connections_that_stay_count", connections_that_stay_count)
            .points(2)
            .must("connections that live on are spread in turn as well, and all of them work at the same time")
            .why("Most connections of a service live long. What is not spread when they come is never spread."),
        Check::new("silent_connections_count", silent_connections_count)
            .points(2)
            .must("a connection that never sends a byte has its place in the rotation")
            .why("A pick is made when a connection is accepted: what it will carry is not known then."),
        Check::new("whatever_clients_do_the_cycle_goes_on", property::whatever_clients_do_the_cycle_goes_on)
            .points(3)
            .must("one pick for each connection, whatever it does and however long it lives")
            .why("A cycle that moves with reads, ends or errors moves with what clients do, and they can choose."),
        Check::new("nobody_is_left_out_in_a_rush", nobody_is_left_out_in_a_rush)
            .must("connections that come at the same time reach every backend")
            .why("Traffic comes in bursts, and a burst that meets one backend is what the others were bought against."),
        Check::new("one_backend_is_a_rotation", one_backend_is_a_rotation)
            .must("one backend alone gets all connections; so do any number of backends in turn")
            .why("The smallest cycle is the one that arithmetic forgets."),
        Check::new("a_backend_may_have_an_ipv6_address", a_backend_may_have_an_ipv6_address)
            .must("a backend given as [IP]:PORT is a backend like others, or is refused with exit status 2")
            .why("Which kind of address a machine has is nothing that its clients should notice."),
    ],
};

/// A client that asks for a name, and ends.
#[track_caller]
pub(crate) fn name(scene: &Scene<'_>, lb: &Balancer<'_>) -> Judged<char> {
    let client = scene.untold(|| lb.client())?;
    scene.untold(|| client.send(b"who is there?"));
    let name = said(scene, client)?;
    scene.tell(format!("{} connects, and backend {name} answers", client.name()));
    scene.untold(|| client.finish());
    client.is_closed_on()?;
    Ok(name)
}

/// The name that a client was told.
#[track_caller]
fn said(scene: &Scene<'_>, client: Peer<'_>) -> Judged<char> {
    let look = || client.received().first().copied().map(Ok).or_else(|| client.end().map(Err));
    match scene.until(format!("a backend answers {}", client.name()), look)? {
        Ok(name) => Ok(name.into()),
        Err(end) => {
            let got = if end == End::Fin { "an end of stream" } else { "a reset" };
            Err(Halt::fail(format!("a backend answers {}", client.name()), got))
        }
    }
}

/// Demands that each connection went to the backend after that of the one before; `backends` are in the order of the
/// command line.
#[track_caller]
pub(crate) fn expect_cycle(backends: &str, seen: &str) -> Judged {
    let cycle: Vec<char> = backends.chars().collect();
    let begin = seen.chars().next().and_then(|first| cycle.iter().position(|&name| name == first));
    let expected: String = cycle.iter().cycle().skip(begin.unwrap_or(0)).take(seen.len()).collect();
    if seen == expected {
        return Ok(());
    }
    let at = seen.chars().zip(expected.chars()).take_while(|(seen, expected)| seen == expected).count();
    let counts =
        cycle.iter().map(|&name| format!("{name} {}", seen.matches(name).count())).collect::<Vec<_>>();
    let halt = Halt::fail(
        format!("connection after connection the next of {}", spaced(backends)),
        format!("connection {} went to another one; shares: {}", at + 1, counts.join(", ")),
    );
    Err(halt.drawn(vec![
        format!("expected  {expected}"),
        format!("got       {seen}"),
        format!("          {}^", " ".repeat(at)),
    ]))
}

fn spaced(names: &str) -> String {
    names.chars().map(String::from).collect::<Vec<_>>().join(" ")
}

fn connections_go_round(context: &Context) -> Judged {
    const CONNECTIONS: usize = 30;
    Scene::play(context, |scene| {
        let lb = scene.balancer(&scene.named(3)?).start()?;
        let mut seen = String::new();
        for _ in 0..CONNECTIONS {
            seen.push(name(scene, &lb)?);
        }
        // The order is another check's matter: here any will do that is kept.
        let order: String = seen.chars().take(3).collect();
        if ["abc", "acb", "bac", "bca", "cab", "cba"].contains(&order.as_str()) {
            return expect_cycle(&order, &seen);
        }
        expect_cycle("abc", &seen)
    })
}

fn the_order_is_that_of_the_command_line(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let mut backends = scene.named(5)?;
        backends.sort_by_key(|backend| backend.address());
        // Neither up nor down, from wherever it is begun.
        let backends = [0, 2, 4, 1, 3].map(|place| backends[place]);
        let order: String = backends.iter().map(|backend| backend.name()).collect();
        let lb = scene.balancer(&backends).start()?;
        let mut seen = String::new();
        for _ in 0..11 {
            seen.push(name(scene, &lb)?);
        }
        expect_cycle(&order, &seen)
    })
}

fn connections_that_stay_count(context: &Context) -> Judged {
    const CONNECTIONS: usize = 30;
    Scene::play(context, |scene| {
        let backends = scene.named(3)?;
        backends.iter().for_each(|backend| backend.behaves(Behaviour::Echo));
        let lb = scene.balancer(&backends).start()?;
        let mut seen = String::new();
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let client = lb.client()?;
            client.send(b"hello");
            client.receives(b"hello")?;
            clients.push(client);
            seen.push(the_newest(&backends, &seen)?);
        }
        expect_cycle("abc", &seen)?;
        for client in &clients {
            client.send(b"still there?");
        }
        for client in &clients {
            client.receives(b"still there?")?;
        }
        Ok(())
    })
}

/// Who has got a connection since those that were seen.
#[track_caller]
fn the_newest(backends: &[Backend<'_>], seen: &str) -> Judged<char> {
    let has_more = |backend: &&Backend<'_>| {
        backend
            .name()
            .chars()
            .next()
            .is_some_and(|name| backend.sessions().len() > seen.matches(name).count())
    };
    let newest: Vec<_> = backends.iter().filter(has_more).collect();
    match newest[..] {
        [one] => Ok(one.name().chars().next().unwrap_or('?')),
        _ => {
            let got = format!("at {} of them", newest.len());
            Err(Halt::fail("the bytes of one connection arrive at one backend", got))
        }
    }
}

fn silent_connections_count(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backends = scene.named(3)?;
        let lb = scene.balancer(&backends).start()?;
        let mut seen = String::new();
        let mut silent = Vec::new();
        for _ in 0..6 {
            seen.push(name(scene, &lb)?);
            let count = || backends.iter().map(|backend| backend.accepted().len()).sum::<usize>();
            let before = count();
            silent.push(lb.client()?);
            scene.tell("it stays, and says nothing");
            scene.wait("a client that says nothing gets a backend", || count() > before)?;
        }
        // Every second one was seen: the cycle backwards.
        expect_cycle("acb", &seen)
    })
}

fn nobody_is_left_out_in_a_rush(context: &Context) -> Judged {
    const CONNECTIONS: usize = 60;
    Scene::play(context, |scene| {
        let backends = scene.named(3)?;
        let lb = scene.balancer(&backends).start()?;
        let clients = lb.clients(CONNECTIONS)?;
        scene.tell("each of them asks for a name");
        scene.untold(|| clients.iter().for_each(|client| client.send(b"who is there?")));
        let mut seen = String::new();
        for client in clients {
            seen.push(said(scene, client)?);
        }
        match "abc".chars().find(|&name| !seen.contains(name)) {
            None => Ok(()),
            Some(name) => {
                Err(Halt::fail("every backend has some of 60 connections", format!("{name} has none")))
            }
        }
    })
}

fn one_backend_is_a_rotation(context: &Context) -> Judged {
    for count in [1, 2, 7] {
        Scene::play(context, |scene| {
            let backends = scene.named(count)?;
            let names: String = backends.iter().map(|backend| backend.name()).collect();
            let lb = scene.balancer(&backends).start()?;
            let mut seen = String::new();
            for _ in 0..2 * count + 1 {
                seen.push(name(scene, &lb)?);
            }
            expect_cycle(&names, &seen)
        })?;
    }
    Ok(())
}

fn a_backend_may_have_an_ipv6_address(context: &Context) -> Judged {
    let six = IpAddr::V6(Ipv6Addr::LOCALHOST);
    if !has_address(six) {
        return Err(Halt::skip(
            "this machine has no ::1; `sysctl net.ipv6.conf.lo.disable_ipv6=0` brings it back",
        ));
    }
    // Who does without IPv6 says so, instead of the line that all others say.
    let folder = context.folder()?;
    let args = ["--listen", "127.0.0.1:0", "--backend", "[::1]:9001"];
    let mut process = args.iter().fold(context.launch(folder.path()), Launch::arg).start()?;
    if let Err(ending) = process.read_line_or_end("the balancer listens, or refuses [::1]:9001")?
        && ending.exit == Exit::Status(2)
        && ending.stderr.contains("[::1]:9001")
    {
        return Ok(());
    }
    drop(process);
    Scene::play(context, |scene| {
        let a = scene.backend_on(Ipv4Addr::LOCALHOST.into(), "a", Behaviour::Name)?;
        let b = scene.backend_on(six, "b", Behaviour::Name)?;
        let lb = scene.balancer(&[a, b]).start()?;
        let mut seen = String::new();
        for _ in 0..4 {
            seen.push(name(scene, &lb)?);
        }
        expect_cycle("ab", &seen)
    })
}
