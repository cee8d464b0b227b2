//! What the command is given: words, environment, stdio.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use harness::{Context, Halt, Judged, process::Launch};
use serde_json::Value;

use super::is_refused;
use crate::{
    host::{Host, Root, forking, writing},
    run::{Ended, shown_bytes},
};

/// What only the harness knows how to choose: it is another for each process.
const MARKER: &str = "GROUNDWORK_";

/// What an environment may hold, and Unicode may not.
const NO_TEXT: &[u8] = b"\xff\xfe=\n";

pub(super) fn words_arrive_byte_for_byte(context: &Context) -> Judged {
    const WORDS: [&[u8]; 10] = [
        b"--hostname",
        b"-x",
        b"",
        b" ",
        b"two words",
        b"a\nb",
        b"\xff\xfe",
        b"--",
        b"--memory",
        b"'\"$HOME\\",
    ];
    Host::play(context, |host| {
        let outside = plain(host)?;
        let call = host.call()?.probe("words", &WORDS);
        let bytes = OsStr::from_bytes(NO_TEXT);
        let ended = call.hostname("box").env("EMPTY", "").env("BYTES", bytes).start()?.ends()?;
        ended.has_status(0)?;
        let told = told(&ended)?;
        let expected: Vec<Value> = WORDS.iter().map(|word| chars(word).into()).collect();
        same("its arguments", &expected.into(), &told["args"])?;
        same("its own name", &chars(host.probe().as_os_str().as_bytes()).into(), &told["name"])?;
        same_environment(&without_marker(&outside["environment"]), &without_marker(&told["environment"]))?;
        let folder = told["folder"].as_str().unwrap_or_default();
        if folder != "/" && Path::new(folder) != host.folder() {
            return Err(Halt::fail(
                "/ or the caller's folder as its working directory",
                format!("{folder:?}"),
            ));
        }
        // The name of a file is bytes as well.
        host.forget();
        let call = host.call()?;
        let odd = host.folder().join(OsStr::from_bytes(b"pro\xffbe"));
        for place in [odd.clone(), call.root().inside(&odd)] {
            writing(|| fs::copy(host.probe(), &place))?;
        }
        let ended = call.probe_called(odd.clone().into(), "words", &[]).start()?.ends()?;
        ended.has_status(0)?;
        same("its own name", &chars(odd.as_os_str().as_bytes()).into(), &self::told(&ended)?["name"])?;
        // A value that looks like an option, and a command's that look like the runtime's.
        host.forget();
        let ended = host.call()?.hostname("-").probe("words", &[b"run", b"--hostname"]).start()?.ends()?;
        ended.has_status(0)?;
        same("its arguments", &serde_json::json!(["run", "--hostname"]), &self::told(&ended)?["args"])
    })
}

/// What the probe says when no runtime is between.
fn plain(host: &Host<'_>) -> Judged<Value> {
    let launch: Launch = host.context().launch_other(&host.probe().to_string_lossy(), host.folder());
    let launch = launch.arg("words").arg("nonce").env("EMPTY", "").env("BYTES", OsStr::from_bytes(NO_TEXT));
    let line = forking(|| launch.start())?.read_line("the probe speaks")?;
    serde_json::from_str(&line).map_err(|error| Halt::fault(error.to_string()))
}

fn told(ended: &Ended) -> Judged<Value> {
    serde_json::from_slice(&ended.stdout).map_err(|_| {
        Halt::fail("the command's own output on stdout, and nothing else", shown_bytes(&ended.stdout))
    })
}

#[track_caller]
fn same(what: &str, expected: &Value, got: &Value) -> Judged {
    if expected == got {
        return Ok(());
    }
    Err(Halt::fail(format!("{what}: {expected}"), got.to_string()))
}

