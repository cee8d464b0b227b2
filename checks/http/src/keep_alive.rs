//! Stage 7: one connection for several requests, and nothing left over from the last. Judged by what came over which
//! connection, and by what is printed: every server has an answer ready that must never be.

mod apart;
mod left;
mod reuse;
mod site;
mod stale;

use harness::{Check, Stage};

pub(crate) const STAGE: Stage = Stage {
    number: 7,
    slug: "keep-alive",
    bonus: true,
    checks: &[
        Check::new("redirects_go_over_one_connection", reuse::redirects_go_over_one_connection)
            .points(3)
            .must("redirects to the same origin, framed and of version 1.1, go over the same connection")
            .why("A connection costs a round trip, and over TLS two or three. A request on one that is there costs none."),
        Check::new("what_is_surplus_is_no_answer", apart::what_is_surplus_is_no_answer)
            .points(4)
            .must("bytes behind the end of a response are never the next one: the connection is dropped")
            .why("Whoever can make a server send them chooses the answer to a question that was put to somebody else."),
        Check::new("a_redirects_body_is_read_to_its_end", reuse::a_redirects_body_is_read_to_its_end)
            .points(3)
            .must("the next response begins where the last one ended, however that was framed and cut")
            .why("What is left unread is in front of the next response, and is read as its beginning."),
        Check::new("what_says_close_is_not_reused", apart::what_says_close_is_not_reused)
            .points(2)
            .must("after `Connection: close`, in any case and list, the next request has a new connection")
            .why("The server closes it. A request that is sent meanwhile is lost, now and then."),
        Check::new("what_did_not_say_it_stays_is_not_reused", apart::what_did_not_say_it_stays_is_not_reused)
            .points(2)
            .must("after version 1.0, and after a body that ended with its connection, there is a new connection")
            .why("Before version 1.1 a connection was for one request. Those who speak it still mean that."),
        Check::new("another_origin_has_its_own_connection", apart::another_origin_has_its_own_connection)
            .points(2)
            .must("another scheme, host or port is another connection, wherever it leads")
            .why("What was agreed with one server, its name and certificate above all, says nothing of another."),
        Check::new("a_get_survives_a_stale_connection", stale::a_get_survives_a_stale_connection)
            .points(3)
            .must("a GET on a kept connection that ends before a byte of an answer is sent again, on a new one")
            .why("Servers close what is idle, at any moment, also at that at which the next request is on its way."),
        Check::new("a_get_is_repeated_once", stale::a_get_is_repeated_once)
            .points(2)
            .must("it is not sent a third time, and not a second time if an answer had begun")
            .why("A server that always closes would be asked for ever."),
        Check::new("a_post_is_not_repeated", stale::a_post_is_not_repeated)
            .points(3)
            .must("a POST that may have been processed is not sent again: its failure is told")
            .why("Nobody knows what the server has done. Asking again may order, pay or delete twice."),
        Check::new("draining_has_a_bound", left::draining_has_a_bound)
            .points(2)
            .must("a redirect's body without end is left, and the redirect followed over a new connection")
            .why("A new connection costs a few packets. Whoever reads on to save them lets the server decide for how long."),
        Check::new("a_request_cut_short_is_followed_by_none", left::a_request_cut_short_is_followed_by_none)
            .points(2)
            .must("when an answer comes before the request was sent whole, the next request has a new connection")
            .why("The server still waits for the rest of the body, and takes whatever comes next for it."),
        Check::new("connections_over_tls_are_kept_too", reuse::connections_over_tls_are_kept_too)
            .points(2)
            .must("redirects within one https origin go over one connection")
            .why("It is there that a connection costs most."),
        Check::new("one_origin_has_many_spellings", reuse::one_origin_has_many_spellings)
            .must("scheme and host are compared without regard to case")
            .why("Locations are written by people and by programs, and mean the same server."),
        Check::new("keeping_is_asked_for", reuse::keeping_is_asked_for)
            .must("the request says `Connection: keep-alive`")
            .why("A server that is told to close does, and one of version 1.0 keeps nothing that it was not asked to keep."),
    ],
};
