//! What ordinary programs do, each by its name: it has to work in every container.

use std::{
    env, fs,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    process::{Command, Stdio},
    thread,
};

use crate::{answer::Answer, network, sys};

type Deed = fn() -> io::Result<()>;

/// Does everything once: what failed, each with how.
pub(crate) fn everything() -> Answer {
    let deeds: [(&str, Deed); 8] = [
        ("threads", threads),
        ("fork and wait", fork),
        ("fork and exec", exec),
        ("pipes", pipes),
        ("files", files),
        ("Unix sockets", unix_sockets),
        ("TCP on the loopback interface", || network::loopback().map(drop)),
        ("ptrace of its own child", trace),
    ];
    let failed = deeds.into_iter().filter_map(|(name, deed)| Some((name, deed().err()?)));
    Answer::List(failed.map(|(name, error)| Answer::text(format!("{name}: {error}").as_bytes())).collect())
}

/// An attempt (see `attempts`) by a program that this one executes.
pub(crate) fn attempt_after_exec(call: &str) -> io::Result<Answer> {
    let mut command = Command::new(env::args_os().next().unwrap_or_default());
    // Not nothing, which is /dev/null: there may be none.
    let output = command.args(["attempt", "-", call]).stdin(Stdio::piped()).output()?;
    Ok(Answer::Text(output.stdout))
}

fn wrong(what: impl std::fmt::Display) -> io::Error {
    io::Error::other(what.to_string())
}

fn threads() -> io::Result<()> {
    let threads: Vec<_> =
        (0..4).map(|number| thread::Builder::new().spawn(move || number * number)).collect();
    let mut sum = 0;
    for thread in threads {
        sum += thread?.join().map_err(|_| wrong("a thread has panicked"))?;
    }
    if sum == 14 { Ok(()) } else { Err(wrong(sum)) }
}

fn fork() -> io::Result<()> {
    let status = sys::wait_for(sys::child(|| 5)?)?;
    if status == 5 << 8 { Ok(()) } else { Err(wrong(status)) }
}

fn exec() -> io::Result<()> {
    let program = env::args_os().next().unwrap_or_default();
    let status = Command::new(program).args(["exit", "-", "3"]).status()?;
    if status.code() == Some(3) { Ok(()) } else { Err(wrong(status)) }
}

fn pipes() -> io::Result<()> {
    let (mut reader, mut writer) = io::pipe()?;
    writer.write_all(b"through a pipe")?;
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    if text == "through a pipe" { Ok(()) } else { Err(wrong(text)) }
}

fn files() -> io::Result<()> {
    fs::create_dir("/everyday")?;
    fs::write("/everyday/a", "text")?;
    fs::rename("/everyday/a", "/everyday/b")?;
    let text = fs::read_to_string("/everyday/b")?;
    fs::remove_dir_all("/everyday")?;
    if text == "text" { Ok(()) } else { Err(wrong(text)) }
}

fn unix_sockets() -> io::Result<()> {
    let (mut one, mut two) = UnixStream::pair()?;
    one.write_all(b"hello")?;
    let mut bytes = [0; 5];
    two.read_exact(&mut bytes)?;
    if &bytes == b"hello" { Ok(()) } else { Err(wrong("other bytes")) }
}

/// A child that asks to be traced stops at its own signal, and goes on when it is told to.
fn trace() -> io::Result<()> {
    let pid = sys::child(|| {
        let traced = sys::trace_me().and_then(|()| sys::kill(sys::pid(), sys::SIGSTOP));
        if traced.is_ok() { 9 } else { 1 }
    })?;
    let stopped = sys::wait_for(pid)?;
    if stopped & 0xff != 0x7f {
        return Err(wrong(format!("it did not stop: {stopped:#x}")));
    }
    sys::go_on(pid)?;
    let status = sys::wait_for(pid)?;
    if status == 9 << 8 { Ok(()) } else { Err(wrong(status)) }
}