#[track_caller]
fn same_environment(expected: &[Value], got: &[Value]) -> Judged {
    let lacking = |one: &[Value], other: &[Value]| -> Vec<String> {
        one.iter().filter(|variable| !other.contains(variable)).map(ToString::to_string).collect()
    };
    let (missing, more) = (lacking(expected, got), lacking(got, expected));
    if missing.is_empty() && more.is_empty() && expected.len() == got.len() {
        return Ok(());
    }
    let said = |what: &str, variables: &[String]| match variables {
        [] => String::new(),
        _ => format!(", {what} {}", variables.join(", ")),
    };
    let got = format!("{} variables{}{}", got.len(), said("without", &missing), said("and with", &more));
    Err(Halt::fail(format!("the caller's environment, {} variables", expected.len()), got))
}

/// Bytes as the probe writes them: a character each.
fn chars(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn without_marker(environment: &Value) -> Vec<Value> {
    let variables = environment.as_array().cloned().unwrap_or_default();
    variables
        .into_iter()
        .filter(|variable| !variable.as_str().unwrap_or_default().starts_with(MARKER))
        .collect()
}

pub(super) fn stdio_is_the_caller_s(context: &Context) -> Judged {
    const BYTES: usize = 300 << 10;
    Host::play(context, |host| {
        let run = host.call()?.probe("copy", &[]).start()?;
        let mut rng = context.rng();
        let bytes: Vec<u8> = (0..BYTES).map(|_| rng.u8(..)).collect();
        host.tell(format!("{BYTES} bytes to its stdin, and the end"));
        run.send(&bytes);
        run.end_input();
        let ended = run.ends()?;
        ended.has_status(0)?;
        if ended.stdout != bytes {
            let got = format!("{} bytes, {}", ended.stdout.len(), shown_bytes(&ended.stdout));
            return Err(Halt::fail(format!("the same {BYTES} bytes on stdout"), got));
        }
        host.forget();
        let inside = host.call()?.serves()?;
        for (number, name) in ["stdin", "stdout", "stderr"].iter().enumerate() {
            let of = |pid: i32| fs::read_link(format!("/proc/{pid}/fd/{number}"));
            let (caller, command) = (of(inside.run().pid())?, of(inside.pid()));
            // What the runtime itself has is the caller's, as long as it has it open.
            if command.as_ref().ok() != Some(&caller) {
                let got = command.map_or_else(|error| error.to_string(), |link| link.display().to_string());
                return Err(Halt::fail(format!("the caller's own {name}, {}", caller.display()), got)
                    .likely("the runtime stands between the command and its caller, with pipes of its own"));
            }
        }
        inside.finish_well()
    })
}

pub(super) fn a_bare_name_is_looked_for_in_path(context: &Context) -> Judged {
    Host::play(context, |host| {
        let name = host.probe().file_name().unwrap_or_default().to_owned();
        // The caller's own behind it: a subject may be a script.
        let usual = env::var("PATH").unwrap_or_default();
        let path = format!("/nowhere:{}:{usual}", host.folder().display());
        let call = host.call()?.probe_called(name.clone(), "words", &[]).env("PATH", path);
        let ended = call.start()?.ends()?;
        ended.has_status(0)?;
        same("its own name, as it was given", &chars(name.as_bytes()).into(), &told(&ended)?["name"])?;
        // One that may not be executed hides no other, and is no "not found" where there is no other.
        for (behind, expected) in [(host.folder().display().to_string(), 0), ("/nowhere".to_owned(), 126)] {
            host.forget();
            let call = host.call()?;
            let closed = closed_one(host, call.root(), &name)?;
            host.tell(format!("{} cannot be executed", closed.join(&name).display()));
            let call = call.env("PATH", format!("{}:{behind}:{usual}", closed.display()));
            let ended = call.probe_called(name.clone(), "exit", &[b"0"]).start()?.ends()?;
            if expected == 0 { ended.has_status(0)? } else { is_refused(&ended, &[126], "probe")? }
        }
        Ok(())
    })
}

/// A folder with a file of this name that nobody may execute: by the same path inside and outside.
fn closed_one(host: &Host<'_>, root: &Root, name: &OsStr) -> Judged<PathBuf> {
    let closed = host.folder().join("closed");
    let inside = root.inside(&closed);
    for folder in [&closed, &inside] {
        fs::create_dir_all(folder)?;
        fs::write(folder.join(name), "no program")?;
    }
    Ok(closed)
}
