//! Redirects between http and https, and between servers that are who they say they are and others.

use harness::{
    Context, Halt, Judged,
    origin::certificate::{Identity, Leaf, Validity},
};

use super::identity::World;
use crate::{
    client,
    redirects::web::{Answer, POSTED, Web},
};

pub(super) fn http_leads_to_https(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    let identity = world.root.issue(&Leaf::new(&["localhost", "127.0.0.1"]))?;
    let web = Web::open(vec![context.origin(), context.origin().secure(&identity)])?;
    let secure = web.server(1).url_as("localhost", "/b");
    let host = format!("localhost:{}", web.server(1).port());
    let first = web.stop("GET", 0, "/a");
    // And on to another page, in the scheme of the last one.
    for (onward, host_of_last, target) in
        [("c", &host, "/c"), (&*format!("//{}/c", web.host(1)), &web.host(1), "/c"), ("?c", &host, "/b?c")]
    {
        let answers = [Answer::redirect(301, &secure), Answer::redirect(302, onward)];
        let trip = web.run(world.get(&web.server(0).url("/a"))?, &answers)?;
        trip.arrives(&[
            first.clone(),
            web.stop_as("GET", 1, &host, "/b"),
            web.stop_as("GET", 1, host_of_last, target),
        ])?;
    }
    // Back again: to go where nobody is known any more is a choice.
    let answers = [Answer::redirect(302, &web.server(0).url("/c"))];
    let trip = web.run(world.get(&secure)?, &answers)?;
    let second = web.stop_as("GET", 1, &host, "/b");
    if trip.is_success() {
        return trip.arrives(&[second, web.stop("GET", 0, "/c")]).map(drop);
    }
    trip.went(&[second])?;
    trip.fails_as(&["unsupported", "bad-url"]).map(drop)
}

pub(super) fn every_hop_is_verified_anew(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    let by_name = world.root.issue(&Leaf::new(&["localhost"]))?;
    let by_address = world.root.issue(&Leaf::new(&["127.0.0.1"]))?;
    a_good_one(&world, context, &by_name, &by_address)?;
    let late = Leaf::new(&["localhost"]).valid(Validity::Expired);
    for (what, identity) in [
        ("for 127.0.0.1", by_address),
        ("that expired yesterday", world.root.issue(&late)?),
        ("that it signed itself", Identity::self_signed(&Leaf::new(&["localhost"]))?),
    ] {
        let web = Web::open(vec![context.origin().secure(&by_name), context.origin().secure(&identity)])?;
        let (url, next) = (web.server(0).url_as("localhost", "/a"), web.server(1).url_as("localhost", "/b"));
        let first = |method| web.stop_as(method, 0, &format!("localhost:{}", web.server(0).port()), "/a");
        for status in [302, 307] {
            let redirect = || [Answer::redirect(status, &next)];
            let told = || [format!("the server of {next} shows a certificate {what}")];
            let post = client::post(context, &url, POSTED)?.trusting(&world.root)?;
            for (method, run) in [("GET", world.get(&url)?), ("POST", post)] {
                let trip = web.run(run.against(told()), &redirect())?;
                // 307 may be printed as it is.
                let is_final = status == 307 && trip.status() == Some(307);
                trip.went(&[first(method)]).map_err(|halt| {
                    halt.likely("that the first server was verified is taken for a word about the second")
                })?;
                if !is_final {
                    trip.fails_as(&["tls"])?;
                }
            }
        }
    }
    Ok(())
}

/// From one server to another one with a certificate of its own, under another name.
#[track_caller]
fn a_good_one(world: &World<'_>, context: &Context, by_name: &Identity, by_address: &Identity) -> Judged {
    let web = Web::open(vec![context.origin().secure(by_name), context.origin().secure(by_address)])?;
    let named = format!("localhost:{}", web.server(0).port());
    let hosts = [named.clone(), web.host(1)];
    for first in [0, 1] {
        let second = 1 - first;
        let url = |server: usize, path: &str| format!("https://{}{path}", hosts[server]);
        let trip = web.run(world.get(&url(first, "/a"))?, &[Answer::redirect(301, &url(second, "/b"))])?;
        let told = trip.told();
        trip.arrives(&[
            web.stop_as("GET", first, &hosts[first], "/a"),
            web.stop_as("GET", second, &hosts[second], "/b"),
        ])?;
        for (server, expected) in [(0, Some("localhost")), (1, None)] {
            let last = web.server(server).connections().pop();
            let got = last.and_then(|record| record.server_name);
            if got.as_deref() != expected {
                let said = |name: Option<&str>| name.unwrap_or("none").to_owned();
                let expected = format!("SNI for https://{}: {}", hosts[server], said(expected));
                return Err(Halt::fail(expected, said(got.as_deref())).did(told));
            }
        }
    }
    Ok(())
}
