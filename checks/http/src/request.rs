//! Stage 1: a URL becomes a connection and the bytes of a request. Everything is judged by what the server received.

pub(crate) mod addresses;
mod large;
mod refused;
mod usage;

use harness::{
    Check, Context, Halt, Judged, Stage,
    origin::{Origin, Request},
    property::{
        property,
        proptest::{collection::vec, option, prelude::*, sample::select},
    },
    verdict::Verdict,
};

use crate::{
    bytes::{difference, shown},
    client::{self, Run, Running},
    outcome::Outcome,
    server,
};

pub(crate) const STAGE: Stage = Stage {
    number: 1,
    slug: "request",
    bonus: false,
    checks: &[
        Check::new("the_target_is_path_and_query", the_target_is_path_and_query)
            .points(3)
            .must("the request line is the method, path and query of the URL, and HTTP/1.1")
            .why("It is all that a server knows of the URL: a fragment or a host in it is a page that it does not have."),
        Check::new("any_url_arrives_as_it_was_written", any_url_arrives_as_it_was_written)
            .points(3)
            .must("path and query arrive byte for byte as they stand in the URL, whatever its parts")
            .why("A URL names something by its exact spelling. Escaping twice, or unescaping, asks for something else."),
        Check::new("host_names_the_server_and_its_port", host_names_the_server_and_its_port)
            .points(3)
            .must("exactly one Host: the URL's host, IPv6 in brackets, and its port when that is not the default")
            .why("Many sites share one address, and Host is what tells them apart."),
        Check::new("the_default_port_is_not_in_host", the_default_port_is_not_in_host)
            .must("http://host and http://host:80 connect to port 80, and Host does not say so")
            .why("Servers compare Host with the names that they know, and few of those names have a port."),
        Check::new("a_get_has_no_body", a_get_has_no_body)
            .points(2)
            .must("a GET has no Content-Length, no Transfer-Encoding and no byte behind its head")
            .why("A server reads what the head announces; what it does not expect is taken for the next request."),
        Check::new("connection_says_what_will_be", connection_says_what_will_be)
            .must("one Connection field, close or keep-alive; no coding is asked for that is not decoded")
            .why("Headers that were never asked for are promises. A client that offers gzip gets gzip."),
        Check::new("a_post_says_how_many_bytes_it_sends", a_post_says_how_many_bytes_it_sends)
            .points(3)
            .must("a POST has exactly one Content-Length, in bytes, 0 for none; then the body as it is")
            .why("The length is how the server finds the body's end. Characters are not bytes."),
        Check::new("a_large_body_is_sent_whole", large::a_large_body_is_sent_whole)
            .points(2)
            .must("a body of several MiB arrives whole, whatever the socket takes at once")
            .why("A write may take a part of what it was given. The rest is the writer's to send."),
        Check::new("get_leaves_stdin_alone", usage::get_leaves_stdin_alone)
            .must("a GET does not wait for stdin, which may stay open")
            .why("A script's stdin is the script's: `while read line; do http get …` would end after one turn, or never."),
        Check::new("the_command_line_is_as_promised", usage::the_command_line_is_as_promised)
            .points(2)
            .must("options stand before or after the URL; whatever else is no command line: exit status 2, a line on stderr, no connection")
            .why("A misspelt option that is ignored is a time limit, or a root certificate, that nobody set."),
        Check::new("what_is_no_url_is_refused", refused::what_is_no_url_is_refused)
            .points(3)
            .must("a URL that cannot be used is refused with bad-url, before anybody is connected to")
            .why("A guess at what was meant sends the request, and its secrets, to somebody else."),
        Check::new("no_byte_of_a_url_ends_a_line", refused::no_byte_of_a_url_ends_a_line)
            .points(3)
            .must("control characters and spaces in a URL are refused, wherever they stand")
            .why("A line end in a URL becomes a line end in the request: whoever made the URL writes your headers."),
        Check::new("every_address_of_a_name_is_tried", addresses::every_address_of_a_name_is_tried)
            .points(2)
            .must("when the first address of a name does not accept, the next one is tried")
            .why("Most names have an IPv6 and an IPv4 address, and on many networks one of them leads nowhere."),
        Check::new("nobody_there_is_a_failure_of_its_kind", addresses::nobody_there_is_a_failure_of_its_kind)
            .points(2)
            .must("no server is `connect`, no such name is `dns`; exit status 1, and nothing on stdout")
            .why("Whoever called needs to know whether to look at the name, the network or the server."),
    ],
};

/// Runs a client against a server that answers every request, and gives the one request that it got. What the client
/// makes of the answer is the next stage's matter, as long as it ends.
#[track_caller]
fn the_request(origin: &Origin, run: Run<'_>) -> Judged<Request> {
    the_request_of(origin, run.start()?)
}

