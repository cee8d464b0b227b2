//! A limit for a caller who may perhaps not set one.

use harness::{Context, Halt, Judged, process::Exit};

use crate::{
    cgroups::Leaf,
    host::{Host, nonce},
    memory::has_limit,
};

pub(super) fn a_user_s_limit_is_set_or_refused(context: &Context) -> Judged {
    for is_delegated in [true, false] {
        let leaf = Leaf::further_below(&nonce(context, u32::from(is_delegated)))?;
        let mut host = Host::begin(context, Some(leaf))?;
        host.hand_to_somebody()?;
        host.tell_of(|host| {
            if let (true, Some(user)) = (is_delegated, host.user()) {
                host.leaf().delegate(user)?;
                host.tell(format!("the cgroup and the one above it belong to the caller, {}", user.user));
            } else {
                host.tell("the cgroup and those above it belong to root");
            }
            match host.call()?.memory("64M").start()?.serves_or_ends()? {
                Ok(inside) => {
                    has_limit(host, &inside, 64 << 20)
                        .map_err(|halt| halt.likely("a limit that cannot be set is ignored without root"))?;
                    inside.finish_well()
                }
                Err(ended) if ended.exit == Exit::Status(125) && ended.stdout.is_empty() => {
                    if ended.stderr.trim().is_empty() {
                        return Err(Halt::fail("a sentence on stderr that says what failed", "nothing"));
                    }
                    // Whether the rest works is another check's question; that it does not hang on the limit is this one's.
                    host.call()?.serves()?.finish_well()
                }
                Err(ended) => Err(ended.unexpected("a limit of 64M, or exit status 125")),
            }
        })?;
    }
    Ok(())
}
