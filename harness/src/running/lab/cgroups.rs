//! The cgroups of the guest (cgroup v2), as systemd leaves them to a service: memory is counted below the top, and the
//! suite stands in a leaf. What a subject makes below that has no memory controller unless it enables one, which the leaf
//! refuses for as long as a process is in it: the rule that many runtimes stumble over.
//!
//! ```text
//!   /sys/fs/cgroup        cgroup.subtree_control: memory
//!     init                process 1
//!     lab                 the suite, and subjects as they start
//! ```

use std::{fs, io, path::Path};

use super::step;

const TOP: &str = "/sys/fs/cgroup";

/// The file to write a pid to for the suite's cgroup.
pub(super) const SUITE: &str = "/sys/fs/cgroup/lab/cgroup.procs";

/// Makes them, and puts this process where it belongs.
pub(super) fn divide() -> io::Result<()> {
    let top = Path::new(TOP);
    for leaf in ["init", "lab"] {
        fs::create_dir(top.join(leaf)).map_err(step(format!("cannot make the cgroup {leaf}")))?;
    }
    fs::write(top.join("init/cgroup.procs"), "0").map_err(step("cannot enter the cgroup init"))?;
    fs::write(top.join("cgroup.subtree_control"), "+memory")
        .map_err(step("cannot enable the memory controller of cgroup v2"))
}
