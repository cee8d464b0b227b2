//! Runs the suite as a child and outlives it, whatever subjects do to it.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use super::{cgroups, line::Line, step};
use crate::guest::{Errand, Word};

/// How often the guest says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long the suite's last lines may take once it has ended: a subject that escaped may hold its pipe.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Runs the suite and passes on each of its events; returns its status, or 128 + the signal that ended it.
pub(super) fn run_suite(errand: &Errand, line: &Arc<Line>) -> io::Result<i32> {
    let mut suite = start(errand)?;
    let lines = suite.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    // Open until the end: to close it is to interrupt.
    let mut stdin = suite.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    writeln!(stdin, "{}", serde_json::to_string(&errand.request)?)?;
    let (spoken, silent) = mpsc::channel();
    let events = Arc::clone(line);
    thread::spawn(move || {
        for event in BufReader::new(lines).lines().map_while(Result::ok) {
            let _ = events.say(&Word::Event(event));
        }
        let _ = spoken.send(());
    });
    let heart = Arc::clone(line);
    thread::spawn(move || {
        while heart.say(&Word::Alive).is_ok() {
            thread::sleep(HEARTBEAT);
        }
    });
    let status = outlive(suite.id() as i32)?;
    let _ = silent.recv_timeout(LAST_LINES);
    Ok(status)
}

fn start(errand: &Errand) -> io::Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("run").stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
    command.env_clear().env("PATH", &errand.path).env("HOME", "/").env("LANG", "C.UTF-8");
    // SAFETY: writing a constant to a path that is one makes only system calls, but for the path's copy on the stack.
    unsafe { command.pre_exec(|| fs::write(cgroups::SUITE, "0")) };
    command.spawn().map_err(step("cannot start the suite"))
}

/// Reaps whatever becomes this process's child, until the suite ends. A suite that was stopped (SIGSTOP to everybody)
/// would never end: it is ended.
fn outlive(suite: i32) -> io::Result<i32> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WUNTRACED | WaitPidFlag::__WALL)) {
            Ok(WaitStatus::Exited(pid, status)) if pid.as_raw() == suite => return Ok(status),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid.as_raw() == suite => {
                return Ok(128 + signal as i32);
            }
            Ok(WaitStatus::Stopped(pid, _)) if pid.as_raw() == suite => {
                kill(Pid::from_raw(suite), Signal::SIGKILL)?;
            }
            // EINVAL: nix has no name for the signal that ended it.
            Ok(_) | Err(Errno::EINTR | Errno::EINVAL) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
