//! What `/proc` tells about a running subject. A subject may be a wrapper around the program that does the work,
//! so figures are summed over the process and its descendants.

use std::{collections::HashMap, fs, path::PathBuf, time::Duration};

/// Processor time used so far by one process, from `/proc/PID/schedstat` (nanoseconds; not quantised to ticks).
pub fn cpu_time(pid: i32) -> Option<Duration> {
    let nanos = threads(pid)?.filter_map(|thread| {
        let text = fs::read_to_string(thread.join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Some(Duration::from_nanos(nanos.sum()))
}

/// Processor time used so far by a process and its descendants.
pub(super) fn family_cpu_time(pid: i32) -> Duration {
    family(pid).into_iter().filter_map(cpu_time).sum()
}

/// Whether a process or a descendant of it is on a processor, or waiting for one or for a disk: what it waits for is the
/// machine.
pub(super) fn is_any_at_work(pid: i32) -> bool {
    family(pid).into_iter().any(is_at_work)
}

fn is_at_work(pid: i32) -> bool {
    threads(pid).into_iter().flatten().any(|thread| {
        fs::read_to_string(thread.join("stat"))
            .is_ok_and(|stat| after_name(&stat).is_some_and(|rest| rest.starts_with(['R', 'D'])))
    })
}

/// A subject's use of the machine, summed over its processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes asked for by `read` and its kin, from files and pipes alike (`rchar`).
    pub read_bytes: u64,
    /// Anonymous resident memory in bytes (`RssAnon`): heap and stacks, not mapped files.
    pub anonymous_bytes: u64,
    /// The highest resident size so far in bytes (`VmHWM`).
    pub peak_resident_bytes: u64,
    /// Open file descriptors.
    pub descriptors: u64,
    /// Threads.
    pub threads: u64,
    /// Processor time in nanoseconds.
    pub cpu_nanos: u64,
}

/// Reads the usage of `pid` and its descendants.
pub fn usage(pid: i32) -> Usage {
    let mut total = Usage::default();
    for pid in family(pid) {
        let io = fields(&format!("/proc/{pid}/io"));
        let status = fields(&format!("/proc/{pid}/status"));
        let kib = |name: &str| status.get(name).copied().unwrap_or(0) * 1024;
        total.read_bytes += io.get("rchar").copied().unwrap_or(0);
        total.anonymous_bytes += kib("RssAnon");
        total.peak_resident_bytes += kib("VmHWM");
        total.descriptors += fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count) as u64;
        total.threads += status.get("Threads").copied().unwrap_or(0);
        total.cpu_nanos += cpu_time(pid).unwrap_or_default().as_nanos() as u64;
    }
    total
}

/// How often the threads of a process and its descendants have gone to sleep so far (`voluntary_ctxt_switches`): as often
/// they were woken, but for the last time.
pub fn sleeps(pid: i32) -> u64 {
    let status = |thread: PathBuf| fields(&thread.join("status").to_string_lossy());
    let threads = family(pid).into_iter().filter_map(threads).flatten();
    threads.filter_map(|thread| status(thread).get("voluntary_ctxt_switches").copied()).sum()
}

/// The folders in `/proc` of a process's threads; none when it is gone.
fn threads(pid: i32) -> Option<impl Iterator<Item = PathBuf>> {
    Some(fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten().map(|thread| thread.path()))
}

/// `pid` and everything that descends from it, parents first.
pub(super) fn family(pid: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for (child, parent) in parents() {
        children.entry(parent).or_default().push(child);
    }
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(parent) = found.get(next) {
        found.extend(children.remove(parent).unwrap_or_default());
        next += 1;
    }
    found
}

/// Every process of the machine with its parent.
pub(super) fn parents() -> Vec<(i32, i32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let parent = after_name(&stat)?.split(' ').nth(1)?.parse().ok()?;
        Some((pid, parent))
    })
    .collect()
}

/// The fields of a `stat` line after the program's name, which may itself hold spaces and parentheses.
fn after_name(stat: &str) -> Option<&str> {
    stat.rsplit_once(") ").map(|(_, rest)| rest)
}

/// The `name: number` lines of a file in `/proc`.
fn fields(path: &str) -> HashMap<String, u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.split_whitespace().next()?.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_usage_is_read() {
        let us = usage(std::process::id() as i32);
        assert!(
            us.anonymous_bytes > 0 && us.descriptors >= 3,
            "an ordinary process has memory and stdio: {us:?}"
        );
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        assert_eq!(after_name("7 (a) R (b)) S 1 7"), Some("S 1 7"));
    }
}
