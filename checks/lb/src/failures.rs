//! Stage 4: what fails is kept from the clients, as far as that is possible.

mod blackholes;
mod breaks;
mod refused;

use harness::{Check, Stage};

pub(crate) const STAGE: Stage = Stage {
    number: 4,
    slug: "failures",
    bonus: false,
    checks: &[
        Check::new("a_refused_connection_goes_to_the_next", refused::a_refused_connection_goes_to_the_next)
            .points(3)
            .must("a client whose backend refuses gets the next one of the cycle, without noticing")
            .why("Between the death of a backend and the check that finds it, a third of all clients would fail."),
        Check::new("no_byte_is_lost_or_doubled_on_the_way", refused::no_byte_is_lost_or_doubled_on_the_way)
            .points(3)
            .must("what a client sends while backends refuse is delivered once, whole, and its end with it")
            .why("A payment that arrives twice is worse than one that fails."),
        Check::new("all_are_served_while_one_is_down", refused::all_are_served_while_one_is_down)
            .points(3)
            .must("60 of 60 clients are served while one of three backends is down")
            .why("It is what a balancer is bought for."),
        Check::new("with_nobody_left_a_client_is_closed", refused::with_nobody_left_a_client_is_closed)
            .points(2)
            .must("when every backend refuses, the client is closed promptly, and the program goes on")
            .why("A client that is told so can try elsewhere; one that is left waiting cannot."),
        Check::new("a_dying_backend_ends_its_own_connections", breaks::a_dying_backend_ends_its_own_connections)
            .points(3)
            .must("a backend that breaks ends the connections of its own clients, promptly, and no others")
            .why("Six clients on three backends: two lose something, and four should not even know."),
        Check::new("nothing_is_sent_again_elsewhere", breaks::nothing_is_sent_again_elsewhere)
            .points(3)
            .must("a connection that stood is never moved: what was delivered is not sent to another backend")
            .why("The backend that broke may have done what it was asked for. Only the client can know what to repeat."),
        Check::new("a_client_that_resets_ends_only_itself", breaks::a_client_that_resets_ends_only_itself)
            .points(2)
            .must("a client's reset, at any moment, closes its backend's connection and touches no other")
            .why("Clients vanish all the time: phones lose their network, and users their patience."),
        Check::new("no_break_ends_the_program", breaks::no_break_ends_the_program)
            .points(3)
            .must("no reset, no end at any moment, and no write to a connection that is gone ends the program")
            .why("One client that could stop the balancer could stop the whole service behind it."),
        Check::new("a_blackhole_costs_a_connect_timeout", blackholes::a_blackhole_costs_a_connect_timeout)
            .points(3)
            .must("a backend that does not answer is given up after the connect timeout, and the next one is tried")
            .why("A machine without power refuses nothing. Left to itself, the kernel tries for two minutes."),
        Check::new("a_blackhole_delays_nobody_else", blackholes::a_blackhole_delays_nobody_else)
            .points(3)
            .must("while one client's connection waits for a blackhole, other clients are served")
            .why("A connect that blocks stops the loop, and with it everybody."),
    ],
};
