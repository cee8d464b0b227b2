//! The hostname, inside and outside.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use harness::{
    Context, Halt, Judged,
    calls::{Supervisor, Then},
    verdict::Verdict,
};

use crate::{host::Host, run::Inside};

/// Demands a hostname inside, as the probe saw it first and as it sees it now.
#[track_caller]
pub(crate) fn is_called(inside: &Inside<'_, '_>, name: &str) -> Judged {
    let at_first = inside.hello()["hostname"].as_str().unwrap_or_default().to_owned();
    let now = inside.told("hostname")?;
    for (got, when) in
        [(at_first.as_str(), "at its first instruction"), (now.as_str().unwrap_or_default(), "now")]
    {
        if got != name {
            return Err(Halt::fail(
                format!("the command is called {name:?} {when}"),
                format!("it is called {got:?}"),
            ));
        }
    }
    Ok(())
}

/// Demands a UTS namespace of the command's own.
#[track_caller]
pub(crate) fn has_own_namespace(host: &Host<'_>, inside: &Inside<'_, '_>, kind: &str) -> Judged {
    let (ours, theirs) = (host.world().namespace(kind)?, inside.namespace(kind)?);
    if ours == theirs {
        let got = format!("that of the host, {}", theirs.display());
        return Err(Halt::fail(format!("a namespace of the command's own ({kind})"), got));
    }
    Ok(())
}

pub(super) fn the_command_has_a_name_of_its_own(context: &Context) -> Judged {
    Host::play(context, |host| {
        // As long as can be, which is longer than some think (HOST_NAME_MAX).
        let longest = "n".repeat(64);
        for name in ["box", "Web-01.Example.test", longest.as_str()] {
            host.forget();
            let inside = host.call()?.hostname(name).serves()?;
            is_called(&inside, name)?;
            has_own_namespace(host, &inside, "uts")?;
            host.keeps_its_name("while the command runs")?;
            inside.finish_well()?;
        }
        host.forget();
        // Two at the same time, each with its own.
        let (one, two) = (host.call()?.hostname("one").serves()?, host.call()?.hostname("two").serves()?);
        is_called(&one, "one")?;
        is_called(&two, "two")
    })
}

pub(super) fn the_host_keeps_its_name(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        host.keeps_its_name("while the command runs")?;
        has_own_namespace(host, &inside, "uts")?;
        // Refused is contained as well.
        let _ = inside.ask("rename mine")?;
        host.keeps_its_name("after the command has set its own")?;
        inside.finish_well()?;
        host.keeps_its_name("afterwards")?;
        host.forget();
        never_renamed(host)?;
        host.keeps_its_name("afterwards")
    })
}

/// Where a name can be written as well.
const NAME_FILE: &str = "/proc/sys/kernel/hostname";

/// Looks at who sets a hostname, each time before it is set: what is restored at once is seen as well.
fn never_renamed(host: &Host<'_>) -> Judged {
    let ours = host.world().namespace("uts")?;
    let culprit: Arc<Mutex<Option<String>>> = Arc::default();
    let seen = Arc::clone(&culprit);
    let decide = move |call: &harness::calls::Call| {
        let theirs = fs::read_link(format!("/proc/{}/ns/uts", call.pid)).unwrap_or_else(|_| PathBuf::new());
        if theirs != ours {
            return Then::GoOn;
        }
        let what = match call.number {
            libc::SYS_write => {
                let file = fs::read_link(format!("/proc/{}/fd/{}", call.pid, call.args[0]));
                file.is_ok_and(|file| file.as_os_str() == NAME_FILE)
                    .then(|| format!("a write to {NAME_FILE}"))
            }
            _ => {
                let name = call.text(0).unwrap_or_default();
                Some(format!("sethostname({:?})", String::from_utf8_lossy(&name)))
            }
        };
        if let Some(what) = what {
            seen.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
        }
        Then::GoOn
    };
    let supervisor = match Supervisor::begin(&[libc::SYS_sethostname, libc::SYS_write], Box::new(decide)) {
        Ok(supervisor) => supervisor,
        // What can be seen without has been looked at already.
        Err(halt) if matches!(halt.verdict, Verdict::Skip { .. }) => return Ok(()),
        Err(halt) => return Err(halt),
    };
    let inside = host.call()?.hostname("box").start_supervised(&supervisor)?.serves()?;
    is_called(&inside, "box")?;
    inside.finish_well()?;
    match culprit.lock().unwrap_or_else(PoisonError::into_inner).take() {
        None => Ok(()),
        Some(what) => Err(Halt::fail(
            "no name is set in the host's UTS namespace, not for a moment",
            format!("{what} in that of the host"),
        )
        .likely("the hostname is set before the new UTS namespace is there, and perhaps restored later")),
    }
}
