//! Cargo inside cargo: builds one program and says where it is.
//!
//! Paths come from cargo's messages, never from a guess at `target/…`. Variables that cargo set for *us* are taken
//! away first: some build scripts (ring's) rerun whenever they differ.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use anyhow::{Context, anyhow};
use serde::Deserialize;

/// How a program is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to compile: suites.
    Dev,
    /// Optimised, with every assertion that the language offers: subjects.
    Subject,
    /// As quick as can be, with warnings as errors: starters.
    Strict,
}

/// Given on the command line, so that crates outside this workspace are compiled the same way.
const SUBJECT_PROFILE: [&str; 5] = [
    r#"profile.subject.inherits="release""#,
    r#"profile.subject.debug="line-tables-only""#,
    "profile.subject.debug-assertions=true",
    "profile.subject.overflow-checks=true",
    "profile.subject.incremental=true",
];

/// A build that cargo itself reported as failed; its messages are on stderr already.
#[derive(Debug)]
pub(crate) struct Failed;

/// What a crate builds to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Artifacts {
    /// Programs, each with its target's name, in order of their names.
    pub(crate) programs: Vec<(String, PathBuf)>,
    /// Shared libraries with the C ABI (`cdylib`).
    pub(crate) libraries: Vec<PathBuf>,
}

/// Whether cargo's own messages are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chatter {
    /// What it compiles, warnings and errors.
    Shown,
    /// Nothing unless the build fails, and then everything.
    OnFailure,
}

/// Builds the crate at `manifest`, with these of its features: its library and its programs.
pub(crate) fn build(
    manifest: &Path,
    profile: Profile,
    target_dir: Option<&Path>,
    features: &[String],
    chatter: Chatter,
) -> anyhow::Result<Result<Artifacts, Failed>> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--message-format", "json-render-diagnostics", "--manifest-path"]).arg(manifest);
    if profile == Profile::Subject {
        command
            .args(["--profile", "subject"])
            .args(SUBJECT_PROFILE.iter().flat_map(|setting| ["--config", setting]));
    }
    if !features.is_empty() {
        command.arg("--features").arg(features.join(","));
    }
    if profile == Profile::Strict {
        command.env("RUSTFLAGS", "-D warnings");
    }
    if let Some(folder) = target_dir {
        command.arg("--target-dir").arg(folder);
    }
    command.args(["--color", if colour_on_stderr() { "always" } else { "never" }]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in env::vars_os().filter(|(name, _)| is_about_us(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    let mut child = command.spawn().context("cannot run cargo")?;
    let messages = forward_messages(&mut child, chatter)?;
    let artifacts = read_artifacts(&mut child, manifest)?;
    let messages = messages.join().map_err(|_| anyhow!("lost cargo's messages"))?;
    let status = child.wait().context("cannot wait for cargo")?;
    if status.success() {
        return Ok(Ok(artifacts));
    }
    if chatter == Chatter::OnFailure {
        anstream::eprint!("{messages}");
    }
    Ok(Err(Failed))
}

fn is_about_us(name: &str) -> bool {
    const EXACT: [&str; 3] = ["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || EXACT.contains(&name)
}

pub(crate) fn colour_on_stderr() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Passes on what cargo says, line by line, but for what only says that nothing is wrong.
fn forward_messages(child: &mut Child, chatter: Chatter) -> anyhow::Result<thread::JoinHandle<String>> {
    let stderr = child.stderr.take().context("cargo has no stderr")?;
    Ok(thread::spawn(move || {
        let mut kept = String::new();
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            if is_noise(&line) {
                continue;
            }
            match chatter {
                Chatter::Shown => anstream::eprintln!("{line}"),
                Chatter::OnFailure => kept.extend([line.as_str(), "\n"]),
            }
        }
        kept
    }))
}

/// What says only that nothing is wrong, or that the suite is being built at the same time.
fn is_noise(line: &str) -> bool {
    line.contains("Finished ") && line.contains(" profile ")
        || line.contains("Blocking ") && line.contains("waiting for file lock on package cache")
}

/// The few fields of cargo's messages that matter here.
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    executable: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

fn read_artifacts(child: &mut Child, manifest: &Path) -> anyhow::Result<Artifacts> {
    let stdout = child.stdout.take().context("cargo has no stdout")?;
    let mut programs = BTreeSet::new();
    let mut libraries = BTreeSet::new();
    for line in BufReader::new(stdout).lines() {
        let line = line.context("cannot read cargo's messages")?;
        // Build scripts may print to stdout as well: whatever is no message is not for us.
        let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
        let (Some(path), Some(target)) = (message.manifest_path, message.target) else { continue };
        if !same_file(&path, manifest) {
            continue;
        }
        if target.crate_types.iter().any(|kind| kind == "cdylib") {
            let is_shared = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "so");
            libraries.extend(message.filenames.into_iter().filter(is_shared));
        }
        programs.extend(message.executable.map(|executable| (target.name, executable)));
    }
    Ok(Artifacts { programs: programs.into_iter().collect(), libraries: libraries.into_iter().collect() })
}

fn same_file(a: &Path, b: &Path) -> bool {
    let resolve = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    resolve(a) == resolve(b)
}