/// The same, of a client that runs already.
#[track_caller]
fn the_request_of(origin: &Origin, run: Running) -> Judged<Request> {
    let told = run.told();
    let ended = run.outcome();
    server::settled([origin]);
    let received: Vec<u8> = origin.connections().into_iter().flat_map(|record| record.received).collect();
    let requests = Request::all(&received);
    match (&requests[..], ended) {
        (_, Err(halt)) if matches!(halt.verdict, Verdict::Timeout { .. } | Verdict::Limit { .. }) => {
            Err(halt)
        }
        ([request], _) if request.bytes() == received => Ok(request.clone()),
        ([], Err(halt)) => Err(halt),
        ([], Ok(Outcome { result: Err(failure), .. })) if received.is_empty() => {
            Err(Halt::fail("one whole request", failure.to_string()).did(told))
        }
        ([request], _) => {
            let surplus = shown(&received[request.bytes().len()..]);
            Err(Halt::fail("one request and nothing behind it", format!("{surplus} behind it")).did(told))
        }
        _ => {
            let got = format!("{} whole requests: {}", requests.len(), shown(&received));
            Err(Halt::fail("one whole request", got).did(told))
        }
    }
}

#[track_caller]
fn no_request(received: &[u8], url: &str) -> Box<Halt> {
    Halt::fail("one whole request", shown(received)).did([format!("run http get {url}")])
}

/// Gets a URL, whose server is at `origin`, and gives what arrived.
#[track_caller]
fn request_for(context: &Context, origin: &Origin, url: &str) -> Judged<Request> {
    the_request(origin, client::get(context, url)?)
}

/// The request line has to be this one.
#[track_caller]
fn expect_line(request: &Request, line: &str, url: &str) -> Judged {
    let got = request.line();
    if got == line {
        return Ok(());
    }
    let halt = Halt::fail(format!("the request line {line:?}"), format!("{got:?}"));
    Err(halt.did([format!("run http get {url}")]).drawn(difference(line.as_bytes(), got.as_bytes())))
}

/// The only value of a field has to be this one.
#[track_caller]
pub(crate) fn expect_field(request: &Request, name: &str, value: &str, what: &str) -> Judged {
    let values = request.values(name);
    if values == [value] {
        return Ok(());
    }
    let got =
        if values.is_empty() { format!("no {name}") } else { format!("{name}: {}", values.join(" and ")) };
    Err(Halt::fail(format!("exactly one field {name}: {value}"), got).did([format!("run http {what}")]))
}

fn the_target_is_path_and_query(context: &Context) -> Judged {
    const CASES: [(&str, &str); 16] = [
        ("/", "/"),
        ("", "/"),
        ("/a/b.html", "/a/b.html"),
        ("/a?x=1&y=2", "/a?x=1&y=2"),
        ("?q", "/?q"),
        ("?", "/?"),
        ("/a#fragment", "/a"),
        ("#fragment", "/"),
        ("/a?b#c?d", "/a?b"),
        ("/a?b=/c/../d?e", "/a?b=/c/../d?e"),
        ("/%7Euser/a%20b%2Fc", "/%7Euser/a%20b%2Fc"),
        ("/a:b@c;d=1,2!$'()*+~", "/a:b@c;d=1,2!$'()*+~"),
        // The authority is over: what looks like one is not.
        ("/http://b@c:1/", "/http://b@c:1/"),
        ("?@b.test/c", "/?@b.test/c"),
        ("/a?b?c", "/a?b?c"),
        ("#a@b.test:1/c?d", "/"),
    ];
    for (after, target) in CASES {
        let origin = server::closing("hello").serve(context)?;
        let url = origin.url(after);
        let request = request_for(context, &origin, &url)?;
        // An empty query may be sent or left out: few servers can tell, and RFC 3986 lets both stand.
        let bare = target == "/?" && request.target() == "/";
        if !bare {
            expect_line(&request, &format!("GET {target} HTTP/1.1"), &url)?;
        }
    }
    let long = format!("/{}", "long/".repeat(1500));
    for (scheme, target) in [("HTTP", "/case"), ("Http", "/case"), ("http", &long)] {
        let origin = server::closing("hello").serve(context)?;
        let url = origin.url(target).replacen("http", scheme, 1);
        expect_line(&request_for(context, &origin, &url)?, &format!("GET {target} HTTP/1.1"), &url)?;
    }
    Ok(())
}

fn any_url_arrives_as_it_was_written(context: &Context) -> Judged {
    const CASES: u32 = 60;
    let character = select(b"azAZ09-._~!$&'()*+,;=:@".to_vec()).prop_map(|byte| char::from(byte).to_string());
    let escape = any::<u8>().prop_map(|byte| format!("%{byte:02X}"));
    let piece = move || {
        vec(prop_oneof![4 => character.clone(), 1 => escape.clone()], 0..6).prop_map(|all| all.concat())
    };
    // No dots alone: whether `/a/../b` is sent as it stands, or resolved first, is the client's choice.
    let segment = piece()
        .prop_filter("a segment of dots", |segment| !segment.contains('.') && !segment.contains("%2E"));
    let path = vec(segment, 1..4).prop_map(|segments| format!("/{}", segments.join("/")));
    let parts = (path, option::of(piece()), option::of(piece()));
    property(context, CASES, parts, |(path, query, fragment)| {
        let query = query.as_ref().filter(|query| !query.is_empty());
        let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        let fragment = fragment.as_ref().map_or(String::new(), |fragment| format!("#{fragment}"));
        let origin = server::closing("hello").serve(context)?;
        let url = origin.url(&format!("{target}{fragment}"));
        expect_line(&request_for(context, &origin, &url)?, &format!("GET {target} HTTP/1.1"), &url)
    })
}

