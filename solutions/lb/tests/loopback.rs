//! The program as a whole, over real sockets: what cannot be seen in its parts. Clients and backends are
//! threads; each wait has a deadline, after which the test has failed.

use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// A balancer that runs; it is ended when dropped.
struct Balancer {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Balancer {
    fn start(backends: &[SocketAddr], options: &[&str]) -> Balancer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lb-solution"));
        command.args(["--listen", "127.0.0.1:0"]).args(options);
        for backend in backends {
            command.args(["--backend", &backend.to_string()]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").unwrap().parse().unwrap();
        Balancer { child, stdout, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// The next log line, from its second field on.
    fn log_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.split_once(' ').map_or(line.clone(), |(_time, fields)| fields.trim_end().to_owned())
    }

    fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    fn exit_status(&mut self) -> ExitStatus {
        until("the program ends", || self.child.try_wait().unwrap())
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Plays `part` on each connection, in a thread of its own.
fn backend(part: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let part = part.clone();
            thread::spawn(move || part(stream));
        }
    });
    address
}

/// An address at which nobody listens. It is one of the machine's own that nothing else uses: on 127.0.0.1 any
/// client or listener may be given the port a moment later.
fn nobody() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let own = Ipv4Addr::new(127, 1, (std::process::id() % 251) as u8, NEXT.fetch_add(1, Ordering::Relaxed));
    TcpListener::bind((own, 0)).unwrap().local_addr().unwrap()
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            bytes => stream.write_all(&buffer[..bytes])?,
        }
    }
}

/// One byte there and back; none if the connection was closed instead.
fn answers(stream: &mut TcpStream) -> Option<u8> {
    let mut byte = [b'x'];
    stream.write_all(&byte).ok()?;
    stream.read_exact(&mut byte).ok()?;
    Some(byte[0])
}

/// The trap: closing when one side has ended cuts what is still on its way, in both directions.
#[test]
fn an_end_follows_megabytes_and_the_answer_follows_the_end() {
    let bytes: Vec<u8> = (0..4 << 20).map(|place: u32| (place % 251) as u8).collect();
    let reverses = backend(|mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all)?;
        all.reverse();
        stream.write_all(&all)
    });
    let mut balancer = Balancer::start(&[reverses], &[]);
    let mut client = balancer.connect();
    client.write_all(&bytes).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert!(answer.iter().rev().eq(&bytes), "{} bytes came back, others than were sent", answer.len());
    let own = client.local_addr().unwrap();
    let size = bytes.len();
    let line = format!("client={own} backend={reverses} sent={size} received={size} status=ok");
    assert_eq!(balancer.log_line(), line);
}

/// The trap: what the client has said is lost with the first backend, or the rotation is stepped twice.
#[test]
fn a_backend_that_refuses_is_not_noticed_by_clients() {
    let (a, c) = (backend(echo), backend(echo));
    let balancer = Balancer::start(&[a, nobody(), c], &["--health-interval", "50ms"]);
    for number in 0..30 {
        assert_eq!(answers(&mut balancer.connect()), Some(b'x'), "client {number}");
    }
}

#[test]
fn nobody_is_left_and_the_client_is_told_so() {
    let mut balancer = Balancer::start(&[nobody(), nobody()], &[]);
    let client = balancer.connect();
    assert_eq!(answers(&mut client.try_clone().unwrap()), None);
    let own = client.local_addr().unwrap();
    assert_eq!(balancer.log_line(), format!("client={own} backend=- sent=0 received=0 status=no-backend"));
}

#[test]
fn a_backend_that_returns_is_found_by_a_check() {
    let address = nobody();
    let balancer = Balancer::start(&[address], &["--health-interval", "20ms"]);
    until("the backend is down", || answers(&mut balancer.connect()).is_none().then_some(()));
    let listener = TcpListener::bind(address).unwrap();
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| drop(thread::spawn(|| echo(stream))));
    });
    until("it is up again", || answers(&mut balancer.connect()));
}

