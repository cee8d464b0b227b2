//! What a request and a GiB cost, in CPU time and memory, beside curl.
//!
//! ```text
//! cargo build --release -p http-solution && cargo run --release -p http-solution --example cost
//! ```
//!
//! Servers run in threads of this process, clients are its children, so that the system's account of children
//! is the clients' alone (Linux: /proc/self/stat, in hundredths of a second).
//!
//! - *A request*: many in one process, each on a connection of its own. The library's loop is this program
//!   again; curl is given a pattern that stands for as many URLs.
//! - *A GiB*: one process each, stdout to /dev/null: framed by its length, by chunks of 16 KiB, by its length
//!   under TLS. The peak is VmHWM, looked at while the client runs.
//!
//! Each the cheapest of three runs: whatever else the machine is busy with empties caches, and makes work.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use http::Options;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const REQUESTS: u32 = 10_000;
const CHUNK_BYTES: usize = 16 * 1024;
const GIB: usize = 1 << 30;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [url] = &arguments[..] {
        return request_often(url);
    }
    let ca = std::env::temp_dir().join(format!("http-cost-{}.pem", std::process::id()));
    let (plain, tls) = (serve(None)?, serve(Some(certificate(&ca)?))?);
    let ca_text = ca.display().to_string();
    let client = std::env::current_exe()?.with_file_name("../http-solution").display().to_string();

    let own = std::env::current_exe()?.display().to_string();
    let per_request = 1e6 / f64::from(REQUESTS);
    let (cpu, _) = cost(&[&own, &format!("http://{plain}/")])?;
    println!("a request       library {:>6.0} µs", cpu * per_request);
    let pattern = format!("http://{plain}/[1-{REQUESTS}]");
    let (cpu, _) = cost(&["curl", "-s", "-o", "/dev/null", "-H", "Connection: close", &pattern])?;
    println!("                curl    {:>6.0} µs", cpu * per_request);

    for (what, url) in [
        ("a GiB, length", format!("http://{plain}/length")),
        ("a GiB, chunked", format!("http://{plain}/chunked")),
        ("a GiB, https", format!("https://localhost:{}/length", tls.port())),
    ] {
        let (cpu, peak_kib) = cost(&[&client, "get", &url, "--ca", &ca_text])?;
        println!("{what:<15} http    {cpu:>6.2} s, peak {:.1} MiB", peak_kib / 1024.0);
        let (cpu, peak_kib) = cost(&["curl", "-s", "--cacert", &ca_text, &url])?;
        println!("                curl    {cpu:>6.2} s, peak {:.1} MiB", peak_kib / 1024.0);
    }
    Ok(fs::remove_file(ca)?)
}

fn request_often(url: &str) -> Result<(), Box<dyn Error>> {
    let mut body = Vec::new();
    for _ in 0..REQUESTS {
        body.clear();
        http::get(url, &Options::default())?.body.read_to_end(&mut body)?;
    }
    Ok(())
}

/// The cheapest of three runs of a client: its CPU time in seconds, its peak of memory in KiB.
fn cost(command: &[&str]) -> Result<(f64, f64), Box<dyn Error>> {
    let mut best = run(command)?;
    for _ in 1..3 {
        let next = run(command)?;
        best = if next.0 < best.0 { next } else { best };
    }
    Ok(best)
}

fn run(command: &[&str]) -> Result<(f64, f64), Box<dyn Error>> {
    let before = seconds_of_children()?;
    let mut child = Command::new(command[0]).args(&command[1..]).stdout(Stdio::null()).spawn()?;
    let mut peak = 0.0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let memory = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = memory.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        thread::sleep(Duration::from_millis(5));
    };
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    Ok((seconds_of_children()? - before, peak))
}

/// CPU time of all children that have ended.
fn seconds_of_children() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The program's name stands in parentheses, and may hold anything.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks: u64 = fields[13].parse::<u64>()? + fields[14].parse::<u64>()?;
    Ok(ticks as f64 / 100.0)
}

/// A server's side of TLS, for `localhost`; its root goes to the file `ca`.
fn certificate(ca: &Path) -> Result<Arc<ServerConfig>, Box<dyn Error>> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    fs::write(ca, made.cert.pem())?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    Ok(Arc::new(config))
}

fn serve(tls: Option<Arc<ServerConfig>>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            // A client that goes away is the client's business.
            let _ = match &tls {
                None => answer(socket),
                Some(config) => ServerConnection::new(Arc::clone(config))
                    .map_err(io::Error::other)
                    .and_then(|session| answer(StreamOwned::<_, TcpStream>::new(session, socket))),
            };
        }
    });
    Ok(address)
}

/// Answers one request: a GiB to `/length` and `/chunked`, two bytes to any other.
fn answer(stream: impl Read + Write) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") && stream.read_line(&mut request)? > 0 {}
    let stream = stream.get_mut();
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
    let data = [b'x'; CHUNK_BYTES];
    if request.starts_with("GET /length ") {
        stream.write_all(format!("{head}Content-Length: {GIB}\r\n\r\n").as_bytes())?;
        // As much at once as a good server would send.
        let many = data.repeat(16);
        for _ in 0..GIB / many.len() {
            stream.write_all(&many)?;
        }
    } else if request.starts_with("GET /chunked ") {
        stream.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes())?;
        let many = [format!("{CHUNK_BYTES:x}\r\n").as_bytes(), &data, b"\r\n"].concat().repeat(16);
        for _ in 0..GIB / CHUNK_BYTES / 16 {
            stream.write_all(&many)?;
        }
        stream.write_all(b"0\r\n\r\n")?;
    } else {
        stream.write_all(format!("{head}Content-Length: 2\r\n\r\nok").as_bytes())?;
    }
    stream.flush()
}
