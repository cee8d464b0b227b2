//! Stage 4: a limit of memory, from the first instruction on, for the command and all that it starts.

mod limit;
mod pressure;
mod refused;

use harness::{Check, Stage};

pub(crate) use limit::{barrier, file_of, has_limit};

/// A mebibyte.
pub(crate) const MIB: i64 = 1 << 20;

pub(crate) const STAGE: Stage = Stage {
    number: 4,
    slug: "memory",
    bonus: false,
    checks: &[
        Check::new("the_limit_is_exact", limit::the_limit_is_exact)
            .points(3)
            .must("the least memory.max from the command's cgroup upwards is SIZE: 64M is 67,108,864 bytes, in every way to write it")
            .why("Who plans a machine adds limits up. One that is off by a few percent is off by a container."),
        Check::new("the_limit_stands_at_the_first_instruction", limit::the_limit_stands_at_the_first_instruction)
            .points(3)
            .must("when the command is executed it is in its cgroup already, and the limit stands")
            .why("What is taken before the limit stands is not counted, and what was forked before is not in it at all."),
        Check::new("who_goes_above_it_is_killed", pressure::who_goes_above_it_is_killed)
            .points(3)
            .must("a command that takes more than SIZE is killed: exit status 137, and oom_kill counts")
            .why("A limit that nobody dies of is a wish, and the host pays for it."),
        Check::new("swap_is_no_way_out", pressure::swap_is_no_way_out)
            .points(3)
            .must("with swap on the host, what is above SIZE is not swapped out instead")
            .why("A container that swaps makes the disk slow for everybody, and goes on growing where its limit should have stopped it."),
        Check::new("processes_share_one_limit", pressure::processes_share_one_limit)
            .points(2)
            .must("the command and its descendants have SIZE together, and not each")
            .why("Otherwise a fork is all that it takes."),
        Check::new("who_stays_below_it_lives", pressure::who_stays_below_it_lives)
            .points(2)
            .must("a command that stays below SIZE, children included, lives and ends as it would without a limit")
            .why("A runtime whose own memory counts, or that rounds down, kills what was promised to fit."),
        Check::new("each_run_has_a_limit_of_its_own", limit::each_run_has_a_limit_of_its_own)
            .points(3)
            .must("runs at the same time have cgroups and limits of their own, and the end of one changes nothing for another")
            .why("Two that share a cgroup by a fixed name share a limit, and the first to end removes it, or kills both."),
        Check::new("the_cgroup_goes_where_it_can", limit::the_cgroup_goes_where_it_can)
            .points(3)
            .must("the cgroup is found and made wherever the runtime was started and wherever cgroup2 is mounted")
            .why("Under systemd, in CI and in a container nobody starts at the top, and not everybody mounts at /sys/fs/cgroup."),
        Check::new("a_bad_size_is_refused", refused::a_bad_size_is_refused)
            .points(2)
            .must("zero, a sign, a fraction, another suffix, an empty text and what does not fit into 64 bits are 125, named on stderr")
            .why("A size that is half understood is a limit that nobody asked for."),
        Check::new("a_limit_that_cannot_be_had_is_125", refused::a_limit_that_cannot_be_had_is_125)
            .points(3)
            .must("where no limit is to be had, --memory is 125 and the command does not run; without it the command runs")
            .why("Somebody asked for a limit and believes in it. Running without is the one thing that must not happen."),
    ],
};
