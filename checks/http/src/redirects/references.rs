//! Relative references: what they lead to, from where.

use harness::{Context, Judged};

use super::{
    web::{Answer, Web},
    web_of,
};
use crate::client;

/// RFC 3986 section 5.4: what references lead to from `/b/c/d;p?q`. Without `g:h` and `http:g`, which are matters of
/// schemes, and `//g`, which is one of hosts; and without the empty one, which is no redirect.
const TABLE: [(&str, &str); 42] = [
    ("g", "/b/c/g"),
    ("./g", "/b/c/g"),
    ("g/", "/b/c/g/"),
    ("/g", "/g"),
    ("?y", "/b/c/d;p?y"),
    ("g?y", "/b/c/g?y"),
    ("#s", "/b/c/d;p?q"),
    ("g#s", "/b/c/g"),
    ("g?y#s", "/b/c/g?y"),
    (";x", "/b/c/;x"),
    ("g;x", "/b/c/g;x"),
    ("g;x?y#s", "/b/c/g;x?y"),
    (".", "/b/c/"),
    ("./", "/b/c/"),
    ("..", "/b/"),
    ("../", "/b/"),
    ("../g", "/b/g"),
    ("../..", "/"),
    ("../../", "/"),
    ("../../g", "/g"),
    // Above the root there is nothing but the root.
    ("../../../g", "/g"),
    ("../../../../g", "/g"),
    ("/./g", "/g"),
    ("/../g", "/g"),
    // Only a whole segment of dots means something.
    ("g.", "/b/c/g."),
    (".g", "/b/c/.g"),
    ("g..", "/b/c/g.."),
    ("..g", "/b/c/..g"),
    ("./../g", "/b/g"),
    ("./g/.", "/b/c/g/"),
    ("g/./h", "/b/c/g/h"),
    ("g/../h", "/b/c/h"),
    ("g;x=1/./y", "/b/c/g;x=1/y"),
    ("g;x=1/../y", "/b/c/y"),
    // Neither query nor fragment has segments.
    ("g?y/./x", "/b/c/g?y/./x"),
    ("g?y/../x", "/b/c/g?y/../x"),
    ("g#s/./x", "/b/c/g"),
    ("g#s/../x", "/b/c/g"),
    // Of our own: an empty segment is a segment; a colon behind a slash begins no port and ends no scheme, and escapes are
    // left alone.
    ("/x//y", "/x//y"),
    ("x//y/../z", "/b/c/x//z"),
    ("./x:y", "/b/c/x:y"),
    ("/%7ea%2F?%23", "/%7ea%2F?%23"),
];

pub(super) fn references_lead_where_the_standard_says(context: &Context) -> Judged {
    let web = web_of(context, 1)?;
    for (reference, target) in TABLE {
        leads(context, &web, "/b/c/d;p?q", reference, target)?;
    }
    for (from, reference, target) in [
        ("/a/", "x", "/a/x"),
        ("/a", "x", "/x"),
        ("/", "x", "/x"),
        ("", "x", "/x"),
        ("?q", "x", "/x"),
        ("?q", "?r", "/?r"),
        ("/a?b=/c/d", "x", "/x"),
        ("/a/b?c=/d/e", "../x", "/x"),
        ("/a?b", "x?c=http://d/../e", "/x?c=http://d/../e"),
        ("/a/b", "/c?d=../e", "/c?d=../e"),
    ] {
        leads(context, &web, from, reference, target)?;
    }
    Ok(())
}

/// From a page, a reference has to lead to this target on the same server.
#[track_caller]
fn leads(context: &Context, web: &Web, from: &str, reference: &str, target: &str) -> Judged {
    let url = web.server(0).url(from);
    let trip = web.run(client::get(context, &url)?, &[Answer::redirect(302, reference)])?;
    let first = if from.starts_with('/') { from.to_owned() } else { format!("/{from}") };
    trip.arrives(&[web.stop("GET", 0, &first), web.stop("GET", 0, target)]).map(drop)
}

pub(super) fn each_hop_starts_where_the_last_one_ended(context: &Context) -> Judged {
    let web = web_of(context, 2)?;
    let elsewhere = web.server(1).url("/g/h?i");
    let get = |target: &str| web.stop("GET", 0, target);
    let url = web.server(0).url("/a/b?c");
    let chain = ["d/e?f", "../g", "?h", "i/", "j"].map(|location| Answer::redirect(302, location));
    web.run(client::get(context, &url)?, &chain)?.arrives(&[
        get("/a/b?c"),
        get("/a/d/e?f"),
        get("/a/g"),
        get("/a/g?h"),
        get("/a/i/"),
        get("/a/i/j"),
    ])?;
    let there = |target: &str| web.stop("GET", 1, target);
    let chain = [elsewhere.as_str(), "j", "/k/l", "m"].map(|location| Answer::redirect(301, location));
    web.run(client::get(context, &url)?, &chain)?.arrives(&[
        get("/a/b?c"),
        there("/g/h?i"),
        there("/g/j"),
        there("/k/l"),
        there("/k/m"),
    ])?;
    Ok(())
}
