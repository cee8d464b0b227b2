//! KVM: `/dev/kvm` may be there and not work, as within many virtual machines, and a guest then hangs without a word. That
//! takes a while to find out, so it is found out once: until this machine is started again.

use std::{
    fs::{self, File},
    path::Path,
};

const KNOWN: &str = "kvm-does-not-work";

/// Refuses it where it cannot be opened, or was tried in vain since the machine started.
///
/// # Errors
/// Why it does not work.
pub(super) fn may_work(folder: &Path) -> Result<(), String> {
    let opened = File::options().read(true).write(true).open("/dev/kvm");
    opened.map_err(|error| format!("/dev/kvm: {error}"))?;
    let known = fs::read_to_string(folder.join(KNOWN)).ok();
    if known.is_some() && known == this_start() {
        return Err("/dev/kvm is there, and does not work".to_owned());
    }
    Ok(())
}

/// Keeps in mind that no guest came up.
pub(in crate::lane) fn does_not_work(folder: &Path) {
    if let Some(start) = this_start() {
        // Without it the next run tries again.
        let _ = fs::write(folder.join(KNOWN), start);
    }
}

/// What is another whenever the machine starts (random(4)).
fn this_start() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()
}
