//! Given: the program `container`, which speaks the contract and calls the library. There is nothing to do
//! here.
//!
//! ```text
//! container run [--hostname NAME] [--memory SIZE] ROOTFS CMD [ARG ...]
//!
//! stdin, stdout, stderr   the command's own
//! exit status             the command's; 128+n if signal n ended it; 125, 126, 127 if it did not run
//! stderr                  container: what is wrong       one line, with one of the last three
//! ```
//!
//! What a name and a size are is for the library to say ([`Hostname::parse`], [`Limit::parse`]).

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

use container::hostname::Hostname;
use container::memory::Limit;
use container::{Config, run};

const USAGE: &str = "usage: container run [--hostname NAME] [--memory SIZE] ROOTFS CMD [ARG ...]";

/// The runtime failed, and the command did not run: what `docker run` says as well.
const RUNTIME_FAILED: u8 = 125;

fn main() -> ExitCode {
    let config = match parse(std::env::args_os().skip(1)) {
        Ok(config) => config,
        Err(message) => {
            complain(&message);
            return ExitCode::from(RUNTIME_FAILED);
        }
    };
    match run(&config) {
        Ok(status) => ExitCode::from(code(status)),
        Err(error) => {
            complain(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// One line on stderr. Not `eprintln!`, which panics where nobody can read it: the status has to tell then.
fn complain(what: &dyn Display) {
    let _ = writeln!(io::stderr(), "container: {what}");
}

/// The command line. Options end at the first word that is none: what follows is not ours to read.
fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Config, String> {
    match words.next() {
        Some(verb) if verb == "run" => {}
        Some(verb) => return Err(format!("{} is no verb; {USAGE}", verb.to_string_lossy())),
        None => return Err(format!("the verb is missing; {USAGE}")),
    }
    let (mut hostname, mut memory) = (None, None);
    let rootfs = loop {
        let word = words.next().ok_or(format!("ROOTFS is missing; {USAGE}"))?;
        let text = word.to_string_lossy().into_owned();
        if !text.starts_with('-') {
            break PathBuf::from(word);
        }
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (text.as_str(), None),
        };
        if !["--hostname", "--memory"].contains(&name) {
            return Err(format!("{text} is no option; {USAGE}"));
        }
        let value = attached.or_else(|| words.next()).ok_or(format!("{name} needs a value; {USAGE}"))?;
        let value = value.to_string_lossy();
        match name {
            "--hostname" => {
                let valid = Hostname::parse(&value);
                hostname = Some(valid.ok_or(format!("--hostname {value} is no hostname"))?);
            }
            _ => {
                let valid = Limit::parse(&value);
                memory = Some(valid.ok_or(format!("--memory {value} is no size such as 67108864 or 64M"))?);
            }
        }
    };
    let command: Vec<OsString> = words.collect();
    if command.is_empty() {
        return Err(format!("CMD is missing; {USAGE}"));
    }
    Ok(Config { hostname, memory, rootfs, command })
}

/// How the command ended, in the eight bits that an exit status has: as shells have it, and Docker.
fn code(status: ExitStatus) -> u8 {
    let ended = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ended.and_then(|code| u8::try_from(code).ok()).unwrap_or(RUNTIME_FAILED)
}
