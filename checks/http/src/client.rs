//! The subject, run once: `http get URL` or `http post URL`, until it ends.

use std::{fs, path::PathBuf, sync::Arc};

use harness::{
    Context, Folder, Halt, Judged,
    names::Names,
    origin::{a_port_is_left, certificate::Authority},
    process::{Ending, Exit, Launch, Process},
    verdict::Verdict,
};
use serde::Deserialize;

use crate::{
    bytes::shown,
    outcome::{Failure, Outcome, Response},
};

/// More of a body than any check keeps.
const KEPT_BYTES: usize = 64 << 20;

/// A run that is about to be started.
#[derive(Debug)]
pub(crate) struct Run<'c> {
    context: &'c Context,
    folder: Folder,
    args: Vec<String>,
    environment: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    is_stdin_open: bool,
    names: Option<Arc<Names>>,
    told: Vec<String>,
}

/// A run that has been started.
#[derive(Debug)]
pub(crate) struct Running {
    process: Process,
    told: Vec<String>,
    /// Its current folder.
    _folder: Folder,
}

/// The first line of stdout.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

/// `http get URL`.
pub(crate) fn get<'c>(context: &'c Context, url: &str) -> Judged<Run<'c>> {
    words(context, &["get", url])
}

/// `http` and these words.
pub(crate) fn words<'c>(context: &'c Context, words: &[&str]) -> Judged<Run<'c>> {
    Ok(Run {
        context,
        folder: context.folder()?,
        args: words.iter().map(|word| (*word).to_owned()).collect(),
        environment: Vec::new(),
        body: None,
        is_stdin_open: false,
        names: None,
        told: Vec::new(),
    })
}

/// `http post URL`, with this on stdin.
pub(crate) fn post<'c>(context: &'c Context, url: &str, body: &[u8]) -> Judged<Run<'c>> {
    let mut run = get(context, url)?;
    run.args[0] = "post".to_owned();
    run.body = Some(body.to_vec());
    Ok(run)
}

impl Run<'_> {
    /// Adds `--ca FILE`, with this authority in it.
    pub(crate) fn trusting(self, authority: &Authority) -> Judged<Self> {
        self.ca_file(authority.pem())
    }

    /// Adds `--ca FILE`, with this text in it.
    pub(crate) fn ca_file(mut self, text: &str) -> Judged<Self> {
        let path: PathBuf = self.folder.path().join("ca.pem");
        fs::write(&path, text)?;
        self.args.extend(["--ca".to_owned(), path.to_string_lossy().into_owned()]);
        Ok(self)
    }

    /// Adds `--max-time SECONDS`.
    pub(crate) fn max_time(mut self, seconds: &str) -> Self {
        self.args.extend(["--max-time".to_owned(), seconds.to_owned()]);
        self
    }

    /// Sets a variable of its otherwise clean environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Has this on its stdin, and no end.
    pub(crate) fn while_stdin_is_open(mut self, bytes: &[u8]) -> Self {
        self.body = Some(bytes.to_vec());
        self.is_stdin_open = true;
        self.told.push("stdin stays open".to_owned());
        self
    }

    /// Lets it know these names, and no others.
    pub(crate) fn knowing(mut self, names: &Arc<Names>) -> Self {
        self.names = Some(Arc::clone(names));
        self
    }

    /// Says beforehand what the server will do, for the story of a failure.
    pub(crate) fn against(mut self, server: impl IntoIterator<Item = String>) -> Self {
        self.told.extend(server);
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// What [`Running::outcome`] and [`Run::start`] say.
    #[track_caller]
    pub(crate) fn outcome(self) -> Judged<Outcome> {
        self.start()?.outcome()
    }

    /// Runs it to its end, which has to be that of a command line that is none.
    ///
    /// # Errors
    /// Timeout or limit; a failure when it says something else.
    #[track_caller]
    pub(crate) fn refused_as_usage(self) -> Judged {
        let Running { process, told, _folder } = self.start()?;
        let ending = process.finish().map_err(|halt| halt.did(told.clone()))?;
        let says_how = !ending.stderr.trim().is_empty();
        if ending.exit == Exit::Status(2) && says_how && ending.unread.is_empty() {
            return Ok(());
        }
        let expected = "exit status 2, how the program is used on stderr, and nothing on stdout";
        if ending.exit == Exit::Status(2) {
            let got = if says_how { "something on stdout" } else { "nothing on stderr" };
            return Err(Halt::fail(expected, got).did(told));
        }
        Err(ending.halt(expected).did(told))
    }

    /// Starts it.
    ///
    /// # Errors
    /// Crash when it cannot be executed.
    #[track_caller]
    pub(crate) fn start(self) -> Judged<Running> {
        let Self { context, folder, args, environment, body, is_stdin_open, names, mut told } = self;
        let input = body.as_ref().map_or(String::new(), |body| format!(" < {}", shown(body)));
        let variables = environment.iter().map(|(name, value)| format!("{name}={value} "));
        told.push(format!("run {}http {}{input}", variables.collect::<String>(), args.join(" ")));
        let launch = args.iter().fold(context.launch(folder.path()), Launch::arg);
        let launch = environment.iter().fold(launch, |launch, (name, value)| launch.env(name, value));
        let launch = names.iter().fold(launch, |launch, names| launch.knowing(names));
        let mut process = launch.start()?;
        process.send(&body.unwrap_or_default());
        if !is_stdin_open {
            process.end_input();
        }
        Ok(Running { process, told, _folder: folder })
    }
}

