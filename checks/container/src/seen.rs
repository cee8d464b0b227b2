//! Processes, as `/proc` tells of them to the suite, which sees all of them.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use crate::{call::NONCE, host::FileId};

/// The process that executes one of these files with this word among its arguments.
pub(crate) fn find(nonce: &str, programs: &[FileId]) -> Option<i32> {
    all().into_iter().find(|&pid| {
        let executes = fs::metadata(format!("/proc/{pid}/exe"))
            .is_ok_and(|file| programs.contains(&FileId { device: file.dev(), inode: file.ino() }));
        executes && arguments(pid).split(|&byte| byte == 0).any(|word| word == nonce.as_bytes())
    })
}

/// Every process of a run that lives, by the variable in its environment; zombies have none.
pub(crate) fn of_run(nonce: &str) -> Vec<i32> {
    let wanted = format!("{NONCE}={nonce}");
    let is_of_it = |pid: &i32| {
        fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
            environment.split(|&byte| byte == 0).any(|variable| variable == wanted.as_bytes())
        })
    };
    all().into_iter().filter(is_of_it).collect()
}

/// The word that the run of a process has in its environment.
pub(crate) fn nonce_of(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let begin = format!("{NONCE}=");
    let variable =
        environment.split(|&byte| byte == 0).find(|variable| variable.starts_with(begin.as_bytes()))?;
    Some(String::from_utf8_lossy(&variable[begin.len()..]).into_owned())
}

/// Processes that have ended and that nobody has waited for, of the process group of `leader`, which is not counted.
pub(crate) fn zombies_of(leader: i32) -> Vec<i32> {
    let is_zombie = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        group_of_zombie(&stat) == Some(leader)
    };
    all().into_iter().filter(|&pid| pid != leader).filter(is_zombie).collect()
}

/// The process group in a `/proc/PID/stat`, if that is a zombie's.
fn group_of_zombie(stat: &str) -> Option<i32> {
    // The name before may hold spaces and parentheses.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let (state, _parent, group) = (fields.next()?, fields.next()?, fields.next()?);
    (state == "Z").then(|| group.parse().ok())?
}

/// What a process is called, for evidence.
pub(crate) fn shown(pid: i32) -> String {
    let words = arguments(pid);
    let text = String::from_utf8_lossy(&words).replace('\0', " ");
    let text = text.trim();
    if text.is_empty() { format!("process {pid}") } else { format!("process {pid} ({text})") }
}

/// A field of a `/proc/PID/status`.
pub(crate) fn field<'s>(status: &'s str, name: &str) -> Option<&'s str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Whether a process waits for something, or is gone.
pub(crate) fn is_asleep(pid: i32) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { return true };
    !field(&status, "State").unwrap_or_default().starts_with('R')
}

/// Whether a process was stopped by a signal.
pub(crate) fn is_stopped(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    field(&status, "State").unwrap_or_default().starts_with('T')
}

/// Whether there is such a process that has not ended.
pub(crate) fn lives(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status"))
        .is_ok_and(|status| !field(&status, "State").unwrap_or_default().starts_with(['Z', 'X']))
}

fn arguments(pid: i32) -> Vec<u8> {
    fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline")).unwrap_or_default()
}

fn all() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zombie_is_known_whatever_its_name() {
        assert_eq!(group_of_zombie("7 (a) Z (b)) Z 1 42 7 0 -1"), Some(42), "by its state and group");
        assert_eq!(group_of_zombie("7 (Z) S 1 42 7 0 -1"), None, "a name is no state");
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let status = "Name:\tx\nNSpid:\t70\t1\nCapEff:\t00ff\n";
        assert_eq!(field(status, "NSpid"), Some("70\t1"), "with all of its values");
        assert_eq!(field(status, "Cap"), None, "and not by the beginning of another");
    }
}
