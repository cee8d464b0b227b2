//! The program as a whole, in containers that need no right and can do no harm: each runs in a user namespace
//! and a mount namespace that are made for it, by `unshare` of util-linux. Where a kernel allows nobody that,
//! the tests say so and pass; the lab of the suite (`cargo xtask check container --solution`) is then the
//! place.
//!
//! The root is a folder into which the host's programs are mounted: what lies below ROOTFS comes along.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Fills `$ROOT`, which lies in this shell's mount namespace alone, and goes on with the words that follow.
const FURNISH: &str = r#"
    mkdir -p "$ROOT/proc" "$ROOT/tmp"
    for name in bin lib lib64 usr; do
        if [ -L "/$name" ]; then ln -sfn "$(readlink "/$name")" "$ROOT/$name"
        elif [ -d "/$name" ]; then mkdir -p "$ROOT/$name" && mount --rbind "/$name" "$ROOT/$name" || exit 99
        fi
    done
    exec "$@""#;

/// A root, and who runs a command in it.
struct Scene {
    root: TempDir,
    before: Vec<&'static str>,
}

impl Scene {
    /// Called by root, of a user namespace. None if there is no such thing here.
    fn of_root() -> Option<Scene> {
        let scene = Scene { root: tempfile::tempdir().unwrap(), before: Vec::new() };
        let trial = scene.furnished().args(["unshare", "--pid", "--fork", "--mount-proc", "true"]).output();
        let reason = match trial {
            Ok(output) if output.status.success() => return Some(Scene::fresh(Vec::new())),
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        eprintln!("SKIPPED: no namespaces can be made here: {}", reason.trim());
        None
    }

    /// Called by somebody without rights.
    fn of_somebody() -> Option<Scene> {
        Scene::of_root()?;
        Some(Scene::fresh(vec!["unshare", "--user", "--map-user=1000", "--map-group=1000"]))
    }

    fn fresh(before: Vec<&'static str>) -> Scene {
        Scene { root: tempfile::tempdir().unwrap(), before }
    }

    fn furnished(&self) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", FURNISH, "furnish"]);
        command.env("ROOT", self.root.path()).stdin(Stdio::null());
        command
    }

    /// `container run OPTIONS ROOTFS WORDS`, not started yet.
    fn call(&self, options: &[&str], words: &[&str]) -> Command {
        let mut command = self.furnished();
        command.args(&self.before).arg(env!("CARGO_BIN_EXE_container-solution")).arg("run");
        command.args(options).arg(self.root.path()).args(words);
        command
    }

    fn run(&self, options: &[&str], words: &[&str]) -> Output {
        self.call(options, words).output().unwrap()
    }

