//! Capabilities, and what is kept of them.

use std::{fs, os::unix::fs::PermissionsExt};

use harness::{Context, Halt, Judged};

use super::filter::with_reason_of_clone3;
use crate::{
    call::Call,
    host::{Host, Root},
    run::Inside,
};

/// Docker's, by their numbers (capability.h).
const ALLOWED: [(u8, &str); 14] = [
    (0, "chown"),
    (1, "dac_override"),
    (3, "fowner"),
    (4, "fsetid"),
    (5, "kill"),
    (6, "setgid"),
    (7, "setuid"),
    (8, "setpcap"),
    (10, "net_bind_service"),
    (13, "net_raw"),
    (18, "sys_chroot"),
    (27, "mknod"),
    (29, "audit_write"),
    (31, "setfcap"),
];

/// The others, which it may not have, for evidence.
const OTHERS: [(u8, &str); 27] = [
    (2, "dac_read_search"),
    (9, "linux_immutable"),
    (11, "net_broadcast"),
    (12, "net_admin"),
    (14, "ipc_lock"),
    (15, "ipc_owner"),
    (16, "sys_module"),
    (17, "sys_rawio"),
    (19, "sys_ptrace"),
    (20, "sys_pacct"),
    (21, "sys_admin"),
    (22, "sys_boot"),
    (23, "sys_nice"),
    (24, "sys_resource"),
    (25, "sys_time"),
    (26, "sys_tty_config"),
    (28, "lease"),
    (30, "audit_control"),
    (32, "mac_override"),
    (33, "mac_admin"),
    (34, "syslog"),
    (35, "wake_alarm"),
    (36, "block_suspend"),
    (37, "audit_read"),
    (38, "perfmon"),
    (39, "bpf"),
    (40, "checkpoint_restore"),
];

/// Demands few capabilities, as `/proc/PID/status` has them.
#[track_caller]
pub(super) fn has_few_capabilities(inside: &Inside<'_, '_>) -> Judged {
    let allowed = ALLOWED.iter().fold(0_u64, |set, (number, _)| set | 1 << number);
    for (field, name, most) in [
        ("CapEff", "effective", allowed),
        ("CapPrm", "permitted", allowed),
        ("CapBnd", "bounding", allowed),
        ("CapInh", "inheritable", allowed),
        ("CapAmb", "ambient", 0),
    ] {
        let text = inside.status(field)?;
        let set = u64::from_str_radix(&text, 16)
            .map_err(|error| Halt::fault(format!("{field} {text:?}: {error}")))?;
        if set & !most != 0 {
            let expected = if most == 0 { "none".to_owned() } else { "Docker's fourteen at most".to_owned() };
            let halt = Halt::fail(
                format!("{name} capabilities: {expected}"),
                format!("also {}", names(set & !most)),
            );
            return Err(if field == "CapBnd" {
                halt.likely("the bounding set is what exec gives back to root: PR_CAPBSET_DROP takes from it, and capset() does not")
            } else {
                halt
            });
        }
    }
    Ok(())
}

fn names(set: u64) -> String {
    let name = |number: u8| {
        OTHERS
            .iter()
            .chain(&ALLOWED)
            .find(|(known, _)| *known == number)
            .map_or_else(|| format!("number {number}"), |(_, name)| (*name).to_owned())
    };
    let all: Vec<_> = (0..64).filter(|number| set >> number & 1 == 1).map(name).collect();
    if all.len() > 8 { format!("{} and {} more", all[..6].join(", "), all.len() - 6) } else { all.join(", ") }
}

#[track_caller]
pub(super) fn has_no_new_privileges(inside: &Inside<'_, '_>) -> Judged {
    match inside.status("NoNewPrivs")?.as_str() {
        "1" => Ok(()),
        other => Err(Halt::fail("NoNewPrivs 1 in its /proc/PID/status", other)),
    }
}

pub(super) fn capabilities_are_docker_s_at_most(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        has_few_capabilities(&inside)?;
        inside.finish_well()
    })
}

pub(super) fn no_program_gives_new_rights(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        has_no_new_privileges(&inside)?;
        inside.finish_well()
    })
}

