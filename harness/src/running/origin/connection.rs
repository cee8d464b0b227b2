//! One connection, from the script's side.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use nix::sys::socket::{setsockopt, sockopt};
use rustls::{ServerConnection, StreamOwned};

use super::{
    Stage, arrival,
    request::{Request, head_end},
};

/// A client's connection. Dropped, it is closed in good order, over TLS with a close_notify.
#[derive(Debug)]
pub struct Connection {
    number: usize,
    channel: Channel,
    stage: Arc<Stage>,
    here: SocketAddr,
    peer: SocketAddr,
    /// Read, and not yet asked for by the script.
    unread: Vec<u8>,
    /// The script has ended it in its own way.
    is_ended: bool,
}

/// What bytes go through.
#[derive(Debug)]
enum Channel {
    Plain(TcpStream),
    Secure(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// Plays the script on a connection that was accepted.
pub(super) fn play(stage: &Arc<Stage>, number: usize, socket: TcpStream) {
    match Connection::open(stage, number, socket) {
        Ok(mut connection) => {
            // An error is the client's way to say that it has enough; what it got and sent is in the record.
            if let Err(error) = (stage.script)(&mut connection) {
                stage.note(number, '.', format!("({error})").as_bytes());
            }
            connection.close();
        }
        Err(error) => {
            stage.note(number, '.', format!("(no handshake: {error})").as_bytes());
            stage.record(number, |record| record.refusal = Some(error.to_string()));
        }
    }
    stage.record(number, |record| record.is_over = true);
    stage.note(number, '.', b"(closed)");
}

impl Connection {
    fn open(stage: &Arc<Stage>, number: usize, socket: TcpStream) -> io::Result<Self> {
        let (here, peer) = (socket.local_addr()?, socket.peer_addr()?);
        stage.note(number, '.', b"(accepted)");
        let channel = match &stage.identity {
            None => Channel::Plain(socket),
            Some(identity) => Channel::Secure(handshake(stage, number, socket, identity.session()?)?),
        };
        Ok(Self {
            number,
            channel,
            stage: Arc::clone(stage),
            here,
            peer,
            unread: Vec::new(),
            is_ended: false,
        })
    }

    /// How many connections this server accepted before.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The next request, with its body.
    ///
    /// # Errors
    /// `UnexpectedEof` when the client sends no whole one.
    pub fn request(&mut self) -> io::Result<Request> {
        let head = self.head()?;
        let body_bytes = head.content_length();
        while self.unread.len() < body_bytes {
            self.read_some()?;
        }
        let mut bytes = head.bytes().to_vec();
        bytes.extend(self.unread.drain(..body_bytes));
        Ok(Request::new(bytes, head.bytes().len()))
    }

    /// The next request's head; its body is left to be read.
    ///
    /// # Errors
    /// `UnexpectedEof` when the client sends no whole one.
    pub fn head(&mut self) -> io::Result<Request> {
        let end = loop {
            match head_end(&self.unread) {
                Some(end) => break end,
                None => self.read_some()?,
            }
        };
        Ok(Request::new(self.unread.drain(..end).collect(), end))
    }

    /// Reads, and records, whatever comes until the client ends its side.
    ///
    /// # Errors
    /// Those of the socket, a reset among them.
    pub fn read_to_end(&mut self) -> io::Result<()> {
        loop {
            match self.read_some() {
                Ok(()) => self.unread.clear(),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Keeps the connection open, and says nothing, until the client ends it.
    ///
    /// # Errors
    /// Those of the socket, a reset among them.
    pub fn hold(&mut self) -> io::Result<()> {
        self.read_to_end()
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// Those of the socket: the client has gone.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let bytes = bytes.as_ref();
        self.stage.note(self.number, '>', bytes);
        match &mut self.channel {
            Channel::Plain(socket) => socket.write_all(bytes)?,
            Channel::Secure(stream) => {
                stream.write_all(bytes)?;
                stream.flush()?;
            }
        }
        self.stage.record(self.number, |record| record.sent_bytes += bytes.len() as u64);
        Ok(())
    }

    /// Sends bytes in pieces: each is sent when all before it was read. `cuts` are offsets in ascending order; those
    /// beyond the end do nothing.
    ///
    /// # Errors
    /// Those of the socket: the client has gone.
    pub fn send_cut_at(&mut self, bytes: impl AsRef<[u8]>, cuts: &[usize]) -> io::Result<()> {
        let bytes = bytes.as_ref();
        let mut sent = 0;
        for &cut in cuts.iter().filter(|&&cut| cut < bytes.len()) {
            self.send(&bytes[sent..cut])?;
            self.arrived()?;
            sent = cut;
        }
        self.send(&bytes[sent..])
    }

    /// Waits until the client has read all that was sent, so that what is sent next comes with a read of its own.
    ///
    /// # Errors
    /// Interrupted when the check is over.
    pub fn arrived(&self) -> io::Result<()> {
        let mut pause = Duration::from_micros(50);
        while !arrival::is_complete(self.here, self.peer)? {
            if self.stage.is_stopping() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Sends no more, and goes on receiving: over TLS a close_notify, then the end of the stream.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn half_close(&mut self) -> io::Result<()> {
        self.stage.note(self.number, '.', b"(half-close)");
        if let Channel::Secure(stream) = &mut self.channel {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        self.socket().shutdown(Shutdown::Write)
    }

    /// Ends the stream both ways, over TLS without the close_notify that says that nothing is missing.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn cut(&mut self) -> io::Result<()> {
        self.stage.note(self.number, '.', b"(end of the stream, without a close_notify)");
        self.is_ended = true;
        self.socket().shutdown(Shutdown::Both)
    }

    /// Ends the connection with a reset: what the client has not read yet may be lost to it.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn reset(&mut self) -> io::Result<()> {
        self.stage.note(self.number, '.', b"(reset)");
        self.is_ended = true;
        let linger = libc::linger { l_onoff: 1, l_linger: 0 };
        setsockopt(self.socket(), sockopt::Linger, &linger)?;
        // A reset is sent when the last descriptor is closed; the copy that could stop us is the other one.
        let peer = self.peer;
        self.stage.sockets().retain(|socket| socket.peer_addr().is_ok_and(|other| other != peer));
        Ok(())
    }

    /// What the transcript should say beside bytes.
    pub fn note(&self, what: &str) {
        self.stage.note(self.number, '.', format!("({what})").as_bytes());
    }

    fn socket(&self) -> &TcpStream {
        match &self.channel {
            Channel::Plain(socket) => socket,
            Channel::Secure(stream) => &stream.sock,
        }
    }

    /// Reads what there is, at least a byte.
    fn read_some(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        let count = match &mut self.channel {
            Channel::Plain(socket) => socket.read(&mut buffer)?,
            Channel::Secure(stream) => stream.read(&mut buffer)?,
        };
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let bytes = &buffer[..count];
        self.stage.note(self.number, '<', bytes);
        self.stage.record(self.number, |record| record.received.extend_from_slice(bytes));
        self.unread.extend_from_slice(bytes);
        Ok(())
    }

    /// Closes in good order, so that the client gets all that was sent: a socket that is closed with bytes unread
    /// sends a reset, which may overtake them.
    fn close(&mut self) {
        if self.is_ended {
            return;
        }
        if let Channel::Secure(stream) = &mut self.channel {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let _ = self.socket().shutdown(Shutdown::Write);
    }
}

/// Shakes hands as far as it goes. What the client asked for is recorded either way.
fn handshake(
    stage: &Stage,
    number: usize,
    mut socket: TcpStream,
    mut session: ServerConnection,
) -> io::Result<Box<StreamOwned<ServerConnection, TcpStream>>> {
    let mut outcome = Ok(());
    while session.is_handshaking() && outcome.is_ok() {
        outcome = session.complete_io(&mut socket).map(drop);
    }
    let name = session.server_name().map(str::to_owned);
    stage.record(number, |record| record.server_name = name);
    outcome.map(|()| Box::new(StreamOwned::new(session, socket)))
}
