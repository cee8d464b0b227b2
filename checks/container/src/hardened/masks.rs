//! Files of the kernel's that belong to the whole machine.

use harness::{Context, Halt, Judged};

use crate::{call::Call, host::Host, mounts, run::Inside};

#[track_caller]
pub(super) fn is_masked(inside: &Inside<'_, '_>) -> Judged {
    for path in ["/proc/kcore", "/proc/keys", "/proc/timer_list"] {
        match inside.ask(&format!("read {path}"))? {
            Err(_) => {}
            Ok(text) if text == "" => {}
            Ok(text) => {
                let got = format!("{} bytes", text.as_str().map_or(0, |text| text.chars().count()));
                return Err(Halt::fail(format!("reading {path} gives nothing"), got));
            }
        }
    }
    Ok(())
}

#[track_caller]
pub(super) fn is_read_only(inside: &Inside<'_, '_>) -> Judged {
    for path in ["/proc/sysrq-trigger", "/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs"] {
        let files = inside.told(&format!("writable {path}"))?;
        let files: Vec<_> = files.as_array().into_iter().flatten().filter_map(|file| file.as_str()).collect();
        if let Some(first) = files.first() {
            let got =
                if files.len() > 1 { format!("{first} can, and others") } else { format!("{first} can") };
            return Err(Halt::fail(format!("no file of {path} can be opened for writing"), got));
        }
    }
    let table = inside.proc_file("mountinfo")?;
    let writable = mounts::parse(&table).into_iter().find(|mount| {
        mount.is_within("/sys") && mount.kind != "tmpfs" && !mount.options.iter().any(|option| option == "ro")
    });
    match writable {
        None => Ok(()),
        Some(mount) => Err(Halt::fail("/sys is not mounted, or read-only", mount.shown())),
    }
}

pub(super) fn what_tells_of_the_host_is_masked(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        is_masked(&inside)?;
        inside.finish_well()
    })
}

pub(super) fn what_steers_the_host_is_read_only(context: &Context) -> Judged {
    Host::play(context, |host| {
        // With a folder sys, on which a runtime may mount one.
        let inside = Call::on(host, host.image()?).serves()?;
        is_read_only(&inside).map_err(|halt| {
            halt.likely(
                "a bind keeps the flags of what is bound, whatever its own call says: MS_RDONLY takes a second call, with MS_REMOUNT",
            )
        })?;
        inside.finish_well()
    })
}
