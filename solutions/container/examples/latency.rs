//! How long a container takes: from the call to the end of a command that does nothing, beside others that
//! make one.
//!
//! ```text
//! cargo build --release -p container-solution && cargo run --release -p container-solution --example latency
//! ```
//!
//! As root, for crun and runc. The command is this program itself, which then ends at once, in a root that
//! has it and its libraries. What can be asked for is asked for alike: uts, pid, mnt, net, ipc namespaces,
//! `/proc`, another root. `unshare` changes no root and has nothing of stage 7; bubblewrap has no filter;
//! crun and runc read what Docker would tell them (capabilities, masks, a filter if it is in their usual
//! `spec`), and have a `/dev` and a cgroup as well.
//!
//! One after the other in turn, so that whatever else the machine does meets all of them. The least tells
//! what it costs, the median what one waits. Nothing of it touches the host's mounts: all of it runs in a
//! mount namespace of its own.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

const ROUNDS: usize = 200;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One way to make a container, and how long it took each time.
struct Contender {
    name: &'static str,
    words: Vec<String>,
    /// Where it is started; crun and runc read their configuration there.
    folder: PathBuf,
    times: Vec<Duration>,
}

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some("nothing") {
        return Ok(());
    }
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
    // crun wants no host with both versions of cgroups: here it sees one, where there are two.
    let _ = umount2("/sys/fs/cgroup/unified", MntFlags::MNT_DETACH);
    let bundle = std::env::temp_dir().join(format!("container-latency-{}", std::process::id()));
    let root = bundle.join("rootfs");
    furnish(&root)?;
    let mut contenders = contenders(&bundle, &root)?;
    for round in 0..ROUNDS {
        for contender in &mut contenders {
            let time = contender.run(round)?;
            contender.times.push(time);
        }
    }
    println!("{:<28}    least   median", "");
    for contender in &mut contenders {
        contender.times.sort();
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let (least, median) = (contender.times[0], contender.times[ROUNDS / 2]);
        println!("{:<28} {:>5.2} ms {:>5.2} ms", contender.name, ms(least), ms(median));
    }
    Ok(fs::remove_dir_all(bundle)?)
}

impl Contender {
    /// One run, from before the program is started to its end.
    fn run(&self, round: usize) -> Result<Duration> {
        let words: Vec<String> =
            self.words.iter().map(|word| word.replace("ROUND", &round.to_string())).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        let status = command.status()?;
        let time = begun.elapsed();
        if status.success() { Ok(time) } else { Err(format!("{words:?} ended with {status}").into()) }
    }
}

/// Those that are installed, and that can run here.
fn contenders(bundle: &Path, root: &Path) -> Result<Vec<Contender>> {
    let examples = std::env::current_exe()?;
    let ours = examples.ancestors().nth(2).ok_or("no target folder")?.join("container-solution");
    if !ours.exists() {
        return Err("build it first: cargo build --release -p container-solution".into());
    }
    let (ours, root) = (ours.to_string_lossy(), root.to_string_lossy());
    let all = [
        ("(no container)", format!("{root}/nothing nothing")),
        ("container", format!("{ours} run --hostname box {root} /nothing nothing")),
        ("unshare, root unchanged", format!("unshare -u -p -f -m -n -i --mount-proc {root}/nothing nothing")),
        (
            "bwrap",
            format!("bwrap --unshare-all --hostname box --bind {root} / --proc /proc /nothing nothing"),
        ),
        ("crun", "crun run latency-ROUND".into()),
        ("runc", "runc run latency-ROUND".into()),
    ];
    let mut able = Vec::new();
    for (name, line) in all {
        let folder = bundle.to_path_buf();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        if ["crun", "runc"].contains(&name) {
            configure(name, &folder)?;
        }
        let contender = Contender { name, words, folder, times: Vec::new() };
        match contender.run(ROUNDS) {
            Ok(_) => able.push(contender),
            Err(error) => eprintln!("{name} is left out: {error}"),
        }
    }
    Ok(able)
}

/// This program and its libraries, and a place for `/proc`.
fn furnish(root: &Path) -> Result<()> {
    fs::create_dir_all(root.join("proc"))?;
    let program = std::env::current_exe()?;
    fs::copy(&program, root.join("nothing"))?;
    let told = Command::new("ldd").arg(&program).output()?;
    let told = String::from_utf8(told.stdout)?;
    for library in told.split_whitespace().filter(|word| word.starts_with('/')) {
        let place = root.join(&library[1..]);
        fs::create_dir_all(place.parent().ok_or("a library is no root")?)?;
        fs::copy(library, place)?;
    }
    Ok(())
}

/// What `runc spec` and `crun spec` write, for this command and without a terminal.
fn configure(runtime: &str, bundle: &Path) -> Result<()> {
    let path = bundle.join("config.json");
    let _ = fs::remove_file(&path);
    let mut spec = Command::new(runtime);
    if spec.arg("spec").current_dir(bundle).status().is_err() {
        return Ok(());
    }
    let text = fs::read_to_string(&path)?;
    let text = text.replace("\"terminal\": true", "\"terminal\": false");
    Ok(fs::write(path, text.replace("\"sh\"", "\"/nothing\", \"nothing\""))?)
}
