//! Ways out that root inside has tried since there is `chroot`.

use harness::{Context, Judged};

use crate::{
    filesystem::{has_its_root, host_folder, stays_inside},
    host::Host,
};

pub(super) fn root_cannot_walk_out(context: &Context) -> Judged {
    Host::play(context, |host| {
        for root in [host.root()?, host.mounted_root()?] {
            host.forget();
            host.tell("the caller has / open as 200");
            let call = crate::call::Call::on(host, root).leaving_open(host_folder()?, 200);
            let inside = call.serves()?;
            has_its_root(host, &inside)?;
            for way in ["upwards", "chroot", "processes", "descriptors"] {
                stays_inside(host, &inside, way).map_err(|halt| match way {
                    "chroot" => halt.likely("chroot() moves where paths begin, and leaves the old root in the mount table: pivot_root() takes it out"),
                    _ => halt,
                })?;
            }
            inside.finish_well()?;
        }
        Ok(())
    })
}

pub(super) fn nothing_lies_below_the_root(context: &Context) -> Judged {
    Host::play(context, |host| {
        for root in [host.root()?, host.mounted_root()?] {
            host.forget();
            let inside = crate::call::Call::on(host, root).serves()?;
            has_its_root(host, &inside)?;
            stays_inside(host, &inside, "unmount").map_err(|halt| {
                halt.likely(
                    "the old root is still in the mount table, below the new one: it has to be detached",
                )
            })?;
            inside.finish_well()?;
        }
        Ok(())
    })
}
