//! Responses that take their time: what has come of them has to be seen on stdout before the rest is sent, and much
//! may flow through a little memory.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

use harness::{
    Context, Halt, Judged, observe,
    origin::{
        Connection, Origin, Setting,
        certificate::{Authority, Identity},
    },
};

use crate::{
    bytes::{difference, shown},
    client::{self, Run},
};

/// Who a server of https is, and whom a client has to trust for it to be so; nothing for one of http.
pub(crate) type Secure<'s> = Option<(&'s Identity, &'s Authority)>;

/// A server that sends each part of its response when it is told to.
#[derive(Debug)]
struct Stepwise {
    /// Gone before the server is, which waits for it.
    go: mpsc::Sender<()>,
    origin: Origin,
}

impl Stepwise {
    #[track_caller]
    fn serve(setting: Setting<'_>, parts: Vec<Vec<u8>>) -> Judged<Self> {
        let (go, gate) = mpsc::channel();
        let gate = Mutex::new(gate);
        let origin = setting.play(move |connection| {
            connection.request()?;
            for part in &parts {
                lock(&gate).recv().map_err(|_| io::ErrorKind::Interrupted)?;
                connection.send(part)?;
            }
            Ok(())
        })?;
        Ok(Self { go, origin })
    }

    /// Sends the next part.
    fn go_on(&self) {
        // A server whose client went away has ended; the client says why.
        let _ = self.go.send(());
    }
}

/// Sends a head, then part after part of what follows it, each once stdout has shown all of the body that came with
/// those before. `parts` are bytes on the wire, and the body that they bring.
///
/// # Errors
/// When something is not shown, or is shown wrong.
#[track_caller]
pub(crate) fn is_shown_as_it_comes(context: &Context, head: &str, parts: &[(&[u8], &[u8])]) -> Judged {
    is_shown_as_it_comes_over(context, None, head, parts)
}

/// The same, perhaps over TLS.
///
/// # Errors
/// When something is not shown, or is shown wrong.
#[track_caller]
pub(crate) fn is_shown_as_it_comes_over(
    context: &Context,
    secure: Secure<'_>,
    head: &str,
    parts: &[(&[u8], &[u8])],
) -> Judged {
    let sent = [head.as_bytes()].into_iter().chain(parts.iter().map(|part| part.0)).map(<[u8]>::to_vec);
    let server = Stepwise::serve(setting(context, secure), sent.collect())?;
    let mut told =
        vec![format!("the server sends {} and waits until stdout shows the head", shown(head.as_bytes()))];
    for (wire, _) in parts {
        told.push(format!(
            "it sends {} and waits until stdout shows what that holds of the body",
            shown(wire)
        ));
    }
    let mut run = get(context, secure, &server.origin)?.against(told).start()?;
    server.go_on();
    let mut response = run.head()?;
    let mut body = Vec::new();
    for (_, more) in parts {
        server.go_on();
        body.extend_from_slice(more);
        while response.body.len() < body.len() {
            match run.some_body() {
                Ok(Some(bytes)) => response.body.extend_from_slice(&bytes),
                Ok(None) => break,
                Err(halt) => {
                    return Err(halt.drawn(difference(&body, &response.body)).likely(
                        "what has arrived waits in a buffer: for the rest of the body, or for a flush",
                    ));
                }
            }
        }
        if !response.body.starts_with(&body) {
            break;
        }
    }
    run.rest(response)?.is(200, &body).map(drop)
}

/// A response of which much has to flow through a little memory.
#[derive(Debug)]
pub(crate) struct Large {
    /// What comes before the body.
    pub(crate) before: String,
    /// How many bytes of body, at least one.
    pub(crate) body_bytes: usize,
    /// What comes after it.
    pub(crate) after: &'static str,
}

/// The peak of resident memory that a client may reach.
const PEAK_BYTES: u64 = 32 << 20;

/// Of a client whose runtime alone takes more than this, only what it takes beyond its runtime is judged.
const LARGE_RUNTIME_BYTES: u64 = 16 << 20;

/// Demands that the body comes out as it went in, and that the peak of memory stays small; `small` is a response
/// like it, with a short body, and tells what the client needs for itself.
///
/// # Errors
/// When the body is another one, or the peak is too high.
#[track_caller]
pub(crate) fn takes_little_memory(context: &Context, small: Large, large: Large) -> Judged {
    takes_little_memory_over(context, None, small, large)
}

