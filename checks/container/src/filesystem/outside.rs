//! What the host notices: nothing.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File, FileTimes},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
    time::{Duration, SystemTime},
};

use harness::{Context, Halt, Judged};

use super::inside::{has_its_root, mounts_are_its_own};
use crate::{
    call::Call,
    host::{Host, Left},
};

pub(super) fn the_host_s_mounts_never_change(context: &Context) -> Judged {
    Host::play(context, |host| {
        // Made first, since one of them is a mount.
        for root in [host.root()?, host.mounted_root()?] {
            host.forget();
            let before = Left::now(host)?;
            let inside = Call::on(host, root.clone()).hostname("box").serves()?;
            has_its_root(host, &inside)?;
            before.has_same_mounts(host, "while the command runs")?;
            inside.finish_well()?;
            before.has_same_mounts(host, "afterwards")?;
            Call::on(host, root).command(&["/nowhere/program"]).start()?.ends()?;
            before.has_same_mounts(host, "after a command that was not found")?;
        }
        Ok(())
    })
}

pub(super) fn a_root_may_be_a_mount_or_a_link(context: &Context) -> Judged {
    Host::play(context, |host| {
        let mounted = host.mounted_root()?;
        let inside = Call::on(host, mounted).serves()?;
        has_its_root(host, &inside)?;
        mounts_are_its_own(host, &inside)?;
        inside.finish_well()?;

        host.forget();
        // A name is bytes.
        let link = host.folder().join(OsStr::from_bytes(b"li\xffnk"));
        let call = host.call()?;
        std::os::unix::fs::symlink(&call.root().path, &link)?;
        let inside = call.root_word(&link).serves()?;
        has_its_root(host, &inside)?;
        inside.finish_well()?;

        let folder = host.folder().join("caller");
        fs::create_dir(&folder)?;
        for (folder, above) in [(host.folder(), "."), (&folder, "..")] {
            host.forget();
            let call = host.call()?;
            let name = call.root().path.file_name().unwrap_or_default().to_owned();
            let inside = call.root_word(Path::new(above).join(name)).in_folder(folder).serves()?;
            has_its_root(host, &inside)?;
            inside.finish_well()?;
        }
        host.forget();
        let call = host.call()?;
        let root = call.root().path.clone();
        let inside = call.root_word(".").in_folder(&root).serves()?;
        has_its_root(host, &inside)?;
        mounts_are_its_own(host, &inside)?;
        inside.finish_well()?;
        Ok(())
    })
}

pub(super) fn mounts_inside_stay_inside(context: &Context) -> Judged {
    Host::play(context, |host| {
        let call = host.call()?;
        fs::create_dir(call.root().path.join("here"))?;
        let before = Left::now(host)?;
        let inside = call.serves()?;
        has_its_root(host, &inside)?;
        // Refused is contained as well.
        let _ = inside.ask("mount-tmpfs /here")?;
        before.has_same_mounts(host, "after the command has mounted something")?;
        let _ = inside.ask("unmount /proc")?;
        before.has_same_mounts(host, "after the command has unmounted /proc")?;
        let _ = inside.ask("unmount /here")?;
        inside.finish_well()?;
        before.has_same_mounts(host, "afterwards")
    })
}

pub(super) fn nothing_is_made_in_the_root(context: &Context) -> Judged {
    Host::play(context, |host| {
        // With folders to mount something on, and without.
        for root in [host.image()?, host.root()?] {
            host.forget();
            let call = Call::on(host, root);
            let root = call.root().path.clone();
            age(&root)?;
            let before = content(&root);
            let inside = call.hostname("box").serves()?;
            has_its_root(host, &inside)?;
            is_still(&before, &root, "while the command runs")?;
            inside.finish_well()?;
            is_still(&before, &root, "afterwards")?;
        }
        Ok(())
    })
}

/// Demands of a root that all in it is as it was, and nothing new.
#[track_caller]
fn is_still(before: &BTreeMap<String, String>, root: &Path, when: &str) -> Judged {
    let now = content(root);
    if let Some(path) = now.keys().find(|path| !before.contains_key(*path)) {
        return Err(Halt::fail(format!("nothing new in ROOTFS {when}"), format!("{path} was made")));
    }
    match before.iter().find(|(path, file)| now.get(*path) != Some(file)) {
        None => Ok(()),
        Some((path, file)) => Err(Halt::fail(
            format!("{path} in ROOTFS is as it was {when}: {file}"),
            now.get(path).map_or("it is gone", String::as_str),
        )),
    }
}

/// Dates all folders back: what is made in one and removed again leaves its date.
fn age(folder: &Path) -> Judged {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.file_type()?.is_dir() {
            age(&entry.path())?;
        }
    }
    Ok(File::open(folder)?.set_times(FileTimes::new().set_modified(long_ago))?)
}

/// Every file below a folder: its kind and rights, owner, size, and content where it is short; of folders when they changed.
fn content(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut next = vec![folder.to_owned()];
    while let Some(path) = next.pop() {
        let Ok(file) = fs::symlink_metadata(&path) else { continue };
        if file.is_dir() {
            next.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
        let size = if file.is_dir() { 0 } else { file.len() };
        let text =
            if file.is_file() && size < 4096 { fs::read(&path).unwrap_or_default() } else { Vec::new() };
        let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        let shown = if file.is_dir() {
            format!("changed at {}", file.mtime())
        } else {
            format!("{size} bytes {:?}", String::from_utf8_lossy(&text))
        };
        let rights = format!("mode {:o}, of {}:{}", file.mode(), file.uid(), file.gid());
        found.insert(format!("/{name}"), format!("{rights}, {shown}"));
    }
    found
}
