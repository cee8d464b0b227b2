//! An nginx in a container, on the host's network: it listens on 127.0.0.1 alone, as everything that a check starts.
//!
//! ```text
//!   Port      bound by us and never listened on, so that nobody else gets it (SO_REUSEADDR lets nginx in beside us)
//!   folder    /site in the container, read-only: pages, certificates, and the configuration that is written into it
//!   scratch   /scratch in the container: what nginx writes
//! ```

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream},
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::socket::{
        AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, setsockopt, socket, sockopt,
    },
    unistd::{getgid, getuid},
};
use testcontainers::{
    Container, GenericImage, ImageExt,
    core::{AccessMode, Mount},
    runners::SyncRunner,
};

use super::{guests::Guest, image};
use crate::running::{Context, Halt, Judged};

/// How long an engine may take to start what takes a tenth of a second, or to stop it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What nginx is told whatever it serves: no file outside of /scratch, no second process, errors where the engine keeps them.
const FRAME: &str = "user root; daemon off; worker_processes 1; error_log stderr; pid /scratch/pid;
events { worker_connections 512; }
http {
access_log off;
client_body_temp_path /scratch/body; proxy_temp_path /scratch/proxy; fastcgi_temp_path /scratch/fastcgi;
uwsgi_temp_path /scratch/uwsgi; scgi_temp_path /scratch/scgi;
";

/// A port of 127.0.0.1 that nobody else is given.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    _reservation: OwnedFd,
}

impl Port {
    /// A free one.
    ///
    /// # Errors
    /// Fault when there is none.
    pub fn reserve() -> Judged<Self> {
        let reservation = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        setsockopt(&reservation, sockopt::ReuseAddr, &true)?;
        bind(reservation.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)))?;
        let name: SockaddrIn = getsockname(reservation.as_raw_fd())?;
        Ok(Self { address: SocketAddr::V4(name.into()), _reservation: reservation })
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A server that was started. Dropping it removes its container.
#[derive(Debug)]
pub struct Server {
    container: Container<GenericImage>,
    ports: Vec<SocketAddr>,
    /// After the container.
    _guest: Guest,
}

impl Server {
    /// Starts nginx with these `server` blocks, which listen on these ports, and waits until it does. `folder` is `/site`
    /// to it.
    ///
    /// # Errors
    /// Skip where no engine answers, or where containers are not on this machine's loopback; fault when it ends.
    #[track_caller]
    pub fn start(context: &Context, folder: &Path, ports: &[&Port], blocks: &str) -> Judged<Self> {
        let image = image::nginx()?;
        let ports: Vec<_> = ports.iter().map(|port| port.address).collect();
        let port = ports.first().map_or(0, SocketAddr::port);
        let configuration = format!("nginx-{port}.conf");
        fs::write(folder.join(&configuration), format!("{FRAME}{blocks}\n}}\n"))?;
        let scratch = folder.join(format!("scratch-{port}"));
        fs::create_dir(&scratch)?;
        let (folder, scratch) = (utf8(folder)?, utf8(&scratch)?);
        let (guest, container) = Guest::admit(|name| {
            image
                .with_cmd(["nginx", "-c", &format!("/site/{configuration}")])
                .with_container_name(name)
                .with_network("host")
                // What belongs to us it may read, and nothing more.
                .with_user(format!("{}:{}", getuid(), getgid()))
                .with_mount(Mount::bind_mount(folder, "/site").with_access_mode(AccessMode::ReadOnly))
                // Not a tmpfs: runc gives it the mode of the folder that it covers, which is root's alone.
                .with_mount(Mount::bind_mount(scratch, "/scratch"))
                .start()
        })?;
        let server = Self { container, ports, _guest: guest };
        context.note("..", &format!("nginx listens on {:?} in a container", server.ports));
        server.listens()?;
        Ok(server)
    }

    /// Stops the container, as `docker stop` does, and waits until nobody listens.
    ///
    /// # Errors
    /// Fault when the engine cannot.
    #[track_caller]
    pub fn stop(&self) -> Judged {
        const GRACE_S: i32 = 2;
        self.container.stop_with_timeout(Some(GRACE_S)).map_err(|error| fault("stop", &error))?;
        self.until("a server that was stopped still listens", || {
            !self.ports.iter().any(|address| TcpStream::connect(address).is_ok())
        })
    }

    /// Starts the stopped container again, on the same ports, and waits until it listens.
    ///
    /// # Errors
    /// Fault when the engine cannot.
    #[track_caller]
    pub fn start_again(&self) -> Judged {
        self.container.start().map_err(|error| fault("start", &error))?;
        self.listens()
    }

    #[track_caller]
    fn listens(&self) -> Judged {
        let look = || {
            let is_up = self.ports.iter().all(|address| TcpStream::connect(address).is_ok());
            is_up || !self.container.is_running().unwrap_or(false)
        };
        self.until("a container that runs is not to be reached on 127.0.0.1: no host network", look)?;
        if self.container.is_running().unwrap_or(false) {
            return Ok(());
        }
        let said = self.container.stderr_to_vec().unwrap_or_default();
        Err(Halt::fault(format!("nginx ended: {}", String::from_utf8_lossy(&said).trim())))
    }

    /// Waits for something; that it does not come is this machine's lack, in these words.
    #[track_caller]
    fn until(&self, lack: &str, mut look: impl FnMut() -> bool) -> Judged {
        let deadline = Instant::now() + PATIENCE;
        while !look() {
            if Instant::now() > deadline {
                return Err(Halt::skip(format!("{lack}; an engine of this machine, run by root, would do")));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// A path as the engine wants it.
fn utf8(path: &Path) -> Judged<&str> {
    path.to_str().ok_or_else(|| Halt::fault("a folder whose name is not UTF-8"))
}

#[track_caller]
fn fault(verb: &str, error: &testcontainers::TestcontainersError) -> Box<Halt> {
    Halt::fault(format!("the Docker engine cannot {verb} a container: {error}"))
}
