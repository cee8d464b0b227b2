//! One run: ties the stages together.
//!
//! ```text
//! fetch ──► exchange ──► connect ──► send, read heads ──► final head ─┬─► Response, its body still to come
//!   ▲         ▲             └ or a kept connection           │ 1xx    │
//!   │         └────────── a kept one was stale, once ────────┘        │
//!   └────────── next request ◄── a redirect ◄─────────────────────────┘
//! ```

use std::sync::Arc;

use rustls::ClientConfig;

use crate::body::Body;
use crate::connection::{Connection, Transport};
use crate::error::{Error, Kind};
use crate::framing::Framing;
use crate::hostile::{Deadline, MAX_INTERIM_RESPONSES};
use crate::https::TlsStream;
use crate::keep_alive::{self, Kept};
use crate::redirects;
use crate::request::{Method, Request};
use crate::response::{Head, HeadParser};
use crate::url::{Scheme, Url};
use crate::{Options, Response, dial, https};

/// What the exchanges of one run have in common.
#[derive(Debug)]
pub struct Client<'a> {
    options: &'a Options,
    deadline: Deadline,
    /// Built when the first https URL is met.
    tls: Option<Arc<ClientConfig>>,
    kept: Kept,
}

impl<'a> Client<'a> {
    /// A client whose time runs from now on.
    pub fn new(options: &'a Options) -> Client<'a> {
        Client { options, deadline: Deadline::after(options.max_time), tls: None, kept: Kept::default() }
    }

    /// The final response to `request`, redirects followed.
    pub fn fetch(&mut self, request: Request<'_>) -> Result<Response, Error> {
        let (mut request, mut hops) = (request, 0);
        loop {
            let (head, connection) = self.exchange(&request)?;
            let framing = Framing::of(&head)?;
            let persistent = keep_alive::is_persistent(&head, &framing) && !connection.is_sending();
            let body = Body::new(connection, framing);
            let Some(next) = redirects::next(&request, &head)? else {
                return Ok(Response { status: head.status, headers: head.headers, body });
            };
            hops = redirects::count(hops)?;
            if persistent {
                self.kept.put(&request.url, body, self.deadline);
            }
            request = next;
        }
    }

    /// Sends the request and reads up to the end of the final head.
    fn exchange(&mut self, request: &Request<'_>) -> Result<(Head, Connection), Error> {
        if let Some(mut kept) = self.kept.take(&request.url) {
            match exchange_over(&mut kept, request) {
                Ok(head) => return Ok((head, kept)),
                // The server closed it just when it was used again: nobody's fault, and likely. Not a byte of
                // an answer has come, yet it may have done what was asked: so for a GET alone (RFC 9110 §9.2.2).
                Err(error) if request.method == Method::Get && is_stale(&kept, &error) => {}
                Err(error) => return Err(error),
            }
        }
        let mut connection = self.connect(&request.url)?;
        let head = exchange_over(&mut connection, request)?;
        Ok((head, connection))
    }

    /// A new connection to the host of `url`.
    fn connect(&mut self, url: &Url) -> Result<Connection, Error> {
        let socket = dial::connect(url, self.deadline)?;
        let transport: Box<dyn Transport> = match url.scheme {
            Scheme::Http => Box::new(socket),
            Scheme::Https => {
                let config = match &self.tls {
                    Some(config) => Arc::clone(config),
                    None => Arc::clone(self.tls.insert(https::config(self.options.ca.as_deref())?)),
                };
                Box::new(TlsStream::handshake(socket, url, config, self.deadline)?)
            }
        };
        Ok(Connection::new(transport, self.deadline))
    }
}

fn is_stale(connection: &Connection, error: &Error) -> bool {
    connection.is_unanswered() && matches!(error.kind, Kind::Io | Kind::Truncated)
}

/// Sends the request, and reads heads until one is final.
fn exchange_over(connection: &mut Connection, request: &Request<'_>) -> Result<Head, Error> {
    connection.send(request.to_bytes());
    for _ in 0..=MAX_INTERIM_RESPONSES {
        let head = read_head(connection)?;
        match head.status {
            // What follows is in a protocol that nobody asked for.
            101 => return Err(Error::new(Kind::Unsupported, "101 Switching Protocols")),
            100..=199 => continue,
            // Refused: the rest of the request would be sent for nothing, or into a wall.
            400.. => connection.stop_sending(),
            _ => {}
        }
        return Ok(head);
    }
    Err(Error::new(Kind::BadResponse, format!("more than {MAX_INTERIM_RESPONSES} interim responses")))
}

fn read_head(connection: &mut Connection) -> Result<Head, Error> {
    let mut parser = HeadParser::new();
    loop {
        let piece = connection.fill()?;
        if piece.is_empty() {
            return Err(Error::new(Kind::Truncated, "the connection was closed before the end of a head"));
        }
        let (used, head) = parser.push(piece)?;
        connection.consume(used);
        if let Some(head) = head {
            return Ok(head);
        }
    }
}
