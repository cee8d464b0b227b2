//! Stage 6: all of it for a caller who is not root.

mod ids;
mod limit;
mod whole;

use harness::{Check, Stage};

pub(crate) const STAGE: Stage = Stage {
    number: 6,
    slug: "rootless",
    bonus: true,
    checks: &[
        Check::new("a_user_gets_a_whole_container", whole::a_user_gets_a_whole_container)
            .points(4)
            .must("a caller without rights gets the same: name, processes, root, mounts, descriptors, signals, status")
            .why("Who needs root to run a container gives root to everybody who wants one."),
        Check::new("the_caller_s_ids_alone_are_mapped", ids::the_caller_s_ids_alone_are_mapped)
            .points(3)
            .must("uid_map and gid_map have one line of length 1, to the caller's own id; inside it is 0 or the same; setgroups is denied")
            .why("An id that is mapped and not the caller's is somebody else's files."),
        Check::new("the_ids_are_there_at_the_first_instruction", ids::the_ids_are_there_at_the_first_instruction)
            .points(3)
            .must("when the command is executed its ids are mapped already")
            .why("Before that it is nobody: what it makes then is nobody's, and exec takes its capabilities away for good."),
        Check::new("files_belong_to_the_caller", ids::files_belong_to_the_caller)
            .points(2)
            .must("files that the command makes belong to the caller")
            .why("Files that their owner cannot remove are the first thing that people notice about containers."),
        Check::new("a_user_s_root_has_no_way_out", whole::a_user_s_root_has_no_way_out)
            .points(3)
            .must("root inside does not get out, without root outside either")
            .why("The caller's own files are what there is to protect then: keys, mail, and the history of their shell."),
        Check::new("a_user_s_limit_is_set_or_refused", limit::a_user_s_limit_is_set_or_refused)
            .points(3)
            .must("--memory sets the limit where the caller may, and is 125 where not; it is never ignored")
            .why("Without root a limit is often not to be had. Who asked for one has to hear that."),
        Check::new("a_failed_step_without_root_is_none_with_less", whole::a_failed_step_without_root_is_none_with_less)
            .points(3)
            .must("when any one step fails the command runs fully confined, with its ids mapped, or it is 125")
            .why("More steps are refused to a user than to root, and each is a temptation to go on without."),
        Check::new("nothing_is_left_of_a_user_s_run", whole::nothing_is_left_of_a_user_s_run)
            .points(3)
            .must("no process, mount or file is left, and the container dies with its runtime")
            .why("What a user leaves behind has no administrator who looks for it.")
            .alone(),
        Check::new("called_by_root_the_command_is_root", ids::called_by_root_the_command_is_root)
            .points(2)
            .must("called by root the command has uid and gid 0 inside")
            .why("Images are made for root inside; a 65534 where it should be is the sign of a map that nobody wrote."),
    ],
};