pub(super) fn root_inside_still_is_root(context: &Context) -> Judged {
    Host::play(context, |host| {
        let call = host.call()?;
        make_closed(host, call.root())?;
        let inside = call.serves()?;
        reads_what_is_closed(&inside)?;
        // In a user namespace there may be nobody else to become.
        if let Some(somebody) = somebody_else(&inside)? {
            may(&inside, &format!("give /closed {somebody}"), "chown")?;
            may(&inside, &format!("kill-as-another {somebody}"), "setuid, setgid and kill")?;
        }
        inside.finish_well()
    })
}

/// Makes `/closed`, a file of mode 0: closed to its owner as well, but for the capability. That is the caller, who is
/// somebody inside in any case.
pub(super) fn make_closed(host: &Host<'_>, root: &Root) -> Judged {
    let closed = root.path.join("closed");
    fs::write(&closed, "closed to everybody")?;
    if let Some(caller) = host.user() {
        caller.own(&closed)?;
    }
    Ok(fs::set_permissions(&closed, fs::Permissions::from_mode(0o000))?)
}

/// Demands that root inside reads `/closed`: see [`make_closed`].
#[track_caller]
pub(super) fn reads_what_is_closed(inside: &Inside<'_, '_>) -> Judged {
    may(inside, "read /closed", "dac_override")
}

#[track_caller]
fn may(inside: &Inside<'_, '_>, question: &str, capability: &str) -> Judged {
    inside.ask(question)?.map(drop).map_err(|errno| {
        let got = nix::errno::Errno::from_raw(errno).to_string();
        Halt::fail(format!("root inside has {capability}: `{question}` works"), got)
    })
}

/// A user and group of the same number, not root, that the command can become: mapped, both of them.
fn somebody_else(inside: &Inside<'_, '_>) -> Judged<Option<u64>> {
    let maps = [inside.proc_file("uid_map")?, inside.proc_file("gid_map")?];
    let has = |map: &str, id: u64| {
        map.lines().any(|line| {
            let numbers: Vec<u64> =
                line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
            matches!(numbers[..], [first, _, count] if (first..first + count).contains(&id))
        })
    };
    Ok([4321, 1].into_iter().find(|&id| maps.iter().all(|map| has(map, id))))
}

pub(super) fn no_device_of_the_host_s_can_be_opened(context: &Context) -> Judged {
    /// Zeros, the kernel's log, and memory: character devices that every kernel has.
    const DEVICES: [(&str, u32, u32); 3] = [("character", 1, 5), ("character", 1, 11), ("character", 1, 1)];
    let devices: Vec<_> = DEVICES.into_iter().chain(a_disk()).collect();
    Host::play(context, |host| {
        // One that opens devices: where the host's folder lies, `nodev` may refuse for the runtime.
        let root = host.mounted_root()?;
        // Folders that the runtime may have mounted something on.
        for folder in ["dev", "tmp"] {
            fs::create_dir_all(host.world().outside(&root.path.join(folder)))?;
        }
        let inside = Call::on(host, root).serves()?;
        for folder in ["", "/dev", "/tmp"] {
            for ((kind, major, minor), call) in
                devices.iter().flat_map(|device| [(device, "mknod"), (device, "mknodat")])
            {
                let path = format!("{folder}/node");
                if inside.ask(&format!("open-device {call} {kind} {path} {major} {minor}"))?.is_ok() {
                    let expected = format!(
                        "the {kind} device {major}:{minor} cannot be opened through a node, made as {path} by {call}"
                    );
                    return Err(Halt::fail(expected, "it was made, and opened").likely(
                        "mknod is kept, and nothing says which devices: a mount with nodev does, or a filter",
                    ));
                }
            }
        }
        inside.finish_well()
    })
}

/// A block device of this machine's, if it has one.
fn a_disk() -> Option<(&'static str, u32, u32)> {
    let table = fs::read_to_string("/proc/partitions").ok()?;
    table.lines().find_map(|line| {
        let mut fields = line.split_whitespace().map_while(|field| field.parse().ok());
        Some(("block", fields.next()?, fields.next()?))
    })
}

/// Demands that what ordinary programs do works.
#[track_caller]
pub(super) fn is_of_use(inside: &Inside<'_, '_>) -> Judged {
    let failed = inside.told("everyday")?;
    if failed == serde_json::json!([]) {
        return Ok(());
    }
    let halt = Halt::fail("what ordinary programs do works", failed.to_string());
    Err(with_reason_of_clone3(inside, halt))
}

pub(super) fn ordinary_programs_work(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        is_of_use(&inside)?;
        inside.finish_well()
    })
}
