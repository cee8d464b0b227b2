//! Bytes: what arrives has to be what was sent, on both sides, at any time.

use harness::{Context, Judged};

use crate::{
    backend::Backend,
    bytes::amount,
    client::Peer,
    scene::{Behaviour, Scene},
};

pub(super) fn bytes_pass_both_ways(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        let lb = scene.balancer(&[backend]).start()?;
        let client = lb.client()?;
        client.send(b"hello");
        client.receives(b"hello")?;
        let every_byte: Vec<u8> = (0..=255).collect();
        let almost_text = b"\xff\xfe\xc3( \xf0\x9f\xa6 \r\n\n\r\0\x1a\x04 \xe2\x82";
        for bytes in [&every_byte[..], almost_text, &[0; 1000], b"\r\n"] {
            client.send(bytes);
            client.receives(bytes)?;
        }
        Ok(())
    })
}

pub(super) fn either_side_may_speak_first(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let greeting = scene.stream();
        let backend = scene.backend("a", Behaviour::Speak(greeting, 20))?;
        let lb = scene.balancer(&[backend]).start()?;
        let client = lb.client()?;
        client.expects(greeting);
        scene.tell("the backend sends 20 bytes as soon as it has accepted; the client says nothing");
        client.receives_stream(20)?;
        backend.behaves(Behaviour::Hold);
        let client = lb.client()?;
        client.send(b"who is there?");
        backend.session_of(client, 0)?.receives(b"who is there?")
    })
}

pub(super) fn nothing_is_held_back(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Hold)?;
        let lb = scene.balancer(&[backend]).start()?;
        let client = lb.client()?;
        for (number, byte) in [b"a", b"b", b"\n", b"c"].into_iter().enumerate() {
            client.send(byte);
            let server = backend.session_of(client, 0)?;
            server.receives(byte)?;
            server.send(byte);
            client.receives(byte)?;
            // Twice in a row from one side, too.
            server.send(&[b'0' + number as u8]);
            client.receives(&[b'0' + number as u8])?;
        }
        Ok(())
    })
}

pub(super) fn early_bytes_are_kept(context: &Context) -> Judged {
    const LARGE: u64 = 200 << 10;
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        let lb = scene.balancer(&[backend]).start()?;
        let before = lb.client()?;
        before.send(b"hello");
        before.receives(b"hello")?;
        backend.swallows()?;
        let stream = scene.stream();
        let begin = || {
            let [few, many, ended] = [lb.client()?, lb.client()?, lb.client()?];
            few.send(b"early");
            many.expects(stream);
            many.send_stream(stream, 0, LARGE);
            ended.send(b"early, and that is all");
            ended.finish();
            for client in [few, many, ended] {
                client.has_begun_to_send()?;
            }
            Ok([few, many, ended])
        };
        // It finds them all at once, and what they have sent as well.
        scene.tell("while the balancer stands still:");
        let [few, many, ended] = lb.held(begin)?;
        // The connections to the backend wait for an answer meanwhile, and this one is served.
        before.send(b"still there?");
        before.receives(b"still there?")?;
        backend.comes_back()?;
        few.receives(b"early")?;
        many.receives_stream(LARGE)?;
        ended.receives(b"early, and that is all")?;
        ended.receives_end()
    })
}

/// From small to large, so that the first failure is the smallest.
pub(super) fn large_streams_pass_both_ways_at_once(context: &Context) -> Judged {
    const SIZES: [u64; 5] = [1, 5_000, 100 << 10, 2 << 20, 32 << 20];
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Hold)?;
        let lb = scene.balancer(&[backend]).start()?;
        for (number, size) in SIZES.into_iter().enumerate() {
            let client = lb.client()?;
            client.send(b"!");
            let server = backend.session_of(client, number)?;
            server.receives(b"!")?;
            let (up, down) = (scene.stream(), scene.stream());
            server.expects(up);
            client.expects(down);
            scene.tell(format!("both sides send {} at once, in random pieces", amount(size)));
            scene.untold(|| {
                for (side, stream) in [(client, up), (server, down)] {
                    side.in_random_pieces();
                    side.read_only(0);
                    side.send_stream(stream, 0, size);
                }
            });
            // Until all buffers on the way are full: from then on nobody takes all that he is given.
            scene.settle(|| client.sent_bytes() + server.sent_bytes())?;
            scene.tell("when nothing moves any more, both begin to read");
            scene.untold(|| [client, server].map(Peer::read_on));
            server.receives_stream(size)?;
            client.receives_stream(size)?;
            // Not one byte more: what comes now is the end.
            client.finish();
            server.receives_end()?;
        }
        Ok(())
    })
}

pub(super) fn connections_do_not_mix(context: &Context) -> Judged {
    const CLIENTS: usize = 20;
    const BYTES: u64 = 300 << 10;
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        let lb = scene.balancer(&[backend]).start()?;
        let clients = lb.clients(CLIENTS)?;
        scene.tell(format!("each of them sends {} of its own", amount(BYTES)));
        for client in &clients {
            let stream = scene.stream();
            client.expects(stream);
            scene.untold(|| {
                client.in_random_pieces();
                client.send_stream(stream, 0, BYTES);
            });
        }
        for client in &clients {
            client.receives_stream(BYTES)?;
        }
        Ok(())
    })
}

pub(super) fn one_connection_after_another(context: &Context) -> Judged {
    const CLIENTS: usize = 300;
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        let lb = scene.balancer(&[backend]).start()?;
        for number in 0..CLIENTS {
            let words = format!("number {number}");
            let client = lb.client()?;
            client.send(words.as_bytes());
            client.receives(words.as_bytes())?;
            client.close();
        }
        is_served_once(backend, CLIENTS)
    })
}

/// Every client had a connection of its own.
#[track_caller]
fn is_served_once(backend: Backend<'_>, clients: usize) -> Judged {
    let sessions = backend.sessions().len();
    if sessions == clients {
        return Ok(());
    }
    let expected = format!("a connection to the backend for each of {clients} clients");
    Err(harness::Halt::fail(expected, format!("{sessions} connections")))
}
