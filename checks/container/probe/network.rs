//! Sockets, and what else processes share by a name: within a container, and with the host.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixStream},
    },
};

use crate::{answer::Answer, sys};

/// A conversation with itself, by the loopback interface.
pub(crate) fn loopback() -> io::Result<Answer> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.write_all(b"hello")?;
    let mut bytes = [0; 5];
    server.read_exact(&mut bytes)?;
    Ok(Answer::text(&bytes))
}

/// A connection to a port of this machine.
pub(crate) fn connect(port: i64) -> io::Result<Answer> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port as u16)).map(|_| Answer::Nothing)
}

/// A connection to an abstract socket.
pub(crate) fn connect_abstract(name: &str) -> io::Result<Answer> {
    UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?).map(|_| Answer::Nothing)
}

/// The shared memory (System V) of this key.
pub(crate) fn shared_memory(key: i64) -> io::Result<Answer> {
    sys::shared_memory(key).map(Answer::Number)
}
