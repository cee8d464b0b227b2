//! What a run came to, and whether it had to come to that. Where clients rightly differ, a check says so: a response
//! is demanded, refused, or either.

use harness::{Halt, Judged};

use crate::bytes::{difference, shown};

/// The kinds of failure that the specification knows.
pub(crate) const KINDS: [&str; 11] = [
    "bad-url",
    "dns",
    "connect",
    "tls",
    "timeout",
    "bad-response",
    "truncated",
    "too-many-redirects",
    "unsupported",
    "too-large",
    "io",
];

/// What a run came to.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Exit status 0 or 1.
    pub(crate) result: Result<Response, Failure>,
    /// What was done, as a student would say it.
    pub(crate) told: Vec<String>,
}

/// A response, as it was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A failure, as it was told on stderr.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: String,
    pub(crate) detail: String,
    /// What was printed of a response before.
    pub(crate) response: Option<Response>,
}

impl Outcome {
    /// Has to be a response.
    ///
    /// # Errors
    /// When it is a failure.
    #[track_caller]
    pub(crate) fn response(self) -> Judged<Response> {
        match self.result {
            Ok(response) => Ok(response),
            Err(failure) => {
                Err(Halt::fail("a response, and exit status 0", failure.to_string()).did(self.told))
            }
        }
    }

    /// Has to be a response with this status and body.
    ///
    /// # Errors
    /// When it is a failure or another response.
    #[track_caller]
    pub(crate) fn is(self, status: u16, body: &[u8]) -> Judged<Response> {
        let told = self.told.clone();
        let response = self.response()?;
        if response.status != status {
            return Err(
                Halt::fail(format!("status {status}"), format!("status {}", response.status)).did(told)
            );
        }
        match response.differs_from(body) {
            None => Ok(response),
            Some(halt) => Err(halt.did(told)),
        }
    }

    /// Has to be a failure of one of these kinds. Where more than one fits, each is right.
    ///
    /// # Errors
    /// When it is a response, or a failure of another kind.
    #[track_caller]
    pub(crate) fn fails_as(self, kinds: &[&str]) -> Judged<Failure> {
        let expected = format!("exit status 1 and `error: {}: …`", kinds.join("`, or `error: "));
        match self.result {
            Ok(response) => {
                let got =
                    format!("exit status 0: status {}, body {}", response.status, shown(&response.body));
                Err(Halt::fail(expected, got).did(self.told))
            }
            Err(failure) if kinds.contains(&failure.kind.as_str()) => Ok(failure),
            Err(failure) => Err(Halt::fail(expected, failure.to_string()).did(self.told)),
        }
    }

    /// Has to be a failure of one of these kinds, which has printed no more than the beginning of this body.
    ///
    /// # Errors
    /// As for [`Outcome::fails_as`]; also when something else stands on stdout.
    #[track_caller]
    pub(crate) fn fails_within(self, kinds: &[&str], body: &[u8]) -> Judged {
        let told = self.told.clone();
        let failure = self.fails_as(kinds)?;
        match failure.response {
            Some(response) if !body.starts_with(&response.body) => {
                let expected = format!("nothing on stdout that is not of the body {}", shown(body));
                let halt = Halt::fail(expected, format!("{} on it", shown(&response.body)));
                Err(halt.did(told).drawn(difference(body, &response.body)))
            }
            _ => Ok(()),
        }
    }

    /// Has to be the response that the bytes mean, or a failure of any kind that the specification knows, with no more
    /// on stdout than the beginning of its body: never another response.
    ///
    /// # Errors
    /// When it is another response, or no kind that is known.
    #[track_caller]
    pub(crate) fn may_be(self, status: u16, body: &[u8]) -> Judged {
        match &self.result {
            Ok(_) => self.is(status, body).map(drop),
            Err(_) => self.fails_within(&KINDS, body),
        }
    }
}

impl Response {
    /// The values of the header fields of this name, given in lower case.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let named = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|field| field.1.as_str()).collect()
    }

    /// Why its body is not the one that was expected.
    #[track_caller]
    pub(crate) fn differs_from(&self, body: &[u8]) -> Option<Box<Halt>> {
        if self.body == body {
            return None;
        }
        let said = |body: &[u8]| format!("the body {}", shown(body));
        Some(Halt::fail(said(body), said(&self.body)).drawn(difference(body, &self.body)))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "exit status 1 and `error: {}: {}`", self.kind, self.detail)?;
        match &self.response {
            None => Ok(()),
            Some(response) => {
                write!(out, ", after status {} and {} bytes of body", response.status, response.body.len())
            }
        }
    }
}
