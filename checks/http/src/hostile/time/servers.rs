//! The servers of the checks about time, each with a client that was started against it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use harness::{
    Context, Halt, Judged,
    origin::{
        Connection, Origin, Setting,
        certificate::{Authority, Identity, Leaf},
    },
};

use crate::{
    bytes::shown,
    client::{self, Run, Running},
    hostile::unread::{Pause, Waiting, large_body},
};

/// What a client is allowed with `--max-time`, in seconds.
const ALLOWED: &str = "0.5";

/// How long a slow server goes on.
const PATIENCE: Duration = Duration::from_secs(8);

/// Between two bytes of a slow server.
const PAUSE: Duration = Duration::from_millis(20);

/// A client that has been started against a server that never comes to an end.
pub(super) struct Started {
    running: Running,
    kinds: &'static [&'static str],
    has_outlasted: Arc<AtomicBool>,
    /// Dropped before the server, whose end waits for its scripts.
    _pause: Option<Pause>,
    _origin: Option<Origin>,
}

/// Who the servers over TLS are.
pub(super) struct Secure {
    authority: Authority,
    identity: Identity,
}

impl Secure {
    pub(super) fn new() -> Judged<Self> {
        let mut authority = Authority::root("Groundwork")?;
        let identity = authority.issue(&Leaf::new(&["127.0.0.1"]))?;
        Ok(Self { authority, identity })
    }
}

impl Started {
    /// Starts a client that nobody but itself will stop.
    #[track_caller]
    pub(super) fn new(run: Run<'_>, told: String, origin: Option<Origin>) -> Judged<Self> {
        let running = run.against([told]).max_time(ALLOWED).start()?;
        Ok(Self {
            running,
            kinds: &["timeout"],
            has_outlasted: Arc::default(),
            _pause: None,
            _origin: origin,
        })
    }

    pub(super) fn or_fails_as(mut self, kinds: &'static [&'static str]) -> Self {
        self.kinds = kinds;
        self
    }

    /// Has to end as a timeout, and soon.
    #[track_caller]
    pub(super) fn ends(self) -> Judged {
        let told = self.running.told();
        let outcome = self.running.outcome();
        if self.has_outlasted.load(Ordering::Acquire) {
            let got = format!("it was still there after {} s", PATIENCE.as_secs());
            let halt = Halt::fail(format!("`error: timeout: …` after {ALLOWED} s"), got).did(told);
            return Err(halt.likely("the time begins anew with every byte that comes"));
        }
        outcome?.fails_as(self.kinds).map(drop)
    }
}

/// A server that sends `start`, and nothing else.
#[track_caller]
pub(super) fn silent(context: &Context, start: &'static str, secure: Option<&Secure>) -> Judged<Started> {
    let origin = setting(context, secure).play(move |connection| {
        connection.request()?;
        connection.send(start)?;
        connection.hold()
    })?;
    let run = trusting(client::get(context, &origin.url("/"))?, secure)?;
    let told = format!("the server sends {}, and no more", shown(start.as_bytes()));
    Started::new(run, told, Some(origin))
}

/// A server that reads nothing of a large request, and says nothing.
#[track_caller]
pub(super) fn unread(context: &Context, secure: Option<&Secure>) -> Judged<Started> {
    let waiting = Waiting::default();
    let origin = setting(context, secure).play({
        let waiting = waiting.clone();
        move |connection| {
            connection.head()?;
            waiting.wait();
            Ok(())
        }
    })?;
    let run = client::post(context, &origin.url("/"), &large_body()?)?;
    let told = "the server reads the head of the request, and no more";
    let started = Started::new(trusting(run, secure)?, told.to_owned(), Some(origin))?;
    Ok(Started { _pause: Some(Pause::of(waiting)), ..started })
}

/// A server that accepts, and does not answer a TLS handshake.
#[track_caller]
pub(super) fn silent_handshake(context: &Context) -> Judged<Started> {
    let origin = context.origin().play(Connection::hold)?;
    let run = client::get(context, &origin.url("/").replacen("http", "https", 1))?;
    let started = Started::new(run, "the server accepts, and says nothing".to_owned(), Some(origin))?;
    Ok(started.or_fails_as(&["timeout", "tls"]))
}

/// A server that sends `start`, and then `again` byte by byte.
#[track_caller]
pub(super) fn dripping(
    context: &Context,
    start: &'static str,
    again: &'static str,
    secure: Option<&Secure>,
) -> Judged<Started> {
    let has_outlasted = Arc::new(AtomicBool::new(false));
    let origin = setting(context, secure).play({
        let has_outlasted = Arc::clone(&has_outlasted);
        move |connection| {
            connection.request()?;
            connection.send(start)?;
            drip(connection, again.as_bytes(), &has_outlasted)
        }
    })?;
    let run = trusting(client::get(context, &origin.url("/"))?, secure)?;
    let told = format!(
        "the server sends {}, and then {} again and again, a byte every {} ms",
        shown(start.as_bytes()),
        shown(again.as_bytes()),
        PAUSE.as_millis()
    );
    Ok(Started { has_outlasted, ..Started::new(run, told, Some(origin))? })
}

/// A server whose part of the TLS handshake comes byte by byte: a record of 16 KiB (RFC 8446 section 5.1).
#[track_caller]
pub(super) fn dripping_handshake(context: &Context) -> Judged<Started> {
    let has_outlasted = Arc::new(AtomicBool::new(false));
    let origin = context.origin().play({
        let has_outlasted = Arc::clone(&has_outlasted);
        move |connection| {
            connection.send(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")?;
            drip(connection, b"\0", &has_outlasted)
        }
    })?;
    let run = client::get(context, &origin.url("/").replacen("http", "https", 1))?;
    let told = format!("the server's part of the handshake comes a byte every {} ms", PAUSE.as_millis());
    let started = Started { has_outlasted, ..Started::new(run, told, Some(origin))? };
    Ok(started.or_fails_as(&["timeout", "tls"]))
}

/// Sends bytes one after the other until the client has gone, or has had more than enough time to go.
fn drip(connection: &mut Connection, again: &[u8], has_outlasted: &AtomicBool) -> io::Result<()> {
    let began = Instant::now();
    for byte in again.iter().cycle() {
        if began.elapsed() > PATIENCE {
            has_outlasted.store(true, Ordering::Release);
            break;
        }
        connection.send([*byte])?;
        thread::sleep(PAUSE);
    }
    connection.cut()
}

fn setting<'c>(context: &'c Context, secure: Option<&Secure>) -> Setting<'c> {
    match secure {
        None => context.origin(),
        Some(secure) => context.origin().secure(&secure.identity),
    }
}

fn trusting<'c>(run: Run<'c>, secure: Option<&Secure>) -> Judged<Run<'c>> {
    match secure {
        None => Ok(run),
        Some(secure) => run.trusting(&secure.authority),
    }
}

/// A listener that nobody serves, with as many connections in its queue as fit: the next one hangs.
pub(super) struct FullHouse {
    pub(super) address: SocketAddr,
    _listener: TcpListener,
    _guests: Vec<TcpStream>,
}

impl FullHouse {
    /// More than the queues of listeners hold by default.
    const MOST_GUESTS: usize = 600;

    /// None where so long a queue is allowed that it cannot be filled.
    pub(super) fn new() -> Judged<Option<Self>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let mut guests = Vec::new();
        while guests.len() < Self::MOST_GUESTS {
            match TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
                Ok(guest) => guests.push(guest),
                Err(_) => return Ok(Some(Self { address, _listener: listener, _guests: guests })),
            }
        }
        Ok(None)
    }
}
