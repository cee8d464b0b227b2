//! Responses that are not followed, and the bodies of those that are.

use harness::{Context, Judged};

use super::{Answer, web_of};
use crate::client;

pub(super) fn without_a_location_a_redirect_is_final(context: &Context) -> Judged {
    let web = web_of(context, 1)?;
    let url = web.server(0).url("/a");
    for status in [301, 302, 303, 307, 308] {
        for fields in ["", "Location:\r\n", "Location: \t \r\n", "X-Location: /b\r\nContent-Location: /c\r\n"]
        {
            let page =
                Answer::new(format!("HTTP/1.1 {status} Gone\r\n{fields}Content-Length: 4\r\n\r\npage"));
            let trip = web.run(client::get(context, &url)?, &[page])?;
            trip.went(&[web.stop("GET", 0, "/a")])?;
            trip.is(status, b"page")?;
        }
    }
    Ok(())
}

pub(super) fn only_redirects_are_followed(context: &Context) -> Judged {
    let web = web_of(context, 1)?;
    let url = web.server(0).url("/a");
    for status in [200, 201, 202, 304, 305, 306, 400, 404, 500, 503] {
        let body: &[u8] = if status == 304 { b"" } else { b"page" };
        let bytes = format!("HTTP/1.1 {status} Here\r\nLocation: /b\r\nContent-Length: 4\r\n\r\n");
        let trip = web.run(client::get(context, &url)?, &[Answer::new([bytes.as_bytes(), body].concat())])?;
        trip.went(&[web.stop("GET", 0, "/a")])?;
        trip.is(status, body)?;
    }
    Ok(())
}

pub(super) fn a_redirects_body_is_nobodys(context: &Context) -> Judged {
    let web = web_of(context, 1)?;
    let url = web.server(0).url("/a");
    let head = |fields: &str| format!("HTTP/1.1 302 Found\r\nLocation: /b\r\n{fields}\r\n");
    let with = |fields: &str, body: &str| Answer::new(head(fields) + body);
    let long = "x".repeat(100_000);
    for redirect in [
        with("Content-Length: 27\r\n", "{\"status\":200,\"headers\":[]}"),
        with("Transfer-Encoding: chunked\r\n", "4\r\npage\r\n0\r\n\r\n"),
        with("", "page").and_close(),
        with("Content-Length: 100000\r\n", &long),
        // Without an end.
        with("", "").and_pour(),
        with("Content-Length: 9223372036854775807\r\n", "").and_pour(),
        with("Transfer-Encoding: chunked\r\n", "7fffffffffffffff\r\n").and_pour(),
    ] {
        let trip = web.run(client::get(context, &url)?, &[redirect])?;
        trip.arrives(&[web.stop("GET", 0, "/a"), web.stop("GET", 0, "/b")])?;
    }
    // Not whole: to look at it is as right as not to.
    for redirect in [
        with("Content-Length: 10\r\n", "page").and_close(),
        with("Transfer-Encoding: chunked\r\n", "4\r\npa").and_close(),
    ] {
        let trip = web.run(client::get(context, &url)?, &[redirect])?;
        if trip.status().is_some() {
            trip.arrives(&[web.stop("GET", 0, "/a"), web.stop("GET", 0, "/b")])?;
        } else {
            trip.fails_as(&["truncated", "bad-response", "io"])?;
        }
    }
    Ok(())
}
