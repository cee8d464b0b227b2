//! What is shared by a name and not by a path: networks, and memory of System V.

use std::{
    net::{Ipv4Addr, TcpListener},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
};

use harness::{Context, Halt, Judged};

use crate::{host::Host, hostname::has_own_namespace, run::Inside, whole::holds_without_clone3};

/// Demands a network namespace with the loopback interface alone.
#[track_caller]
pub(super) fn has_own_network(host: &Host<'_>, inside: &Inside<'_, '_>) -> Judged {
    has_own_namespace(host, inside, "net")?;
    let table = inside.proc_file("net/dev")?;
    let names: Vec<_> = interfaces(&table).filter(|name| !is_fallback(name)).collect();
    if names != ["lo"] {
        return Err(Halt::fail("lo, and no other interface", names.join(", ")));
    }
    match inside.ask("loopback")? {
        Ok(_) => Ok(()),
        Err(errno) => {
            let got = nix::errno::Errno::from_raw(errno).to_string();
            Err(Halt::fail("127.0.0.1 can be bound and connected to", got)
                .likely("a new network has lo, and it is down"))
        }
    }
}

/// The interfaces in a `/proc/PID/net/dev`.
fn interfaces(table: &str) -> impl Iterator<Item = &str> {
    table.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim()))
}

/// Interfaces that some kernels make in every network, down: ends of tunnels to nowhere.
fn is_fallback(name: &str) -> bool {
    ["tunl", "sit", "ip6tnl", "gre", "erspan", "ip_vti", "ip6_vti", "teql"]
        .iter()
        .any(|kind| name.starts_with(kind))
        || name.starts_with("ip6gre")
}

pub(super) fn the_network_is_its_own(context: &Context) -> Judged {
    Host::play(context, |host| {
        let name = host.nonce();
        let abstract_socket = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let inside = host.call()?.serves()?;
        for (question, what) in [
            (format!("connect-abstract {name}"), "an abstract socket of the host's"),
            (format!("connect {port}"), "a port of the host's 127.0.0.1"),
        ] {
            if inside.ask(&question)?.is_ok() {
                return Err(Halt::fail(format!("{what} is not reached"), "it is connected"));
            }
        }
        has_own_network(host, &inside)?;
        drop((abstract_socket, listener));
        inside.finish_well()?;
        holds_without_clone3(host, |inside| has_own_network(host, inside))
    })
}

pub(super) fn shared_memory_is_its_own(context: &Context) -> Judged {
    /// A segment of the host's; dropping it removes it.
    struct Segment(i32);
    impl Drop for Segment {
        fn drop(&mut self) {
            // SAFETY: removes a segment by its number; the command reads no structure.
            unsafe { libc::shmctl(self.0, libc::IPC_RMID, std::ptr::null_mut()) };
        }
    }
    Host::play(context, |host| {
        let key = (context.seed() & 0x3fff_ffff | 0x4000_0000) as i32;
        // SAFETY: takes numbers alone, and attaches nothing.
        let number = unsafe { libc::shmget(key, 4096, libc::IPC_CREAT | 0o666) };
        let segment = nix::errno::Errno::result(number).map(Segment)?;
        let inside = host.call()?.serves()?;
        has_own_namespace(host, &inside, "ipc")?;
        if inside.ask(&format!("shared-memory {key}"))?.is_ok() {
            return Err(Halt::fail(
                "shared memory of the host's is not seen",
                format!("the segment of key {key} is"),
            ));
        }
        drop(segment);
        inside.finish_well()?;
        holds_without_clone3(host, |inside| has_own_namespace(host, inside, "ipc"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_read_below_the_heading() {
        let table = "Inter-|   Receive  |  Transmit\n face |bytes |bytes\n    lo: 0 0\n  eth0:12 3\n";
        assert_eq!(interfaces(table).collect::<Vec<_>>(), ["lo", "eth0"], "with and without a space behind");
    }
}
