//! The subject: `lb` with its options, from the line that it says first to its end.

mod setup;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use harness::{
    Context, Folder, Halt, Judged,
    names::Names,
    observe::{self, Usage},
    process::{Ending, Launch, Process},
    verdict::Verdict,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

pub(crate) use setup::Setup;

use crate::{client::Peer, log::Line, scene::Scene};

/// A balancer that listens.
#[derive(Debug)]
pub(crate) struct Balancer<'s> {
    scene: &'s Scene<'s>,
    address: SocketAddr,
    log: PathBuf,
    /// Its current folder, with its log.
    _folder: Folder,
}

impl<'s> Balancer<'s> {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client that has connected.
    ///
    /// # Errors
    /// When it cannot.
    #[track_caller]
    pub(crate) fn client(&self) -> Judged<Peer<'s>> {
        let client = self.scene.connect(self.address)?;
        client.is_accepted()?;
        Ok(client)
    }

    /// A client whose first word has come back: it is connected to a backend that echoes.
    ///
    /// # Errors
    /// When it is not.
    #[track_caller]
    pub(crate) fn answered(&self) -> Judged<Peer<'s>> {
        let client = self.client()?;
        client.send(b"hello");
        client.receives(b"hello")?;
        Ok(client)
    }

    /// So many clients at once whose first word has come back.
    ///
    /// # Errors
    /// When one of them is not answered.
    #[track_caller]
    pub(crate) fn all_answered(&self, count: usize) -> Judged<Vec<Peer<'s>>> {
        let clients = self.clients(count)?;
        self.scene.untold(|| clients.iter().for_each(|client| client.send(b"hello")));
        clients.iter().try_for_each(|client| client.receives(b"hello"))?;
        Ok(clients)
    }

    /// So many clients, who connect at once and have all connected.
    ///
    /// # Errors
    /// When one of them cannot.
    #[track_caller]
    pub(crate) fn clients(&self, count: usize) -> Judged<Vec<Peer<'s>>> {
        self.scene.tell(format!("{count} clients connect at once"));
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(self.scene.untold(|| self.scene.connect(self.address))?);
        }
        self.scene
            .all("to be connected or refused", &clients, |client| client.is_connected_yet().is_some())?;
        // Those who are not tell why.
        clients
            .iter()
            .filter(|client| client.is_connected_yet() != Some(true))
            .try_for_each(|client| client.is_accepted())?;
        Ok(clients)
    }

    /// The lines of its log so far.
    ///
    /// # Errors
    /// When one of them is not what the specification says.
    #[track_caller]
    pub(crate) fn log(&self) -> Judged<Vec<Line>> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        // What stands behind the last newline is still being written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut lines = Vec::new();
        for line in whole.lines() {
            lines.push(Line::parse(line)?);
        }
        Ok(lines)
    }

    /// The line of a client's connection in its log, which is waited for.
    ///
    /// # Errors
    /// Timeout when there is none; a failure when it is not what the specification says.
    #[track_caller]
    pub(crate) fn logged(&self, client: Peer<'_>) -> Judged<Line> {
        let address = client.local();
        let look = || match self.log() {
            Ok(lines) => lines.into_iter().rev().find(|line| line.client == address).map(Ok),
            Err(halt) => Some(Err(halt)),
        };
        self.scene
            .until(format!("a line in the log with client={address}, who is {}", client.name()), look)?
    }

    /// Sends it SIGTERM. From now on it may end, which [`Balancer::ends`] waits for.
    ///
    /// # Errors
    /// Fault when it is gone.
    #[track_caller]
    pub(crate) fn terminate(&self) -> Judged {
        self.scene.tell("lb gets SIGTERM");
        let process = self.scene.process();
        process.as_ref().ok_or_else(|| Halt::fault("a balancer that was seen to end"))?.terminate()
    }

    /// Waits for it to end, while bytes move.
    ///
    /// # Errors
    /// Timeout when it does not.
    #[track_caller]
    pub(crate) fn ends(&self, awaited: &str) -> Judged<Ending> {
        let scene = self.scene;
        scene.wait(awaited, || {
            scene.process().as_mut().is_none_or(|process| !process.is_running().unwrap_or(false))
        })?;
        scene.ending(awaited)
    }

    /// Does something while the balancer stands still, as on a machine that is too busy to run it: what happens meanwhile
    /// it finds all at once.
    ///
    /// # Errors
    /// Those of what is done; fault when the balancer is gone.
    #[track_caller]
    pub(crate) fn held<T>(&self, act: impl FnOnce() -> Judged<T>) -> Judged<T> {
        self.signal(Signal::SIGSTOP)?;
        let stands = || self.scene.process().as_ref().is_none_or(Process::is_waiting);
        let done = match self.scene.wait("the balancer stands still", stands) {
            Ok(()) => act(),
            Err(halt) => Err(halt),
        };
        self.signal(Signal::SIGCONT)?;
        done
    }

    #[track_caller]
    fn signal(&self, signal: Signal) -> Judged {
        match self.scene.process().as_ref() {
            // Not reaped while we have it, so that its number is its own.
            Some(process) => Ok(kill(Pid::from_raw(process.pid()), signal)?),
            None => Err(Halt::fault("a balancer that was seen to end")),
        }
    }

    /// What it uses of the machine.
    pub(crate) fn usage(&self) -> Usage {
        self.scene.process().as_ref().map(Process::usage).unwrap_or_default()
    }

    /// How often it has gone to sleep so far.
    pub(crate) fn sleeps(&self) -> u64 {
        observe::sleeps(self.pid())
    }

    /// Whether it waits for something: nothing of it is on a processor, or waits for one.
    pub(crate) fn is_waiting(&self) -> bool {
        self.scene.process().as_ref().is_none_or(Process::is_waiting)
    }

    /// Its process id, for what `/proc` tells.
    pub(crate) fn pid(&self) -> i32 {
        self.scene.process().as_ref().map_or(0, Process::pid)
    }
}

/// Runs `lb` with these arguments, to its end. Where that can be had, it knows these names and no others.
///
/// # Errors
/// Timeout when it goes on running.
#[track_caller]
pub(crate) fn run(context: &Context, args: &[&str], names: Option<&Arc<Names>>) -> Judged<Ending> {
    let folder = context.folder()?;
    let launch = args.iter().fold(context.launch(folder.path()), Launch::arg);
    let launch = names.iter().fold(launch, |launch, names| launch.knowing(names));
    launch.start()?.end(format!("`lb {}` to end", args.join(" ")))
}

/// A network of one name, with an address of this machine; none where such a thing cannot be had. Without it whoever
/// asks for a name that nobody has may wait long for an answer.
#[track_caller]
pub(crate) fn names(context: &Context, name: &str) -> Judged<Option<Arc<Names>>> {
    match context.names(&[(name, Ipv4Addr::LOCALHOST.into())]) {
        Ok(names) => Ok(Some(names)),
        Err(halt) if matches!(halt.verdict, Verdict::Skip { .. }) => Ok(None),
        Err(halt) => Err(halt),
    }
}
