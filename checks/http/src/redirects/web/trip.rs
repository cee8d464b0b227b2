//! One run of a client through several servers: what it came to, and where it has been.

use std::fmt;

use harness::{Halt, Judged, origin::Request};

use super::{ARRIVED, POSTED};
use crate::{
    bytes::shown,
    outcome::{Failure, Outcome, Response},
};

/// One request that came.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// The numbers of the server and of its connection.
    pub(super) place: (usize, usize),
    /// Its line and fields.
    pub(crate) head: Request,
    /// Its body, if it is a POST that announces [`POSTED`].
    pub(crate) body: Vec<u8>,
}

/// What a request is known by: what it asked for, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    method: String,
    target: String,
    host: String,
    /// Of the server that it came to.
    address: String,
}

/// A run of the client.
#[derive(Debug)]
pub(crate) struct Trip {
    outcome: Outcome,
    /// What was asked, in order.
    pub(crate) visits: Vec<Visit>,
    stops: Vec<Stop>,
}

impl Visit {
    /// Whether a body has to follow: nobody waits for that of a GET.
    pub(super) fn awaits_body(&self) -> bool {
        let announced = self.head.values("content-length");
        self.method() != "GET" && announced.first().is_some_and(|value| *value == POSTED.len().to_string())
    }

    /// The first word of its line.
    pub(crate) fn method(&self) -> String {
        self.head.words().remove(0)
    }

    /// What it is known by, given the addresses of the servers.
    pub(super) fn stop(&self, addresses: &[String]) -> Stop {
        let host = self.head.values("host").join(" and ").to_ascii_lowercase();
        Stop::new(&self.method(), &self.head.target(), &host, &addresses[self.place.0])
    }
}

impl Stop {
    pub(super) fn new(method: &str, target: &str, host: &str, address: &str) -> Self {
        let [method, target, host, address] = [method, target, host, address].map(str::to_owned);
        Self { method, target, host, address }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, target, host, address } = self;
        write!(out, "{method} {target} at {address}")?;
        if host == address { Ok(()) } else { write!(out, ", with Host: {host}") }
    }
}

impl Trip {
    pub(super) fn new(outcome: Outcome, visits: Vec<Visit>, addresses: &[String]) -> Self {
        let stops = visits.iter().map(|visit| visit.stop(addresses)).collect();
        Self { outcome, visits, stops }
    }

    /// Has to have made these requests, and to have printed the page at their end.
    ///
    /// # Errors
    /// When it made others, or printed anything else.
    #[track_caller]
    pub(crate) fn arrives(self, stops: &[Stop]) -> Judged<Response> {
        self.went(stops)?;
        self.is(200, ARRIVED)
    }

    /// Has to have made these requests.
    ///
    /// # Errors
    /// When it made others.
    #[track_caller]
    pub(crate) fn went(&self, expected: &[Stop]) -> Judged {
        let length = expected.len().max(self.stops.len());
        let Some(at) = (0..length).find(|&at| expected.get(at) != self.stops.get(at)) else {
            return Ok(());
        };
        let said = |stop: Option<&Stop>| match (stop, at + 1) {
            (Some(stop), number) => format!("request {number} is {stop}"),
            (None, number) => format!("there is no request {number}"),
        };
        let got = match &self.outcome.result {
            Err(failure) if at >= self.stops.len() => format!("{}; {failure}", said(None)),
            Ok(response) if at >= self.stops.len() => format!("{}; status {}", said(None), response.status),
            _ => said(self.stops.get(at)),
        };
        let halt = Halt::fail(said(expected.get(at)), got).drawn(rows(&self.stops));
        Err(halt.did(self.told()))
    }

    /// Has to have printed this response.
    ///
    /// # Errors
    /// When it failed or printed another.
    #[track_caller]
    pub(crate) fn is(self, status: u16, body: &[u8]) -> Judged<Response> {
        let rows = rows(&self.stops);
        match self.outcome.is(status, body) {
            Ok(response) => Ok(response),
            Err(halt) => Err(halt.drawn(rows)),
        }
    }

    /// Has to have failed as one of these kinds.
    ///
    /// # Errors
    /// When it did not, or otherwise.
    #[track_caller]
    pub(crate) fn fails_as(self, kinds: &[&str]) -> Judged<Failure> {
        let rows = rows(&self.stops);
        match self.outcome.fails_as(kinds) {
            Ok(failure) => Ok(failure),
            Err(halt) => Err(halt.drawn(rows)),
        }
    }

    /// Whether it printed a response.
    pub(crate) fn is_success(&self) -> bool {
        self.outcome.result.is_ok()
    }

    /// The status of the response that it printed.
    pub(crate) fn status(&self) -> Option<u16> {
        self.outcome.result.as_ref().ok().map(|response| response.status)
    }

    /// What was done.
    pub(crate) fn told(&self) -> Vec<String> {
        self.outcome.told.clone()
    }

    /// A connection has to have received its requests, and no byte more.
    #[track_caller]
    pub(super) fn nothing_else_came(&self, place: (usize, usize), received: &[u8]) -> Judged {
        let here = || self.visits.iter().filter(|visit| visit.place == place);
        let asked: usize = here().map(|visit| visit.head.bytes().len() + visit.body.len()).sum();
        let Some(surplus) = received.get(asked..).filter(|surplus| !surplus.is_empty()) else {
            return Ok(());
        };
        let after =
            here().next_back().map_or(String::new(), |visit| format!(" behind {:?}", visit.head.line()));
        let halt = Halt::fail(format!("no byte{after}"), shown(surplus));
        Err(halt.did(self.told()).drawn(rows(&self.stops)))
    }
}

/// A drawing of where a client has been.
pub(super) fn rows(stops: &[Stop]) -> Vec<String> {
    stops.iter().enumerate().map(|(at, stop)| format!("request {}  {stop}", at + 1)).collect()
}
