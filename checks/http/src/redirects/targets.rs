//! Targets on other servers, targets that are refused, and what of a target may not be sent.

use std::net::{IpAddr, Ipv6Addr};

use harness::{Context, Halt, Judged, origin::has_address};

use super::{
    web::{Answer, Visit, Web},
    web_of,
};
use crate::{bytes::shown, client, request::addresses};

const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

pub(super) fn another_server_is_asked_by_its_own_name(context: &Context) -> Judged {
    let web = web_of(context, 2)?;
    let port = web.server(1).port();
    let host = web.host(1);
    let url = web.server(0).url("/a/b?c");
    for (location, target) in [
        (format!("http://{host}/x/y?z"), "/x/y?z"),
        (format!("HTTP://{host}/x"), "/x"),
        (format!("//{host}/x"), "/x"),
        (format!("//{host}"), "/"),
        (format!("//{host}?q"), "/?q"),
        (format!("http://{host}"), "/"),
        (format!("http://{host}?q"), "/?q"),
    ] {
        let trip = web.run(client::get(context, &url)?, &[Answer::redirect(302, &location)])?;
        trip.arrives(&[web.stop("GET", 0, "/a/b?c"), web.stop("GET", 1, target)])?;
    }
    for (location, host) in [
        (format!("http://localhost:{port}/x"), format!("localhost:{port}")),
        (format!("//localhost:{port}/x"), format!("localhost:{port}")),
    ] {
        let answers = [Answer::redirect(302, &location), Answer::redirect(302, "y")];
        let trip = web.run(client::get(context, &url)?, &answers)?;
        let stop = |target| web.stop_as("GET", 1, &host, target);
        trip.arrives(&[web.stop("GET", 0, "/a/b?c"), stop("/x"), stop("/y")])?;
    }
    another_address(context)?;
    the_default_port(context, &web)
}

/// From one address to another one, with the same port, and of the other family.
#[track_caller]
fn another_address(context: &Context) -> Judged {
    let mut web = web_of(context, 1)?;
    let port = web.server(0).port();
    let (listener, _) = addresses::with_port(context, port)?;
    web.join(context.origin().listening(listener))?;
    let url = web.server(0).url("/a");
    let trip = web.run(client::get(context, &url)?, &[Answer::redirect(302, &web.server(1).url("/b"))])?;
    trip.arrives(&[web.stop("GET", 0, "/a"), web.stop("GET", 1, "/b")])?;
    if !has_address(V6) {
        context.measured("no IPv6 on this machine: no redirect to http://[::1]/ was tried");
        return Ok(());
    }
    let web = Web::open(vec![context.origin(), context.origin().on(V6)])?;
    for location in [web.server(1).url("/b"), format!("//{}/b", web.host(1))] {
        let trip =
            web.run(client::get(context, &web.server(0).url("/a"))?, &[Answer::redirect(301, &location)])?;
        trip.arrives(&[web.stop("GET", 0, "/a"), web.stop("GET", 1, "/b")])?;
    }
    Ok(())
}

/// A URL without a port means the default one, and not that of the page before.
#[track_caller]
fn the_default_port(context: &Context, web: &Web) -> Judged {
    for location in ["http://127.0.0.1/x", "//127.0.0.1/x"] {
        let url = web.server(0).url("/a");
        let run = client::get(context, &url)?.max_time("20");
        // Whether anybody listens on port 80 of this machine is not ours to say, and neither is what they answer.
        web.run(run, &[Answer::redirect(302, location)])?.went(&[web.stop("GET", 0, "/a")])?;
    }
    Ok(())
}

pub(super) fn what_stays_at_home_stays_there(context: &Context) -> Judged {
    let web = web_of(context, 2)?;
    let url = web.server(0).url("/a#here");
    let host = web.host(1);
    for (location, server, target) in [
        ("/b#part".to_owned(), 0, "/b"),
        ("/b?c#d?e".to_owned(), 0, "/b?c"),
        ("b#/c/../d".to_owned(), 0, "/b"),
        (format!("http://{host}/b#part"), 1, "/b"),
        (format!("http://{host}#part"), 1, "/"),
        (format!("//{host}/b?c#"), 1, "/b?c"),
    ] {
        let trip = web.run(client::get(context, &url)?, &[Answer::redirect(302, &location)])?;
        trip.arrives(&[web.stop("GET", 0, "/a"), web.stop("GET", server, target)])?;
    }
    // Whoever leaves the user out of the request is as right as who refuses it.
    let location = format!("http://user:secret@{host}/b");
    let trip = web.run(client::get(context, &url)?, &[Answer::redirect(302, &location)])?;
    if !trip.is_success() {
        return trip.fails_as(&["bad-url"]).map(drop);
    }
    for visit in &trip.visits {
        let sent = String::from_utf8_lossy(visit.head.bytes()).into_owned();
        // "dXNlcjpzZWNyZXQ=" is what Basic authentication makes of it.
        if sent.contains("secret") || sent.contains("dXNlcjpzZWNyZXQ") {
            let halt =
                Halt::fail("a request without the user name and password of the URL", shown(sent.as_bytes()));
            return Err(halt.did(trip.told()));
        }
    }
    trip.arrives(&[web.stop("GET", 0, "/a"), web.stop("GET", 1, "/b")]).map(drop)
}

