//! A call of the runtime: its options, its root, its command, and what it is given; told to a student in one line.

use std::{
    ffi::OsString,
    fs::File,
    os::{fd::OwnedFd, unix::ffi::OsStringExt},
    path::{Path, PathBuf},
};

use harness::{
    Judged,
    calls::Supervisor,
    process::{Launch, Limits},
};
use nix::sys::signal::Signal;

use crate::{
    host::{Host, Root, forking},
    run::{Inside, Run},
};

/// A call that is being put together.
#[derive(Debug)]
pub(crate) struct Call<'h, 'c> {
    host: &'h Host<'c>,
    root: Root,
    /// What the runtime is told its root is; the path of `root`, unless a check says it otherwise.
    root_word: OsString,
    options: Vec<OsString>,
    command: Vec<OsString>,
    /// All words instead of `run` and those above.
    words: Option<Vec<OsString>>,
    nonce: String,
    environment: Vec<(String, OsString)>,
    descriptors: Vec<(OwnedFd, i32)>,
    folder: PathBuf,
    ignored: Vec<Signal>,
    /// What the process does before it becomes the runtime, in the shell's words; `exec "$@"` at its end.
    before: Option<&'static str>,
}

impl<'h, 'c> Call<'h, 'c> {
    /// A call on this root, of a probe that serves.
    pub(crate) fn on(host: &'h Host<'c>, root: Root) -> Self {
        let root_word = root.path.clone().into();
        let folder = host.folder().to_owned();
        let nonce = host.nonce();
        let call = Self {
            host,
            root,
            root_word,
            options: Vec::new(),
            command: Vec::new(),
            words: None,
            nonce,
            environment: Vec::new(),
            descriptors: Vec::new(),
            ignored: Vec::new(),
            folder,
            before: None,
        };
        call.probe("serve", &[])
    }

    /// Adds an option with its value, or any other words before the root.
    #[must_use]
    pub(crate) fn option(mut self, words: &[&str]) -> Self {
        self.options.extend(words.iter().map(OsString::from));
        self
    }

    #[must_use]
    pub(crate) fn hostname(self, name: &str) -> Self {
        self.option(&["--hostname", name])
    }

    #[must_use]
    pub(crate) fn memory(self, size: &str) -> Self {
        self.option(&["--memory", size])
    }

    /// Has the root called something else.
    #[must_use]
    pub(crate) fn root_word(mut self, word: impl Into<OsString>) -> Self {
        self.root_word = word.into();
        self
    }

    /// Makes the command a verb of the probe's.
    #[must_use]
    pub(crate) fn probe(self, verb: &str, args: &[&[u8]]) -> Self {
        let program = self.host.probe().into();
        self.probe_called(program, verb, args)
    }

    /// The same by another name of the probe.
    #[must_use]
    pub(crate) fn probe_called(mut self, name: OsString, verb: &str, args: &[&[u8]]) -> Self {
        self.command = vec![name, verb.into(), self.nonce.clone().into()];
        self.command.extend(args.iter().map(|arg| OsString::from_vec(arg.to_vec())));
        self
    }

    /// Makes the command these words.
    #[must_use]
    pub(crate) fn command(mut self, words: &[&str]) -> Self {
        self.command = words.iter().map(OsString::from).collect();
        self
    }

    /// Makes these all of its words.
    #[must_use]
    pub(crate) fn bare(mut self, words: &[&str]) -> Self {
        self.words = Some(words.iter().map(OsString::from).collect());
        self
    }

    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Has the caller leave a descriptor of a host's folder open.
    #[must_use]
    pub(crate) fn leaving_open(mut self, folder: File, number: i32) -> Self {
        self.descriptors.push((folder.into(), number));
        self
    }

    /// Has it begin with this signal ignored.
    #[must_use]
    pub(crate) fn ignoring(mut self, signal: Signal) -> Self {
        self.ignored.push(signal);
        self
    }

    /// Has the process that becomes the runtime do something before, by a shell: it ends with `exec "$@"`.
    #[must_use]
    pub(crate) fn after(mut self, script: &'static str) -> Self {
        self.before = Some(script);
        self
    }

    /// Has it called in this folder.
    #[must_use]
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = folder.to_owned();
        self
    }

    /// The root that it is called on.
    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// Starts it.
    ///
    /// # Errors
    /// Crash when the runtime cannot be executed.
    pub(crate) fn start(self) -> Judged<Run<'h, 'c>> {
        self.start_as(None)
    }

    /// Starts it with somebody who decides about its calls.
    ///
    /// # Errors
    /// As [`Call::start`].
    pub(crate) fn start_supervised(self, supervisor: &Supervisor) -> Judged<Run<'h, 'c>> {
        self.start_as(Some(supervisor))
    }

    fn start_as(self, supervisor: Option<&Supervisor>) -> Judged<Run<'h, 'c>> {
        self.host.tell(self.shown());
        let launch = match self.before {
            None => self.host.launch(&self.folder),
            Some(script) => {
                self.host.tell(format!("its caller is a shell, which does: {script}"));
                self.host.launch_after(script, &self.folder)
            }
        };
        let launch = launch.env(NONCE, &self.nonce);
        let mut launch = self.all_words().iter().fold(launch, Launch::arg);
        for (name, value) in &self.environment {
            launch = launch.env(name, value);
        }
        if let Some(highest) = self.descriptors.iter().map(|(_, number)| number.unsigned_abs()).max() {
            let usual = Limits::default();
            let open_files = usual.open_files.max(u64::from(highest) + 1);
            launch = launch.limits(Limits { open_files, ..usual });
        }
        for signal in self.ignored {
            launch = launch.ignoring(signal);
        }
        for (descriptor, number) in self.descriptors {
            launch = launch.inheriting(descriptor, number);
        }
        if let Some(leaf) = self.host.has_leaf() {
            launch = launch.in_cgroup(leaf.folder())?;
        }
        if let Some(supervisor) = supervisor {
            launch = launch.supervised(supervisor);
        }
        let process = forking(|| self.host.world().inside(move || launch.start()))?;
        Ok(Run::of(self.host, process, self.root, self.nonce))
    }

    /// Starts it, and waits for the probe to serve.
    ///
    /// # Errors
    /// When it does not.
    #[track_caller]
    pub(crate) fn serves(self) -> Judged<Inside<'h, 'c>> {
        self.start()?.serves()
    }

    /// What a student would type; the long paths are called by what they are.
    fn shown(&self) -> String {
        let probe = self.host.probe();
        let word = |word: &OsString| {
            let text = word.to_string_lossy();
            if Path::new(word) == self.root.path {
                "ROOTFS".to_owned()
            } else if Path::new(word) == probe {
                "/probe".to_owned()
            } else if text.is_empty() || text.contains(|char: char| char.is_whitespace() || char.is_control())
            {
                format!("{text:?}")
            } else {
                text.into_owned()
            }
        };
        let words: Vec<_> = self.all_words().iter().filter(|word| **word != *self.nonce).map(word).collect();
        format!("container {}", words.join(" "))
    }

    fn all_words(&self) -> Vec<OsString> {
        if let Some(words) = &self.words {
            return words.clone();
        }
        let run = OsString::from("run");
        let words = [&run].into_iter().chain(&self.options).chain([&self.root_word]).chain(&self.command);
        words.cloned().collect()
    }
}

/// A variable in the environment of every runtime, by which its processes are found when they are no longer its own.
pub(crate) const NONCE: &str = "GROUNDWORK_NONCE";
