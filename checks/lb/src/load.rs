//! Stage 5: many connections at once, what they leave behind, and a log of them.

mod counts;
mod crowds;
mod lines;
mod log_file;
mod neighbours;
mod resources;

use harness::{Check, Stage};

pub(crate) const STAGE: Stage = Stage {
    number: 5,
    slug: "load",
    bonus: false,
    checks: &[
        Check::new("fifty_at_once_are_served", crowds::fifty_at_once_are_served)
            .points(4)
            .must("50 connections that are open at the same time each carry their own bytes, both ways")
            .why("It is the number that was asked for, and the smallest that shows who serves one after the other."),
        Check::new("a_thousand_at_once_are_served", crowds::a_thousand_at_once_are_served)
            .points(3)
            .must("200 connections and then 1,000 are open at the same time and served")
            .why("Tables of a fixed size are large enough until the day that was worth being prepared for."),
        Check::new("a_stalled_client_delays_no_other", neighbours::a_stalled_client_delays_no_other)
            .points(3)
            .must("clients that do not read, do not write, or send all the time delay their own connection only")
            .why("A phone in a tunnel holds a megabyte that it does not take. Nobody else should know."),
        Check::new("a_stalled_backend_delays_no_other", neighbours::a_stalled_backend_delays_no_other)
            .points(3)
            .must("a backend that neither reads nor writes delays its own clients only")
            .why("A deadlocked service still accepts and passes every check. Its neighbours are well."),
        Check::new("each_connection_has_its_line", lines::each_connection_has_its_line)
            .points(4)
            .must("one line for each connection, and none for checks: client, backend, bytes each way, `ok`")
            .why("Who was served by whom, and how much, is asked after every incident; nobody can find out later."),
        Check::new("each_failure_has_its_line", lines::each_failure_has_its_line)
            .points(3)
            .must("connections that failed have a line too, with the status that fits and the bytes until then")
            .why("A log of the successes is complete on every day on which nobody needs it."),
        Check::new("what_was_not_delivered_is_not_counted", counts::what_was_not_delivered_is_not_counted)
            .points(2)
            .must("`sent` and `received` are bytes that the receiving side's socket has accepted, not bytes that were read")
            .why("The difference is what was lost, and it is why somebody is looking at the log."),
        Check::new("a_line_comes_when_a_connection_ends", lines::a_line_comes_when_a_connection_ends)
            .points(3)
            .must("a line is there soon after its connection has ended, in the order of the ends, with the time of the end")
            .why("A log is watched while things happen. What waits in a buffer is missing when the program is killed."),
        Check::new("lines_never_mix", log_file::lines_never_mix)
            .points(2)
            .must("lines are appended to the file of `--log`, each by one write: those of two programs do not mix")
            .why("Two balancers with one log are an ordinary restart, and half a line is no line."),
        Check::new("without_a_file_the_log_is_on_stdout", log_file::without_a_file_the_log_is_on_stdout)
            .must("without `--log`, the lines follow the first line on stdout, each as soon as its connection has ended")
            .why("Where programs are started by others, stdout is the log, and it is a pipe: nothing flushes it for you."),
        Check::new("descriptors_are_given_back", resources::descriptors_are_given_back)
            .points(3)
            .must("when connections are over, however they ended, as many descriptors are open as before")
            .why("One that is lost for each reset is a thousand in an hour, and then nobody is accepted any more."),
        Check::new("threads_do_not_grow_with_connections", resources::threads_do_not_grow_with_connections)
            .points(2)
            .must("the number of threads and processes does not grow with the number of connections")
            .why("A thread costs a stack and a place in the scheduler, most of the time to wait.")
            .alone(),
        Check::new("idle_is_idle", resources::idle_is_idle)
            .points(3)
            .must("with nothing to do, and with any number of silent or half-closed connections, it takes next to no CPU time")
            .why("A loop that spins works as well as one that waits. Only the bill and the neighbours tell them apart.")
            .alone(),
    ],
};
