//! Limits that are not to be had.

use harness::{Context, Halt, Judged, process::Exit};
use nix::mount::{MntFlags, umount2};

use crate::{
    cgroups::Leaf,
    host::{Host, nonce},
    hostname::is_refused,
    processes::decoy,
};

pub(super) fn a_bad_size_is_refused(context: &Context) -> Judged {
    // The last is 2^64, and those before it come to that and to more: 2^64 + 2^30 among them, which is a gigabyte for who
    // looks at 64 bits alone.
    const SIZES: [&str; 20] = [
        "0",
        "0M",
        "-1",
        "+64M",
        "64.5M",
        " 64M",
        "64M ",
        "64 M",
        "64X",
        "64MB",
        "64T",
        "67108864B",
        "M",
        "",
        "0x4000000",
        "64M64M",
        "17179869184G",
        "17179869185G",
        "18014398509481984K",
        "18446744073709551616",
    ];
    Host::play_with_memory(context, |host| {
        // Whoever refuses everything refuses these as well.
        let ended = host.call()?.memory("64M").probe("exit", &[b"0"]).start()?.ends()?;
        ended.has_status(0)?;
        for size in SIZES {
            host.forget();
            let ended = host.call()?.memory(size).probe("exit", &[b"0"]).start()?.ends()?;
            is_refused(&ended, &[125], size)?;
        }
        Ok(())
    })
}

pub(super) fn a_limit_that_cannot_be_had_is_125(context: &Context) -> Judged {
    Host::play_with_memory(context, |host| {
        let ended = host.call()?.memory("64M").probe("exit", &[b"7"]).start()?.ends()?;
        ended.has_status(7)?;
        host.forget();
        host.tell("cgroup2 is not mounted any more");
        host.remount(|| umount2("/sys/fs/cgroup", MntFlags::MNT_DETACH))?;
        let ended = host.call()?.memory("64M").probe("exit", &[b"7"]).start()?.ends()?;
        if ended.exit == Exit::Status(7) {
            return Err(Halt::fail(
                "exit status 125, and the command does not run",
                "it runs, with exit status 7",
            )
            .likely("errors of the limit are ignored"));
        }
        is_refused(&ended, &[125], "")?;
        // Without a limit nobody needs a cgroup.
        let ended = host.call()?.probe("exit", &[b"7"]).start()?.ends()?;
        ended.has_status(7)
    })?;
    // There is a cgroup2, whose memory controller is enabled for nobody here, and cannot be: there are processes above.
    let host = Host::begin(context, Some(Leaf::without_memory(&nonce(context, 1))?))?;
    host.tell_of(|host| {
        let above = host.leaf().above().to_owned();
        let _somebody = decoy(host, Some(&above))?;
        host.tell("the runtime is started where the memory controller is not enabled, and cannot be");
        let run = host.call()?.memory("64M").probe("exit", &[b"7"]).start()?;
        let ended = run.ends()?;
        if ended.exit == Exit::Status(7) {
            return Err(Halt::fail(
                "exit status 125, and the command does not run",
                "it runs, with exit status 7",
            )
            .likely("errors of the limit are ignored"));
        }
        is_refused(&ended, &[125], "")
    })
}
