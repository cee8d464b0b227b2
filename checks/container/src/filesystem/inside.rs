//! What the command finds: its root, its mounts, and no way to others.

use std::{
    env,
    fs::{self, File},
    path::Path,
};

use harness::{Context, Halt, Judged};
use nix::errno::Errno;
use serde_json::Value;

use crate::{
    host::{FileId, Host},
    hostname::is_refused,
    mounts::{self, Mount},
    run::Inside,
};

/// Demands that the command's root is the one that the runtime was given.
#[track_caller]
pub(crate) fn has_its_root(host: &Host<'_>, inside: &Inside<'_, '_>) -> Judged {
    let root = FileId::of(&host.world().outside(&inside.root().path))?;
    let seen = file(&inside.told("stat /")?);
    if seen == Some(root) {
        return Ok(());
    }
    let names = inside.told("list /")?;
    let halt = Halt::fail("/ is ROOTFS", format!("/ is another folder, with {}", shortened(&names)));
    Err(if seen == FileId::of(Path::new("/")).ok() { halt.likely("/ is that of the host") } else { halt })
}

/// The file in a probe's answer.
pub(crate) fn file(answer: &Value) -> Option<FileId> {
    Some(FileId { device: answer["device"].as_i64()? as u64, inode: answer["inode"].as_i64()? as u64 })
}

fn shortened(names: &Value) -> String {
    let names = names.as_array().cloned().unwrap_or_default();
    let shown: Vec<_> = names.iter().filter_map(Value::as_str).take(8).collect();
    format!("{}{}", shown.join(" "), if names.len() > 8 { " …" } else { "" })
}

pub(super) fn the_root_is_rootfs(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        has_its_root(host, &inside)?;
        let folder = inside.ask("folder")?;
        if folder != Ok("/".into()) {
            let got = folder.map_or_else(
                |errno| format!("getcwd() says {}", Errno::from_raw(errno)),
                |folder| folder.to_string(),
            );
            return Err(Halt::fail("/ as the working directory", got)
                .likely("to change the root does not move the working directory: chdir(\"/\") does"));
        }
        let names = inside.told("list /")?;
        let sign = &inside.root().sign;
        if !names.as_array().is_some_and(|names| names.iter().any(|name| name == sign.as_str())) {
            return Err(Halt::fail(format!("{sign} in /, as in ROOTFS"), shortened(&names)));
        }
        inside.told("write /written-inside hello")?;
        let outside = host.world().outside(&inside.root().path).join("written-inside");
        let text = std::fs::read_to_string(&outside).unwrap_or_default();
        if text != "hello" {
            return Err(Halt::fail("what the command writes is in ROOTFS", format!("{text:?}"))
                .likely("the root is a copy, or something is mounted over it"));
        }
        inside.finish_well()
    })
}

/// Demands of the mount table inside that it has nothing of the host's.
#[track_caller]
pub(crate) fn mounts_are_its_own(host: &Host<'_>, inside: &Inside<'_, '_>) -> Judged {
    let root = FileId::of(&host.world().outside(&inside.root().path))?;
    if inside.root_id()? != root {
        return Err(Halt::fail("the root of the command is ROOTFS", "another folder"));
    }
    let table = inside.proc_file("mountinfo")?;
    let mounts = mounts::parse(&table);
    let hosts = mounts::parse(&host.world().mounts()?);
    // What was mounted below ROOTFS before may come along; the suite mounts nothing there.
    let foreign: Vec<_> = mounts.iter().filter(|mount| !is_its_own(mount, &mounts, &hosts)).collect();
    if let Some(mount) = foreign.first() {
        let rows = foreign.iter().take(6).map(|mount| mount.line.clone()).collect();
        let halt = Halt::fail(
            "a root, /proc, and mounts of the runtime's own on and below /proc, /dev and /sys: nothing else",
            match foreign.len() {
                1 => format!("one mount more, {}", mount.shown()),
                more => format!("{more} mounts more, the first {}", mount.shown()),
            },
        );
        return Err(halt.drawn(rows).likely(
            "the old root is still there: pivot_root() puts it somewhere, from where it has to be detached",
        ));
    }
    let roots: Vec<_> = mounts.iter().filter(|mount| mount.place == "/").collect();
    if roots.len() > 1 {
        let rows = roots.iter().map(|mount| mount.line.clone()).collect();
        return Err(
            Halt::fail("one mount at /", format!("{}: one covers the other", roots.len())).drawn(rows)
        );
    }
    if !mounts.iter().any(|mount| mount.place == "/proc" && mount.kind == "proc" && mount.part == "/") {
        return Err(Halt::fail("a mount of proc on /proc", table));
    }
    Ok(())
}

