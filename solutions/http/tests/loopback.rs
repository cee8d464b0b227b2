//! What cannot be seen without a socket: who waits for whom, what a closed connection means, which connection
//! is used again. Servers are threads that play one part each.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use http::{Error, Kind, Options, Response};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Plays `part` on each connection, which is numbered from 0; gives the port.
fn serve(part: impl Fn(usize, TcpStream) -> io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let part = Arc::new(part);
    thread::spawn(move || {
        for (number, socket) in listener.incoming().flatten().enumerate() {
            let part = Arc::clone(&part);
            thread::spawn(move || part(number, socket));
        }
    });
    port
}

/// Reads one request's head.
fn read_head(stream: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The status and the whole body, or why there is none.
fn whole(response: Result<Response, Error>) -> Result<(u16, Vec<u8>), Error> {
    let mut response = response?;
    let mut body = Vec::new();
    response.body.read_to_end(&mut body)?;
    Ok((response.status, body))
}

fn options() -> Options {
    Options { max_time: Duration::from_secs(20), ..Options::default() }
}

fn get(port: u16) -> Result<(u16, Vec<u8>), Error> {
    whole(http::get(&format!("http://127.0.0.1:{port}/"), &options()))
}

/// The trap: a client that sends first and listens then is stuck in sending.
#[test]
fn a_refusal_is_reported_while_the_request_is_still_being_sent() {
    let body = vec![0; 30_000_000];
    let refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno\n";
    let closes = serve(move |_, mut socket| {
        read_head(&mut socket)?;
        socket.write_all(refusal.as_bytes())
    });
    let stops_reading = serve(move |_, mut socket| {
        read_head(&mut socket)?;
        socket.write_all(refusal.as_bytes())?;
        thread::sleep(Duration::from_secs(60));
        Ok(())
    });
    for port in [closes, stops_reading] {
        let answer = whole(http::post(&format!("http://127.0.0.1:{port}/"), &body, &options()));
        assert_eq!(answer, Ok((413, b"no\n".to_vec())));
    }
}

/// The trap: an early answer that is no refusal, and a server that waits for the rest.
#[test]
fn an_answer_that_grows_with_the_request_does_not_end_it() {
    const BYTES: usize = 30_000_000;
    let echo = serve(|_, mut socket| {
        read_head(&mut socket)?;
        write!(socket, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: {BYTES}\r\n\r\n")?;
        io::copy(&mut socket.try_clone()?.take(BYTES as u64), &mut socket).map(|_| ())
    });
    let body: Vec<u8> = (0..BYTES).map(|n| (n / 1000) as u8).collect();
    let answer = whole(http::post(&format!("http://127.0.0.1:{echo}/"), &body, &options())).unwrap();
    assert!(answer == (200, body), "the echo differs");
}

/// Larger than all buffers, so that data goes every way that it can.
#[test]
fn large_bodies_come_through_each_framing() {
    let body: Vec<u8> = (0..1_000_000_u32).map(|n| (n / 100) as u8).collect();
    let mut coded = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let mut rest = &body[..];
    for size in [1, 70_000, 65_536, 65_535, 200_000, 3, 5, 500_000].into_iter().chain([1000; 99]).chain([1]) {
        let (chunk, following) = rest.split_at(size.min(rest.len()));
        coded.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        rest = following;
    }
    assert!(
        rest.is_empty() && coded.ends_with(b"\r\n0\r\n\r\n"),
        "the sizes above make the body and its end"
    );
    let length = [b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", &body[..], b"surplus"].concat();
    let until_close = [b"HTTP/1.0 200 OK\r\n\r\n", &body[..]].concat();
    for response in [coded, length, until_close] {
        let port = serve(move |_, mut socket| {
            read_head(&mut socket)?;
            socket.write_all(&response)
        });
        assert!(get(port).unwrap() == (200, body.clone()), "the body differs");
    }
}

/// A server that sends each request's head to the test, and answers the first on each connection with `first`
/// and the second with `then`.
fn redirecting(first: &'static str, then: &'static str) -> (u16, Receiver<(usize, String)>) {
    let (seen, heads) = mpsc::channel();
    let port = serve(move |number, mut socket| {
        for answer in [if number == 0 { first } else { then }, then] {
            let head = read_head(&mut socket)?;
            let _ = seen.send((number, head.lines().next().unwrap_or("").to_owned()));
            socket.write_all(answer.as_bytes())?;
            if answer.is_empty() {
                break;
            }
        }
        Ok(())
    });
    (port, heads)
}

#[test]
fn a_connection_is_used_again_only_where_its_place_is_beyond_doubt() {
    let final_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    for (redirect, expected) in [
        ("HTTP/1.1 302 F\r\nLocation: /b\r\nContent-Length: 3\r\n\r\nabc", 0),
        ("HTTP/1.1 302 F\r\nLocation: /b\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 0),
        ("HTTP/1.1 302 F\r\nLocation: /b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 1),
        // The rest would be the beginning of the next answer.
        (
            "HTTP/1.1 302 F\r\nLocation: /b\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
            1,
        ),
        ("HTTP/1.1 302 F\r\nLocation: /b\r\nContent-Length: 4\r\n\r\nabc", 1),
    ] {
        let (port, heads) = redirecting(redirect, final_answer);
        assert_eq!(get(port), Ok((200, b"ok".to_vec())), "{redirect}");
        assert_eq!(heads.iter().take(2).last(), Some((expected, "GET /b HTTP/1.1".to_owned())), "{redirect}");
    }
}

/// The trap: a request that is sent again although it may have been carried out.
#[test]
fn a_stale_connection_costs_a_get_nothing_and_a_post_is_not_repeated() {
    // A second request on the first connection is read, and then the connection closes.
    let part = |status: &'static str| {
        let (seen, heads) = mpsc::channel();
        let port = serve(move |number, mut socket| {
            let mut answer = |answer: String| {
                let head = read_head(&mut socket)?;
                let _ = seen.send(head);
                socket.write_all(answer.as_bytes())
            };
            if number == 0 {
                answer(format!("HTTP/1.1 {status} F\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"))?;
                answer(String::new())
            } else {
                answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned())
            }
        });
        (port, heads)
    };
    let (port, heads) = part("302");
    assert_eq!(get(port), Ok((200, b"ok".to_vec())));
    assert_eq!(heads.try_iter().count(), 3);
    let (port, heads) = part("307");
    let error = whole(http::post(&format!("http://127.0.0.1:{port}/"), b"", &options())).unwrap_err();
    assert!(matches!(error.kind, Kind::Io | Kind::Truncated), "{error}");
    assert_eq!(heads.try_iter().count(), 2);
}

/// The trap: a limit on each read, which every byte renews.
#[test]
fn a_byte_now_and_then_does_not_put_off_the_end() {
    let port = serve(|_, mut socket| {
        read_head(&mut socket)?;
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")?;
        loop {
            socket.write_all(b".")?;
            thread::sleep(Duration::from_millis(20));
        }
    });
    let begun = Instant::now();
    let options = Options { max_time: Duration::from_millis(300), ..Options::default() };
    let error = whole(http::get(&format!("http://127.0.0.1:{port}/"), &options)).unwrap_err();
    assert_eq!(error.kind, Kind::Timeout);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// A TLS server for `localhost` that answers with these bytes and hangs up without a word, and its root.
fn serve_tls(answer: &'static str) -> (u16, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![made.cert.der().clone()],
            PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let port = serve(move |_, socket| {
        let session = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
        let mut stream = BufReader::new(StreamOwned::new(session, socket));
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line)?;
        }
        stream.get_mut().write_all(answer.as_bytes())
    });
    let root = std::env::temp_dir().join(format!("http-loopback-{}-{port}.pem", std::process::id()));
    std::fs::write(&root, made.cert.pem()).unwrap();
    (port, root)
}

/// The trap: whoever can cut a connection decides where such a body ends.
#[test]
fn under_tls_an_unannounced_end_is_an_end_only_where_the_length_is_known() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Ok((200, b"ok".to_vec()))),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            Ok((200, b"ok".to_vec())),
        ),
        ("HTTP/1.1 200 OK\r\n\r\nok", Err(Kind::Truncated)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", Err(Kind::Truncated)),
    ] {
        let (port, root) = serve_tls(answer);
        let options = Options { ca: Some(root.clone()), ..options() };
        let seen = whole(http::get(&format!("https://LOCALHOST:{port}/"), &options));
        assert_eq!(seen.map_err(|error| error.kind), expected, "{answer}");
        std::fs::remove_file(root).unwrap();
    }
}

#[test]
fn a_certificate_is_for_its_host_and_from_a_trusted_root() {
    let (port, root) = serve_tls("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let trusting = Options { ca: Some(root.clone()), ..options() };
    for (url, options) in [
        (format!("https://127.0.0.1:{port}/"), &trusting),
        (format!("https://localhost:{port}/"), &options()),
    ] {
        assert_eq!(whole(http::get(&url, options)).unwrap_err().kind, Kind::Tls, "{url}");
    }
    std::fs::remove_file(root).unwrap();
}
