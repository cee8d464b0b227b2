//! Runs in throw-away kernels, with subjects that do to them what they can. Where no kernel starts, these tests say so and
//! judge nothing.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{PermissionsExt, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use predicates::prelude::*;
use tempfile::TempDir;

use crate::{
    desk::{CHECK, HANGS, PASSES, command, folder, script},
    processes::{eventually, status_within, with_argument},
};

/// `cargo xtask check kv` on a subject, with one check, in a guest. Tests share what guests need, and nothing else.
fn check(subject: &Path, lane: &str) -> Command {
    let subject = subject.to_str().expect("a path in UTF-8");
    let mut command = command(&["check", "kv", "--subject", subject, "--check", CHECK, "--lane", lane]);
    command.env("GROUNDWORK_DIR", own());
    command
}

fn own() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab")
}

fn assert(command: Command) -> assert_cmd::assert::Assert {
    assert_cmd::Command::from_std(command).timeout(HANGS).assert()
}

/// Whether guests start here. It is said once if they do not.
fn guests_start() -> bool {
    static START: OnceLock<bool> = OnceLock::new();
    *START.get_or_init(|| {
        let subject = script(PASSES);
        let output = check(subject.path(), "lab").output().expect("the front desk ends");
        match output.status.code() {
            Some(0) => true,
            Some(4) => {
                eprintln!("SKIPPED: NO LAB.\n{}", String::from_utf8_lossy(&output.stdout));
                false
            }
            other => panic!("a right subject passes in the lab, or nothing can run: {other:?} {output:?}"),
        }
    })
}

/// Each is run twice: with others first, as it were, and then alone.
#[test]
fn a_subject_that_ends_its_kernel_has_crashed() {
    if !guests_start() {
        return;
    }
    for (text, how) in [
        ("echo c > /proc/sysrq-trigger\n", "it panicked (sysrq triggered crash)"),
        ("echo o > /proc/sysrq-trigger; sleep 1000\n", "somebody switched it off"),
        ("kill -KILL -1\n", "the suite that ran in it was ended by a signal"),
        ("kill -STOP -1\n", "the suite that ran in it was ended by a signal"),
        ("yes flood > /dev/console\n", "it wrote more than 8 MiB to its console"),
    ] {
        let subject = script(text);
        assert(check(subject.path(), "lab"))
            .code(1)
            .stdout(predicates::str::contains("CRASH"))
            .stdout(predicates::str::contains(format!("the kernel that it ran in ended: {how}")))
            .stdout(predicates::str::contains("--lane lab --check"))
            .stdout(predicates::str::contains("lab.log"));
    }
}

/// As an emulated processor resets itself at times.
#[test]
fn a_kernel_that_does_not_come_up_is_followed_by_another() {
    let Some(kernel) = path_of("linux.uml").filter(|_| guests_start()) else { return };
    let tools = tempfile::tempdir().expect("a temporary directory");
    let (program, starts) = (tools.path().join("linux.uml"), tools.path().join("starts"));
    // The first is ended by the subject, and the second, in which the check is run again, before it is up.
    let text = format!(
        "#!/bin/sh\necho >>{starts}\n[ \"$(wc -l <{starts})\" != 2 ] || exit 1\nexec {kernel} \"$@\"\n",
        starts = starts.display(),
        kernel = kernel.display()
    );
    write_program(&program, &text);
    let subject = script("echo c > /proc/sysrq-trigger\n");
    let mut command = check(subject.path(), "uml");
    let path = std::env::var_os("PATH").expect("a PATH");
    let path = std::iter::once(tools.path().to_owned()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(path).expect("no colon in a temporary directory"));
    assert(command).code(1).stdout(predicates::str::contains("it panicked (sysrq triggered crash)"));
    let started = fs::read_to_string(&starts).expect("it was started").lines().count();
    assert!(started > 2, "the second did not come up, and there was another: {started}");
}

/// A process of real-time priority that never sleeps, with nothing that throttles it.
#[test]
fn a_subject_that_hangs_its_kernel_has_crashed() {
    const SPINS: &str = "import os\nopen('/proc/sys/kernel/sched_rt_runtime_us', 'w').write('-1')\n\
                         os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))\nwhile True: pass\n";
    if !guests_start() || Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_err() {
        return;
    }
    let description = "project = \"kv\"\nrun = [\"python3\", \"store.py\"]\n";
    let subject = folder(&[("subject.toml", description), ("store.py", SPINS)]);
    let mut command = check(subject.path(), "lab");
    command.env("GROUNDWORK_LAB_SILENCE_S", "4");
    assert(command).code(1).stdout(predicates::str::contains("nothing was heard from it for 4 s"));
}

