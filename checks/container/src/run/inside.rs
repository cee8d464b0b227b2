//! A run with a probe inside: what it answers, and what the kernel says of its process.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use harness::{Halt, Judged};
use nix::sys::signal::Signal;
use serde_json::Value;

use super::{Ended, Run, shown_bytes};
use crate::{
    cgroups,
    host::{FileId, Root},
    seen,
};

/// A run with a probe inside that serves.
#[derive(Debug)]
pub(crate) struct Inside<'h, 'c> {
    pub(super) run: Run<'h, 'c>,
    pub(super) pid: i32,
    /// What it said first.
    pub(super) hello: Value,
}

impl<'h, 'c> Inside<'h, 'c> {
    /// The pid of the command's process, as the suite sees it.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    pub(crate) fn run(&self) -> &Run<'h, 'c> {
        &self.run
    }

    pub(crate) fn root(&self) -> &Root {
        &self.run.root
    }

    /// What the probe said first.
    pub(crate) fn hello(&self) -> &Value {
        &self.hello
    }

    /// Asks the probe; what it found, or the errno of what it tried.
    ///
    /// # Errors
    /// Crash or timeout when there is no answer.
    #[track_caller]
    pub(crate) fn ask(&self, question: &str) -> Judged<Result<Value, i32>> {
        self.run.host.tell(format!("inside: {question}"));
        self.ask_quietly(question)
    }

    /// The same without telling.
    ///
    /// # Errors
    /// As [`Inside::ask`].
    #[track_caller]
    pub(crate) fn ask_quietly(&self, question: &str) -> Judged<Result<Value, i32>> {
        self.run.send(format!("{question}\n").as_bytes());
        let line = self.run.line(&format!("the command goes on, and answers `{question}`"))?;
        let mut answer: Value = serde_json::from_str(&line)
            .map_err(|_| Halt::fail("nothing but the command's own output on stdout", format!("{line:?}")))?;
        match answer["errno"].as_i64() {
            Some(errno) => Ok(Err(errno as i32)),
            None => Ok(Ok(answer["ok"].take())),
        }
    }

    /// Asks what cannot fail in any container.
    ///
    /// # Errors
    /// A failure with the errno when it does.
    #[track_caller]
    pub(crate) fn told(&self, question: &str) -> Judged<Value> {
        match self.ask(question)? {
            Ok(value) => Ok(value),
            Err(errno) => Err(Halt::fail(
                format!("`{question}` works inside"),
                nix::errno::Errno::from_raw(errno).to_string(),
            )),
        }
    }

    /// Sends the runtime a signal that the command has a handler for, and waits until it was called.
    ///
    /// # Errors
    /// Timeout when it is not; crash when the runtime ends.
    #[track_caller]
    pub(crate) fn takes(&self, signal: Signal) -> Judged {
        self.told(&format!("catch {}", signal as i32))?;
        self.run.signal(signal)?;
        self.run.until(&format!("{signal} in the command"), || Ok((self.caught(signal)? > 0).then_some(())))
    }

    /// How often it has caught a signal; not told.
    ///
    /// # Errors
    /// As [`Inside::ask`].
    #[track_caller]
    pub(crate) fn caught(&self, signal: Signal) -> Judged<i64> {
        let caught = self.ask_quietly("caught")?.unwrap_or_default();
        Ok(caught[(signal as i32).to_string()].as_i64().unwrap_or(0))
    }

    /// Its namespace of a kind (`uts`, `pid`, …), as the kernel names it.
    ///
    /// # Errors
    /// Crash when the process is gone.
    #[track_caller]
    pub(crate) fn namespace(&self, kind: &str) -> Judged<PathBuf> {
        let path = format!("/proc/{}/ns/{kind}", self.pid);
        fs::read_link(path).map_err(|_| self.gone())
    }

    /// A file of the kernel's about it, such as `status`.
    ///
    /// # Errors
    /// Crash when the process is gone.
    #[track_caller]
    pub(crate) fn proc_file(&self, name: &str) -> Judged<String> {
        fs::read_to_string(format!("/proc/{}/{name}", self.pid)).map_err(|_| self.gone())
    }

    /// A field of its `status`.
    ///
    /// # Errors
    /// Crash when the process is gone.
    #[track_caller]
    pub(crate) fn status(&self, field: &str) -> Judged<String> {
        let status = self.proc_file("status")?;
        Ok(seen::field(&status, field).unwrap_or_default().to_owned())
    }

    /// Its open descriptors, and what each is of, as the kernel says outside.
    ///
    /// # Errors
    /// Crash when the process is gone.
    #[track_caller]
    pub(crate) fn descriptors(&self) -> Judged<BTreeMap<i32, PathBuf>> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.pid)).map_err(|_| self.gone())?;
        let entries = entries.flatten().filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            Some((number, fs::read_link(entry.path()).ok()?))
        });
        Ok(entries.collect())
    }

    /// The folder of its cgroup.
    ///
    /// # Errors
    /// Crash when the process is gone.
    #[track_caller]
    pub(crate) fn cgroup(&self) -> Judged<PathBuf> {
        cgroups::of(self.pid).map_err(|_| self.gone())
    }

    /// Its root, seen from outside.
    ///
    /// # Errors
    /// Crash when the process is gone.
    #[track_caller]
    pub(crate) fn root_id(&self) -> Judged<FileId> {
        FileId::of(Path::new(&format!("/proc/{}/root/.", self.pid))).map_err(|_| self.gone())
    }

    #[track_caller]
    fn gone(&self) -> Box<Halt> {
        match self.run.until::<()>("a command that goes on", || Ok(None)) {
            Err(halt) => halt,
            Ok(()) => Halt::fault("nothing was seen, and that was found"),
        }
    }

    /// Ends the probe's input, which ends it, and waits for the runtime.
    ///
    /// # Errors
    /// Timeout when that goes on.
    #[track_caller]
    pub(crate) fn finish(self) -> Judged<Ended> {
        self.run.host.tell("the command ends");
        self.run.end_input();
        self.run.ends()
    }

    /// The same, and demands that all was well.
    ///
    /// # Errors
    /// When it was not.
    #[track_caller]
    pub(crate) fn finish_well(self) -> Judged {
        let ended = self.finish()?;
        ended.has_status(0)?;
        if !ended.stdout.is_empty() {
            return Err(Halt::fail("nothing of the runtime's on stdout", shown_bytes(&ended.stdout)));
        }
        if !ended.stderr.is_empty() {
            return Err(Halt::fail(
                "nothing of the runtime's on stderr",
                format!("{:?}", ended.stderr.trim_end()),
            ));
        }
        Ok(())
    }

    /// The run, for what comes of it by itself.
    pub(crate) fn into_run(self) -> Run<'h, 'c> {
        self.run
    }
}
