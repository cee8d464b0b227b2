//! Stage 2: processes of its own, and a `/proc` that knows no others.

use std::{fs, path::Path};

use harness::{Check, Context, Halt, Judged, Stage, process::Process};
use serde_json::Value;

use crate::{
    host::{Host, forking},
    hostname::{has_own_namespace, is_refused},
    mounts,
    run::Inside,
};

pub(crate) const STAGE: Stage = Stage {
    number: 2,
    slug: "processes",
    bonus: false,
    checks: &[
        Check::new("the_command_is_pid_1", the_command_is_pid_1)
            .points(3)
            .must("the command itself is pid 1 of a PID namespace of its own; its parent is 0, and its children come after it")
            .why("Pids of the host inside mean that somebody inside can name, and hit, a process outside."),
        Check::new("proc_shows_the_container_s_processes_alone", proc_shows_the_container_s_processes_alone)
            .points(3)
            .must("/proc inside lists the command and what descends from it, and nobody else")
            .why("`ps` in a container that shows the host's processes shows their arguments, environments and open files as well."),
        Check::new("no_process_of_the_host_can_be_reached", no_process_of_the_host_can_be_reached)
            .points(2)
            .must("to the command a process of the host does not exist: kill says ESRCH, by every number")
            .why("Root inside has the right to kill; what protects the host is that it has no name for anybody there."),
        Check::new("the_host_s_proc_stays_what_it_is", the_host_s_proc_stays_what_it_is)
            .points(3)
            .must("the host's /proc is the same mount, before, while and after the command runs, with / shared")
            .why("A /proc of a container that has spread to the host hides every process from its administrator, and outlives the container."),
    ],
};

/// Demands that the command is the first process of its namespace.
#[track_caller]
pub(crate) fn is_pid_1(host: &Host<'_>, inside: &Inside<'_, '_>) -> Judged {
    has_own_namespace(host, inside, "pid").map_err(|halt| match inside.namespace("pid_for_children") {
        Ok(next) if Some(&next) != host.world().namespace("pid").as_ref().ok() => halt.likely(
            "who calls unshare(CLONE_NEWPID) stays where it is: its next child is the first one in the new namespace",
        ),
        _ => halt,
    })?;
    let who = inside.told("who")?;
    if who["pid"] != 1 {
        return Err(Halt::fail("the command is pid 1", format!("it is pid {}", who["pid"]))
            .likely("a shell or an init of the runtime's is pid 1, and the command its child"));
    }
    if who["parent"] != 0 {
        return Err(Halt::fail(
            "its parent is nobody that it can see, 0",
            format!("it is {}", who["parent"]),
        ));
    }
    Ok(())
}

fn the_command_is_pid_1(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        is_pid_1(host, &inside)?;
        for _ in 0..2 {
            let child = inside.told("fork")?;
            if child.as_i64().is_none_or(|pid| pid <= 1) {
                return Err(Halt::fail("a child with a pid above 1", child.to_string()));
            }
        }
        inside.finish_well()
    })
}

/// A process of the host's that goes on: a probe outside, in this cgroup.
pub(crate) fn decoy(host: &Host<'_>, cgroup: Option<&Path>) -> Judged<Process> {
    let launch = host.context().launch_other(&host.probe().to_string_lossy(), host.folder());
    let launch = launch.arg("serve").arg("decoy");
    let launch = if let Some(cgroup) = cgroup { launch.in_cgroup(cgroup)? } else { launch };
    let mut process = forking(|| launch.start())?;
    process.read_line("a process of the host's")?;
    Ok(process)
}

/// The pids in a listing of `/proc`.
fn pids(listing: &Value) -> Vec<i64> {
    let names = listing.as_array().cloned().unwrap_or_default();
    names.iter().filter_map(|name| name.as_str()?.parse().ok()).collect()
}

/// Demands that `/proc` inside lists so many processes, the command the first of them.
#[track_caller]
pub(crate) fn lists(inside: &Inside<'_, '_>, expected: usize) -> Judged {
    let listing = inside.told("list /proc")?;
    let found = pids(&listing);
    if found.first() == Some(&1) && found.len() == expected {
        let own = inside.told("read /proc/1/cmdline")?;
        if own.as_str().is_some_and(|words| words.contains(inside.run().nonce())) {
            return Ok(());
        }
        return Err(Halt::fail("the command's own words in /proc/1/cmdline", own.to_string()));
    }
    let halt = Halt::fail(
        format!("{expected} processes in /proc, the command as 1"),
        format!("{} processes: {}", found.len(), shortened(&found)),
    );
    let us = i64::from(std::process::id() as i32);
    Err(if found.is_empty() {
        halt.likely("nothing is mounted at /proc")
    } else if found.contains(&us) {
        halt.likely(
            "it is the host's /proc, or one that was mounted by a process outside of the new PID namespace: \
                     proc shows the namespace of whoever mounts it",
        )
    } else {
        halt
    })
}

