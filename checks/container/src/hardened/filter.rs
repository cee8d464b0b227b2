//! System calls that are refused: tried inside, and asked of the filter itself where this kernel has no such door.

use std::sync::{Arc, Mutex, PoisonError};

use harness::{
    Context, Halt, Judged,
    calls::{Call, Supervisor, Then},
};

use super::bpf::{self, Data, Instruction};
use crate::{host::Host, run::Inside};

/// What is refused: the probe's name for it, its number by x86-64's ABI, by x32's where that differs, by the 32-bit one, and
/// its first two arguments.
const REFUSED: [(&str, u32, u32, u32, [u64; 2]); 41] = [
    ("mount", 165, 0, 21, [0, 0]),
    ("umount2", 166, 0, 52, [0, 0]),
    ("pivot_root", 155, 0, 217, [0, 0]),
    ("open_tree", 428, 0, 428, [0, 0]),
    ("move_mount", 429, 0, 429, [0, 0]),
    ("fsopen", 430, 0, 430, [0, 0]),
    ("fsconfig", 431, 0, 431, [0, 0]),
    ("fsmount", 432, 0, 432, [0, 0]),
    ("fspick", 433, 0, 433, [0, 0]),
    ("mount_setattr", 442, 0, 442, [0, 0]),
    ("setns", 308, 0, 346, [0, 0]),
    ("unshare", 272, 0, 310, [NEWUSER, 0]),
    ("unshare-more", 272, 0, 310, [NEWUSER | 0x2_0000, 0]),
    ("clone", 56, 0, 120, [NEWUSER | 17, 0]),
    ("clone-wide", 56, 0, 0, [1 << 32 | NEWUSER | 17, 0]),
    ("clone3", 435, 0, 435, [0, 0]),
    ("init_module", 175, 0, 128, [0, 0]),
    ("finit_module", 313, 0, 350, [0, 0]),
    ("delete_module", 176, 0, 129, [0, 0]),
    ("kexec_load", 246, 528, 283, [0, 0]),
    ("kexec_file_load", 320, 0, 0, [0, 0]),
    ("reboot", 169, 0, 88, [0, 0]),
    ("swapon", 167, 0, 87, [0, 0]),
    ("swapoff", 168, 0, 115, [0, 0]),
    ("bpf", 321, 0, 357, [0, 0]),
    ("perf_event_open", 298, 0, 336, [0, 0]),
    ("userfaultfd", 323, 0, 374, [0, 0]),
    ("io_uring_setup", 425, 0, 425, [0, 0]),
    ("keyctl", 250, 0, 288, [0, 0]),
    ("add_key", 248, 0, 286, [0, 0]),
    ("request_key", 249, 0, 287, [0, 0]),
    ("open_by_handle_at", 304, 0, 342, [0, 0]),
    ("settimeofday", 164, 0, 79, [0, 0]),
    ("clock_settime", 227, 0, 264, [0, 0]),
    ("acct", 163, 0, 51, [0, 0]),
    ("quotactl", 179, 0, 131, [0, 0]),
    ("syslog", 103, 0, 103, [0, 0]),
    ("tiocsti", 16, 514, 54, [0, 0x5412]),
    ("tioclinux", 16, 514, 54, [0, 0x541c]),
    ("tiocsti-wide", 16, 514, 0, [0, 0x1_0000_5412]),
    ("tioclinux-wide", 16, 514, 0, [0, 0x1_0000_541c]),
];

const NEWUSER: u64 = 0x1000_0000;
const X32: u32 = 0x4000_0000;
const ARCH_X86_64: u32 = 0xC000_003E;
const ARCH_I386: u32 = 0x4000_0003;

/// Demands that a call is refused with EPERM or ENOSYS.
#[track_caller]
pub(super) fn is_refused(inside: &Inside<'_, '_>, call: &str) -> Judged {
    let answer = inside.told(&format!("attempt {call}"))?;
    let returned = answer["returned"].as_i64();
    // Of clone3 libc has to hear that there is none, or it does not fall back to clone.
    let is_as_asked = match returned.map(|returned| -returned as i32) {
        Some(libc::ENOSYS) => true,
        Some(libc::EPERM) => call != "clone3",
        _ => false,
    };
    if is_as_asked {
        return Ok(());
    }
    let expected =
        if call == "clone3" { "clone3: ENOSYS".to_owned() } else { format!("{call}: EPERM or ENOSYS") };
    let got = match returned {
        Some(returned) if returned < 0 => nix::errno::Errno::from_raw(-returned as i32).to_string(),
        Some(returned) => format!("it is done, and returns {returned}"),
        None => format!("it died of signal {}", answer["died-of"]),
    };
    let halt = Halt::fail(expected, got);
    Err(if call.ends_with("-wide") {
        halt.likely("the filter compares 64 bits of an argument of which the kernel reads 32")
    } else if call.ends_with("-more") {
        halt.likely("the filter compares the flags as a whole: CLONE_NEWUSER with another beside it is another number")
    } else {
        halt
    })
}

/// Adds the reason that is behind most failures to make a process or a thread, if it is.
pub(super) fn with_reason_of_clone3(inside: &Inside<'_, '_>, halt: Box<Halt>) -> Box<Halt> {
    let answer = inside.ask_quietly("attempt clone3").ok().and_then(Result::ok).unwrap_or_default();
    match answer["returned"].as_i64().map(|returned| -returned as i32) {
        Some(libc::EPERM) => {
            halt.likely("clone3 says EPERM: only after ENOSYS does libc make the process by clone instead")
        }
        _ => halt,
    }
}

