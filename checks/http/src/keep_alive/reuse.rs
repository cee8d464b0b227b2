//! When a connection serves the next request, and when it may not.

use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs};

use harness::{
    Context, Judged,
    origin::{
        Request,
        certificate::{Authority, Leaf},
    },
};

use super::site::{self, Answer, POISON, Trip};
use crate::{bytes::shown, client};

/// How many redirects are followed.
const HOPS: usize = 5;

/// What may follow the line of a `Location` if the connection is to be kept.
fn framings() -> Vec<String> {
    let long = format!("Content-Length: 16384\r\n\r\n{}", "moved on".repeat(2048));
    let framings = [
        "Content-Length: 5\r\n\r\nmoved",
        "Content-Length: 0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nmoved\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n2;a=\"b\"\r\nmo\r\n3\r\nved\r\n0\r\nX: y\r\nZ: \r\n\r\n",
        "Connection: Keep-Alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 5\r\n\r\nmoved",
    ];
    framings.into_iter().map(str::to_owned).chain([long]).collect()
}

/// The number of the hop that a request is for: `/3` is the third.
fn hop(request: &Request) -> usize {
    request.target().trim_start_matches('/').parse().unwrap_or(0)
}

/// A run that has to have gone all hops over one connection.
#[track_caller]
fn over_one_connection(trip: Trip) -> Judged {
    if trip.asked().len() == 1 && trip.at_first().len() == HOPS + 1 {
        return trip.arrives().map(drop);
    }
    let expected = format!("one connection with {} requests", HOPS + 1);
    let got = match trip.asked().len() {
        1 => format!("{} requests", trip.at_first().len()),
        connections => format!("{connections} connections"),
    };
    let halt = trip.went_wrong(expected, got);
    trip.arrives()?;
    Err(halt)
}

pub(super) fn redirects_go_over_one_connection(context: &Context) -> Judged {
    for framing in framings() {
        let told = format!(
            "the server redirects five times to itself, each time with {} behind the Location",
            shown(framing.as_bytes())
        );
        let origin = site::open(context.origin(), move |_, request| match hop(request) {
            HOPS => Answer::page(),
            hop => Answer::redirect(&format!("/{}", hop + 1), &framing),
        })?;
        let run = client::get(context, &origin.url("/0"))?.against([told]);
        over_one_connection(Trip::run(run, &origin)?)?;
    }
    Ok(())
}

pub(super) fn one_origin_has_many_spellings(context: &Context) -> Judged {
    for (host, spelled) in [("127.0.0.1", "HTTP://127.0.0.1"), ("localhost", "http://LocalHost")] {
        if !is_here(host) {
            context
                .measured(format!("{host} is not 127.0.0.1 on this machine: its spellings were not tried"));
            continue;
        }
        let told = format!("the server redirects five times to itself, as {spelled}");
        let origin = site::open(context.origin(), move |_, request| match hop(request) {
            HOPS => Answer::page(),
            hop => {
                let itself = request.values("host").first().cloned().unwrap_or_default();
                let port = itself.rsplit(':').next().unwrap_or_default().to_owned();
                Answer::moved(&format!("{spelled}:{port}/{}", hop + 1))
            }
        })?;
        let run = client::get(context, &origin.url_as(host, "/0"))?.against([told]);
        over_one_connection(Trip::run(run, &origin)?)?;
    }
    Ok(())
}

pub(super) fn is_here(host: &str) -> bool {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    (host, 0).to_socket_addrs().is_ok_and(|mut found| found.any(|address| address.ip() == here))
}

pub(super) fn connections_over_tls_are_kept_too(context: &Context) -> Judged {
    let mut authority = Authority::root("Groundwork")?;
    let identity = authority.issue(&Leaf::new(&["127.0.0.1"]))?;
    let origin = site::open(context.origin().secure(&identity), |_, request| match hop(request) {
        HOPS => Answer::page(),
        hop => Answer::moved(&format!("/{}", hop + 1)),
    })?;
    let told = "the server redirects five times to itself".to_owned();
    let run = client::get(context, &origin.url("/0"))?.trusting(&authority)?.against([told]);
    over_one_connection(Trip::run(run, &origin)?)
}

pub(super) fn keeping_is_asked_for(context: &Context) -> Judged {
    let origin = site::open(context.origin(), |_, request| match request.target().as_str() {
        "/a" => Answer::moved("/b"),
        _ => Answer::page(),
    })?;
    let trip = Trip::run(client::get(context, &origin.url("/a"))?, &origin)?;
    let values = trip.at_first().first().map(|request| request.values("connection")).unwrap_or_default();
    if !matches!(&values[..], [value] if value.eq_ignore_ascii_case("keep-alive")) {
        let got = if values.is_empty() { "no such field".to_owned() } else { values.join(" and ") };
        return Err(trip.went_wrong("one field Connection: keep-alive", got));
    }
    trip.arrives().map(drop)
}

pub(super) fn a_redirects_body_is_read_to_its_end(context: &Context) -> Judged {
    let body = POISON;
    let (first, second) = body.split_at(20);
    let framings = [
        format!("Content-Length: {}\r\n\r\n{body}", body.len()),
        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        format!(
            "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:X}\r\n{second}\r\n0\r\nX: y\r\nZ: \r\n\r\n",
            first.len(),
            second.len()
        ),
        // The length does not count beside the coding.
        format!(
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        ),
    ];
    for framing in framings {
        let redirect = Answer::redirect("/b", &framing);
        let length = redirect.bytes().len();
        let head = "HTTP/1.1 302 Found\r\nLocation: /b\r\n".len() + framing.find("\r\n\r\n").unwrap_or(0) + 4;
        // In one piece; cut behind the head; in the body; and so often that the end comes by itself.
        for cuts in [vec![], vec![head], vec![head + 10], (head..length).step_by(16).collect()] {
            let told = format!(
                "the server redirects with {}{}, and keeps the connection",
                redirect.told(),
                if cuts.is_empty() { String::new() } else { format!(", cut at {cuts:?}") }
            );
            let answer = redirect.clone().cut_at(&cuts);
            let origin = site::open(context.origin(), move |_, request| match request.target().as_str() {
                "/a" => answer.clone(),
                _ => Answer::page(),
            })?;
            let run = client::get(context, &origin.url("/a"))?.against([told]);
            match Trip::run(run, &origin)?.arrives() {
                Ok(_) => {}
                Err(halt) => {
                    return Err(
                        halt.likely("what is left of the redirect's body is taken for the next response")
                    );
                }
            }
        }
    }
    Ok(())
}
