//! What is handed on to the command, and what is not.

use harness::{Context, Halt, Judged};
use nix::sys::signal::Signal;

use super::failures::on_a_kernel_without;
use crate::{
    filesystem::{has_descriptors, host_folder},
    host::Host,
    hostname::is_refused,
};

const PASSED_ON: [Signal; 5] =
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2];

pub(super) fn signals_reach_the_command(context: &Context) -> Judged {
    const TIMES: i64 = 3;
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        for signal in PASSED_ON {
            inside.told(&format!("catch {}", signal as i32))?;
        }
        for time in 1..=TIMES {
            for signal in PASSED_ON {
                inside.run().signal(signal)?;
                inside.run().until(&format!("{signal} in the command, the {time}. time"), || {
                    Ok((inside.caught(signal)? >= time).then_some(()))
                })?;
            }
        }
        inside.told("status 42")?;
        for signal in PASSED_ON {
            let count = inside.caught(signal)?;
            if count != TIMES {
                let got = format!("{count} times");
                return Err(Halt::fail(
                    format!("{signal} reaches the command as often as it was sent, {TIMES} times"),
                    got,
                ));
            }
        }
        inside.finish()?.has_status(42)
    })
}

pub(super) fn the_command_s_signals_are_the_caller_s(context: &Context) -> Judged {
    Host::play(context, |host| {
        let inside = host.call()?.serves()?;
        let signals = inside.told("signals")?;
        let name = |number: i64| {
            Signal::try_from(number as i32)
                .map_or_else(|_| format!("signal {number}"), |signal| signal.to_string())
        };
        for kind in ["blocked", "ignored"] {
            let numbers = signals[kind].as_array().cloned().unwrap_or_default();
            if !numbers.is_empty() {
                let names: Vec<_> = numbers.iter().filter_map(serde_json::Value::as_i64).map(name).collect();
                let halt = Halt::fail(
                    format!("no signal is {kind} in the command: the caller had none"),
                    names.join(", "),
                );
                let is_std_s = kind == "ignored" && names == ["SIGPIPE"];
                return Err(if is_std_s {
                    halt.likely("Rust's std ignores SIGPIPE before main, and exec keeps what is ignored")
                } else if kind == "blocked" {
                    halt.likely("what the runtime blocks for itself is kept across fork and exec, until it is given back")
                } else {
                    halt
                });
            }
        }
        inside.finish_well()
    })
}

pub(super) fn no_descriptor_is_handed_on(context: &Context) -> Judged {
    Host::play(context, |host| {
        host.tell("the caller has / open as 200, 765 and 2000");
        let call = host.call()?.leaving_open(host_folder()?, 200).leaving_open(host_folder()?, 765);
        let inside = call.leaving_open(host_folder()?, 2000).hostname("box").serves()?;
        has_descriptors(&inside)?;
        inside.finish_well()?;
        // Above the limit that the runtime has: the caller has lowered it since.
        host.forget();
        host.tell("the caller has / open as 765");
        let call = host.call()?.leaving_open(host_folder()?, 765);
        let inside = call.after("ulimit -S -n 256; exec \"$@\"").serves()?;
        has_descriptors(&inside)?;
        inside.finish_well()?;
        // One call closes them all, or marks them; on an older kernel there is none.
        host.forget();
        host.tell("the caller has / open as 200");
        let supervisor = on_a_kernel_without(host, libc::SYS_close_range, "close_range")?;
        let call = host.call()?.leaving_open(host_folder()?, 200);
        match call.start_supervised(&supervisor)?.serves_or_ends()? {
            Ok(inside) => {
                has_descriptors(&inside)
                    .map_err(|halt| halt.likely("the error of close_range() is ignored"))?;
                inside.finish_well()
            }
            Err(ended) => is_refused(&ended, &[125], ""),
        }
    })
}
