//! Ends of streams: passed on after all that came before them, and only in their own direction.

use harness::{Context, Judged};

use crate::{
    client::Peer,
    scene::{Behaviour, Scene},
    stream::Stream,
};

/// More than one read takes.
const MUCH: u64 = 100 << 10;

/// More than the buffers of two connections hold.
const LARGE: u64 = 8 << 20;

/// How much a slow reader reads at a time.
const SIP: u64 = 64 << 10;

pub(super) fn a_client_may_end_first(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Hold)?;
        let lb = scene.balancer(&[backend]).start()?;
        let client = lb.client()?;
        client.send(b"a question");
        client.finish();
        let server = backend.session_of(client, 0)?;
        server.receives(b"a question")?;
        server.receives_end()?;
        // The answer takes its time: it is begun after the end has arrived, and comes in two parts.
        server.send(b"an answer");
        client.receives(b"an answer")?;
        let rest = scene.stream();
        client.expects(rest);
        server.send_stream(rest, 0, MUCH);
        server.finish();
        client.receives_stream(MUCH)?;
        client.receives_end()?;
        // An end before any byte.
        let greeting = scene.stream();
        backend.behaves(Behaviour::Speak(greeting, MUCH));
        let client = lb.client()?;
        client.expects(greeting);
        client.finish();
        client.receives_stream(MUCH)?;
        client.receives_end()
    })
}

pub(super) fn a_backend_may_end_first(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Hold)?;
        let lb = scene.balancer(&[backend]).start()?;
        let client = lb.client()?;
        client.send(b"listen");
        let server = backend.session_of(client, 0)?;
        server.receives(b"listen")?;
        server.send(b"I have nothing more to say");
        server.finish();
        client.receives(b"I have nothing more to say")?;
        client.receives_end()?;
        client.send(b"but I have");
        server.receives(b"but I have")?;
        let rest = scene.stream();
        server.expects(rest);
        client.send_stream(rest, 0, MUCH);
        client.finish();
        server.receives_stream(MUCH)?;
        server.receives_end()?;
        // An end before any byte.
        backend.behaves(Behaviour::HalfClose);
        let client = lb.client()?;
        scene.tell("the backend ends its side as soon as it has accepted");
        client.receives_end()?;
        client.send(b"hello?");
        client.finish();
        let server = backend.session(1)?;
        server.receives(b"hello?")?;
        server.receives_end()
    })
}

pub(super) fn an_end_comes_after_all_before_it(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Hold)?;
        let lb = scene.balancer(&[backend]).start()?;
        // A few bytes and the end in one go, several times: what is read may bring its end along.
        for number in 0..20 {
            let client = lb.client()?;
            client.send(b"all of it");
            client.finish();
            let server = backend.session_of(client, number)?;
            server.receives(b"all of it")?;
            server.receives_end()?;
            server.send(b"and all of that");
            server.finish();
            client.receives(b"and all of that")?;
            client.receives_end()?;
        }
        let client = lb.client()?;
        client.send(b"!");
        let server = backend.session_of(client, 20)?;
        server.receives(b"!")?;
        let (up, down) = (scene.stream(), scene.stream());
        sends_to_a_slow_reader(scene, client, server, up)?;
        sends_to_a_slow_reader(scene, server, client, down)
    })
}

/// One side sends much and ends; the other one reads it in sips.
#[track_caller]
fn sends_to_a_slow_reader(scene: &Scene<'_>, from: Peer<'_>, to: Peer<'_>, stream: Stream) -> Judged {
    to.expects(stream);
    to.read_only(0);
    from.send_stream(stream, 0, LARGE);
    from.finish();
    scene.tell(format!("{} reads it slowly, 64 KiB at a time", to.name()));
    for sip in 1..=LARGE / SIP {
        to.read_only(SIP);
        to.receives_stream(sip * SIP)?;
    }
    scene.untold(|| to.read_on());
    to.receives_end()
}
