//! Servers, met by clients of plain sockets and of rustls.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use super::{
    certificate::{Authority, Identity, Leaf, Validity, Versions},
    *,
};
use crate::{event::Subject, running::watchdog::Watchdog};

fn context() -> Context {
    let (subject, marker) = (Subject::Run(Vec::new()), "no subject is started".to_owned());
    Context::new(Path::new("/tmp"), subject, Watchdog::start(), marker, 1, None).expect("room for a folder")
}

fn connect(origin: &Origin) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, origin.port())).expect("a server that accepts")
}

/// Waits until the scripts of all connections have ended.
fn over(origin: &Origin) -> Vec<Record> {
    let began = Instant::now();
    loop {
        let records = origin.connections();
        if records.iter().all(|record| record.is_over) {
            return records;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the scripts end: {records:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn each_piece_comes_with_a_read_of_its_own() {
    let context = context();
    let script = |connection: &mut Connection| connection.send_cut_at("abcdef", &[1, 3, 9]);
    let origin = context.origin().play(script).expect("a port");
    let mut client = connect(&origin);
    let mut pieces = Vec::new();
    let mut buffer = [0; 64];
    loop {
        let count = client.read(&mut buffer).expect("bytes or the end");
        if count == 0 {
            break;
        }
        pieces.push(String::from_utf8_lossy(&buffer[..count]).into_owned());
    }
    assert_eq!(pieces, ["a", "bc", "def"]);
}

#[test]
fn requests_and_surplus_are_recorded() {
    let context = context();
    let origin = context
        .origin()
        .play(|connection| {
            let request = connection.request()?;
            connection.send(request.target())?;
            connection.half_close()?;
            connection.read_to_end()
        })
        .expect("a port");
    let mut client = connect(&origin);
    client.write_all(b"POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc").expect("room");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    client.write_all(b"more").expect("a server that still reads");
    client.shutdown(Shutdown::Write).expect("an open socket");
    let record = over(&origin).remove(0);
    assert_eq!((answer.as_str(), record.sent_bytes), ("/x", 2));
    assert!(record.received.ends_with(b"abcmore"), "{record:?}");
    assert_eq!(Request::all(&record.received).len(), 1, "what follows is no request");
}

#[test]
fn a_reset_is_a_reset() {
    let context = context();
    let origin = context.origin().play(Connection::reset).expect("a port");
    let error = connect(&origin).read(&mut [0; 8]).expect_err("no good order");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn dropping_a_server_ends_scripts_that_wait() {
    let context = context();
    let origin = context.origin().play(|connection| connection.request().map(drop)).expect("a port");
    let mut client = connect(&origin);
    while origin.connections().is_empty() {
        thread::yield_now();
    }
    drop(origin);
    assert!(matches!(client.read(&mut [0; 8]), Ok(0) | Err(_)), "nothing will come any more");
}

/// What a client that trusts `authority` makes of a server called `name`.
fn greet(origin: &Origin, authority: &Authority, name: &str) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).expect("PEM")).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions that the provider knows")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let session = ClientConnection::new(Arc::new(config), name).expect("a session");
    let mut stream = StreamOwned::new(session, connect(origin));
    stream.write_all(b"hello")?;
    stream.conn.send_close_notify();
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn echo(connection: &mut Connection) -> io::Result<()> {
    connection.read_to_end()?;
    connection.send("welcome")
}

#[test]
fn good_certificates_are_accepted_and_bad_ones_are_not() {
    let context = context();
    let mut root = Authority::root("root").expect("a root");
    let mut stranger = Authority::root("stranger").expect("a root");
    let mut below = root.intermediate("below").expect("an authority");
    let leaf = Leaf::new(&["a.test"]);
    let cases: [(&str, Judged<Identity>, bool); 8] = [
        ("of the root", root.issue(&leaf), true),
        ("TLS 1.2 alone", root.issue_with(&leaf, Versions::Only12), true),
        ("with its intermediate", below.issue(&leaf), true),
        ("without its intermediate", below.issue_alone(&leaf), false),
        ("expired", root.issue(&leaf.clone().valid(Validity::Expired)), false),
        ("not yet valid", root.issue(&leaf.clone().valid(Validity::NotYet)), false),
        ("of another name", root.issue(&Leaf::new(&["b.test"])), false),
        ("of a stranger", stranger.issue(&leaf), false),
    ];
    for (what, identity, is_good) in cases {
        let identity = identity.expect("a certificate");
        let origin = context.origin().secure(&identity).play(echo).expect("a port");
        let answer = greet(&origin, &root, "a.test");
        assert_eq!(answer.is_ok(), is_good, "a certificate {what}: {answer:?}");
        let record = over(&origin).remove(0);
        assert_eq!(record.server_name.as_deref(), Some("a.test"), "a certificate {what}");
        assert_eq!(record.received, if is_good { &b"hello"[..] } else { b"" }, "a certificate {what}");
        assert_eq!(record.refusal.is_some(), !is_good, "a certificate {what}: {record:?}");
    }
}

#[test]
fn a_self_signed_certificate_is_nobody_s() {
    let context = context();
    let root = Authority::root("root").expect("a root");
    let identity = Identity::self_signed(&Leaf::new(&["a.test"])).expect("a certificate");
    let origin = context.origin().secure(&identity).play(echo).expect("a port");
    greet(&origin, &root, "a.test").expect_err("a certificate that nobody vouches for");
}
