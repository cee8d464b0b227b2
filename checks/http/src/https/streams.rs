//! Streams through TLS: cut into records, large, in both directions.

use harness::{Context, Halt, Judged, origin::Request, origin::certificate::Leaf};

use super::identity::{World, serve};
use crate::{
    bytes::{difference, shown},
    client,
    flow::{self, Large},
    server::{self, Reply, Then},
};

pub(super) fn borders_of_records_mean_nothing(context: &Context) -> Judged {
    const SOME: usize = 5;
    let mut world = World::new(context)?;
    let identity = world.root.issue(&Leaf::new(&["localhost"]))?;
    let mut rng = context.rng();
    for response in [
        "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nT: u\r\n\r\n",
    ] {
        let length = response.len();
        let mut partitions: Vec<Vec<usize>> = vec![Vec::new(), (1..length).step_by(7).collect()];
        partitions.extend((0..SOME).map(|_| vec![rng.usize(1..length)]));
        for cuts in partitions {
            let reply = Reply::new(response).cut_at(&cuts).then(Then::Close);
            let origin = serve(context, &identity, &reply)?;
            let run = world.get(&origin.url_as("localhost", "/"))?;
            let told = ["over TLS, a record for each piece:".to_owned(), reply.told()];
            run.against(told).outcome()?.is(200, b"hello")?;
        }
        // A record for each byte, as many at a time as the network likes.
        let origin = context.origin().secure(&identity).play(move |connection| {
            connection.request()?;
            response.bytes().try_for_each(|byte| connection.send([byte]))
        })?;
        let told =
            [format!("over TLS the server sends {}, a record for each byte", shown(response.as_bytes()))];
        world.get(&origin.url_as("localhost", "/"))?.against(told).outcome()?.is(200, b"hello")?;
    }
    // Several records in one write: who has read one of them does not hear from the socket of the others.
    for body_bytes in [16_384, 50_000, 200_000] {
        let body: String = std::iter::repeat_with(|| rng.alphanumeric()).take(body_bytes).collect();
        // Nothing follows that would wake it, not even the end.
        let reply = server::ok(&body);
        let origin = serve(context, &identity, &reply)?;
        let told = [reply.told(), "all records come at once".to_owned()];
        let outcome = world.get(&origin.url_as("localhost", "/"))?.against(told).outcome();
        match outcome {
            Ok(outcome) => outcome.is(200, body.as_bytes()).map(drop)?,
            Err(halt) => {
                return Err(halt.likely("the socket is waited for, while records of it wait in the session"));
            }
        }
    }
    Ok(())
}

pub(super) fn a_large_post_goes_through_tls(context: &Context) -> Judged {
    const BODY_BYTES: usize = 1 << 20;
    let mut world = World::new(context)?;
    let identity = world.root.issue(&Leaf::new(&["localhost"]))?;
    let mut body = vec![0; BODY_BYTES];
    context.rng().fill(&mut body);
    let origin = serve(context, &identity, &server::closing("hello"))?;
    let url = origin.url_as("localhost", "/");
    let outcome = client::post(context, &url, &body)?.trusting(&world.root)?.outcome()?;
    let told = outcome.told.clone();
    outcome.is(200, b"hello")?;
    let received = server::first(&origin).map(|record| record.received).unwrap_or_default();
    let request = Request::all(&received).into_iter().next();
    let sent = request.as_ref().map_or(&b""[..], Request::body);
    if sent == body {
        return Ok(());
    }
    let halt = Halt::fail(format!("the body {}", shown(&body)), shown(sent));
    Err(halt.did(told).drawn(difference(&body, sent)))
}

pub(super) fn a_body_streams_through_tls(context: &Context) -> Judged {
    const BODY_BYTES: usize = 64 << 20;
    let mut world = World::new(context)?;
    let identity = world.root.issue(&Leaf::new(&["127.0.0.1"]))?;
    let secure = Some((&identity, &world.root));
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    flow::is_shown_as_it_comes_over(
        context,
        secure,
        head,
        &[(b"hel", b"hel"), (b"lo", b"lo"), (b" tls!", b" tls!")],
    )?;
    let of = |body_bytes: usize| Large {
        before: format!("HTTP/1.1 200 OK\r\nContent-Length: {body_bytes}\r\n\r\n"),
        body_bytes,
        after: "",
    };
    flow::takes_little_memory_over(context, secure, of(1000), of(BODY_BYTES))
}
