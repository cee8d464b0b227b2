//! Stage 1: one backend, bytes both ways, and ends that are passed on.

mod breaks;
mod command_line;
mod ends;
mod property;
mod streams;

use harness::{Check, Stage};

pub(crate) const STAGE: Stage = Stage {
    number: 1,
    slug: "proxy",
    bonus: false,
    checks: &[
        Check::new("the_first_line_says_where_it_listens", command_line::the_first_line_says_where_it_listens)
            .points(2)
            .must("stdout gets `listening on ADDR`, with the port that was chosen, once clients can connect")
            .why("Whoever starts a server with port 0 learns its port from this line, and connects as soon as it is there."),
        Check::new("bytes_pass_both_ways", streams::bytes_pass_both_ways)
            .points(2)
            .must("bytes of both directions arrive unchanged and in order, whatever their values")
            .why("A balancer of layer 4 carries what it does not understand: TLS, images, protocols yet to come."),
        Check::new("either_side_may_speak_first", streams::either_side_may_speak_first)
            .points(2)
            .must("a connection that was accepted gets its backend at once, without waiting for the client's first byte")
            .why("With SMTP, SSH and MySQL the server greets first, and the client waits for it."),
        Check::new("nothing_is_held_back", streams::nothing_is_held_back)
            .points(2)
            .must("what has arrived is passed on, however little it is, without waiting for more")
            .why("A question is answered when it has arrived. Who waits for a full buffer waits for ever."),
        Check::new("early_bytes_are_kept", streams::early_bytes_are_kept)
            .points(3)
            .must("what the client has sent before the backend's connection stands goes to the backend first")
            .why("Clients send with their first packet, and do not know that a second connection has to be made."),
        Check::new("large_streams_pass_both_ways_at_once", streams::large_streams_pass_both_ways_at_once)
            .points(4)
            .must("streams of any size pass unchanged in both directions at the same time, in whatever pieces")
            .why("Sockets take and give parts of what they are asked for, and most bugs of a proxy live in the rest."),
        Check::new("connections_do_not_mix", streams::connections_do_not_mix)
            .points(3)
            .must("several connections at once, made in one moment, each carry their own bytes")
            .why("One event may stand for many connections, and one loop serves them all."),
        Check::new("one_connection_after_another", streams::one_connection_after_another)
            .must("connections are served one after another without limit")
            .why("What is not given back after a connection is missing after a thousand."),
        Check::new("a_client_may_end_first", ends::a_client_may_end_first)
            .points(3)
            .must("the client's end of stream is passed on, and the backend's answer still comes")
            .why("A request whose end is its end of stream is answered after it. Closing at the first end cuts the answer."),
        Check::new("a_backend_may_end_first", ends::a_backend_may_end_first)
            .points(2)
            .must("the backend's end of stream is passed on, and the client's bytes still arrive")
            .why("Both directions are streams of their own: who has nothing more to say may still listen."),
        Check::new("an_end_comes_after_all_before_it", ends::an_end_comes_after_all_before_it)
            .points(4)
            .must("an end of stream is passed on after all the data before it, also to a slow reader")
            .why("A download whose last megabytes are missing looks complete to a client that trusts the end."),
        Check::new("a_break_closes_the_other_side", breaks::a_break_closes_the_other_side)
            .points(2)
            .must("when one side's connection is reset, the other side is closed too, by FIN or by RST")
            .why("Nobody will ever answer there again, and only the balancer knows."),
        Check::new("what_came_before_a_break_is_delivered", breaks::what_came_before_a_break_is_delivered)
            .points(2)
            .must("what had arrived before one side broke is delivered to the other one before it is closed")
            .why("A server that answers and dies has answered."),
        Check::new("a_break_waits_for_a_slow_client", breaks::a_break_waits_for_a_slow_client)
            .points(2)
            .must("what had arrived before a backend broke is delivered to a client who reads slowly as well")
            .why("The backend is gone, and what it said is not. Nobody has asked the client to be fast."),
        Check::new("any_conversation_passes_unchanged", property::any_conversation_passes_unchanged)
            .points(4)
            .must("whatever both sides do, and in which order: each receives what the other one sent, and its end")
            .why("The states of two directions multiply, and nobody thinks of all of them."),
        Check::new("a_bad_command_line_is_refused", command_line::a_bad_command_line_is_refused)
            .points(3)
            .must("a command line that cannot be used: exit status 2, a sentence on stderr that names the culprit")
            .why("A balancer that guesses what was meant sends a company's traffic to a guess."),
        Check::new("what_cannot_be_opened_is_named", command_line::what_cannot_be_opened_is_named)
            .points(2)
            .must("a port in use or a log that cannot be opened: exit status 2, and stderr names it")
            .why("It happens at every second restart, and the reason has to be found in the first line."),
    ],
};