fn host_names_the_server_and_its_port(context: &Context) -> Judged {
    let origin = server::closing("hello").serve(context)?;
    let url = origin.url("/");
    let request = request_for(context, &origin, &url)?;
    expect_field(&request, "host", &format!("127.0.0.1:{}", origin.port()), &format!("get {url}"))?;

    // Whoever leaves the user out of the request is as right as who refuses it.
    let origin = server::closing("hello").serve(context)?;
    let url = origin.url("/").replacen("http://", "http://user:word@", 1);
    let outcome = client::get(context, &url)?.outcome()?;
    server::settled([&origin]);
    match server::first(&origin) {
        None => drop(outcome.fails_as(&["bad-url"])?),
        Some(record) => {
            let requests = Request::all(&record.received);
            let Some(request) = requests.first() else { return Err(no_request(&record.received, &url)) };
            expect_field(request, "host", &format!("127.0.0.1:{}", origin.port()), &format!("get {url}"))?;
            if let Some(value) = request.values("authorization").first() {
                let halt = Halt::fail("userinfo is sent in no form", format!("Authorization: {value}"));
                return Err(halt.did([format!("run http get {url}")]));
            }
        }
    }
    addresses::host_of_an_ipv6_address(context)
}

fn the_default_port_is_not_in_host(context: &Context) -> Judged {
    for port in ["", ":80", ":"] {
        let (listener, address) = addresses::with_port(context, 80)?;
        let origin = server::closing("hello").serve_from(context.origin().listening(listener))?;
        let url = format!("http://{address}{port}/");
        expect_field(&request_for(context, &origin, &url)?, "host", &address, &format!("get {url}"))?;
    }
    Ok(())
}

fn a_get_has_no_body(context: &Context) -> Judged {
    let origin = server::closing("hello").serve(context)?;
    let url = origin.url("/");
    let request = request_for(context, &origin, &url)?;
    for name in ["content-length", "transfer-encoding"] {
        if let Some(value) = request.values(name).first() {
            let halt = Halt::fail(format!("a GET without {name}"), format!("{name}: {value}"));
            return Err(halt.did([format!("run http get {url}")]));
        }
    }
    Ok(())
}

fn connection_says_what_will_be(context: &Context) -> Judged {
    let origin = server::closing("hello").serve(context)?;
    let url = origin.url("/");
    let request = request_for(context, &origin, &url)?;
    let did = || [format!("run http get {url}")];
    let values = request.values("connection");
    if !matches!(&values[..], [value] if ["close", "keep-alive"].contains(&&*value.to_ascii_lowercase())) {
        let got = if values.is_empty() { "no such field".to_owned() } else { values.join(" and ") };
        return Err(Halt::fail("one field Connection: close, or keep-alive", got).did(did()));
    }
    match request.values("accept-encoding").iter().find(|value| !value.eq_ignore_ascii_case("identity")) {
        None => Ok(()),
        Some(value) => {
            let halt = Halt::fail("no coding is asked for", format!("Accept-Encoding: {value}"));
            Err(halt.did(did()).likely("headers were copied from a browser, which decodes what it asks for"))
        }
    }
}

fn a_post_says_how_many_bytes_it_sends(context: &Context) -> Judged {
    let every_byte: Vec<u8> = (0..=255).collect();
    let bodies: [&[u8]; 6] =
        [b"a=1&b=2", b"", "naïve 中文 🦀".as_bytes(), b"\r\n\r\n", &every_byte, b"ends with a line\n"];
    for body in bodies {
        let origin = server::closing("hello").serve(context)?;
        let url = origin.url("/form?x");
        let what = format!("post {url} < {}", shown(body));
        let request = the_request(&origin, client::post(context, &url, body)?)?;
        if request.line() != "POST /form?x HTTP/1.1" {
            let halt =
                Halt::fail("the request line \"POST /form?x HTTP/1.1\"", format!("{:?}", request.line()));
            return Err(halt.did([format!("run http {what}")]));
        }
        expect_field(&request, "content-length", &body.len().to_string(), &what)?;
        expect_field(&request, "host", &format!("127.0.0.1:{}", origin.port()), &what)?;
        expect_body(&request, body, &what)?;
    }
    Ok(())
}

#[track_caller]
fn expect_body(request: &Request, body: &[u8], what: &str) -> Judged {
    if request.body() == body {
        return Ok(());
    }
    let halt = Halt::fail(format!("the body {}", shown(body)), shown(request.body()));
    Err(halt.did([format!("run http {what}")]).drawn(difference(body, request.body())))
}
