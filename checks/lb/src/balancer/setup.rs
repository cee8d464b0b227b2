//! A balancer that is about to be started: its options, its limits, and the line that it says first.

use std::{path::PathBuf, sync::Arc};

use harness::{
    Halt, Judged,
    names::Names,
    process::{Launch, Limits},
};

use super::Balancer;
use crate::{backend::Backend, bytes::shown, scene::Scene};

/// A balancer that is about to be started.
#[derive(Debug)]
pub(crate) struct Setup<'s> {
    scene: &'s Scene<'s>,
    listen: String,
    backends: Vec<String>,
    health_interval: String,
    connect_timeout: String,
    limits: Limits,
    logs_to_stdout: bool,
    log: Option<PathBuf>,
    names: Option<Arc<Names>>,
}

impl<'c> Scene<'c> {
    /// A balancer before these backends. Unless told otherwise it looks after their health once a minute, waits a
    /// minute for a connection, and logs to a file: whatever it does in less time it does for another reason.
    pub(crate) fn balancer<'s>(&'s self, backends: &[Backend<'_>]) -> Setup<'s> {
        Setup {
            scene: self,
            listen: "127.0.0.1:0".to_owned(),
            backends: backends.iter().map(|backend| backend.address().to_string()).collect(),
            health_interval: "1m".to_owned(),
            connect_timeout: "1m".to_owned(),
            limits: Limits::default(),
            logs_to_stdout: false,
            log: None,
            names: None,
        }
    }
}

impl<'s> Setup<'s> {
    /// Sets `--listen`.
    pub(crate) fn listen(mut self, address: &str) -> Self {
        address.clone_into(&mut self.listen);
        self
    }

    /// Sets the backends, in words of one's own.
    pub(crate) fn backends(mut self, addresses: &[String]) -> Self {
        self.backends = addresses.to_vec();
        self
    }

    /// Sets `--health-interval`.
    pub(crate) fn health_interval(mut self, duration: &str) -> Self {
        duration.clone_into(&mut self.health_interval);
        self
    }

    /// Sets `--connect-timeout`.
    pub(crate) fn connect_timeout(mut self, duration: &str) -> Self {
        duration.clone_into(&mut self.connect_timeout);
        self
    }

    /// Lets it know these names, and no others.
    pub(crate) fn knowing(mut self, names: &Arc<Names>) -> Self {
        self.names = Some(Arc::clone(names));
        self
    }

    /// Sets what it may use of the machine.
    pub(crate) fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Leaves `--log` out: the log is on stdout.
    pub(crate) fn logging_to_stdout(mut self) -> Self {
        self.logs_to_stdout = true;
        self
    }

    /// Sets `--log` to a file of the check's own.
    pub(crate) fn logging_to(mut self, file: PathBuf) -> Self {
        self.log = Some(file);
        self
    }

    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    /// Crash when it cannot be executed or ends; a failure when its first line is another one.
    #[track_caller]
    pub(crate) fn start(self) -> Judged<Balancer<'s>> {
        let Self {
            scene,
            listen,
            backends,
            health_interval,
            connect_timeout,
            limits,
            logs_to_stdout,
            log,
            names,
        } = self;
        let folder = scene.context.folder()?;
        let log = log.unwrap_or_else(|| folder.path().join("log"));
        let mut args = vec!["--listen".to_owned(), listen];
        args.extend(backends.into_iter().flat_map(|address| ["--backend".to_owned(), address]));
        args.extend(["--health-interval".to_owned(), health_interval]);
        args.extend(["--connect-timeout".to_owned(), connect_timeout]);
        if !logs_to_stdout {
            args.extend(["--log".to_owned(), log.to_string_lossy().into_owned()]);
        }
        scene.tell(format!("start lb {}", args.join(" ").replace(&*log.to_string_lossy(), "log")));
        let launch = args.iter().fold(scene.context.launch(folder.path()), Launch::arg);
        let launch = names.iter().fold(launch, |launch, names| launch.knowing(names));
        let mut process = launch.limits(limits).start()?;
        let line = process.read_line("the line `listening on ADDR` on stdout");
        scene.watch(process);
        let line = line?;
        match line.strip_prefix("listening on ").and_then(|address| address.parse().ok()) {
            Some(address) => Ok(Balancer { scene, address, log, _folder: folder }),
            None => Err(Halt::fail(
                "the first line of stdout is `listening on ADDR`, with the port that was chosen",
                shown(line.as_bytes()),
            )),
        }
    }
}
