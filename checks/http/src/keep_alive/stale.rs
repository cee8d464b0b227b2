//! Connections that the server ended after all, without having announced it.

use harness::{
    Context, Judged,
    origin::{
        Origin, Request, Setting,
        certificate::{Authority, Leaf},
    },
};

use super::site::{self, Answer, Then, Trip};
use crate::client;

/// How the server ends the connection over which it has redirected.
const ENDS: [Then; 2] = [Then::Close, Then::Reset];

/// So many connections end before a server is tired of it.
const MANY: usize = 8;

/// How a request fails whose connection ends.
const LOST: [&str; 3] = ["io", "truncated", "bad-response"];

/// A server that redirects `/a` to `/b`; to `/b` it says `last` over the connection that it has redirected over, and
/// `other` over any other.
#[track_caller]
fn dying(setting: Setting<'_>, last: Answer, other: Answer) -> Judged<Origin> {
    site::open(setting, move |connection, request| match (request.target().as_str(), connection) {
        ("/a", _) => Answer::moved("/b"),
        (_, 0) => last.clone(),
        _ => other.clone(),
    })
}

pub(super) fn a_get_survives_a_stale_connection(context: &Context) -> Judged {
    const WHEN_ASKED: &str =
        "the server redirects, and ends the connection when the next request comes over it";
    for then in ENDS {
        let origin = dying(context.origin(), Answer::none(then), Answer::page())?;
        let run = client::get(context, &origin.url("/a"))?.against([WHEN_ASKED.to_owned()]);
        Trip::run(run, &origin)?.arrives()?;

        let redirect = Answer::moved("/b").then(then);
        let told = format!("the server sends {}", redirect.told());
        let origin = site::open(context.origin(), move |_, request| match request.target().as_str() {
            "/a" => redirect.clone(),
            _ => Answer::page(),
        })?;
        let run = client::get(context, &origin.url("/a"))?.against([told]);
        Trip::run(run, &origin)?.arrives()?;
    }
    let mut authority = Authority::root("Groundwork")?;
    let identity = authority.issue(&Leaf::new(&["127.0.0.1"]))?;
    for then in ENDS {
        let origin = dying(context.origin().secure(&identity), Answer::none(then), Answer::page())?;
        let run = client::get(context, &origin.url("/a"))?.trusting(&authority)?;
        Trip::run(run.against([WHEN_ASKED.to_owned()]), &origin)?.arrives()?;
    }
    Ok(())
}

pub(super) fn a_get_is_repeated_once(context: &Context) -> Judged {
    for then in ENDS {
        // Whoever tries for ever gets what he wants, and is told by his requests.
        let origin = site::open(context.origin(), move |connection, request| {
            match (request.target().as_str(), connection) {
                ("/a", _) => Answer::moved("/b"),
                (_, ..MANY) => Answer::none(then),
                _ => Answer::page(),
            }
        })?;
        let told = "the server redirects, and then ends every connection when a request comes".to_owned();
        let trip = Trip::run(client::get(context, &origin.url("/a"))?.against([told]), &origin)?;
        if trip.count("GET /b") > 2 {
            let got = format!("{} requests for /b", trip.count("GET /b"));
            return Err(trip.went_wrong("two requests for /b at most", got));
        }
        trip.fails_as(&LOST)?;
    }
    // A byte of an answer shows that the server was there, and had begun.
    for (bytes, then) in
        [("H", Then::Close), ("HTTP/1.1 2", Then::Reset), ("HTTP/1.1 200 OK\r\n", Then::Close)]
    {
        let last = Answer::new(bytes).then(then);
        let told = format!("the server redirects, and sends {} to the next request", last.told());
        let origin = dying(context.origin(), last, Answer::page())?;
        let trip = Trip::run(client::get(context, &origin.url("/a"))?.against([told]), &origin)?;
        // Whoever takes a new connection for each request never gets to see these bytes.
        if trip.at_first().len() == 1 {
            trip.arrives()?;
        } else if trip.count("GET /b") > 1 {
            return Err(trip.went_wrong("no second request for /b: an answer had begun", "a second one"));
        } else {
            trip.fails_as(&LOST)?;
        }
    }
    Ok(())
}

pub(super) fn a_post_is_not_repeated(context: &Context) -> Judged {
    for status in [307, 308, 302] {
        for then in ENDS {
            let told = format!(
                "the server redirects with {status}, and ends the connection when the next request has come over it"
            );
            let origin = site::open(context.origin(), move |connection, request| {
                match (request.target().as_str(), connection) {
                    ("/a", _) => Answer::new(format!(
                        "HTTP/1.1 {status} Elsewhere\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nmoved"
                    )),
                    (_, 0) => Answer::none(then),
                    _ => Answer::page(),
                }
            })?;
            let run = client::post(context, &origin.url("/a"), b"one order")?.against([told]);
            was_sent_once(Trip::run(run, &origin)?, status)?;
        }
    }
    Ok(())
}

/// A POST may have been followed as such, as a GET, or not at all; over the old connection or a new one.
#[track_caller]
fn was_sent_once(trip: Trip, status: u16) -> Judged {
    let posts = trip.count("POST /b");
    if posts > 1 {
        let halt = trip.went_wrong("one POST to /b at most", format!("{posts} of them"));
        return Err(
            halt.likely("what holds for a GET on a connection that was closed is done with a POST too")
        );
    }
    match trip.at_first().get(1).map(Request::line) {
        Some(line) if line.starts_with("POST ") => trip.fails_as(&LOST),
        // Whether a GET is sent again is another question.
        Some(_) if !trip.is_success() => trip.fails_as(&LOST),
        None if trip.has_status(status) && status != 302 => Ok(()),
        _ => trip.arrives().map(drop),
    }
}
