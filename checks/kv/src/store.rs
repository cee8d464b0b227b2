//! A subject behind the contract: one JSON request a line, one JSON reply a line.
//!
//! Every step is remembered, so that whatever goes wrong is shown with all that led to it. Bulk work is pipelined,
//! a window of requests at a time; what a check is about is asked for one by one.

mod reply;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use harness::{
    Context, Folder, Halt, Judged,
    observe::Usage,
    process::{Ending, Exit, Launch, Limits, Process},
    small_disk::SmallDisk,
};

use crate::{
    disk::Files,
    step::{Step, quoted, told, value_or_null},
};
pub(crate) use reply::Reply;

/// A store's directory, in the folder that its program is started in.
pub(crate) const STORE: &str = "store";

/// Requests in flight during bulk work.
const WINDOW: usize = 256;

/// A running store, with its directory and its history.
pub(crate) struct Store<'c> {
    context: &'c Context,
    limits: Limits,
    steps: Vec<Step>,
    process: Option<Process>,
    /// After `process`, since a folder goes only when nobody works in it any more.
    place: Place,
}

/// Where a store's directory is.
enum Place {
    /// In a folder of the check's own.
    Folder(Folder),
    /// On a disk that fills up.
    SmallDisk { disk: Arc<SmallDisk>, _mount_point: Folder },
}

impl<'c> Store<'c> {
    /// Starts a store on a new, empty directory.
    #[track_caller]
    pub(crate) fn open(context: &'c Context) -> Judged<Self> {
        Self::open_with(context, Limits::default())
    }

    /// The same, with limits.
    #[track_caller]
    pub(crate) fn open_with(context: &'c Context, limits: Limits) -> Judged<Self> {
        let folder = context.folder()?;
        std::fs::create_dir(folder.path().join(STORE))?;
        Self::start(context, Place::Folder(folder), limits)
    }

    /// Starts a store whose directory is not there.
    #[track_caller]
    pub(crate) fn open_without_dir(context: &'c Context) -> Judged<Self> {
        let mut store = Self::open_in(context, context.folder()?)?;
        store.say("DIR is not there");
        Ok(store)
    }

    /// Starts a store on a new disk of `size_bytes`.
    #[track_caller]
    pub(crate) fn open_on_small_disk(context: &'c Context, size_bytes: u64) -> Judged<Self> {
        let folder = context.folder()?;
        let disk = SmallDisk::mount(folder.path(), size_bytes)?;
        std::fs::create_dir(disk.seen_from_outside().join(STORE))?;
        Self::start(context, Place::SmallDisk { disk, _mount_point: folder }, Limits::default())
    }

    /// Starts a store on a copy of `files`.
    #[track_caller]
    pub(crate) fn open_on_copy(context: &'c Context, files: &Files) -> Judged<Self> {
        let folder = context.folder()?;
        crate::disk::write_all(&folder.path().join(STORE), files)?;
        Self::open_in(context, folder)
    }

    /// Starts a store on the directory `store` in `folder`, as a crash left it.
    #[track_caller]
    pub(crate) fn open_in(context: &'c Context, folder: Folder) -> Judged<Self> {
        Self::start(context, Place::Folder(folder), Limits::default())
    }

    #[track_caller]
    fn start(context: &'c Context, place: Place, limits: Limits) -> Judged<Self> {
        let mut store = Self { context, place, limits, process: None, steps: Vec::new() };
        store.process = Some(store.launch().start()?);
        Ok(store)
    }

    fn launch(&self) -> Launch {
        let launch =
            |folder: &Path| self.context.launch(folder).arg(folder.join(STORE)).limits(self.limits.clone());
        match &self.place {
            Place::Folder(folder) => launch(folder.path()),
            Place::SmallDisk { disk, .. } => launch(disk.path()).on(disk),
        }
    }

    /// The store's directory, as the suite sees it.
    pub(crate) fn dir(&self) -> PathBuf {
        match &self.place {
            Place::Folder(folder) => folder.path().join(STORE),
            Place::SmallDisk { disk, .. } => disk.seen_from_outside().join(STORE),
        }
    }

    /// The disk that it is on, if that is a small one.
    pub(crate) fn small_disk(&self) -> Judged<&SmallDisk> {
        match &self.place {
            Place::SmallDisk { disk, .. } => Ok(disk),
            Place::Folder(_) => Err(Halt::fault("this store is not on a small disk")),
        }
    }

