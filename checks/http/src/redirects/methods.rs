//! What becomes of the method and the body. A POST becomes a GET whole, or stays a POST whole: what is in between is
//! taken by no server for what it was.

use harness::{Context, Halt, Judged};

use super::{
    web::{ARRIVED, Answer, POSTED, Stop, Trip, Visit},
    web_of,
};
use crate::{bytes::shown, client};

pub(super) fn a_post_becomes_a_get_or_stays_whole(context: &Context) -> Judged {
    let web = web_of(context, 2)?;
    let url = web.server(0).url("/form");
    for status in [301, 302] {
        for (server, target) in [(0, "/thanks"), (1, "/form")] {
            let answers = [Answer::redirect(status, &web.server(server).url(target))];
            let trip = web.run(client::post(context, &url, POSTED)?, &answers)?;
            whole(&trip, &["GET", "POST"])?;
            let method = trip.visits.last().map_or(String::new(), Visit::method);
            trip.arrives(&[web.stop("POST", 0, "/form"), web.stop(&method, server, target)])?;
        }
    }
    // Without a body, it is the length that tells a POST from a GET.
    let trip = web.run(client::post(context, &url, b"")?, &[Answer::redirect(302, "/thanks")])?;
    whole(&trip, &["GET", "POST"])?;
    trip.is(200, ARRIVED)?;
    // A GET that it has become it remains.
    let answers = [Answer::redirect(302, "/b"), Answer::redirect(301, "/c"), Answer::redirect(302, "/d")];
    let trip = web.run(client::post(context, &url, POSTED)?, &answers)?;
    whole(&trip, &["GET", "POST"])?;
    trip.is(200, ARRIVED).map(drop)
}

pub(super) fn three_more_have_their_own_rules(context: &Context) -> Judged {
    let web = web_of(context, 2)?;
    for (status, after) in [(303, "GET"), (307, "POST"), (308, "POST")] {
        for (server, target) in [(0, "/b"), (1, "/a")] {
            let redirect = Answer::redirect(status, &web.server(server).url(target));
            let url = web.server(0).url("/a");
            let trip = web.run(client::get(context, &url)?, std::slice::from_ref(&redirect))?;
            whole(&trip, &["GET"])?;
            let first = web.stop("GET", 0, "/a");
            followed_or_final(trip, status, first, web.stop("GET", server, target))?;

            let trip = web.run(client::post(context, &url, POSTED)?, &[redirect])?;
            whole(&trip, &[after])?;
            let first = web.stop("POST", 0, "/a");
            followed_or_final(trip, status, first, web.stop(after, server, target))?;
        }
        // What has become a GET has no body any more that could be sent again.
        let url = web.server(0).url("/a");
        let answers = [Answer::redirect(302, "/b"), Answer::redirect(status, "/c")];
        whole(&web.run(client::post(context, &url, POSTED)?, &answers)?, &["GET", "POST"])?;
    }
    Ok(())
}

/// A redirect that may be followed or not.
#[track_caller]
fn followed_or_final(trip: Trip, status: u16, first: Stop, second: Stop) -> Judged {
    if trip.status() == Some(status) {
        trip.went(&[first])?;
        return trip.is(status, b"").map(drop);
    }
    trip.arrives(&[first, second]).map(drop)
}

/// Every request after the first has to be a GET without anything of a body, or a POST with all of it; and once a GET
/// always a GET.
#[track_caller]
fn whole(trip: &Trip, methods: &[&str]) -> Judged {
    let mut last = None;
    for visit in &trip.visits {
        if let Some(last) = last
            && let Some(halt) = broken(visit, last, methods)
        {
            return Err(halt.did(trip.told()));
        }
        last = Some(visit);
    }
    Ok(())
}

/// What is wrong with a redirected request, after the last one.
#[track_caller]
fn broken(visit: &Visit, last: &Visit, methods: &[&str]) -> Option<Box<Halt>> {
    let (line, method) = (visit.head.line(), visit.method());
    if !methods.contains(&&*method) {
        return Some(Halt::fail(format!("a redirected request by {}", methods.join(" or ")), line));
    }
    if method == "POST" {
        if last.method() == "GET" {
            return Some(Halt::fail("a GET, which the request before had become", line));
        }
        let lengths = visit.head.values("content-length");
        let is_whole = lengths == last.head.values("content-length") && visit.body == last.body;
        let sent = format!("Content-Length: {}, and the body {}", lengths.join(" and "), shown(&visit.body));
        let expected = format!("a POST that stays one has its whole body: {}", shown(&last.body));
        return (!is_whole).then(|| Halt::fail(expected, format!("{line}, {sent}")));
    }
    let fields = visit.head.fields();
    let left = fields.iter().find(|field| field.0.starts_with("content-") || field.0 == "transfer-encoding");
    left.map(|(name, value)| {
        let got = format!("{line} with {name}: {value}");
        Halt::fail("a GET that was a POST has no field that speaks of a body", got)
            .likely("the method changes, and the fields of the request stay what they were")
    })
}
