//! What happens to those who take memory.

use harness::{Context, Halt, Judged, verdict::Verdict};

use super::{MIB, limit::has_limit};
use crate::{host::Host, run::Inside};

const SWAPPED: &str = "memory.swap.max is not 0: what is above the limit is swapped out";

/// Demands that who asks for so much is killed, and gives the runtime's end.
#[track_caller]
fn is_killed_for(inside: Inside<'_, '_>, bytes: i64) -> Judged {
    match inside.ask(&format!("eat {bytes}")) {
        Ok(_) => {
            Err(Halt::fail(format!("who takes {} MiB is killed", bytes / MIB), "it has them, and goes on"))
        }
        // It ended, or its runtime did: which of them is told by the status.
        Err(halt) if matches!(halt.verdict, Verdict::Crash { .. }) => {
            inside.into_run().ends()?.has_status(137)
        }
        Err(halt) => Err(halt),
    }
}

pub(super) fn who_goes_above_it_is_killed(context: &Context) -> Judged {
    // More than the limit and all of the lab's swap.
    const TOO_MUCH: i64 = 240 * MIB;
    Host::play_with_memory(context, |host| {
        let inside = host.call()?.memory("32M").serves()?;
        has_limit(host, &inside, 32 << 20)?;
        is_killed_for(inside, TOO_MUCH)?;

        host.forget();
        let inside = host.call()?.memory("32M").serves()?;
        let folder = inside.cgroup()?;
        // In a child, so that there is a cgroup to read from afterwards; unless all of it is killed together.
        match inside.ask(&format!("eat-apart {TOO_MUCH}")) {
            Ok(_) if host.leaf().killed(&folder) > 0 => Ok(()),
            Ok(_) => Err(Halt::fail("oom_kill of at least 1 in memory.events", "0")),
            Err(halt) if matches!(halt.verdict, Verdict::Crash { .. }) => {
                inside.into_run().ends()?.has_status(137)
            }
            Err(halt) => Err(halt),
        }
    })
}

pub(super) fn swap_is_no_way_out(context: &Context) -> Judged {
    Host::play_with_memory(context, |host| {
        if !has_swap() {
            return Err(Halt::skip("there is no swap on this machine: --lane lab has some"));
        }
        let inside = host.call()?.memory("32M").serves()?;
        has_limit(host, &inside, 32 << 20)?;
        let limit = host.leaf().swap_limit(&inside.cgroup()?);
        is_killed_for(inside, 48 * MIB).map_err(|halt| match limit {
            Some(0) => halt,
            _ => halt.likely(SWAPPED),
        })
    })
}

/// Whether the machine has swap at all.
fn has_swap() -> bool {
    std::fs::read_to_string("/proc/swaps").is_ok_and(|swaps| swaps.lines().count() > 1)
}

pub(super) fn processes_share_one_limit(context: &Context) -> Judged {
    Host::play_with_memory(context, |host| {
        let inside = host.call()?.memory("48M").serves()?;
        let folder = inside.cgroup()?;
        let first = inside.told(&format!("eat-apart {}", 24 * MIB))?;
        if first["pid"].is_null() {
            return Err(Halt::fail("a child has 24 MiB of 48M", first.to_string()));
        }
        // One of the two is killed, or everybody.
        match inside.ask(&format!("eat-apart {}", 36 * MIB)) {
            Ok(_) if host.leaf().killed(&folder) > 0 => inside.finish_well(),
            Ok(_) => {
                let halt = Halt::fail(
                    "two children cannot have 24 and 36 MiB of 48M",
                    "both have them, and nobody was killed",
                );
                Err(match host.leaf().swap_limit(&folder) {
                    Some(0) => halt,
                    _ => halt.likely(SWAPPED),
                })
            }
            Err(halt) if matches!(halt.verdict, Verdict::Crash { .. }) => {
                inside.into_run().ends()?.has_status(137)
            }
            Err(halt) => Err(halt),
        }
    })
}

pub(super) fn who_stays_below_it_lives(context: &Context) -> Judged {
    Host::play_with_memory(context, |host| {
        for (size, mib) in [("32M", 26), ("16M", 11)] {
            host.forget();
            let inside = host.call()?.memory(size).serves()?;
            inside.told("status 7")?;
            has_eaten(&inside, mib)?;
            inside.told("who")?;
            inside.finish()?.has_status(7)?;
        }
        // In a child that ends, and once more: what was given back can be had again.
        host.forget();
        let inside = host.call()?.memory("24M").serves()?;
        for _ in 0..3 {
            let child = inside.told(&format!("eat-apart {}", 16 * MIB))?;
            let Some(pid) = child["pid"].as_i64() else {
                return Err(Halt::fail("a child has 16 MiB of 24M", child.to_string()));
            };
            inside.told(&format!("kill {pid} 9"))?;
            inside.told("reap")?;
        }
        inside.finish_well()
    })
}

fn has_eaten(inside: &Inside<'_, '_>, mib: i64) -> Judged {
    inside.told(&format!("eat {}", mib * MIB)).map(drop)
}
