//! Given: the program `lb`, which speaks the contract and calls the library. There is nothing to do here.
//!
//! ```text
//! lb --listen ADDR --backend ADDR [--backend ADDR ...]
//!    [--health-interval 10s] [--connect-timeout 2s] [--log FILE]
//!
//! stdout  listening on 127.0.0.1:8080      one line, once clients can connect; then log lines, unless --log
//! stderr  error: what is wrong             one line, and exit status 2 for the command line, 1 for the rest
//! ```
//!
//! SIGTERM reaches the library as a socket that becomes readable: one more thing that its loop waits for.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use lb::{Balancer, Config, os};

const USAGE: &str = "usage: lb --listen ADDR --backend ADDR [--backend ADDR ...] \
                     [--health-interval 10s] [--connect-timeout 2s] [--log FILE]";

/// What the command line asks for.
struct Call {
    config: Config,
    log: Option<PathBuf>,
}

fn main() -> ExitCode {
    let (balancer, log) = match parse(std::env::args_os().skip(1)).and_then(begin) {
        Ok(begun) => begun,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    match serve(balancer, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The command line, with its names resolved.
fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Call, String> {
    let (mut listen, mut backends, mut seen, mut log) = (None, Vec::new(), HashSet::new(), None);
    let (mut health_interval, mut connect_timeout) = (Duration::from_secs(10), Duration::from_secs(2));
    while let Some(word) = words.next() {
        let text = word.to_string_lossy().into_owned();
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (text.as_str(), None),
        };
        if !["--listen", "--backend", "--health-interval", "--connect-timeout", "--log"].contains(&name) {
            return Err(format!("{text} is no option; {USAGE}"));
        }
        let value = attached.or_else(|| words.next()).ok_or(format!("{name} needs a value; {USAGE}"))?;
        let shown = value.to_string_lossy().into_owned();
        match name {
            "--listen" => listen = Some(resolve(name, &shown)?),
            "--backend" => {
                let backend = resolve(name, &shown)?;
                if backend.port() == 0 {
                    return Err(format!("--backend {shown} has no port"));
                }
                if !seen.insert(backend) {
                    return Err(format!("--backend {shown} is there already, as {backend}"));
                }
                backends.push(backend);
            }
            "--health-interval" => health_interval = duration(name, &shown)?,
            "--connect-timeout" => connect_timeout = duration(name, &shown)?,
            _ => log = Some(PathBuf::from(value)),
        }
    }
    let listen = listen.ok_or(format!("--listen is missing; {USAGE}"))?;
    if backends.is_empty() {
        return Err(format!("--backend is missing; {USAGE}"));
    }
    let max_descriptors = os::raise_descriptor_limit();
    Ok(Call { config: Config { listen, backends, health_interval, connect_timeout, max_descriptors }, log })
}

/// The first address of `text`.
fn resolve(option: &str, text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| format!("{option} {text}: {error}"))?;
    found.next().ok_or(format!("{option} {text}: the name has no address"))
}

/// A whole number of `ms`, `s` or `m`, greater than zero.
fn duration(option: &str, text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        _ => None,
    };
    let whole =
        number.parse().ok().zip(unit_ms).and_then(|(number, unit): (u64, u64)| number.checked_mul(unit));
    match whole {
        // Some 30 years: what is added to the present stays a point in time.
        Some(ms @ 1..=1_000_000_000_000) => Ok(Duration::from_millis(ms)),
        _ => Err(format!("{option} {text} is no duration such as 200ms, 10s or 1m")),
    }
}

/// Opens the log and the listening socket.
fn begin(call: Call) -> Result<(Balancer, File), String> {
    let log = match &call.log {
        Some(path) => File::options().append(true).create(true).open(path),
        // A line is one write: std's stdout would hold it back, or cut it.
        None => io::stdout().as_fd().try_clone_to_owned().map(File::from),
    };
    let name = call.log.as_ref().map_or("stdout".into(), |path| path.to_string_lossy());
    let log = log.map_err(|error| format!("the log {name} cannot be opened: {error}"))?;
    let listen = call.config.listen;
    let balancer =
        Balancer::bind(call.config).map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    Ok((balancer, log))
}

fn serve(mut balancer: Balancer, mut log: File) -> io::Result<()> {
    // Before the line: whoever has read it may send the signal.
    let mut stop = os::on_sigterm()?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", balancer.local_addr()?)?;
    stdout.flush()?;
    balancer.run(&mut stop, &mut log)
}
