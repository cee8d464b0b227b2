//! Several servers that lead from one to another, and all that was asked of them, in order.
//!
//! The n-th request gets the n-th answer, whichever server it comes to. So a client that takes a wrong turn is answered
//! like any other, and can be shown where it went.

mod answer;
mod trip;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use harness::{
    Halt, Judged,
    origin::{Connection, Origin, Request, Setting},
};

use crate::{client::Run, server};
pub(crate) use answer::Answer;
use trip::rows;
pub(crate) use trip::{Stop, Trip, Visit};

/// The body of every POST. It ends as a head does, so that a script can read the head first, look at its method, and
/// read the body by the same means, if there has to be one: who sends a mixture is answered, not waited for.
pub(crate) const POSTED: &[u8] = b"a=1&b=2\r\n\r\n";

/// The body of the last response, unless a check says otherwise.
pub(crate) const ARRIVED: &[u8] = b"arrived";

/// Servers, and what they were asked in the last run.
#[derive(Debug)]
pub(crate) struct Web {
    servers: Vec<Origin>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    answers: Mutex<Vec<Answer>>,
    visits: Mutex<Vec<Visit>>,
}

impl Web {
    /// Starts servers, each as its setting says.
    #[track_caller]
    pub(crate) fn open(settings: Vec<Setting<'_>>) -> Judged<Self> {
        let mut web = Self { servers: Vec::new(), shared: Arc::default() };
        for setting in settings {
            web.join(setting)?;
        }
        Ok(web)
    }

    /// Starts one more.
    #[track_caller]
    pub(crate) fn join(&mut self, setting: Setting<'_>) -> Judged {
        let (number, shared) = (self.servers.len(), Arc::clone(&self.shared));
        self.servers.push(setting.play(move |connection| shared.serve(number, connection))?);
        Ok(())
    }

    /// One of the servers.
    pub(crate) fn server(&self, number: usize) -> &Origin {
        &self.servers[number]
    }

    /// What a server is called in URLs and in `Host`: its address and port.
    pub(crate) fn host(&self, number: usize) -> String {
        let url = self.servers[number].url("");
        url.split_once("://").map_or(url.clone(), |(_, host)| host.to_owned())
    }

    /// The request for `target` that server `number` has to get, under its address.
    pub(crate) fn stop(&self, method: &str, number: usize, target: &str) -> Stop {
        self.stop_as(method, number, &self.host(number), target)
    }

    /// The same, under the name that a URL has for it.
    pub(crate) fn stop_as(&self, method: &str, number: usize, host: &str, target: &str) -> Stop {
        Stop::new(method, target, host, &self.host(number))
    }

    /// Runs the client, with these answers to its requests, and after them a page that says [`ARRIVED`].
    ///
    /// # Errors
    /// What [`Run::outcome`] says; a failure when more than requests came.
    #[track_caller]
    pub(crate) fn run(&self, run: Run<'_>, answers: &[Answer]) -> Judged<Trip> {
        *self.shared.answers() = answers.to_vec();
        self.shared.visits().clear();
        let before: Vec<_> = self.servers.iter().map(|server| server.connections().len()).collect();
        let numbered = answers.iter().enumerate();
        let told = numbered.map(|(n, answer)| format!("request {} is answered {}", n + 1, answer.told()));
        let outcome = match run.against(told).outcome() {
            Ok(outcome) => outcome,
            Err(halt) => return Err(self.explained(halt)),
        };
        server::settled(&self.servers);
        let visits = self.shared.visits().clone();
        let trip = Trip::new(outcome, visits, &self.hosts());
        for (number, server) in self.servers.iter().enumerate() {
            for (connection, record) in server.connections().iter().enumerate().skip(before[number]) {
                trip.nothing_else_came((number, connection), &record.received)?;
            }
        }
        Ok(trip)
    }

    fn hosts(&self) -> Vec<String> {
        (0..self.servers.len()).map(|number| self.host(number)).collect()
    }

    /// Adds to a hang or crash how far the client had come, and a request's body that did not come.
    fn explained(&self, halt: Box<Halt>) -> Box<Halt> {
        let visits = self.shared.visits();
        let stops: Vec<_> = visits.iter().map(|visit| visit.stop(&self.hosts())).collect();
        let halt = halt.drawn(rows(&stops));
        match visits.last() {
            Some(visit) if visit.awaits_body() && visit.body.is_empty() => {
                halt.likely("the last request announces a body that was not sent")
            }
            _ => halt,
        }
    }
}

impl Shared {
    fn answers(&self) -> MutexGuard<'_, Vec<Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn visits(&self) -> MutexGuard<'_, Vec<Visit>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the requests of one connection until it ends.
    fn serve(&self, server: usize, connection: &mut Connection) -> io::Result<()> {
        loop {
            let head = connection.head()?;
            // Who asks for the end gets it (RFC 9112 section 9.6): where a response ends is another stage's question.
            let is_last = head.values("connection").iter().any(|value| value.eq_ignore_ascii_case("close"));
            let number = self.arrival((server, connection.number()), head);
            if self.visits()[number].awaits_body() {
                let body = connection.head()?.bytes().to_vec();
                self.visits()[number].body = body;
            }
            let last = || Answer::page(200, ARRIVED);
            let answer = self.answers().get(number).cloned().unwrap_or_else(last);
            if answer.play(connection)?.is_break() || is_last {
                return Ok(());
            }
        }
    }

    /// Notes a request, and gives its number among all.
    fn arrival(&self, place: (usize, usize), head: Request) -> usize {
        let mut visits = self.visits();
        visits.push(Visit { place, head, body: Vec::new() });
        visits.len() - 1
    }
}
