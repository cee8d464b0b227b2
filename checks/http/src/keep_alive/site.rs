//! A server that keeps its connections, and what was asked of it over each of them.

use std::io;

use harness::{
    Halt, Judged,
    origin::{Connection, Origin, Request, Setting},
};

use crate::{
    bytes::shown,
    client::Run,
    outcome::{Outcome, Response},
};

/// The body of every page at which a redirect ends.
pub(super) const PAGE: &[u8] = b"the page";

/// What no client may ever print.
pub(super) const POISON: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";

/// What a server does with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    bytes: Vec<u8>,
    /// Where it is cut: each piece is sent when all before it was read.
    cuts: Vec<usize>,
    then: Then,
}

/// And with the connection after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Waits for the next request.
    Keep,
    /// Ends its side, and reads on.
    Close,
    /// Ends it with a reset, once all was read.
    Reset,
}

impl Answer {
    /// These bytes, after which the connection is kept.
    pub(super) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), cuts: Vec::new(), then: Then::Keep }
    }

    /// [`PAGE`].
    pub(super) fn page() -> Self {
        Self::new(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}",
            PAGE.len(),
            String::from_utf8_lossy(PAGE)
        ))
    }

    /// A redirect; `rest` is what follows the line of its `Location`.
    pub(super) fn redirect(to: &str, rest: &str) -> Self {
        Self::new(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\n{rest}"))
    }

    /// A redirect with a short body.
    pub(super) fn moved(to: &str) -> Self {
        Self::redirect(to, "Content-Length: 5\r\n\r\nmoved")
    }

    /// No bytes at all.
    pub(super) fn none(then: Then) -> Self {
        Self::new("").then(then)
    }

    pub(super) fn cut_at(mut self, cuts: &[usize]) -> Self {
        self.cuts = cuts.to_vec();
        self
    }

    pub(super) fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What a student is told of it.
    pub(super) fn told(&self) -> String {
        let then = match self.then {
            Then::Keep => "",
            Then::Close => ", and ends the connection",
            Then::Reset => ", and resets the connection",
        };
        format!("{}{then}", shown(&self.bytes))
    }

    /// Sends it. Says whether there may be another request.
    fn play(&self, connection: &mut Connection) -> io::Result<bool> {
        connection.send_cut_at(&self.bytes, &self.cuts)?;
        match self.then {
            Then::Keep => return Ok(true),
            Then::Close => {
                connection.half_close()?;
                connection.read_to_end()?;
            }
            Then::Reset => {
                connection.arrived()?;
                connection.reset()?;
            }
        }
        Ok(false)
    }
}

/// A server that answers each request of each connection as `answer` says, which is told the connection's number.
#[track_caller]
pub(super) fn open(
    setting: Setting<'_>,
    answer: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static,
) -> Judged<Origin> {
    setting.play(move |connection| {
        loop {
            let request = connection.request()?;
            if !answer(connection.number(), &request).play(connection)? {
                return Ok(());
            }
        }
    })
}

/// What a run came to, and what its server was asked.
#[derive(Debug)]
pub(super) struct Trip {
    outcome: Outcome,
    /// The requests of each connection.
    asked: Vec<Vec<Request>>,
}

impl Trip {
    /// Runs a client, of which `origin` is the server.
    #[track_caller]
    pub(super) fn run(run: Run<'_>, origin: &Origin) -> Judged<Self> {
        let outcome = run.outcome()?;
        let asked = origin.connections().iter().map(|record| Request::all(&record.received)).collect();
        Ok(Self { outcome, asked })
    }

    /// Has to have printed the page.
    #[track_caller]
    pub(super) fn arrives(self) -> Judged<Response> {
        let rows = self.rows();
        match self.outcome.is(200, PAGE) {
            Ok(response) => Ok(response),
            Err(halt) => Err(halt.drawn(rows)),
        }
    }

    /// Has to have failed as one of these kinds.
    #[track_caller]
    pub(super) fn fails_as(self, kinds: &[&str]) -> Judged {
        let rows = self.rows();
        match self.outcome.fails_as(kinds) {
            Ok(_) => Ok(()),
            Err(halt) => Err(halt.drawn(rows)),
        }
    }

    /// Whether it has printed a response, whichever.
    pub(super) fn is_success(&self) -> bool {
        self.outcome.result.is_ok()
    }

    /// Whether it has printed a response with this status.
    pub(super) fn has_status(&self, status: u16) -> bool {
        self.outcome.result.as_ref().is_ok_and(|response| response.status == status)
    }

    /// What was asked over each connection.
    pub(super) fn asked(&self) -> &[Vec<Request>] {
        &self.asked
    }

    /// What was asked over the first connection, if there was one.
    pub(super) fn at_first(&self) -> &[Request] {
        self.asked.first().map_or(&[], Vec::as_slice)
    }

    /// The number of requests with this line, but for its version, over all connections.
    pub(super) fn count(&self, line: &str) -> usize {
        let line = format!("{line} HTTP/1.1");
        self.asked.iter().flatten().filter(|request| request.line() == line).count()
    }

    /// That it went another way than `expected`.
    #[track_caller]
    pub(super) fn went_wrong(&self, expected: impl Into<String>, got: impl Into<String>) -> Box<Halt> {
        Halt::fail(expected, got).did(self.outcome.told.clone()).drawn(self.rows())
    }

    fn rows(&self) -> Vec<String> {
        let lines = |requests: &Vec<Request>| {
            let lines: Vec<_> =
                requests.iter().map(|request| request.line().replace(" HTTP/1.1", "")).collect();
            lines.join(", ")
        };
        let row = |(number, requests)| format!("connection {}: {}", number + 1, lines(requests));
        self.asked.iter().enumerate().map(row).collect()
    }
}