#[track_caller]
pub(super) fn has_filter(inside: &Inside<'_, '_>) -> Judged {
    match inside.status("Seccomp")?.as_str() {
        "2" => Ok(()),
        other => Err(Halt::fail("Seccomp 2 (a filter) in its /proc/PID/status", other)),
    }
}

pub(super) fn calls_to_the_kernel_itself_are_refused(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        for (call, ..) in REFUSED {
            host.forget();
            is_refused(&inside, call)?;
        }
        inside.finish_well()
    })
}

pub(super) fn the_filter_stays(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        has_filter(&inside)?;
        for call in ["unshare", "keyctl", "io_uring_setup"] {
            // In a child, which the probe forks for each attempt.
            is_refused(&inside, call)?;
            let said = inside
                .told(&format!("attempt-after-exec {call}"))
                .map_err(|halt| with_reason_of_clone3(&inside, halt))?;
            let answer: serde_json::Value =
                serde_json::from_str(said.as_str().unwrap_or_default()).unwrap_or_default();
            let returned = answer["returned"].as_i64().unwrap_or(0);
            if ![-libc::EPERM, -libc::ENOSYS].map(i64::from).contains(&returned) {
                return Err(Halt::fail(format!("{call} after exec: EPERM or ENOSYS"), said.to_string()));
            }
        }
        inside.finish_well()
    })
}

pub(super) fn no_other_door_is_open(context: &Context) -> Judged {
    Host::play(context, |host| {
        let filters: Arc<Mutex<Vec<Vec<Instruction>>>> = Arc::default();
        let seen = Arc::clone(&filters);
        let decide = move |call: &Call| {
            seen.lock().unwrap_or_else(PoisonError::into_inner).extend(installed(call));
            Then::GoOn
        };
        let supervisor = Supervisor::begin(&[libc::SYS_seccomp, libc::SYS_prctl], Box::new(decide))?;
        let inside = host.call()?.start_supervised(&supervisor)?.serves()?;
        for (door, name) in [("x32", "x32's numbers"), ("i386", "the 32-bit ABI")] {
            let is_there = inside.told(&format!("attempt getppid {door}"))?["returned"].as_i64() >= Some(0);
            if is_there {
                tried_by(&inside, door, name)?;
            }
        }
        let filters = filters.lock().unwrap_or_else(PoisonError::into_inner).clone();
        host.forget();
        host.tell("the filters that the runtime has installed are asked about each call");
        for (call, number, x32, i386, args) in REFUSED {
            let args = [args[0], args[1], 0, 0, 0, 0];
            let x32 = if x32 == 0 { number } else { x32 };
            let mut doors = vec![(ARCH_X86_64, X32 | x32, "x32's number")];
            if i386 != 0 {
                doors.push((ARCH_I386, i386, "the 32-bit ABI"));
            }
            for (architecture, number, name) in doors {
                let data = Data { number, architecture, args };
                if !filters.iter().any(|filter| bpf::verdict(filter, &data).is_some_and(bpf::refuses)) {
                    return Err(Halt::fail(
                        format!("{call} is refused by {name} as well"),
                        "the filter lets it pass",
                    )
                    .likely(
                        "the filter does not look at the architecture, or at the bit that x32's numbers have",
                    ));
                }
            }
        }
        inside.finish_well()
    })
}

/// Tries by a door that this kernel has.
fn tried_by(inside: &Inside<'_, '_>, door: &str, name: &str) -> Judged {
    // By the 32-bit door no pointers pass: these take numbers alone.
    for call in ["unshare", "setns", "keyctl", "io_uring_setup", "clone3"] {
        let answer = inside.told(&format!("attempt {call} {door}"))?;
        let is_refused = match answer["returned"].as_i64() {
            Some(returned) => [-libc::EPERM, -libc::ENOSYS].map(i64::from).contains(&returned),
            None => answer["died-of"] == libc::SIGSYS,
        };
        if !is_refused {
            return Err(Halt::fail(format!("{call} is refused by {name} as well"), answer.to_string()));
        }
    }
    Ok(())
}

/// The filter that a call installs, if it does.
fn installed(call: &Call) -> Option<Vec<Instruction>> {
    const MODE_FILTER: u64 = libc::SECCOMP_MODE_FILTER as u64;
    const SET_MODE_FILTER: u64 = libc::SECCOMP_SET_MODE_FILTER as u64;
    const PR_SET_SECCOMP: u64 = libc::PR_SET_SECCOMP as u64;
    let address = match (call.number, call.args[0], call.args[1]) {
        (libc::SYS_seccomp, SET_MODE_FILTER, _) => call.args[2],
        (libc::SYS_prctl, PR_SET_SECCOMP, MODE_FILTER) => call.args[2],
        _ => return None,
    };
    // A length of 16 bits, and behind six bytes of nothing the address (`struct sock_fprog`).
    let header = call.memory(address, 16)?;
    let length = usize::from(u16::from_ne_bytes(header.get(..2)?.try_into().ok()?));
    let program = u64::from_ne_bytes(header.get(8..16)?.try_into().ok()?);
    Some(bpf::decode(&call.memory(program, length * bpf::INSTRUCTION_BYTES)?))
}