/// The same, perhaps over TLS.
///
/// # Errors
/// When the body is another one, or the peak is too high.
#[track_caller]
pub(crate) fn takes_little_memory_over(
    context: &Context,
    secure: Secure<'_>,
    small: Large,
    large: Large,
) -> Judged {
    let (own, _) = peak(context, secure, small)?;
    let body_bytes = large.body_bytes;
    let (peak, told) = peak(context, secure, large)?;
    let allowed = if own > LARGE_RUNTIME_BYTES { own + PEAK_BYTES } else { PEAK_BYTES };
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
    context.measured(format!(
        "{} MiB of body: a peak of {} (VmHWM), {} for a short one",
        body_bytes >> 20,
        mib(peak),
        mib(own)
    ));
    if peak < allowed {
        return Ok(());
    }
    let got = format!("{}, and {} for a short body", mib(peak), mib(own));
    Err(Halt::fail(format!("a peak of resident memory (VmHWM) below {}", mib(allowed)), got)
        .did(told)
        .likely("the body is kept until it is complete"))
}

/// The peak of a client's memory when all but the last byte of the body has been read by it, and what was done.
#[track_caller]
fn peak(context: &Context, secure: Secure<'_>, large: Large) -> Judged<(u64, Vec<String>)> {
    let Large { before, body_bytes, after } = large;
    let pattern = Arc::new(Pattern::new(context));
    let (tell, pids) = mpsc::channel::<i32>();
    let (pids, seen) = (Mutex::new(pids), Arc::new(Mutex::new(None)));
    let told = [format!(
        "the server sends {} and {body_bytes} bytes of body, and the last of them when all others were read",
        shown(before.as_bytes())
    )];
    let origin = setting(context, secure).play({
        let (pattern, seen) = (Arc::clone(&pattern), Arc::clone(&seen));
        move |connection| {
            connection.request()?;
            connection.send(&before)?;
            pattern.send(connection, 0, body_bytes - 1)?;
            connection.arrived()?;
            let pid = lock(&pids).recv().map_err(|_| io::ErrorKind::Interrupted)?;
            *lock(&seen) = Some(observe::usage(pid).peak_resident_bytes);
            pattern.send(connection, body_bytes - 1, body_bytes)?;
            connection.send(after)
        }
    })?;
    let mut run = get(context, secure, &origin)?.against(told).start()?;
    let _ = tell.send(run.pid());
    let told = run.told();
    let response = run.head()?;
    let mut got = 0;
    while let Some(bytes) = run.some_body()? {
        if let Some(halt) = pattern.differs_from(got, &bytes) {
            return Err(halt.did(told));
        }
        got += bytes.len();
    }
    let outcome = run.rest(response)?;
    let response = outcome.response()?;
    if (response.status, got) != (200, body_bytes) {
        let got = format!("status {} and {got} bytes of body", response.status);
        return Err(Halt::fail(format!("status 200 and {body_bytes} bytes of body"), got).did(told));
    }
    let peak = lock(&seen).take();
    // The last byte was shown, and it was sent after this was set.
    peak.map(|peak| (peak, told)).ok_or_else(|| Halt::fault("a response that was read before it was sent"))
}

/// A server on 127.0.0.1.
fn setting<'c>(context: &'c Context, secure: Secure<'_>) -> Setting<'c> {
    match secure {
        None => context.origin(),
        Some((identity, _)) => context.origin().secure(identity),
    }
}

/// A client of it.
fn get<'c>(context: &'c Context, secure: Secure<'_>, origin: &Origin) -> Judged<Run<'c>> {
    let run = client::get(context, &origin.url("/"))?;
    match secure {
        None => Ok(run),
        Some((_, authority)) => run.trusting(authority),
    }
}

/// Endless bytes that never repeat at a distance that a buffer could have.
#[derive(Debug)]
struct Pattern(Vec<u8>);

impl Pattern {
    /// A prime.
    const PERIOD: usize = 1_048_573;

    fn new(context: &Context) -> Self {
        let mut rng = context.rng();
        let mut bytes: Vec<u8> = std::iter::repeat_with(|| rng.u8(b'!'..=b'~')).take(Self::PERIOD).collect();
        bytes.extend_from_within(..);
        Self(bytes)
    }

    /// At most a period of the bytes from `at` on.
    fn part(&self, at: usize, length: usize) -> &[u8] {
        let from = at % Self::PERIOD;
        &self.0[from..from + length.min(Self::PERIOD)]
    }

    fn send(&self, connection: &mut Connection, mut from: usize, to: usize) -> io::Result<()> {
        while from < to {
            let part = self.part(from, to - from);
            connection.send(part)?;
            from += part.len();
        }
        Ok(())
    }

    #[track_caller]
    fn differs_from(&self, mut at: usize, mut got: &[u8]) -> Option<Box<Halt>> {
        while !got.is_empty() {
            let expected = self.part(at, got.len());
            let (these, rest) = got.split_at(expected.len());
            if these != expected {
                let same = these.iter().zip(expected).take_while(|(a, b)| a == b).count();
                let (from, to) = (same.saturating_sub(24), (same + 40).min(these.len()));
                let picture = difference(&expected[from..to], &these[from..to]);
                let expected = format!("byte {} of the body as it was sent", at + same);
                return Some(Halt::fail(expected, "another byte there").drawn(picture));
            }
            (at, got) = (at + expected.len(), rest);
        }
        None
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