    /// `put`, acknowledged.
    #[track_caller]
    pub(crate) fn put(&mut self, key: &str, value: &str) -> Judged {
        self.acknowledged(Step::Put(key.to_owned(), value.to_owned()))
    }

    /// `delete`, acknowledged.
    #[track_caller]
    pub(crate) fn delete(&mut self, key: &str) -> Judged {
        self.acknowledged(Step::Delete(key.to_owned()))
    }

    /// `flush`, acknowledged.
    #[track_caller]
    pub(crate) fn flush(&mut self) -> Judged {
        self.acknowledged(Step::Flush)
    }

    /// `compact`, acknowledged.
    #[track_caller]
    pub(crate) fn compact(&mut self) -> Judged {
        self.acknowledged(Step::Compact)
    }

    /// Any step, which has to succeed.
    #[track_caller]
    pub(crate) fn acknowledged(&mut self, step: Step) -> Judged {
        match step {
            Step::Restart => return self.restart(),
            Step::Kill => return self.kill(),
            _ => {}
        }
        let verb = step.to_string();
        match self.ask(step)? {
            Reply::Done => Ok(()),
            other => {
                Err(self.tell(Halt::fail(format!(r#"{{"ok":true}} in reply to {verb}"#), other.to_string())))
            }
        }
    }

    /// Any step, which may also be answered with an error; whether it succeeded.
    #[track_caller]
    pub(crate) fn is_acknowledged(&mut self, step: Step) -> Judged<bool> {
        match self.ask(step)? {
            Reply::Done => Ok(true),
            Reply::Error(_) => Ok(false),
            other => Err(self.tell(Halt::fail("an acknowledgement or an error", other.to_string()))),
        }
    }

    /// `get`: the value, or `None` for null.
    #[track_caller]
    pub(crate) fn get(&mut self, key: &str) -> Judged<Option<String>> {
        match self.ask(Step::Get(key.to_owned()))? {
            Reply::Value(value) => Ok(value),
            other => {
                let expected = format!(r#"{{"value":…}} in reply to get {}"#, quoted(key));
                Err(self.tell(unexpected(expected, &other)))
            }
        }
    }

    /// `get`, which has to return `expected`.
    #[track_caller]
    pub(crate) fn expect(&mut self, key: &str, expected: Option<&str>) -> Judged {
        let got = self.get(key)?;
        if got.as_deref() == expected {
            return Ok(());
        }
        Err(self.tell(Halt::fail(value_or_null(expected), value_or_null(got.as_deref()))))
    }

    /// Gets every key of `model` and of `absent`, pipelined: each has to be as the model says.
    #[track_caller]
    pub(crate) fn expect_all<'k>(
        &mut self,
        model: &'k BTreeMap<String, String>,
        absent: impl IntoIterator<Item = &'k String>,
    ) -> Judged {
        let keys: Vec<String> = model.keys().chain(absent).cloned().collect();
        let gets: Vec<_> = keys.iter().map(|key| Step::Get(key.clone())).collect();
        let replies = self.ask_all(&gets)?;
        for (key, reply) in keys.iter().zip(replies) {
            let expected = Reply::Value(model.get(key).cloned());
            if reply != expected {
                self.steps.push(Step::Get(key.clone()));
                return Err(self.tell(Halt::fail(expected.to_string(), reply.to_string())));
            }
        }
        Ok(())
    }

    /// Sends many steps, a window at a time; each has to be acknowledged.
    #[track_caller]
    pub(crate) fn all_acknowledged(&mut self, steps: &[Step]) -> Judged {
        let before = self.steps.len();
        self.steps.extend_from_slice(steps);
        let replies = self.ask_all(steps)?;
        for (index, reply) in replies.into_iter().enumerate() {
            if reply != Reply::Done {
                self.steps.truncate(before + index + 1);
                let expected = format!(r#"{{"ok":true}} in reply to {}"#, steps[index]);
                return Err(self.tell(Halt::fail(expected, reply.to_string())));
            }
        }
        Ok(())
    }

    /// Sends many requests without remembering them as steps, and collects the replies in order.
    #[track_caller]
    pub(crate) fn ask_all(&mut self, steps: &[Step]) -> Judged<Vec<Reply>> {
        let mut replies = Vec::with_capacity(steps.len());
        for window in steps.chunks(WINDOW) {
            let requests: String = window.iter().filter_map(Step::request).collect();
            self.process()?.send(requests.as_bytes());
            for step in window {
                replies.push(self.reply(format_args!("a reply to {step}"))?);
            }
        }
        Ok(replies)
    }

    /// Sends one request and reads its reply.
    #[track_caller]
    pub(crate) fn ask(&mut self, step: Step) -> Judged<Reply> {
        let request = step.request().ok_or_else(|| Halt::fault(format!("{step} is no request")))?;
        let awaited = format!("a reply to {step}");
        self.steps.push(step);
        self.process()?.send(request.as_bytes());
        self.reply(&awaited)
    }

    /// Sends a line as it is, newline included, and reads one reply.
    #[track_caller]
    pub(crate) fn ask_raw(&mut self, line: &[u8]) -> Judged<Reply> {
        let shown = String::from_utf8_lossy(line).trim_end().to_owned();
        self.steps.push(Step::Say(format!("send {shown}")));
        self.process()?.send(line);
        self.reply(format!("a reply to {shown}"))
    }

    /// Ends its input and starts it again on the same directory.
    #[track_caller]
    pub(crate) fn restart(&mut self) -> Judged {
        self.close()?;
        self.steps.push(Step::Restart);
        self.reopen()
    }

    /// Kills it right after its last reply and starts it again on the same directory.
    #[track_caller]
    pub(crate) fn kill(&mut self) -> Judged {
        if let Some(process) = self.process.take() {
            process.kill();
        }
        self.steps.push(Step::Kill);
        self.reopen()
    }

    /// Ends its input: it has to exit with status 0, without another word.
    #[track_caller]
    pub(crate) fn close(&mut self) -> Judged {
        let Some(process) = self.process.take() else { return Ok(()) };
        let ending = process.finish().map_err(|halt| self.tell(halt))?;
        if ending.exit != Exit::Status(0) {
            return Err(self.tell(ending.halt("exit status 0 after the end of its input")));
        }
        match ending.unread.first() {
            None => Ok(()),
            Some(line) => {
                let halt =
                    Halt::fail("exactly one line on stdout for each request", format!("one more: {line}"));
                Err(self.tell(halt.likely("a request is answered twice, or a message is meant for stderr")))
            }
        }
    }

    /// Starts it again on the same directory, after [`Store::close`] or a kill.
    #[track_caller]
    pub(crate) fn reopen(&mut self) -> Judged {
        self.process = Some(self.launch().start().map_err(|halt| self.tell(halt))?);
        Ok(())
    }

    /// Waits until it answers a first request; how it ended, if it did that instead.
    #[track_caller]
    pub(crate) fn first_words(&mut self) -> Judged<Option<Ending>> {
        let request = Step::Get("a".to_owned()).request().unwrap_or_default();
        self.process()?.send(request.as_bytes());
        match self.process()?.read_line_or_end("a first reply").map_err(|halt| self.tell(halt))? {
            Ok(line) => Reply::parse(&line).map(|_| None).map_err(|halt| self.tell(halt)),
            Err(ending) => Ok(Some(ending)),
        }
    }

    /// What its processes use of the machine.
    pub(crate) fn usage(&mut self) -> Judged<Usage> {
        Ok(self.process()?.usage())
    }

    /// Adds a step in words to what is shown.
    pub(crate) fn say(&mut self, words: impl Into<String>) {
        self.steps.push(Step::Say(words.into()));
    }

    /// Adds steps that were done before this process was started.
    pub(crate) fn retell(&mut self, steps: &[Step]) {
        self.steps.extend_from_slice(steps);
    }

    /// What was done so far.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Adds what was done so far to a verdict.
    pub(crate) fn tell(&self, halt: Box<Halt>) -> Box<Halt> {
        halt.did(told(&self.steps))
    }

    #[track_caller]
    fn reply(&mut self, awaited: impl fmt::Display) -> Judged<Reply> {
        let line = self.process()?.read_line(awaited).map_err(|halt| self.tell(halt))?;
        Reply::parse(&line).map_err(|halt| self.tell(halt))
    }

    #[track_caller]
    fn process(&mut self) -> Judged<&mut Process> {
        self.process.as_mut().ok_or_else(|| Halt::fault("the store is not running"))
    }
}

/// A reply of another kind than its request asks for.
#[track_caller]
fn unexpected(expected: String, reply: &Reply) -> Box<Halt> {
    let halt = Halt::fail(expected, reply.to_string());
    match reply {
        Reply::Error(_) => halt,
        _ => halt.likely("replies are out of step: an earlier request was answered twice"),
    }
}