pub(super) fn a_target_that_is_no_url_is_refused(context: &Context) -> Judged {
    const SCHEME: [&str; 2] = ["unsupported", "bad-url"];
    const URL: [&str; 1] = ["bad-url"];
    let web = web_of(context, 1)?;
    let port = web.server(0).port();
    let url = web.server(0).url("/a");
    for (location, kinds) in [
        (format!("ftp://127.0.0.1:{port}/b"), &SCHEME[..]),
        (format!("ws://127.0.0.1:{port}/b"), &SCHEME),
        ("file:///etc/hostname".to_owned(), &SCHEME),
        ("mailto:a@b.example".to_owned(), &SCHEME),
        ("javascript:alert(1)".to_owned(), &SCHEME),
        ("data:text/plain,hello".to_owned(), &SCHEME),
        ("g:h".to_owned(), &SCHEME),
        ("http://".to_owned(), &URL),
        ("http:///b".to_owned(), &URL),
        ("//".to_owned(), &URL),
        (format!("http://:{port}/b"), &URL),
        (format!("http://127.0.0.1:{}/b", u64::from(port) + (1 << 16)), &URL),
        ("http://127.0.0.1:0/b".to_owned(), &URL),
        (format!("http://127.0.0.1:{port}x/b"), &URL),
        (format!("//127.0.0.1:+{port}/b"), &URL),
        (format!("http://[::1:{port}/b"), &URL),
    ] {
        let trip = web.run(client::get(context, &url)?, &[Answer::redirect(301, &location)])?;
        trip.went(&[web.stop("GET", 0, "/a")])?;
        trip.fails_as(kinds)?;
    }
    Ok(())
}

pub(super) fn no_byte_of_a_location_ends_a_line(context: &Context) -> Judged {
    let web = web_of(context, 1)?;
    let (url, host) = (web.server(0).url("/a"), web.host(0));
    let refused = |location: &[u8], kinds: &[&str]| {
        let trip = web.run(client::get(context, &url)?, &[to(location)])?;
        trip.went(&[web.stop("GET", 0, "/a")])?;
        trip.fails_as(kinds).map(drop)
    };
    for control in (0..=0x20).chain([0x7f]).filter(|byte| !b"\t\n".contains(byte)) {
        // A space is a byte that a field may have, and a URL may not.
        let kinds: &[&str] = if control == b' ' { &["bad-url"] } else { &["bad-url", "bad-response"] };
        // One place for most, every place for those that end lines or words.
        let places = if b"\r\0 ".contains(&control) { 4 } else { 1 };
        let around = |before: &str, after: &str| [before.as_bytes(), &[control], after.as_bytes()].concat();
        let locations = [
            around("/b", "c"),
            around(&format!("http://{host}/b?c"), "X: y"),
            around(&format!("http://{host}"), "/b"),
            around("/b#c", "d"),
        ];
        for location in &locations[..places] {
            refused(location, kinds)?;
        }
    }
    // A line that goes on in the next is one value, with a space in it.
    refused(b"/b\r\n c", &["bad-url", "bad-response"])?;
    for location in ["/b\tc", "/b\nX-Injected: y"] {
        whatever_it_means_it_is_harmless(context, &web, location)?;
    }
    what_is_escaped_stays_so(context, &web)?;
    bytes_above_ascii(context, &web)
}

/// A redirect to bytes of any kind.
fn to(location: &[u8]) -> Answer {
    Answer::new([b"HTTP/1.1 302 Found\r\nLocation: ", location, b"\r\nContent-Length: 0\r\n\r\n"].concat())
}

/// LF alone may end a line: then what follows is a field of the response. A tab is repaired by browsers. Whatever a
/// client makes of them, they never get into a request.
#[track_caller]
fn whatever_it_means_it_is_harmless(context: &Context, web: &Web, location: &str) -> Judged {
    let trip = web.run(client::get(context, &web.server(0).url("/a"))?, &[to(location.as_bytes())])?;
    if !trip.is_success() {
        trip.went(&[web.stop("GET", 0, "/a")])?;
        return trip.fails_as(&["bad-url", "bad-response"]).map(drop);
    }
    let is_harmed = |visit: &&Visit| {
        let line = visit.head.line();
        line.contains(['\t', '\n'])
            || line.split(' ').count() != 3
            || !visit.head.values("x-injected").is_empty()
    };
    let Some(visit) = trip.visits.iter().find(is_harmed) else { return Ok(()) };
    let halt = Halt::fail("a request without anything that a URL may not hold", shown(visit.head.bytes()));
    Err(halt.did(trip.told()).likely("the Location is written into the request as it came"))
}

/// An escaped line end is an ordinary part of a path.
#[track_caller]
fn what_is_escaped_stays_so(context: &Context, web: &Web) -> Judged {
    let target = "/b%0d%0aX:%20y?%00";
    let trip = web.run(client::get(context, &web.server(0).url("/a"))?, &[to(target.as_bytes())])?;
    trip.arrives(&[web.stop("GET", 0, "/a"), web.stop("GET", 0, target)]).map(drop)
}

#[track_caller]
fn bytes_above_ascii(context: &Context, web: &Web) -> Judged {
    // UTF-8 and not UTF-8.
    for (bytes, escaped) in [(&b"\xc3\xa9"[..], "%c3%a9"), (b"\xe9", "%e9"), (b"\x80\xff", "%80%ff")] {
        let location = [b"/b", bytes, b"?c", bytes].concat();
        let trip = web.run(client::get(context, &web.server(0).url("/a"))?, &[to(&location)])?;
        if !trip.is_success() {
            trip.went(&[web.stop("GET", 0, "/a")])?;
            trip.fails_as(&["bad-url"])?;
            continue;
        }
        // Escapes are the same in upper and in lower case.
        let target = trip.visits.last().map_or(String::new(), |visit| visit.head.target());
        let expected = format!("/b{escaped}?c{escaped}");
        let is_right = target.eq_ignore_ascii_case(&expected);
        let expected = if is_right { &target } else { &expected };
        trip.arrives(&[web.stop("GET", 0, "/a"), web.stop("GET", 0, expected)])?;
    }
    Ok(())
}
