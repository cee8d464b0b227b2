//! An nginx with files, and the same files once more in chunks.

use std::fs;

use harness::{
    Context, Folder, Halt, Judged,
    docker::{Port, Server},
    origin::certificate::{Authority, Identity},
};

use crate::client;

/// One nginx.
#[derive(Debug)]
pub(super) struct Site {
    _server: Server,
    ports: Vec<Port>,
    /// What it serves, as `/site`. After it.
    _folder: Folder,
}

/// A site that is being written.
#[derive(Debug)]
pub(super) struct Plan<'c> {
    context: &'c Context,
    folder: Folder,
    ports: Vec<Port>,
    blocks: String,
}

impl<'c> Plan<'c> {
    pub(super) fn new(context: &'c Context) -> Judged<Self> {
        Ok(Self { context, folder: context.folder()?, ports: Vec::new(), blocks: String::new() })
    }

    /// Adds a file.
    pub(super) fn file(self, name: &str, bytes: &[u8]) -> Judged<Self> {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(path, bytes)?;
        Ok(self)
    }

    /// Adds a port that speaks http: every file, and below `/chunked` every file in chunks, since what has a trailer
    /// (RFC 9110 section 6.5) can have no length.
    pub(super) fn http(self, more: &str) -> Judged<Self> {
        self.server("", more)
    }

    /// Adds a port that speaks https, with these certificates and key.
    pub(super) fn https(self, identity: &Identity, protocols: &str) -> Judged<Self> {
        let number = self.ports.len();
        let (chain, key) = (format!("{number}.crt"), format!("{number}.key"));
        let settings = format!(
            "ssl_certificate /site/{chain}; ssl_certificate_key /site/{key}; ssl_protocols {protocols}; keepalive_timeout 0;"
        );
        let pem = identity.pem();
        self.file(&chain, pem.chain.as_bytes())?.file(&key, pem.key.as_bytes())?.server(" ssl", &settings)
    }

    fn server(mut self, ssl: &str, more: &str) -> Judged<Self> {
        let port = Port::reserve()?;
        self.blocks += &format!(
            "server {{ listen {}{ssl}; root /site; {more}\n\
             location /chunked/ {{ alias /site/; add_trailer Checked by-nobody; }} }}\n",
            port.address()
        );
        self.ports.push(port);
        Ok(self)
    }

    /// The port that the next server will have is not known before: this is the one of a server that was added.
    pub(super) fn address(&self, server: usize) -> String {
        self.ports.get(server).map(|port| port.address().to_string()).unwrap_or_default()
    }

    /// Starts it.
    ///
    /// # Errors
    /// Skip where no container can be had.
    #[track_caller]
    pub(super) fn start(self) -> Judged<Site> {
        let ports: Vec<_> = self.ports.iter().collect();
        let server = Server::start(self.context, self.folder.path(), &ports, &self.blocks)?;
        Ok(Site { _server: server, ports: self.ports, _folder: self.folder })
    }
}

impl Site {
    /// The URL of a path at one of its servers.
    pub(super) fn url(&self, scheme: &str, host: &str, server: usize, path: &str) -> String {
        let port = self.ports.get(server).map_or(0, |port| port.address().port());
        format!("{scheme}://{host}:{port}{path}")
    }
}

/// Bytes of which no run repeats at the distance of a buffer.
pub(super) fn bytes(context: &Context, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    context.rng().fill(&mut bytes);
    bytes
}

/// Gets a URL, and demands that the body is this one, of whatever length: it is compared as it comes.
#[track_caller]
pub(super) fn comes_whole(
    context: &Context,
    url: &str,
    authority: Option<&Authority>,
    body: &[u8],
) -> Judged {
    let run = client::get(context, url)?;
    let run = match authority {
        None => run,
        Some(authority) => run.trusting(authority)?,
    };
    let mut run = run.start()?;
    let told = run.told();
    let head = run.head()?;
    let mut got = 0;
    while let Some(bytes) = run.some_body()? {
        let expected = &body[got.min(body.len())..(got + bytes.len()).min(body.len())];
        if expected != bytes {
            let same = expected.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
            let at = got + same;
            let what =
                if at == body.len() { "more bytes".to_owned() } else { format!("another byte at {at}") };
            return Err(Halt::fail(format!("the {} bytes of the file", body.len()), what).did(told));
        }
        got += bytes.len();
    }
    let response = run.rest(head)?.response()?;
    if (response.status, got) == (200, body.len()) {
        return Ok(());
    }
    let seen = format!("status {} and {got} bytes", response.status);
    Err(Halt::fail(format!("status 200 and the {} bytes of the file", body.len()), seen).did(told))
}
