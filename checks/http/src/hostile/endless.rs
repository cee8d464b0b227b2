//! Servers that never come to an end, with something that is read and not passed on. How much of it a client takes,
//! and what it keeps, is looked at between two blocks: when one has been read and the next not been sent.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering},
    },
};

use harness::{Context, Halt, Judged, observe, origin::Connection};

use crate::{
    bytes::shown,
    client::{self, Run},
    outcome::Outcome,
};

const MIB: u64 = 1 << 20;

/// So much of a flood shows whether a client keeps what it takes, which is told by its memory and not by a clock.
const ENOUGH_BYTES: u64 = 3 * PEAK_BYTES;

/// What is sent at once.
const BLOCK_BYTES: usize = 256 << 10;

/// What the specification allows a GET in memory.
const PEAK_BYTES: u64 = 32 * MIB;

/// Of a client whose runtime alone takes more than this, only what it takes beyond its runtime is judged.
const LARGE_RUNTIME_BYTES: u64 = 16 * MIB;

/// Something without end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flood {
    /// What it is, in a word or two.
    pub(super) what: &'static str,
    pub(super) start: &'static str,
    pub(super) again: &'static str,
    /// What a client may take of it before it refuses. Of what has no such limit it may drop all that comes.
    pub(super) most_bytes: Option<u64>,
}

/// A client, as its server sees it.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    seen: Arc<Seen>,
    allowed_bytes: u64,
}

#[derive(Debug, Default)]
struct Seen {
    pid: AtomicI32,
    taken_bytes: AtomicU64,
    peak_bytes: AtomicU64,
    is_over: AtomicBool,
}

impl Watch {
    /// Allows what the specification does, once it is known what the client takes anyway.
    ///
    /// # Errors
    /// When the client does not get `hello`.
    #[track_caller]
    pub(super) fn new(context: &Context) -> Judged<Self> {
        let ordinary = Self { seen: Arc::default(), allowed_bytes: u64::MAX };
        let origin = context.origin().play({
            let watch = ordinary.clone();
            move |connection| {
                connection.request()?;
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")?;
                connection.arrived()?;
                watch.look();
                connection.send("lo")
            }
        })?;
        ordinary.outcome(client::get(context, &origin.url("/"))?)?.is(200, b"hello")?;
        let own_bytes = ordinary.peak_bytes();
        let allowed_bytes = if own_bytes > LARGE_RUNTIME_BYTES { own_bytes + PEAK_BYTES } else { PEAK_BYTES };
        Ok(Self { seen: Arc::default(), allowed_bytes })
    }

    /// The same for another run.
    pub(super) fn anew(&self) -> Self {
        Self { seen: Arc::default(), allowed_bytes: self.allowed_bytes }
    }

    /// Runs a client, which the scripts that hold this watch can look at.
    #[track_caller]
    pub(super) fn outcome(&self, run: Run<'_>) -> Judged<Outcome> {
        let running = run.start()?;
        self.seen.pid.store(running.pid(), Ordering::Release);
        running.outcome()
    }

    /// Looks at the client.
    pub(super) fn look(&self) {
        let pid = self.seen.pid.load(Ordering::Acquire);
        if pid != 0 {
            self.seen.peak_bytes.fetch_max(observe::usage(pid).peak_resident_bytes, Ordering::AcqRel);
        }
    }

    /// Whether it had too much memory when it was looked at.
    pub(super) fn is_too_large(&self) -> bool {
        self.peak_bytes() > self.allowed_bytes
    }

    /// Sends `again` until the client has gone, has taken too much of it, keeps too much, or has dropped enough.
    ///
    /// # Errors
    /// That the client has gone.
    pub(super) fn flood(
        &self,
        connection: &mut Connection,
        again: &str,
        most_bytes: Option<u64>,
    ) -> io::Result<()> {
        let block = again.repeat(BLOCK_BYTES.div_ceil(again.len()));
        loop {
            connection.send(&block)?;
            connection.arrived()?;
            let taken = self.seen.taken_bytes.fetch_add(block.len() as u64, Ordering::AcqRel);
            self.look();
            if self.is_too_large() || most_bytes.is_some_and(|most| taken > most) {
                self.seen.is_over.store(true, Ordering::Release);
                return connection.cut();
            }
            if taken > ENOUGH_BYTES {
                return connection.cut();
            }
        }
    }

