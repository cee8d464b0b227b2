//! Who the command is.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    sync::{Arc, Mutex, PoisonError},
};

use harness::{
    Context, Halt, Judged,
    calls::{Call, Supervisor},
};

use crate::{
    host::{Host, Ids},
    memory::{barrier, file_of},
    run::Inside,
    whole::holds_without_clone3,
};

/// Demands maps of one id, the caller's.
#[track_caller]
pub(crate) fn has_ids(inside: &Inside<'_, '_>, caller: Ids) -> Judged {
    let who = inside.told("who")?;
    for (file, name, caller) in [("uid_map", "uid", caller.user), ("gid_map", "gid", caller.group)] {
        let map = inside.proc_file(file)?;
        let numbers: Vec<u32> = map.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [first_inside, first_outside, length] = numbers[..] else {
            return Err(Halt::fail(format!("one line of three numbers in {file}"), format!("{map:?}")));
        };
        if first_outside != caller || length != 1 || !(first_inside == 0 || first_inside == caller) {
            let expected = format!("`0 {caller} 1` or `{caller} {caller} 1` in {file}");
            return Err(Halt::fail(
                expected,
                format!("{:?}", map.split_whitespace().collect::<Vec<_>>().join(" ")),
            ));
        }
        if who[name] != first_inside {
            let got = format!("it is {}", who[name]);
            return Err(Halt::fail(format!("the command's {name} is {first_inside}, as {file} says"), got));
        }
    }
    let setgroups = inside.proc_file("setgroups")?;
    if setgroups.trim() != "deny" {
        return Err(Halt::fail("/proc/self/setgroups says deny", setgroups));
    }
    Ok(())
}

fn caller(host: &Host<'_>) -> Judged<Ids> {
    host.user().ok_or_else(|| Halt::fault("a host whose caller is root"))
}

pub(super) fn the_caller_s_ids_alone_are_mapped(context: &Context) -> Judged {
    Host::play_without_root(context, |host| {
        let inside = host.call()?.serves()?;
        has_ids(&inside, caller(host)?)?;
        inside.finish_well()?;
        holds_without_clone3(host, |inside| has_ids(inside, caller(host)?))
    })
}

pub(super) fn the_ids_are_there_at_the_first_instruction(context: &Context) -> Judged {
    Host::play_without_root(context, |host| {
        let found: Arc<Mutex<Option<String>>> = Arc::default();
        let at_exec = Arc::clone(&found);
        let look = move |pid: i32| {
            let maps = ["uid_map", "gid_map"].map(|file| {
                let map = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
                format!("{file}: {}", map.split_whitespace().collect::<Vec<_>>().join(" "))
            });
            at_exec.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(maps.join(", "));
        };
        let is_awaited = |call: &Call| {
            let file = file_of(call);
            let name = file.as_ref().and_then(|file| file.file_name()).unwrap_or_default().to_string_lossy();
            ["uid_map", "gid_map", "setgroups"].contains(&&*name)
        };
        let numbers = [libc::SYS_write, libc::SYS_execve, libc::SYS_execveat];
        let supervisor = Supervisor::begin(&numbers, barrier(host.probe(), is_awaited, look))?;
        host.tell("the runtime is held at each of its writes to a map of ids until all others of it wait");
        let inside = host.call()?.start_supervised(&supervisor)?.serves()?;
        let caller = caller(host)?;
        has_ids(&inside, caller)?;
        inside.finish_well()?;
        let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
        let found = found.ok_or_else(|| Halt::fault("the exec of the command was not seen"))?;
        if [caller.user, caller.group].iter().all(|id| found.contains(&format!(" {id} 1"))) {
            return Ok(());
        }
        Err(Halt::fail("both maps are written when the command is executed", found)
            .likely("the child does not wait until its parent has written the maps"))
    })
}

pub(super) fn files_belong_to_the_caller(context: &Context) -> Judged {
    Host::play_without_root(context, |host| {
        let inside = host.call()?.serves()?;
        inside.told("write /made-inside hello")?;
        let file = fs::metadata(host.world().outside(&inside.root().path).join("made-inside"))?;
        let caller = caller(host)?;
        let owner = Ids { user: file.uid(), group: file.gid() };
        if owner != caller {
            let shown = |ids: Ids| format!("{}:{}", ids.user, ids.group);
            return Err(Halt::fail(
                format!("files that the command makes belong to the caller, {}", shown(caller)),
                format!("they belong to {}", shown(owner)),
            ));
        }
        let seen = inside.told("stat /made-inside")?;
        let who = inside.told("who")?;
        if seen["uid"] != who["uid"] {
            let got = format!("{}, who is {}", seen["uid"], who["uid"]);
            return Err(Halt::fail("inside they are the command's own as well", got));
        }
        inside.finish_well()
    })
}

pub(super) fn called_by_root_the_command_is_root(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        let who = inside.told("who")?;
        for name in ["uid", "euid", "gid", "egid"] {
            if who[name] != 0 {
                return Err(Halt::fail(format!("{name} 0 inside, called by root"), who[name].to_string()));
            }
        }
        inside.finish_well()
    })
}
