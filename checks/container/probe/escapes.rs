//! Ways out of a container that root inside may try. Each is tried in a child, which may do to itself what it likes, and
//! says which file it ended at: whether that is the host's root is for the suite to know.

use std::{
    env, fs,
    io::{self, Read, Write},
};

use crate::{answer::Answer, look::identity, sys};

/// More levels than any path of the suite's has.
const UPWARDS: usize = 40;

/// Tries one way: the roots that it got to, each with how it was reached.
pub(crate) fn escape(way: &str) -> io::Result<Answer> {
    let attempt: fn() -> Vec<(String, Answer)> = match way {
        "upwards" => upwards,
        "chroot" => out_of_a_chroot,
        "unmount" => below_what_covers,
        "processes" => by_other_processes,
        "descriptors" => by_descriptors,
        _ => return Err(io::Error::from_raw_os_error(sys::EINVAL)),
    };
    let (mut told, teller) = io::pipe()?;
    let pid = sys::child(|| {
        let reached = attempt()
            .into_iter()
            .map(|(how, file)| Answer::object([("how", Answer::text(how.as_bytes())), ("file", file)]));
        let line = Answer::List(reached.collect()).to_json();
        i32::from((&teller).write_all(line.as_bytes()).is_err())
    })?;
    drop(teller);
    let mut line = Vec::new();
    told.read_to_end(&mut line)?;
    sys::wait_for(pid)?;
    // As a text within a text: the child wrote JSON already.
    Ok(Answer::Text(line))
}

/// The file at a path, if there is one.
fn seen(how: &str, path: &str) -> Option<(String, Answer)> {
    Some((how.to_owned(), identity(&fs::metadata(path).ok()?)))
}

/// Upwards from the working directory, as far as it goes.
fn climb(how: &str) -> Option<(String, Answer)> {
    for _ in 0..UPWARDS {
        env::set_current_dir("..").ok()?;
    }
    seen(how, ".")
}

/// `..` from where it is, and from `/`.
fn upwards() -> Vec<(String, Answer)> {
    let from_here = climb("`..` from its working directory");
    let above_root = seen("/..", "/..");
    let from_root = env::set_current_dir("/").ok().and_then(|()| climb("`..` from /"));
    [from_here, above_root, from_root].into_iter().flatten().collect()
}

/// A root moves into a folder while the working directory stays behind: then nothing stops `..` any more. What
/// `chroot` alone was meant to hold gets out.
fn out_of_a_chroot() -> Vec<(String, Answer)> {
    const FOLDER: &str = "/.way-out";
    let _ = env::set_current_dir("/");
    let _ = fs::create_dir(FOLDER);
    let folder = if fs::metadata(FOLDER).is_ok() { FOLDER } else { "/proc" };
    let moved = sys::chroot(folder);
    let reached = moved.ok().and_then(|_| climb("chroot into a folder, then `..` from outside of it"));
    // Back to where it came from, to leave nothing.
    let _ = sys::chroot(".");
    let _ = fs::remove_dir(FOLDER);
    reached.into_iter().collect()
}

/// What is mounted over the root goes, and what was below it shows; at once, or to whoever enters the mount namespace
/// anew, since that begins at the namespace's own root.
fn below_what_covers() -> Vec<(String, Answer)> {
    const LAYERS: usize = 4;
    let mut reached = Vec::new();
    let namespace = fs::File::open("/proc/self/ns/mnt");
    // The last one first: it may cover others. What was below it is looked for wherever something was mounted.
    let places = mounted_places();
    for place in places.iter().rev().filter(|place| *place != "/") {
        if sys::unmount(place).is_ok() {
            let at = |at: &String| seen(&format!("{at} after umount2({place:?}, MNT_DETACH)"), at);
            reached.extend(places.iter().filter_map(at));
        }
    }
    let enter = |how: &str| {
        let entered = namespace.as_ref().is_ok_and(|file| sys::enter_mounts(file).is_ok());
        entered.then(|| seen(how, "/")).flatten()
    };
    reached.extend(enter("/ after setns() to its own mount namespace"));
    for layer in 1..=LAYERS {
        if sys::unmount("/").is_err() {
            break;
        }
        let _ = env::set_current_dir("/");
        reached.extend(seen(&format!("/ after umount2(\"/\", MNT_DETACH), {layer} times"), "/"));
        reached.extend(climb(&format!("`..` after umount2(\"/\", MNT_DETACH), {layer} times")));
    }
    reached.extend(enter("/ after umount2(\"/\", MNT_DETACH), and setns() to its own mount namespace"));
    reached
}

/// Where something is mounted, as its own mount table says; places with a space or the like, which are written
/// otherwise there, are left out.
fn mounted_places() -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let places =
        table.lines().filter_map(|line| line.split(' ').nth(4)).filter(|place| !place.contains('\\'));
    places.map(str::to_owned).collect()
}

/// The root, the working directory and the open descriptors of everybody in `/proc`.
fn by_other_processes() -> Vec<(String, Answer)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let mut reached = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        for link in ["root", "cwd"] {
            let path = format!("/proc/{name}/{link}");
            reached.extend(seen(&path, &format!("{path}/.")));
            if env::set_current_dir(&path).is_ok() {
                reached.extend(climb(&format!("`..` from {path}")));
            }
        }
        for file in fs::read_dir(format!("/proc/{name}/fd")).into_iter().flatten().flatten() {
            if env::set_current_dir(file.path()).is_ok() {
                reached.extend(climb(&format!("`..` from {}", file.path().display())));
            }
        }
    }
    reached
}

/// Its own descriptors, found without /proc.
fn by_descriptors() -> Vec<(String, Answer)> {
    let open = (0..sys::DESCRIPTORS).filter(|&descriptor| sys::enter(descriptor).is_ok());
    open.filter_map(|descriptor| climb(&format!("`..` from descriptor {descriptor}"))).collect()
}
