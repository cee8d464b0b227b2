//! Stage 1: from a name to a connected socket. A name may have several addresses, of which some lead nowhere
//! (`localhost` is both `::1` and `127.0.0.1`, and a server listens on one): each is tried, in the order in
//! which the resolver gives them.
//!
//! ```text
//! example.org ─ resolve ─► [2001:db8::1]:80   no answer within its share of the time
//!                          192.0.2.1:80       refused
//!                          192.0.2.2:80       connected
//! ```
//!
//! Left out on purpose: trying several at once (Happy Eyeballs, RFC 8305), which is for whoever waits at a
//! screen.

use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;

use crate::error::{Error, Kind};
use crate::hostile::Deadline;
use crate::url::Url;

/// A connection to the first address of the URL's host that accepts one. It never waits in reads and writes,
/// and never holds back a small packet until an earlier one is acknowledged (Nagle's algorithm): what is
/// written is whole requests.
pub fn connect(url: &Url, deadline: Deadline) -> Result<TcpStream, Error> {
    let addresses = resolve(url, deadline)?;
    let mut refusals = Vec::new();
    for (tried, address) in addresses.iter().enumerate() {
        // An address that swallows packets must leave time for the others.
        let share = deadline.remaining()? / (addresses.len() - tried) as u32;
        match TcpStream::connect_timeout(address, share) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                socket.set_nonblocking(true)?;
                return Ok(socket);
            }
            Err(error) => refusals.push(format!("{address}: {error}")),
        }
    }
    deadline.remaining()?;
    Err(Error::new(Kind::Connect, refusals.join(", ")))
}

/// The addresses of the URL's host.
///
/// `getaddrinfo` takes no deadline and may wait for a dead name server for half a minute. So it waits in a
/// thread of its own; if that takes too long, nobody listens to the thread any more, and it ends when it ends.
fn resolve(url: &Url, deadline: Deadline) -> Result<Vec<SocketAddr>, Error> {
    let port = url.port;
    if let Ok(address) = url.bare_host().parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let host = url.host.clone();
    let (answer, answers) = mpsc::sync_channel(1);
    thread::Builder::new().spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Vec::from_iter);
        // Whoever asked may have given up.
        let _ = answer.send(found);
    })?;
    let found = answers.recv_timeout(deadline.remaining()?).map_err(|_| deadline.exceeded())?;
    let unknown = |why: String| Error::new(Kind::Dns, format!("{:?} has no address: {why}", url.host));
    let addresses = found.map_err(|error| unknown(error.to_string()))?;
    if addresses.is_empty() { Err(unknown("the answer is empty".to_owned())) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::time::Duration;

    #[test]
    fn a_name_connects_where_only_one_of_its_addresses_listens() {
        for local in ["127.0.0.1:0", "[::1]:0"] {
            // Not every machine has both.
            let Ok(listener) = TcpListener::bind(local) else { continue };
            let url =
                Url::parse(&format!("http://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
            match connect(&url, Deadline::after(Duration::from_secs(10))) {
                Ok(socket) => assert_eq!(socket.peer_addr().unwrap(), listener.local_addr().unwrap()),
                // That `localhost` is IPv4 alone is up to the machine as well.
                Err(error) => assert_eq!((error.kind, local), (Kind::Connect, "[::1]:0")),
            }
        }
    }
}
