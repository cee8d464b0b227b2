//! What a server sends, in which pieces, and how it ends: scripts for the harness's origins, which can be told as a
//! story.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use harness::{
    Context, Judged,
    origin::{Connection, Origin, Record, Setting},
};

use crate::{bytes::shown, client, outcome::Outcome};

/// How a server leaves a connection after its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Ends its side at once.
    Close,
    /// Keeps it open, and says nothing: who waits for its end waits for ever.
    Hold,
    /// Ends it with a reset, once all was read.
    Reset,
}

/// One response to a GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    bytes: Vec<u8>,
    /// Where it is cut: each piece is sent when all before it was read.
    cuts: Vec<usize>,
    then: Then,
}

impl Reply {
    /// These bytes in one piece, after which the connection is held open.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), cuts: Vec::new(), then: Then::Hold }
    }

    /// Cuts it in pieces.
    pub(crate) fn cut_at(mut self, cuts: &[usize]) -> Self {
        self.cuts = cuts.to_vec();
        self
    }

    /// Sets how the connection ends.
    pub(crate) fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Sends it, and leaves the connection as it says.
    pub(crate) fn play(&self, connection: &mut Connection) -> io::Result<()> {
        connection.send_cut_at(&self.bytes, &self.cuts)?;
        match self.then {
            // Read on, so that what comes behind a request is seen, and no reset overtakes what was sent.
            Then::Close => {
                connection.half_close()?;
                connection.read_to_end()
            }
            Then::Hold => connection.hold(),
            Then::Reset => {
                connection.arrived()?;
                connection.reset()
            }
        }
    }

    /// What a student is told of it.
    pub(crate) fn told(&self) -> String {
        let edges: Vec<_> =
            [0].into_iter().chain(self.cuts.iter().copied()).chain([self.bytes.len()]).collect();
        let pieces: Vec<_> = edges.windows(2).map(|edge| shown(&self.bytes[edge[0]..edge[1]])).collect();
        let sent = match pieces.len() {
            count @ ..=6 => {
                format!("{}{}", pieces.join(" | "), if count > 1 { " (read piece by piece)" } else { "" })
            }
            count => format!("{} in {count} pieces", shown(&self.bytes)),
        };
        let then = match self.then {
            Then::Close => "closes the connection",
            Then::Hold => "keeps the connection open",
            Then::Reset => "resets the connection",
        };
        format!("the server sends {sent} and {then}")
    }

    /// A server that answers each connection's request with it.
    #[track_caller]
    pub(crate) fn serve(&self, context: &Context) -> Judged<Origin> {
        self.serve_from(context.origin())
    }

    /// The same of a server that is set up otherwise.
    #[track_caller]
    pub(crate) fn serve_from(&self, setting: Setting<'_>) -> Judged<Origin> {
        let reply = self.clone();
        setting.play(move |connection| {
            connection.request()?;
            reply.play(connection)
        })
    }

    /// What the subject makes of it, when it gets `/`.
    #[track_caller]
    pub(crate) fn outcome(&self, context: &Context) -> Judged<Outcome> {
        let origin = self.serve(context)?;
        client::get(context, &origin.url("/"))?.against([self.told()]).outcome()
    }
}

/// A short response that every client understands.
pub(crate) fn ok(body: &str) -> Reply {
    Reply::new(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// The same, after which the server closes: for clients that find the end of a response in no other way yet.
pub(crate) fn closing(body: &str) -> Reply {
    ok(body).then(Then::Close)
}

/// What the first connection received, if there was one.
pub(crate) fn first(origin: &Origin) -> Option<Record> {
    origin.connections().into_iter().next()
}

/// How many connections a server had, all of which are over.
pub(crate) fn settled_connections(origin: &Origin) -> usize {
    settled([origin]);
    origin.connections().len()
}

/// Waits until the scripts of these servers have seen that their client, which has exited, is gone: what they have
/// received then is all that there was.
pub(crate) fn settled<'o>(origins: impl IntoIterator<Item = &'o Origin>) {
    const ENOUGH: Duration = Duration::from_secs(10);
    let began = Instant::now();
    let is_over = |origin: &Origin| origin.connections().iter().all(|record| record.is_over);
    for origin in origins {
        while !is_over(origin) && began.elapsed() < ENOUGH {
            thread::sleep(Duration::from_micros(200));
        }
    }
}
