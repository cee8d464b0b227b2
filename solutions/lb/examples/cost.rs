//! What a connection, a request, a GiB and an idle connection cost, beside HAProxy and nginx.
//!
//! ```text
//! cargo build --release -p lb-solution && cargo run --release -p lb-solution --example cost
//! ```
//!
//! Client and backend are threads of this process; the balancer is its child, and only the balancer's time on a
//! CPU is counted (Linux: /proc/PID/schedstat, in nanoseconds). Each has one thread, and one backend.
//!
//! - *A connection*: connect, a byte there and back, close; one after the other.
//! - *A request*: 64 bytes there and back, over one connection.
//! - *A GiB*: from the backend to the client.
//! - *An idle connection*: resident memory, after a byte there and back over each.
//!
//! Each the cheapest of six runs, in turn: whatever else the machine does empties caches, and makes work.

use std::error::Error;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

const CONNECTIONS: usize = 1000;
const REQUESTS: usize = 4000;
const GIB: usize = 1 << 30;
/// So much is carried; its cost is taken times four.
const FLOOD_BYTES: usize = GIB / 4;
const IDLE: usize = 1000;
const ROUNDS: usize = 6;
/// What a client says first: whether it wants an echo, or a GiB.
const ECHO: u8 = b'e';
const FLOOD: u8 = b'f';

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A balancer that runs; it is ended when dropped.
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("lb-cost-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let backend = serve()?;
    let mut costs = [("lb", [f64::MAX; 4]), ("haproxy", [f64::MAX; 4]), ("nginx", [f64::MAX; 4])];
    for _ in 0..ROUNDS {
        for (name, best) in &mut costs {
            match measure(name, backend, &folder) {
                Ok(round) => best.iter_mut().zip(round).for_each(|(best, cost)| *best = best.min(cost)),
                Err(error) => eprintln!("{name}: {error}"),
            }
        }
    }
    println!("          connection    request       a GiB    idle connection");
    for (name, [connection, request, gib, idle]) in costs.into_iter().filter(|(_, best)| best[0] < f64::MAX) {
        println!("{name:<10}{connection:>7.1} µs  {request:>6.2} µs  {gib:>8.3} s  {idle:>12.2} KiB");
    }
    Ok(fs::remove_dir_all(folder)?)
}

/// CPU time of a connection and of a request in µs, of a GiB in s; memory of an idle connection in KiB.
fn measure(name: &str, backend: SocketAddr, folder: &Path) -> Result<[f64; 4]> {
    let running = start(name, backend, folder)?;
    let connection = cpu_ns(&running, CONNECTIONS, || exchange(&running).map(drop))? / 1000.0;
    let mut stream = exchange(&running)?;
    let mut bytes = [0; 64];
    let request = cpu_ns(&running, REQUESTS, || {
        stream.write_all(&bytes)?;
        stream.read_exact(&mut bytes)
    })? / 1000.0;
    let gib = cpu_ns(&running, 1, || flood(&running))? / 1e9 * (GIB / FLOOD_BYTES) as f64;
    let before = resident_kib(&running)?;
    let idle: Vec<TcpStream> = (0..IDLE).map(|_| exchange(&running)).collect::<io::Result<_>>()?;
    let idle_kib = (resident_kib(&running)? - before) / idle.len() as f64;
    Ok([connection, request, gib, idle_kib])
}

/// CPU time of the balancer for one of so many calls of `work`.
fn cpu_ns(running: &Running, times: usize, mut work: impl FnMut() -> io::Result<()>) -> Result<f64> {
    let before = on_cpu_ns(running)?;
    for _ in 0..times {
        work()?;
    }
    Ok((on_cpu_ns(running)? - before) / times as f64)
}

fn on_cpu_ns(running: &Running) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/schedstat", running.child.id()))?;
    Ok(stat.split_whitespace().next().unwrap_or("").parse()?)
}

fn resident_kib(running: &Running) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", running.child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("");
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// A connection over which a byte has gone there and back.
fn exchange(running: &Running) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(running.address)?;
    stream.set_nodelay(true)?;
    stream.write_all(&[ECHO])?;
    stream.read_exact(&mut [0])?;
    Ok(stream)
}

fn flood(running: &Running) -> io::Result<()> {
    let mut stream = TcpStream::connect(running.address)?;
    stream.write_all(&[FLOOD])?;
    let (mut buffer, mut total) = (vec![0; 256 * 1024], 0);
    while total < FLOOD_BYTES {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            bytes => total += bytes,
        }
    }
    Ok(())
}

/// Starts a balancer in front of `backend`, and waits until it serves.
fn start(name: &str, backend: SocketAddr, folder: &Path) -> Result<Running> {
    // Free a moment ago; nobody else is likely to take it.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let file = folder.join(name);
    let mut command = match name {
        "lb" => {
            let mut command = Command::new(std::env::current_exe()?.with_file_name("../lb-solution"));
            let (listen, backend) = (address.to_string(), backend.to_string());
            command.args(["--listen", &listen, "--backend", &backend, "--log"]).arg(&file);
            command
        }
        "haproxy" => {
            fs::write(&file, haproxy(address, backend))?;
            let mut command = Command::new("haproxy");
            command.arg("-db").arg("-f").arg(&file);
            command
        }
        _ => {
            fs::write(&file, nginx(address, backend, folder))?;
            let mut command = Command::new("nginx");
            command.arg("-p").arg(folder).arg("-e").arg(folder.join("nginx.errors")).arg("-c").arg(&file);
            command
        }
    };
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let running = Running { child, address };
    for _ in 0..200 {
        if exchange(&running).is_ok() {
            return Ok(running);
        }
        thread::sleep(Duration::from_millis(25));
    }
    Err("it does not serve".into())
}

fn haproxy(address: SocketAddr, backend: SocketAddr) -> String {
    format!(
        "global\n maxconn 5000\n nbthread 1\ndefaults\n mode tcp\n timeout connect 2s\n timeout client 100s\n \
         timeout server 100s\nlisten lb\n bind {address}\n server a {backend} check inter 10s\n"
    )
}

fn nginx(address: SocketAddr, backend: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\ndaemon off;\nmaster_process off;\n\
         pid {folder}/nginx.pid;\nworker_rlimit_nofile 20000;\nevents {{ worker_connections 20000; }}\n\
         stream {{ upstream all {{ server {backend}; }}\n \
         server {{ listen {address} backlog=4096; proxy_pass all; }} }}\n"
    )
}

/// A backend: a thread for each connection, which echoes or floods.
fn serve() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let small = thread::Builder::new().stack_size(64 * 1024);
            // A client that goes away is the client's business.
            let _ = small.spawn(move || answer(stream));
        }
    });
    Ok(address)
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    stream.read_exact(&mut first)?;
    if first == [FLOOD] {
        let many = vec![b'x'; 256 * 1024];
        for _ in 0..FLOOD_BYTES / many.len() {
            stream.write_all(&many)?;
        }
        return Ok(());
    }
    stream.write_all(&first)?;
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            bytes => stream.write_all(&buffer[..bytes])?,
        }
    }
}