/// The trap: a break is an error for one connection, and not for the loop. Its last words are delivered.
#[test]
fn a_backend_that_breaks_ends_its_own_connection_only() {
    let breaks = backend(|mut stream| {
        stream.read_exact(&mut [0])?;
        stream.write_all(&[b'k'; 100_000])
        // Closed with something unread: a reset.
    });
    let steady = backend(echo);
    let mut balancer = Balancer::start(&[breaks, steady], &[]);
    let (mut first, mut second) = (balancer.connect(), balancer.connect());
    assert_eq!(answers(&mut second), Some(b'x'));
    first.write_all(b"hello").unwrap();
    let mut words = Vec::new();
    // A reset is as good as an end.
    let _ = first.read_to_end(&mut words);
    assert_eq!(words.len(), 100_000);
    assert_eq!(answers(&mut second), Some(b'x'), "its neighbour");
    drop(first);
    let line = balancer.log_line();
    assert!(line.contains(&format!("backend={breaks} ")) && line.contains(" received=100000 "), "{line}");
}

#[test]
fn many_at_once_and_then_none_is_left() {
    let balancer = Balancer::start(&[backend(echo), backend(echo)], &[]);
    let before = balancer.descriptors();
    let mut clients: Vec<_> = (0..200).map(|_| balancer.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        assert_eq!(answers(client), Some(b'x'), "client {number}");
    }
    // Some of those before may have been the first checks'.
    assert!(balancer.descriptors() >= 400, "all at the same time");
    drop(clients);
    until("descriptors are free again", || (balancer.descriptors() <= before + 2).then_some(()));
}

/// The trap: the program ends, or spins, when `accept` fails; or it forgets who waits.
#[test]
fn few_descriptors_serve_everybody_in_the_end() {
    let backends = [backend(echo)];
    let limited = format!("ulimit -n 64 && exec {} \"$@\"", env!("CARGO_BIN_EXE_lb-solution"));
    let mut child = Command::new("sh")
        .args(["-c", &limited, "sh", "--listen", "127.0.0.1:0", "--backend", &backends[0].to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ").unwrap().parse().unwrap();
    let balancer = Balancer { child, stdout, address };
    let clients: Vec<_> = (0..100).map(|_| balancer.connect()).collect();
    for (number, mut client) in clients.into_iter().enumerate() {
        assert_eq!(answers(&mut client), Some(b'x'), "client {number}");
    }
}

#[test]
fn sigterm_lets_those_who_are_there_finish() {
    let mut balancer = Balancer::start(&[backend(echo)], &[]);
    let mut client = balancer.connect();
    assert_eq!(answers(&mut client), Some(b'x'));
    balancer.terminate();
    until("newcomers are refused", || match TcpStream::connect(balancer.address) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Some(()),
        _ => None,
    });
    assert_eq!(answers(&mut client), Some(b'x'), "it goes on");
    assert!(balancer.child.try_wait().unwrap().is_none());
    drop(client);
    assert_eq!(balancer.exit_status().code(), Some(0));
}

#[test]
fn a_command_line_that_means_nothing_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let busy = TcpListener::bind(&taken).unwrap();
    for (line, culprit) in [
        ("--backend 127.0.0.1:1", "--listen"),
        ("--listen 127.0.0.1:0", "--backend"),
        ("--listen 127.0.0.1:0 --backend 127.0.0.1:1 --backend 127.0.0.1:1", "127.0.0.1:1"),
        ("--listen 127.0.0.1:0 --backend nowhere", "nowhere"),
        ("--listen 127.0.0.1:0 --backend 127.0.0.1:1 --weight 3", "--weight"),
        ("--listen 127.0.0.1:0 --backend 127.0.0.1:1 --log", "--log"),
        ("--listen 127.0.0.1:0 --backend 127.0.0.1:1 --log /nowhere/x", "/nowhere/x"),
        ("--listen 127.0.0.1:0 --backend 127.0.0.1:1 --health-interval 10", "10"),
        ("--listen 127.0.0.1:0 --backend 127.0.0.1:1 --health-interval 0s", "0s"),
        ("--listen 127.0.0.1:0 --backend 127.0.0.1:1 --connect-timeout 1.5s", "1.5s"),
        ("--listen 127.0.0.1:0 --backend 127.0.0.1:1 --connect-timeout +1s", "+1s"),
        (&format!("--listen {taken} --backend 127.0.0.1:1"), &taken),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lb-solution"));
        let output = command.args(line.split_whitespace()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{line}");
        assert!(stderr.contains(culprit), "{line}: {stderr}");
    }
    drop(busy);
}