impl Running {
    /// Runs it to its end.
    ///
    /// # Errors
    /// Timeout, crash or limit; a failure when stdout or stderr is not what the contract says.
    #[track_caller]
    pub(crate) fn outcome(self) -> Judged<Outcome> {
        let told = self.told.clone();
        match self.run_out() {
            Ok(outcome) => Ok(outcome),
            Err(halt) => Err(halt.did(told)),
        }
    }

    /// The head of its response, once it has printed it.
    ///
    /// # Errors
    /// As for [`Running::outcome`]; also when it ends without one.
    #[track_caller]
    pub(crate) fn head(&mut self) -> Judged<Response> {
        match self.head_or_end() {
            Ok(Ok(head)) => Ok(head),
            Ok(Err(ending)) => Err(ending.halt("the head of a response on stdout").did(self.told.clone())),
            Err(halt) => Err(halt.did(self.told.clone())),
        }
    }

    /// More of the body, as it comes; `None` when it has closed its stdout.
    ///
    /// # Errors
    /// Timeout or limit.
    #[track_caller]
    pub(crate) fn some_body(&mut self) -> Judged<Option<Vec<u8>>> {
        match self.process.read_some("more of the body on stdout") {
            Ok(bytes) => Ok(bytes),
            Err(halt) => Err(halt.did(self.told.clone())),
        }
    }

    /// Runs it to its end, after [`Running::head`] and perhaps [`Running::some_body`] gave this much of its response.
    ///
    /// # Errors
    /// As for [`Running::outcome`].
    #[track_caller]
    pub(crate) fn rest(self, begun: Response) -> Judged<Outcome> {
        let told = self.told.clone();
        match self.body_to_the_end(begun) {
            Ok(outcome) => Ok(outcome),
            Err(halt) => Err(halt.did(told)),
        }
    }

    /// Its process id, for a server that looks at it between two sends.
    pub(crate) fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// What was done so far.
    pub(crate) fn told(&self) -> Vec<String> {
        self.told.clone()
    }

    #[track_caller]
    fn run_out(mut self) -> Judged<Outcome> {
        match self.head_or_end()? {
            Ok(response) => self.body_to_the_end(response),
            Err(ending) => conclude(ending, None, self.told),
        }
    }

    #[track_caller]
    fn body_to_the_end(mut self, mut response: Response) -> Judged<Outcome> {
        while let Some(bytes) = self.process.read_some("more of the body on stdout, or its end")? {
            if response.body.len() < KEPT_BYTES {
                response.body.extend_from_slice(&bytes);
            }
        }
        let ending = self.process.end("it to exit after it has closed its stdout")?;
        conclude(ending, Some(response), self.told)
    }

    #[track_caller]
    fn head_or_end(&mut self) -> Judged<Result<Response, Ending>> {
        let line = match self.process.read_line_or_end("the head of a response on stdout, or an error")? {
            Ok(line) => line,
            Err(ending) => return Ok(Err(ending)),
        };
        match serde_json::from_str::<Head>(&line) {
            Ok(Head { status, headers }) => Ok(Ok(Response { status, headers, body: Vec::new() })),
            Err(error) => {
                let expected = r#"a first line like {"status":200,"headers":[["name","value"]]} on stdout"#;
                let halt = Halt::fail(expected, format!("{} ({error})", shown(line.as_bytes())));
                Err(halt.likely("whatever else is printed belongs on stderr"))
            }
        }
    }
}

/// What a run came to that has ended, with what it printed of a response. Whoever fails on a machine that has no port
/// left to connect from has not been seen to do wrong.
#[track_caller]
fn conclude(ending: Ending, response: Option<Response>, told: Vec<String>) -> Judged<Outcome> {
    if ending.exit != Exit::Status(0) {
        a_port_is_left()?;
    }
    let result = match (&ending.exit, response) {
        (Exit::Status(0), Some(response)) => Ok(response),
        (Exit::Status(0), None) => {
            return Err(Halt::fail(
                "a response on stdout, or exit status 1",
                "exit status 0 and no response",
            ));
        }
        (Exit::Status(1), response) => {
            let said = ending.stderr.lines().rev().find_map(|line| line.strip_prefix("error: "));
            let Some((kind, detail)) = said.and_then(|said| said.split_once(':')) else {
                let expected = "a line `error: KIND: detail` on stderr";
                let unfinished = ending.halt(expected);
                if matches!(unfinished.verdict, Verdict::NotStarted { .. }) {
                    return Err(unfinished);
                }
                return Err(Halt::fail(
                    expected,
                    format!("exit status 1 and {}", shown(ending.stderr.as_bytes())),
                ));
            };
            let (kind, detail) = (kind.trim().to_owned(), detail.trim().to_owned());
            Err(Failure { kind, detail, response })
        }
        _ => return Err(ending.halt("exit status 0, or 1 and a line `error: KIND: detail` on stderr")),
    };
    Ok(Outcome { result, told })
}