    /// How a flood ended that was not the client's to end.
    pub(super) fn excess(&self) -> Option<String> {
        let taken = self.seen.taken_bytes.load(Ordering::Acquire) / MIB;
        let peak = self.peak_bytes() / MIB;
        let said = || format!("it took {taken} MiB of them and was still there, with {peak} MiB of memory");
        self.seen.is_over.load(Ordering::Acquire).then(said)
    }

    fn peak_bytes(&self) -> u64 {
        self.seen.peak_bytes.load(Ordering::Acquire)
    }
}

impl Flood {
    /// Has to be refused as one of these kinds.
    #[track_caller]
    fn is_refused(&self, context: &Context, watch: &Watch, kinds: &[&str], likely: &str) -> Judged {
        let (flood, watch) = (*self, watch.anew());
        let told = format!(
            "the server sends {}, and then {} again and again",
            shown(flood.start.as_bytes()),
            shown(flood.again.as_bytes())
        );
        let origin = context.origin().play({
            let watch = watch.clone();
            move |connection| {
                connection.request()?;
                connection.send(flood.start)?;
                watch.flood(connection, flood.again, flood.most_bytes)
            }
        })?;
        let outcome = watch.outcome(client::get(context, &origin.url("/"))?.against([told.clone()]));
        if let Some(excess) = watch.excess() {
            let expected = format!("{} without end are given up, and not kept", flood.what);
            let is_early = flood.most_bytes.is_some() && watch.is_too_large();
            let likely =
                if is_early { "what is kept of each takes many times the bytes that came" } else { likely };
            return Err(Halt::fail(expected, excess).did([told]).likely(likely));
        }
        outcome?.fails_as(kinds).map(drop)
    }
}

pub(super) fn a_head_without_end_is_refused(context: &Context) -> Judged {
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    const MOST: Option<u64> = Some(16 * MIB);
    let field = "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
    let floods = [
        Flood { what: "header fields", start: OK, again: field, most_bytes: MOST },
        Flood { what: "empty header fields", start: OK, again: "a:\r\n", most_bytes: MOST },
        Flood { what: "bytes of one field", start: "HTTP/1.1 200 OK\r\nX: ", again: "a", most_bytes: MOST },
        Flood {
            what: "lines of one field",
            start: "HTTP/1.1 200 OK\r\nX: a\r\n",
            again: " b\r\n",
            most_bytes: MOST,
        },
        Flood { what: "bytes of a name", start: OK, again: "a", most_bytes: MOST },
        Flood { what: "bytes of a reason", start: "HTTP/1.1 200 ", again: "a", most_bytes: MOST },
    ];
    let watch = Watch::new(context)?;
    for flood in floods {
        let likely = "the head is read until its empty line, however far away that is";
        flood.is_refused(context, &watch, &["too-large", "bad-response"], likely)?;
    }
    Ok(())
}

pub(super) fn interim_responses_without_end_are_refused(context: &Context) -> Judged {
    const MOST: Option<u64> = Some(16 * MIB);
    let again = ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"];
    let watch = Watch::new(context)?;
    for again in again {
        let flood = Flood { what: "interim responses", start: "", again, most_bytes: MOST };
        let likely = "each of them is skipped, and nobody counts";
        flood.is_refused(context, &watch, &["too-large", "bad-response"], likely)?;
    }
    Ok(())
}

pub(super) fn what_is_not_passed_on_is_not_kept(context: &Context) -> Judged {
    let floods = [
        Flood {
            what: "bytes of a chunk's extension",
            start: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=",
            again: "b",
            most_bytes: None,
        },
        Flood {
            what: "trailers",
            start: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
            again: "X-Trailer: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
            most_bytes: None,
        },
        Flood {
            what: "bytes of one trailer",
            start: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: ",
            again: "a",
            most_bytes: None,
        },
        Flood {
            what: "digits of a chunk's size",
            start: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            again: "0",
            most_bytes: None,
        },
    ];
    let watch = Watch::new(context)?;
    for flood in floods {
        // Whoever drops it as it comes may go on until the connection ends, or the time is up.
        let likely = "a line is collected until its end, however far away that is";
        let kinds = ["too-large", "bad-response", "timeout", "truncated", "io"];
        flood.is_refused(context, &watch, &kinds, likely)?;
    }
    Ok(())
}
