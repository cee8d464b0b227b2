//! Connections on which one side has more to say than the other one takes.

use harness::Judged;

use crate::{backend::Backend, balancer::Balancer, client::Peer, scene::Scene};

/// More bytes than all the buffers on the way hold.
pub(crate) const MUCH: u64 = 64 << 20;

/// A connection of which one side sends so many bytes, and the other one reads none: the sender and the reader.
///
/// # Errors
/// When it does not come about.
#[track_caller]
pub(crate) fn unread<'s>(
    scene: &Scene<'s>,
    lb: &Balancer<'s>,
    backend: Backend<'s>,
    client_sends: bool,
    bytes: u64,
) -> Judged<[Peer<'s>; 2]> {
    let sessions = backend.sessions().len();
    let client = lb.client()?;
    client.send(b"!");
    let server = backend.session_of(client, sessions)?;
    server.receives(b"!")?;
    let [from, to] = if client_sends { [client, server] } else { [server, client] };
    let stream = scene.stream();
    to.stop_reading();
    to.expects(stream);
    from.send_stream(stream, 0, bytes);
    Ok([from, to])
}