fn shortened(pids: &[i64]) -> String {
    let shown: Vec<_> = pids.iter().take(12).map(i64::to_string).collect();
    format!("{}{}", shown.join(" "), if pids.len() > 12 { " …" } else { "" })
}

fn proc_shows_the_container_s_processes_alone(context: &Context) -> Judged {
    Host::play(context, |host| {
        let decoy = decoy(host, None)?;
        let inside = host.call()?.serves()?;
        lists(&inside, 1)?;
        let path = format!("/proc/{}/cmdline", decoy.pid());
        if let Ok(words) = inside.ask(&format!("read {path}"))? {
            return Err(Halt::fail(format!("no {path}, of a process of the host's"), words.to_string()));
        }
        let child = inside.told("eat-apart 4096")?;
        lists(&inside, 2)?;
        if !pids(&inside.told("list /proc")?).contains(&child["pid"].as_i64().unwrap_or(0)) {
            return Err(Halt::fail("the pid of its child in /proc", "others"));
        }
        inside.finish_well()?;
        host.forget();
        is_made_or_refused(host)
    })
}

/// Demands of a root without a folder for it that it gets one, or that the command does not run.
fn is_made_or_refused(host: &Host<'_>) -> Judged {
    let call = host.call()?;
    fs::remove_dir(call.root().path.join("proc"))?;
    host.tell("ROOTFS has no folder proc");
    match call.start()?.serves_or_ends()? {
        Ok(inside) => {
            lists(&inside, 1)?;
            inside.finish_well()
        }
        Err(ended) => is_refused(&ended, &[125], ""),
    }
}

fn no_process_of_the_host_can_be_reached(context: &Context) -> Judged {
    Host::play(context, |host| {
        let decoy = decoy(host, None)?;
        let inside = host.call()?.serves()?;
        let others = [
            ("a process of the host's", decoy.pid()),
            ("the runtime", inside.run().pid()),
            ("itself, by the host's number", inside.pid()),
            ("the grader", std::process::id() as i32),
        ];
        for (who, pid) in others {
            match inside.ask(&format!("kill {pid} 0"))? {
                Err(libc::ESRCH) => {}
                Ok(_) => {
                    return Err(Halt::fail(format!("kill({pid}, 0), of {who}: ESRCH"), "it can be killed"));
                }
                Err(errno) => {
                    let got = nix::errno::Errno::from_raw(errno).to_string();
                    return Err(Halt::fail(format!("kill({pid}, 0), of {who}: ESRCH"), got));
                }
            }
        }
        inside.finish_well()
    })
}

fn the_host_s_proc_stays_what_it_is(context: &Context) -> Judged {
    Host::play(context, |host| {
        let proc_mounts = || -> Judged<String> {
            let table = host.world().mounts()?;
            let lines = mounts::parse(&table).into_iter().filter(|mount| mount.is_within("/proc"));
            Ok(lines.map(|mount| mount.line + "\n").collect())
        };
        let before = proc_mounts()?;
        let is_same = |when: &str| {
            let now = proc_mounts()?;
            let us = format!("/proc/{}", std::process::id());
            if now == before && fs::metadata(host.world().outside(Path::new(&us))).is_ok() {
                return Ok(());
            }
            let rows = mounts::difference(&before, &now);
            Err(Halt::fail(format!("the host's /proc is the same {when}"), "another one is mounted, or it is gone")
                .drawn(rows)
                .likely("the mount namespace is not made private (MS_REC | MS_PRIVATE) before /proc is mounted, or there is none: / is shared"))
        };
        let inside = host.call()?.serves()?;
        lists(&inside, 1)?;
        is_same("while the command runs")?;
        inside.finish_well()?;
        is_same("afterwards")?;
        // One that fails on its way has mounted it already, perhaps.
        host.forget();
        host.call()?.command(&["/nowhere/program"]).start()?.ends()?;
        is_same("after a command that was not found")
    })
}