    /// What a shell says in the container. It ends well.
    fn shell(&self, script: &str) -> String {
        let output = self.run(&["--hostname", "box"], &["sh", "-c", script]);
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn the_world_inside_is_its_own() {
    let Some(scene) = Scene::of_root() else { return };
    assert_eq!(scene.shell("echo $$; pwd; cat /proc/sys/kernel/hostname"), "1\n/\nbox\n");
    // `echo /proc/*` forks nothing: there is pid 1 and nobody else.
    assert_eq!(scene.shell("cd /proc; echo [0-9]*"), "1\n");
    assert_eq!(scene.shell("cd /proc/self/fd; echo *").trim().replace(" 3", ""), "0 1 2");
    let mounts = scene.shell("cat /proc/self/mountinfo");
    let places: Vec<&str> = mounts.lines().filter_map(|line| line.split(' ').nth(4)).collect();
    let known = ["/proc", "/bin", "/lib", "/usr"]; // what the test has put there
    assert!(
        places.iter().all(|at| *at == "/" || known.iter().any(|known| at.starts_with(known))),
        "{places:?}"
    );
}

#[test]
fn statuses_say_who_failed() {
    let check = |scene: &Scene, words: &[&str], expected: i32| {
        let output = scene.run(&[], words);
        assert_eq!(output.status.code(), Some(expected), "{words:?}: {output:?}");
        assert_eq!(output.stdout, b"", "{words:?}");
        let is_ours = [126, 127].contains(&expected);
        assert_eq!(output.stderr.is_empty(), !is_ours, "{words:?}: {output:?}");
    };
    let Some(scene) = Scene::of_root() else { return };
    check(&scene, &["sh", "-c", "exit 255"], 255);
    check(&scene, &["sh", "-c", "exit 125"], 125);
    check(&Scene::fresh(Vec::new()), &["nothing-of-that-name"], 127);
    check(&Scene::fresh(Vec::new()), &["/tmp"], 126);
}

#[test]
fn signals_are_handed_on_as_often_as_they_come() {
    let Some(scene) = Scene::of_root() else { return };
    let script =
        r#"trap 'echo usr1' USR1; trap 'echo term; exit 7' TERM; echo ready; while :; do sleep 0.05; done"#;
    let mut runtime = scene.call(&[], &["sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(runtime.stdout.take().unwrap()).lines().map(Result::unwrap);
    // `unshare` and the shell have become the runtime: the child is the runtime itself.
    let pid = runtime.id().to_string();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    let mut answers = ["-USR1", "-USR1", "-TERM"].into_iter();
    let heard: Vec<String> = lines.inspect(|_| answers.next().into_iter().for_each(signal)).collect();
    assert_eq!(heard, ["ready", "usr1", "usr1", "term"]);
    assert_eq!(runtime.wait().unwrap().code(), Some(7));
}

#[test]
fn a_container_dies_with_its_runtime() {
    let Some(scene) = Scene::of_root() else { return };
    let script = "echo ready; sleep 1000; echo late";
    let mut runtime = scene.call(&[], &["sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(runtime.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    runtime.kill().unwrap();
    runtime.wait().unwrap();
    // It ends when the last process of the container has, `sleep` too: long before anybody is late.
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn what_root_may_no_longer_do() {
    let Some(scene) = Scene::of_root() else { return };
    let status = scene.shell("cat /proc/self/status");
    for line in ["CapEff:\t00000000a00425fb", "CapBnd:\t00000000a00425fb", "CapAmb:\t0000000000000000"] {
        assert!(status.contains(line), "{line} in {status}");
    }
    for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "SigBlk:\t0000000000000000"] {
        assert!(status.contains(line), "{line} in {status}");
    }
    assert_eq!(scene.shell("mount -t tmpfs none /tmp 2>/dev/null || echo refused"), "refused\n");
    assert_eq!(scene.shell("unshare --user true 2>/dev/null || echo refused"), "refused\n");
    assert_eq!(scene.shell("(echo x >/proc/sys/kernel/hostname) 2>/dev/null || echo refused"), "refused\n");
}

#[test]
fn somebody_without_rights_is_root_inside_and_nowhere_else() {
    let Some(scene) = Scene::of_somebody() else { return };
    let expected = ["0", "0 1000 1", "0 1000 1", "deny", "box"];
    let told = scene.shell("id -u; cd /proc/self; cat uid_map gid_map setgroups /proc/sys/kernel/hostname");
    let told: Vec<String> =
        told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_limit_stands_or_the_command_does_not_run() {
    let Some(scene) = Scene::of_somebody() else { return };
    let output = scene.run(&["--memory", "64M"], &["cat", "/proc/self/cgroup"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(125) => assert_eq!(told, "", "{output:?}"),
        Some(0) => {
            let name = told.trim().rsplit('/').next().unwrap();
            assert!(name.starts_with("container-"), "{output:?}");
            assert!(!Path::new("/sys/fs/cgroup").join(name).exists(), "{name} is left");
        }
        _ => panic!("{output:?}"),
    }
}

#[test]
fn nothing_is_made_in_the_root() {
    let Some(scene) = Scene::of_root() else { return };
    let names = || {
        let entries = fs::read_dir(&scene.root).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    // Furnished by the test, and not by the runtime.
    assert_eq!(scene.shell("exit 0"), "");
    let before = names();
    assert_eq!(scene.run(&[], &["nothing-of-that-name"]).status.code(), Some(127));
    assert_eq!(scene.shell("cd /; echo *").split_whitespace().count(), before.len());
    assert_eq!(names(), before);
}
