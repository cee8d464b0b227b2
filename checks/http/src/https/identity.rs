//! Who a server is: names and addresses in certificates. And what all the refusals of this stage have in common.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};

use harness::{
    Context, Halt, Judged,
    origin::{
        Origin, Request,
        certificate::{Authority, Identity, Leaf},
        has_address,
    },
};

use crate::{
    bytes::shown,
    client::{self, Run},
    request::{addresses, expect_field},
    server::{self, Reply},
};

const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A root and what it is asked to vouch for.
#[derive(Debug)]
pub(super) struct World<'c> {
    context: &'c Context,
    pub(super) root: Authority,
}

/// A server that shows a certificate, and the client that comes to it.
#[derive(Debug)]
pub(super) struct Meeting<'w> {
    /// What the server shows, in words.
    pub(super) what: &'w str,
    pub(super) identity: &'w Identity,
    /// The host of the URL.
    pub(super) host: &'w str,
    /// What a client that does not refuse it has forgotten.
    pub(super) likely: &'w str,
}

impl<'c> World<'c> {
    /// A world with a root that clients are told to trust.
    ///
    /// # Errors
    /// Skip where `localhost` is not this machine.
    pub(super) fn new(context: &'c Context) -> Judged<Self> {
        let is_loopback = |mut all: std::vec::IntoIter<std::net::SocketAddr>| {
            all.any(|address| address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST))
        };
        if !("localhost", 0).to_socket_addrs().is_ok_and(is_loopback) {
            return Err(Halt::skip(
                "localhost is not 127.0.0.1 here; add `127.0.0.1 localhost` to /etc/hosts",
            ));
        }
        Ok(Self { context, root: Authority::root("Groundwork test root")? })
    }

    /// A client that trusts the root.
    pub(super) fn get(&self, url: &str) -> Judged<Run<'c>> {
        client::get(self.context, url)?.trusting(&self.root)
    }

    /// The meeting has to end with a response.
    #[track_caller]
    pub(super) fn accepted(&self, meeting: &Meeting<'_>) -> Judged {
        self.accepted_by(meeting, |url| self.get(url))
    }

    /// The same for a client of another kind.
    #[track_caller]
    pub(super) fn accepted_by(
        &self,
        meeting: &Meeting<'_>,
        client: impl Fn(&str) -> Judged<Run<'c>>,
    ) -> Judged {
        let origin = serve(self.context, meeting.identity, &server::closing("hello"))?;
        let run = client(&origin.url_as(meeting.host, "/"))?.against([meeting.told()]);
        run.outcome()?.is(200, b"hello").map(drop)
    }

    /// The meeting has to end with `tls`, and without a byte of the request.
    #[track_caller]
    pub(super) fn refused(&self, meeting: &Meeting<'_>) -> Judged {
        self.refused_by(meeting, |url| self.get(url))
    }

    /// The same for a client that trusts somebody else, or nobody.
    #[track_caller]
    pub(super) fn refused_by(
        &self,
        meeting: &Meeting<'_>,
        client: impl Fn(&str) -> Judged<Run<'c>>,
    ) -> Judged {
        let origin = serve(self.context, meeting.identity, &server::closing("hello"))?;
        let outcome = client(&origin.url_as(meeting.host, "/secret"))?.against([meeting.told()]).outcome()?;
        server::settled([&origin]);
        if let Some(record) = origin.connections().iter().find(|record| !record.received.is_empty()) {
            let came = match &outcome.result {
                Ok(response) => format!("exit status 0 and status {}", response.status),
                Err(failure) => failure.to_string(),
            };
            let got = format!("{came}; the server received {}", shown(&record.received));
            let expected = "exit status 1 and `error: tls: …`, and no byte of the request at the server";
            return Err(Halt::fail(expected, got).did(outcome.told).likely(meeting.likely));
        }
        outcome.fails_as(&["tls"]).map(drop)
    }
}

impl Meeting<'_> {
    fn told(&self) -> String {
        format!("the server of https://{} shows a certificate {}", self.host, self.what)
    }
}

/// A server that answers each connection's request with this reply, over TLS.
#[track_caller]
pub(super) fn serve(context: &Context, identity: &Identity, reply: &Reply) -> Judged<Origin> {
    reply.serve_from(context.origin().secure(identity))
}

