//! When the next request needs a connection of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use harness::{Context, Judged, origin::Origin};

use super::{
    reuse::is_here,
    site::{self, Answer, POISON, Then, Trip},
};
use crate::{bytes::shown, client};

pub(super) fn what_says_close_is_not_reused(context: &Context) -> Judged {
    let redirects = [
        "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nmoved",
        "HTTP/1.1 302 Found\r\nconnection:CLOSE\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nmoved",
        "HTTP/1.1 302 Found\r\nConnection: x,\tClose \r\nLocation: /b\r\nContent-Length: 5\r\n\r\nmoved",
        "HTTP/1.1 302 Found\r\nConnection: close, x\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nConnection: x\r\nConnection: close\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nmoved",
        "HTTP/1.1 302 Found\r\nConnection: keep-alive\r\nConnection: close\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ];
    redirects.into_iter().try_for_each(|redirect| is_not_reused(context, redirect, Then::Keep))
}

pub(super) fn what_did_not_say_it_stays_is_not_reused(context: &Context) -> Judged {
    is_not_reused(
        context,
        "HTTP/1.0 302 Found\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nmoved",
        Then::Keep,
    )?;
    is_not_reused(
        context,
        "HTTP/1.0 302 Found\r\nConnection: x\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
        Then::Keep,
    )?;
    is_not_reused(context, "HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\nmoved", Then::Close)
}

/// After this redirect to `/b` the next request has to come over another connection. The old one would answer, wrongly.
#[track_caller]
fn is_not_reused(context: &Context, redirect: &str, then: Then) -> Judged {
    let answer = Answer::new(redirect).then(then);
    let told = format!("the server sends {}", answer.told());
    let origin = site::open(context.origin(), move |connection, request| {
        match (request.target().as_str(), connection) {
            ("/a", _) => answer.clone(),
            (_, 0) => Answer::new(POISON),
            _ => Answer::page(),
        }
    })?;
    let run = client::get(context, &origin.url("/a"))?.against([told]);
    let trip = Trip::run(run, &origin)?;
    if trip.at_first().len() > 1 {
        return Err(trip.went_wrong("a new connection for the next request", "the same one"));
    }
    trip.arrives().map(drop)
}

pub(super) fn what_is_surplus_is_no_answer(context: &Context) -> Judged {
    let ends = [
        "Content-Length: 5\r\n\r\nmoved",
        "Content-Length: 0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nmoved\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n",
    ];
    for end in ends {
        for surplus in [POISON, "HTTP/1.1 100 Continue\r\n\r\n", "\r\n", "x"] {
            let redirect = format!("HTTP/1.1 302 Found\r\nLocation: /b\r\n{end}{surplus}");
            match is_not_reused(context, &redirect, Then::Keep) {
                Ok(()) => {}
                Err(halt) => {
                    return Err(halt.likely("what came behind the response is kept, with the connection"));
                }
            }
        }
    }
    surplus_while_away(context)
}

/// Surplus that comes while the client is elsewhere. On its way back it finds that out, or takes a new connection anyway.
#[track_caller]
fn surplus_while_away(context: &Context) -> Judged {
    let (sent, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let back = Arc::new(Mutex::new(String::new()));
    let elsewhere = site::open(context.origin(), {
        let back = Arc::clone(&back);
        move |_, _| {
            // An error says that the other server has gone: the check is over.
            let _ = lock(&wait).recv();
            Answer::moved(&lock(&back))
        }
    })?;
    let away = elsewhere.url("/");
    let origin = context.origin().play(move |connection| {
        if connection.number() > 0 {
            connection.request()?;
            connection.send(Answer::page().bytes())?;
            return connection.hold();
        }
        connection.request()?;
        connection.send(Answer::moved(&away).bytes())?;
        connection.arrived()?;
        // Whoever has closed the connection does not get it.
        let surplus = connection.send(POISON);
        let _ = sent.send(());
        surplus?;
        connection.request()?;
        connection.send(POISON)
    })?;
    *lock(&back) = origin.url("/b");
    let told = format!(
        "the server redirects to another, sends {} meanwhile, and the other redirects back",
        shown(POISON.as_bytes())
    );
    let run = client::get(context, &origin.url("/a"))?.against([told]);
    Trip::run(run, &origin)?.arrives().map(drop)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn another_origin_has_its_own_connection(context: &Context) -> Judged {
    // Another port.
    let other = site::open(context.origin(), |_, _| Answer::page())?;
    let location = other.url("/b");
    let origin = site::open(context.origin(), move |_, request| match request.target().as_str() {
        "/a" => Answer::moved(&location),
        _ => Answer::new(POISON),
    })?;
    leads_away(context, &origin, &other.url("/b"))?.arrives()?;
    // Another name of the same address.
    if is_here("localhost") {
        let origin = site::open(context.origin(), |connection, request| {
            let host = request.values("host").concat().replace("127.0.0.1", "localhost");
            match (request.target().as_str(), connection) {
                ("/a", _) => Answer::moved(&format!("http://{host}/b")),
                (_, 0) => Answer::new(POISON),
                _ => Answer::page(),
            }
        })?;
        leads_away(context, &origin, &origin.url_as("localhost", "/b"))?.arrives()?;
    }
    another_scheme(context)
}

/// https at a port where http is spoken: whoever shakes hands there is refused, and whoever does not has not noticed.
#[track_caller]
fn another_scheme(context: &Context) -> Judged {
    let origin = context.origin().play(|connection| {
        if connection.number() > 0 {
            connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?;
            return connection.half_close();
        }
        let host = connection.request()?.values("host").concat();
        connection.send(format!(
            "HTTP/1.1 302 Found\r\nLocation: https://{host}/b\r\nContent-Length: 5\r\n\r\nmoved"
        ))?;
        connection.request()?;
        connection.send(POISON)
    })?;
    let https = origin.url("/b").replacen("http", "https", 1);
    leads_away(context, &origin, &https)?.fails_as(&["tls", "io", "truncated", "bad-response"])
}

/// What becomes of a request for `/a`, which leads to `to`: the next request does not come over the same connection.
#[track_caller]
fn leads_away(context: &Context, origin: &Origin, to: &str) -> Judged<Trip> {
    let told = format!("the server at port {} redirects to {to}, and keeps the connection", origin.port());
    let trip = Trip::run(client::get(context, &origin.url("/a"))?.against([told]), origin)?;
    if trip.at_first().len() > 1 {
        return Err(trip.went_wrong("a new connection for another origin", "the same one"));
    }
    Ok(trip)
}
