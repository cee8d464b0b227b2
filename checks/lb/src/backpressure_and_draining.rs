//! Stage 6: slow readers, few descriptors, and an end in good order.

mod draining;
mod scarcity;
mod stalls;

use harness::{Check, Stage};

pub(crate) const STAGE: Stage = Stage {
    number: 6,
    slug: "backpressure-and-draining",
    bonus: true,
    checks: &[
        Check::new("a_stalled_reader_stops_the_source", stalls::a_stalled_reader_stops_the_source)
            .points(4)
            .must("of a stalled connection less than 1 MiB is kept, and memory grows by less than 8 MiB, however much there is to send")
            .why("A fast backend and a slow phone: the difference is either the backend's to wait for, or your memory."),
        Check::new("after_a_stall_nothing_is_missing", stalls::after_a_stall_nothing_is_missing)
            .points(3)
            .must("when a reader goes on after a stall, so does the stream, and not a byte is missing")
            .why("Who stops has to be told when to go on, and it is told once."),
        Check::new("a_stall_takes_no_cpu_time", stalls::a_stall_takes_no_cpu_time)
            .points(3)
            .must("while a reader stalls, nothing spins")
            .why("A source that is ready and may not be read wakes a loop for ever, if the loop still asks for it.")
            .alone(),
        Check::new("sigterm_lets_connections_finish", draining::sigterm_lets_connections_finish)
            .points(4)
            .must("after SIGTERM connections are refused, those that were accepted go on, and the last one ends the program with status 0")
            .why("A new version every day, and no user who notices: it begins with an old one that leaves politely."),
        Check::new("who_waits_for_a_backend_is_served_too", draining::who_waits_for_a_backend_is_served_too)
            .points(2)
            .must("a client that was accepted before SIGTERM is served, also if its backend is still being connected to")
            .why("It was let in. That its backend takes a second to answer is not its fault."),
        Check::new("with_nothing_running_sigterm_ends_it", draining::with_nothing_running_sigterm_ends_it)
            .points(2)
            .must("SIGTERM ends the program at once when no connection runs, with status 0, also while a check is under way")
            .why("Who is told to stop and does not is killed, and next time nobody asks."),
        Check::new("without_descriptors_nothing_ends_or_spins", scarcity::without_descriptors_nothing_ends_or_spins)
            .points(3)
            .must("with 64 descriptors 16 connections are served at the same time; more clients neither end the program nor make it spin")
            .why("The limit is always reached by accident, on the busiest day. It should cost those who come too late, and no others.")
            .alone(),
        Check::new("accepting_goes_on_with_free_descriptors", scarcity::accepting_goes_on_with_free_descriptors)
            .points(3)
            .must("clients who found no descriptor are served when some come free, without a new client having to come first")
            .why("The queue was announced once. Who forgets that it is there leaves them waiting in front of an idle program."),
        Check::new("what_cannot_be_checked_is_not_down", scarcity::what_cannot_be_checked_is_not_down)
            .points(2)
            .must("a check that cannot be made for want of a descriptor does not put its backend out")
            .why("Your own shortage says nothing about others. Who confuses the two goes from full to closed."),
        Check::new("clients_may_leave_the_queue", scarcity::clients_may_leave_the_queue)
            .points(2)
            .must("clients who are gone before they are accepted do no harm")
            .why("Under load clients wait, and some of them give up. What is accepted then is a connection that has ended."),
    ],
};