pub(super) fn the_name_has_to_be_in_the_certificate(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    for (names, host) in [
        (&["localhost"][..], "localhost"),
        (&["localhost"], "LocalHost"),
        (&["LOCALHOST"], "localhost"),
        (&["a.example", "127.0.0.2", "localhost", "b.example"], "localhost"),
    ] {
        let identity = world.root.issue(&Leaf::new(names))?;
        let what = format!("for {}", names.join(", "));
        world.accepted(&Meeting { what: &what, identity: &identity, host, likely: "" })?;
    }
    for names in [
        &["other.example"][..],
        // What has the name in it somewhere is another name.
        &["localhost.example"],
        &["www.localhost"],
        &["notlocalhost"],
        &["localhos"],
        // A star stands for a whole label, and for one that is there.
        &["*.localhost"],
        &["local*"],
        &["*host"],
        // Where the name leads to is not what it is.
        &["127.0.0.1", "::1"],
    ] {
        let identity = world.root.issue(&Leaf::new(names))?;
        world.refused(&Meeting {
            what: &format!("for {}", names.join(", ")),
            identity: &identity,
            host: "localhost",
            likely: "whom the certificate is for is not looked at",
        })?;
    }
    Ok(())
}

pub(super) fn a_star_stands_for_one_label(context: &Context) -> Judged {
    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let hosts = ["site.test", "www.site.test", "a.b.site.test"];
    let names = context.names(&hosts.map(|host| (host, LOOPBACK)))?;
    let mut world = World::new(context)?;
    for (name, good, bad) in [
        ("*.site.test", &["www.site.test", "WWW.Site.Test"][..], &["site.test", "a.b.site.test"][..]),
        ("site.test", &["site.test"], &["www.site.test", "a.b.site.test"]),
        ("*.b.site.test", &["a.b.site.test"], &["www.site.test"]),
        ("www.*.test", &[], &["www.site.test"]),
    ] {
        let identity = world.root.issue(&Leaf::new(&[name]))?;
        let what = format!("for {name}");
        let client = |url: &str| world.get(url).map(|run| run.knowing(&names));
        for host in good {
            world.accepted_by(&Meeting { what: &what, identity: &identity, host, likely: "" }, client)?;
        }
        for host in bad {
            let likely = "a name that ends like the one in the certificate is taken for it";
            world.refused_by(&Meeting { what: &what, identity: &identity, host, likely }, client)?;
        }
    }
    Ok(())
}

pub(super) fn the_default_port_is_443(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    for (port, written, in_host) in [(443, "", ""), (443, ":443", ""), (443, ":", ""), (80, ":80", ":80")] {
        let (listener, address) = addresses::with_port(context, port)?;
        let identity = world.root.issue(&Leaf::new(&[&address]))?;
        let setting = context.origin().listening(listener).secure(&identity);
        let origin = server::closing("hello").serve_from(setting)?;
        let url = format!("https://{address}{written}/");
        world.get(&url)?.outcome()?.is(200, b"hello")?;
        server::settled([&origin]);
        let received = server::first(&origin).map(|record| record.received).unwrap_or_default();
        let requests = Request::all(&received);
        let Some(request) = requests.first() else { return Err(Halt::fault("a response, and no request")) };
        expect_field(request, "host", &format!("{address}{in_host}"), &format!("get {url} --ca ca.pem"))?;
    }
    Ok(())
}

pub(super) fn an_address_has_to_be_in_the_certificate(context: &Context) -> Judged {
    let mut world = World::new(context)?;
    let identity = world.root.issue(&Leaf::new(&["localhost", "127.0.0.1"]))?;
    let what = "for localhost and 127.0.0.1";
    world.accepted(&Meeting { what, identity: &identity, host: "127.0.0.1", likely: "" })?;
    for (leaf, what) in [
        (Leaf::new(&["localhost"]), "for localhost"),
        (Leaf::new(&["127.0.0.2"]), "for 127.0.0.2"),
        (Leaf::new(&["127.0.0.1"]).addresses_as_names(), "for a DNS name that is spelt 127.0.0.1"),
        (Leaf::new(&["*.0.0.1"]), "for *.0.0.1"),
    ] {
        let identity = world.root.issue(&leaf)?;
        let likely = "whom the certificate is for is not looked at when the URL has an address";
        world.refused(&Meeting { what, identity: &identity, host: "127.0.0.1", likely })?;
    }
    if !has_address(V6) {
        context.measured("no IPv6 on this machine: https://[::1]/ was not tried");
        return Ok(());
    }
    let identity = world.root.issue(&Leaf::new(&["::1"]))?;
    let origin = server::closing("hello").serve_from(context.origin().on(V6).secure(&identity))?;
    world.get(&origin.url("/"))?.outcome()?.is(200, b"hello").map(drop)
}
