//! Stage 3: a root of its own, and a host whose mounts stay what they are.

mod inside;
mod outside;

use harness::{Check, Stage};

pub(crate) use inside::{has_descriptors, has_its_root, host_folder, mounts_are_its_own, stays_inside};

pub(crate) const STAGE: Stage = Stage {
    number: 3,
    slug: "filesystem",
    bonus: false,
    checks: &[
        Check::new("the_root_is_rootfs", inside::the_root_is_rootfs)
            .points(3)
            .must("/ is ROOTFS, of which the command sees everything and writes to it, with / as its working directory")
            .why("An image is what its author tested. What runs in another root runs untested."),
        Check::new("the_host_s_mounts_never_change", outside::the_host_s_mounts_never_change)
            .points(4)
            .must("the host's mount table is identical before, while and after the command runs, byte for byte, with / shared")
            .why("On a host with systemd every mount is shared: what a runtime mounts shows up outside, and what it unmounts is gone there."),
        Check::new("nothing_of_the_host_s_is_mounted", inside::nothing_of_the_host_s_is_mounted)
            .points(3)
            .must("the mount table inside has a root, /proc, and what the runtime made on /dev and /sys: nothing of the host's, not even covered")
            .why("An old root that is left under some folder is the whole host, for whoever looks there."),
        Check::new("the_command_is_looked_for_inside", inside::the_command_is_looked_for_inside)
            .points(2)
            .must("the command is looked for inside: a bare name in the folders of PATH as they are there, a relative path from /")
            .why("What is found outside, or not, says nothing about an image that somebody else has made."),
        Check::new("no_path_leads_out", inside::no_path_leads_out)
            .points(3)
            .must("no path leads out of the root: not .., not the working directory, not a link, not a file's name")
            .why("The first thing that anybody tries is `cat ../../../etc/shadow`."),
        Check::new("no_descriptor_leads_out", inside::no_descriptor_leads_out)
            .points(2)
            .must("no descriptor of the runtime's is open in the command")
            .why("A folder that was opened before the root was changed leads out: fchdir() and .. are enough. It has been a real escape (CVE-2024-21626)."),
        Check::new("a_root_may_be_a_mount_or_a_link", outside::a_root_may_be_a_mount_or_a_link)
            .points(2)
            .must("ROOTFS may be a mount of its own, a symbolic link, or relative to the caller's folder")
            .why("Real roots are overlays, which are mounts; and what works by chance on a folder fails on them, or the other way round."),
        Check::new("mounts_inside_stay_inside", outside::mounts_inside_stay_inside)
            .points(2)
            .must("what the command mounts and unmounts inside is not seen outside")
            .why("Otherwise whoever is root inside covers the host's /etc with a folder of its own."),
        Check::new("nothing_is_made_in_the_root", outside::nothing_is_made_in_the_root)
            .points(2)
            .must("nothing in ROOTFS is created, changed or removed by the runtime, while the command runs and after it")
            .why("A root is often shared, or read-only, or compared with what was shipped."),
    ],
};