#[test]
fn a_path_with_spaces_works_in_a_guest() {
    if !guests_start() {
        return;
    }
    let description = "project = \"kv\"\nrun = [\"sh\", \"store.sh\"]\n";
    let subject = folder(&[("my own/subject.toml", description), ("my own/store.sh", PASSES)]);
    let mut command = check(&subject.path().join("my own"), "lab");
    command.env("GROUNDWORK_DIR", own().join("my own"));
    assert(command).code(0);
}

/// A guest is many processes, in a session of its own.
#[test]
fn no_guest_outlives_the_front_desk() {
    if !guests_start() {
        return;
    }
    for (signal, exit) in [(libc::SIGINT, Some(130)), (libc::SIGTERM, None), (libc::SIGKILL, None)] {
        let own = own().join(format!("signal {signal}"));
        let subject = script("sleep 1000\n");
        let mut command = check(subject.path(), "lab");
        command.env("GROUNDWORK_DIR", &own).process_group(0).stdout(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let guests = own.join("lab/guest-").display().to_string();
        let up = || if with_argument(&guests).len() > 3 { Ok(()) } else { Err("no guest") };
        eventually(HANGS, up).expect("a guest comes up");

        // SAFETY: kill takes two integers; the child has not been waited for, so its pid is its own.
        let sent = unsafe { libc::kill(child.id() as libc::pid_t, signal) };
        assert_eq!(sent, 0, "the front desk is there to be ended");
        let status = status_within(&mut child);
        assert_eq!(status.code(), exit, "it ends as is usual for signal {signal}");
        let left = eventually(std::time::Duration::from_secs(20), || {
            let left = with_argument(&guests);
            if left.is_empty() { Ok(()) } else { Err(left) }
        });
        assert_eq!(left, Ok(()), "signal {signal} to the front desk ends the guest too");
    }
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, text).expect("a file in a temporary directory");
    fs::set_permissions(path, Permissions::from_mode(0o755)).expect("it is ours");
}

fn path_of(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|tool| tool.is_file())
}

/// A folder to search programs in, with what builds a suite and nothing else.
fn few_tools() -> TempDir {
    let tools = tempfile::tempdir().expect("a temporary directory");
    for tool in ["cargo", "rustc", "cc", "sh"] {
        if let Some(found) = path_of(tool) {
            symlink(found, tools.path().join(tool)).expect("a link in a temporary directory");
        }
    }
    tools
}

#[test]
fn where_no_kernel_starts_nothing_is_passed() {
    let (tools, subject) = (few_tools(), script(PASSES));
    let mut command = check(subject.path(), "lab");
    command.env("PATH", tools.path()).env("GROUNDWORK_DIR", own().join("nothing"));
    let output = assert(command).code(4);
    output
        .stdout(predicates::str::contains("no throw-away kernel starts here (User-Mode Linux: there is no"))
        .stdout(predicates::str::contains("try:").and(predicates::str::contains("install user-mode-linux")))
        .stdout(predicates::str::contains("pass ").not());
}

#[test]
fn a_kernel_that_cannot_be_executed_is_none() {
    let (tools, subject) = (few_tools(), script(PASSES));
    write_program(&tools.path().join("linux.uml"), "#!/no/such/interpreter\n");
    let mut command = check(subject.path(), "uml");
    command.env("PATH", tools.path()).env("GROUNDWORK_DIR", own().join("no interpreter"));
    let output = assert(command).code(4);
    output.stdout(predicates::str::contains("cannot start").and(predicates::str::contains("linux.uml")));
}

#[test]
fn an_audit_of_nothing_finds_nothing_to_be_right() {
    let tools = few_tools();
    let mut command = command(&["audit", "kv", "--lane", "uml", "--without-starter"]);
    command.env("PATH", tools.path()).env("GROUNDWORK_DIR", own().join("nothing"));
    let output = assert(command).code(4);
    output
        .stdout(predicates::str::contains("skip solution  nothing of this can run here"))
        .stdout(predicates::str::contains("tried").not());
}

/// The same verdict in every kind of guest. QEMU is not fetched for this: 90 megabytes are a lot to ask of a test.
#[test]
fn kinds_of_guests_agree() {
    let kernel = fs::read_dir("/boot").into_iter().flatten().flatten();
    let kernel = kernel.map(|file| file.path()).any(|path| path.to_string_lossy().contains("vmlinuz"));
    if !guests_start() || path_of("qemu-system-x86_64").is_none() || path_of("linux.uml").is_none() || !kernel
    {
        eprintln!("SKIPPED: not both kinds of guests are installed here");
        return;
    }
    let (right, wrong) = (script(PASSES), script("echo wrong; sleep 1000\n"));
    for (subject, code) in [(&right, 0), (&wrong, 1)] {
        for lane in ["uml", "qemu"] {
            assert(check(subject.path(), lane)).code(code);
        }
    }
}
