//! Three nginx, named by letters, and what is asked of them. Requests are of HTTP/0.9 where one answer is all: a line,
//! and then the bytes of the page and nothing else.

use harness::{
    Context, Folder, Halt, Judged,
    docker::{Port, Server},
};

use crate::{
    balancer::{Balancer, Setup},
    client::Peer,
    scene::Scene,
    stream::Stream,
};

/// The names of the servers, in the order of the command line.
pub(super) const NAMES: &str = "abc";

/// How many bytes `/large` has.
pub(super) const LARGE_BYTES: u64 = 32 << 20;

/// Three servers that say their names, and have a large file.
#[derive(Debug)]
pub(super) struct Site {
    servers: Vec<Server>,
    ports: Vec<Port>,
    /// What they serve. After them.
    folder: Folder,
}

impl Site {
    /// Starts all three.
    ///
    /// # Errors
    /// Skip where no container can be had.
    #[track_caller]
    pub(super) fn start(context: &Context) -> Judged<Self> {
        let folder = context.folder()?;
        let (mut servers, mut ports) = (Vec::new(), Vec::new());
        for name in NAMES.chars() {
            let port = Port::reserve()?;
            let blocks = format!(
                "server {{ listen {}; keepalive_timeout 1h; root /site;\n\
                 location = /name {{ return 200 {name}; }} }}",
                port.address()
            );
            servers.push(Server::start(context, folder.path(), &[&port], &blocks)?);
            ports.push(port);
        }
        Ok(Self { servers, ports, folder })
    }

    /// Puts the large file there: this stream, from its beginning.
    pub(super) fn has_large(&self, stream: Stream) -> Judged {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < LARGE_BYTES {
            let at = bytes.len() as u64;
            bytes.extend_from_slice(stream.part(at, (LARGE_BYTES - at) as usize));
        }
        Ok(std::fs::write(self.folder.path().join("large"), bytes)?)
    }

    /// A balancer before all three.
    pub(super) fn balancer<'s>(&self, scene: &'s Scene<'_>) -> Setup<'s> {
        scene.tell("three nginx in containers, a, b and c");
        let addresses: Vec<_> = self.ports.iter().map(|port| port.address().to_string()).collect();
        scene.balancer(&[]).backends(&addresses)
    }

    /// `docker stop`.
    #[track_caller]
    pub(super) fn stop(&self, scene: &Scene<'_>, name: char) -> Judged {
        scene.tell(format!("docker stop {name}"));
        self.server(name)?.stop()
    }

    /// `docker start`, on the same port.
    #[track_caller]
    pub(super) fn start_again(&self, scene: &Scene<'_>, name: char) -> Judged {
        scene.tell(format!("docker start {name}"));
        self.server(name)?.start_again()
    }

    #[track_caller]
    fn server(&self, name: char) -> Judged<&Server> {
        let number = NAMES.find(name).and_then(|number| self.servers.get(number));
        number.ok_or_else(|| Halt::fault(format!("there is no server {name}")))
    }
}

/// The names of those who answer so many clients, one after the other.
#[track_caller]
pub(super) fn names(scene: &Scene<'_>, lb: &Balancer<'_>, clients: usize) -> Judged<String> {
    scene.tell(format!("{clients} clients ask for /name, one after the other"));
    scene.untold(|| {
        let mut seen = String::new();
        for _ in 0..clients {
            let client = lb.client()?;
            client.send(b"GET /name\r\n");
            client.is_closed_on()?;
            // Who stays half closed keeps two descriptors of the balancer's.
            client.close();
            seen.push(letter(client, &client.received())?);
        }
        Ok(seen)
    })
}

/// Asks for the name over a connection that stays, and gives what was answered.
#[track_caller]
pub(super) fn asks(scene: &Scene<'_>, client: Peer<'_>) -> Judged<char> {
    let before = client.received().len();
    client.send(b"GET /name HTTP/1.1\r\nHost: site.test\r\n\r\n");
    let look = || {
        let received = client.received();
        let head = received[before..].windows(4).position(|four| four == b"\r\n\r\n");
        let body = head.map(|head| received[before + head + 4..].to_vec()).unwrap_or_default();
        (!body.is_empty() || client.end().is_some()).then_some(body)
    };
    let body = scene.until(format!("a server answers {}", client.name()), look)?;
    letter(client, &body)
}

#[track_caller]
fn letter(client: Peer<'_>, page: &[u8]) -> Judged<char> {
    match std::str::from_utf8(page).ok().filter(|page| page.len() == 1 && NAMES.contains(page)) {
        Some(name) => Ok(name.chars().next().unwrap_or_default()),
        None => {
            let expected = format!("{} is answered with the name of a server", client.name());
            let got =
                if page.is_empty() { "the end of the connection".into() } else { crate::bytes::shown(page) };
            Err(Halt::fail(expected, got))
        }
    }
}