/// A mount that a runtime may make, of all those of a container.
fn is_its_own(mount: &Mount, mounts: &[Mount], hosts: &[Mount]) -> bool {
    const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
    let is_new = hosts.iter().all(|other| other.device != mount.device);
    let is_new_tmpfs = is_new && mount.kind == "tmpfs";
    // A single device of the host's is harmless, and cannot be made by everybody.
    let is_device = |folder: &str, path: &str| DEVICES.iter().any(|name| path == format!("{folder}/{name}"));
    match mount.place.as_str() {
        "/" => true,
        // Whatever covers a part of it; but the old root may hang there as well as anywhere else.
        _ if mount.is_within("/proc") => {
            let is_of_rootfs = mounts.iter().any(|root| {
                root.place == "/"
                    && root.device == mount.device
                    && mounts::is_at_or_below(&mount.part, &root.part)
                    && mount.part != root.part
            });
            // The part is one of a file system for devices, or of the root's own.
            is_new || is_of_rootfs || is_device("", &mount.part) || is_device("/dev", &mount.part)
        }
        "/dev" => is_new_tmpfs,
        place if mount.is_within("/dev") && mount.part != "/" => {
            is_new_tmpfs || is_device("/dev", place) || place == "/dev/console"
        }
        _ if mount.is_within("/dev") => ["tmpfs", "devpts", "mqueue"].contains(&mount.kind.as_str()),
        _ => mount.is_within("/sys") && ["sysfs", "tmpfs", "cgroup2"].contains(&mount.kind.as_str()),
    }
}

pub(super) fn nothing_of_the_host_s_is_mounted(context: &Context) -> Judged {
    Host::play(context, |host| {
        for root in [host.root()?, host.mounted_root()?, host.image()?] {
            host.forget();
            let inside = crate::call::Call::on(host, root).serves()?;
            mounts_are_its_own(host, &inside)?;
            inside.finish_well()?;
        }
        Ok(())
    })
}

/// Demands of a way that was tried that it did not end at the host's root, nor anywhere else but in ROOTFS.
#[track_caller]
pub(crate) fn stays_inside(host: &Host<'_>, inside: &Inside<'_, '_>, way: &str) -> Judged {
    // Refused is as good as leading nowhere.
    let Ok(told) = inside.ask(&format!("escape {way}"))? else { return Ok(()) };
    let reached: Vec<Value> = serde_json::from_str(told.as_str().unwrap_or_default()).unwrap_or_default();
    let outside = FileId::of(Path::new("/"))?;
    let folder = FileId::of(host.folder())?;
    for step in &reached {
        let at = file(&step["file"]);
        if at == Some(outside) || at == Some(folder) {
            let how = step["how"].as_str().unwrap_or_default();
            return Err(Halt::fail(
                "root inside gets nowhere but into ROOTFS",
                format!("the host's root, by {how}"),
            ));
        }
    }
    Ok(())
}

pub(super) fn the_command_is_looked_for_inside(context: &Context) -> Judged {
    const LIKELY: &str = "the command is looked for before the root is changed";
    Host::play(context, |host| {
        // The caller's own behind it: a subject may be a script.
        let usual = env::var("PATH").unwrap_or_default();
        for name in ["tool", "only-inside/tool"] {
            host.forget();
            let call = host.call()?;
            let folder = call.root().path.join("only-inside");
            fs::create_dir(&folder)?;
            fs::hard_link(host.probe(), folder.join("tool"))?;
            let call = call.env("PATH", format!("/only-inside:{usual}"));
            let ended = call.probe_called(name.into(), "exit", &[b"7"]).start()?.ends()?;
            ended.has_status(7).map_err(|halt| halt.likely(LIKELY))?;
        }
        host.forget();
        let folder = host.folder().join("only-outside");
        fs::create_dir(&folder)?;
        fs::hard_link(host.probe(), folder.join("tool"))?;
        let call = host.call()?.env("PATH", format!("{}:{usual}", folder.display()));
        let ended = call.probe_called("tool".into(), "exit", &[b"7"]).start()?.ends()?;
        is_refused(&ended, &[127], "tool").map_err(|halt| halt.likely(LIKELY))
    })
}

pub(super) fn no_path_leads_out(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        has_its_root(host, &inside)?;
        stays_inside(host, &inside, "upwards")?;
        let secret = host.secret();
        for path in ["", "/proc/self/root", "/proc/self/cwd", "/proc/1/root", "/.."]
            .map(|way| format!("{way}{}", secret.display()))
        {
            if let Ok(text) = inside.ask(&format!("read {path}"))? {
                return Err(Halt::fail(
                    format!("no {path}: it is a file of the host's alone"),
                    text.to_string(),
                ));
            }
        }
        inside.finish_well()
    })
}

pub(super) fn no_descriptor_leads_out(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        has_descriptors(&inside)?;
        stays_inside(host, &inside, "descriptors")?;
        inside.finish_well()
    })
}

/// Demands that the command has its stdio open and nothing else.
#[track_caller]
pub(crate) fn has_descriptors(inside: &Inside<'_, '_>) -> Judged {
    let open = inside.descriptors()?;
    if open.keys().eq(&[0, 1, 2]) {
        return Ok(());
    }
    let shown: Vec<_> = open.iter().map(|(number, file)| format!("{number} is {}", file.display())).collect();
    Err(Halt::fail("0, 1 and 2 open, and no other", shown.join(", ")))
}

/// A folder of the host's, open.
pub(crate) fn host_folder() -> Judged<File> {
    Ok(File::open("/")?)
}
