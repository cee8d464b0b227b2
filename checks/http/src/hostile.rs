//! Stage 6: servers that lie, flood, stall or answer too early. Judged by what a client takes, keeps and says, and by
//! whether it is still there when it should have gone.

mod disguises;
mod early;
mod endless;
mod garbage;
mod limits;
mod proxies;
mod time;
pub(crate) mod unread;

use harness::{Check, Stage};

pub(crate) const STAGE: Stage = Stage {
    number: 6,
    slug: "hostile",
    bonus: true,
    checks: &[
        Check::new("a_head_without_end_is_refused", endless::a_head_without_end_is_refused)
            .points(3)
            .must("a head without end is too-large or bad-response before 16 MiB of it were taken, in little memory")
            .why("Whoever collects a head until its empty line lets any server decide how much memory it takes."),
        Check::new("a_byte_now_and_then_gains_no_time", time::a_byte_now_and_then_gains_no_time)
            .points(3)
            .must("`--max-time` is for all of the exchange: a server that sends a byte every so often gains none")
            .why("A limit on each wait is none: it begins anew with each byte, and a download of one page takes days."),
        Check::new("an_answer_is_heard_while_the_body_is_sent", early::an_answer_is_heard_while_the_body_is_sent)
            .points(3)
            .must("a server may answer a POST and read no more of it: the response is reported at once")
            .why("Who sends first and listens then waits for a server that waits for nothing, and never sees the 413."),
        Check::new("a_lost_connection_does_not_hide_the_answer", early::a_lost_connection_does_not_hide_the_answer)
            .points(2)
            .must("a response that came before the connection was lost is reported, although the body was not sent")
            .why("A broken pipe says that the upload failed. Why, is written in what nobody has read yet."),
        Check::new("silence_ends_with_the_time", time::silence_ends_with_the_time)
            .points(2)
            .must("`--max-time` ends every wait: to connect, to shake hands, to send, for a head, and for a body")
            .why("A program that waits for ever is found on Monday, with a thousand more behind it."),
        Check::new("all_hops_share_one_time", time::all_hops_share_one_time)
            .points(2)
            .must("redirects are within `--max-time`, which begins once")
            .why("Five hops with a limit each make six times the limit, and the server chooses how many there are."),
        Check::new("an_exchange_within_its_time_succeeds", time::an_exchange_within_its_time_succeeds)
            .must("what is slow and ends within `--max-time`, or 60 s without it, is accepted")
            .why("A limit is for those who exceed it."),
        Check::new("a_large_head_is_accepted", limits::a_large_head_is_accepted)
            .points(2)
            .must("a head of 64 KiB is accepted, in a hundred fields or in two, whatever came before it")
            .why("Cookies and policies of 20 KiB are real, and a limit that is too tight fails where nobody can change it."),
        Check::new("interim_responses_without_end_are_refused", endless::interim_responses_without_end_are_refused)
            .points(2)
            .must("1xx responses without end are too-large or bad-response")
            .why("Each of them is small, and skipped. A loop whose rounds the server counts needs a count of its own."),
        Check::new("what_is_not_passed_on_is_not_kept", endless::what_is_not_passed_on_is_not_kept)
            .points(2)
            .must("a chunk's line and trailers without end take little memory, and end as too-large, bad-response or timeout")
            .why("The head has a limit, and between two chunks and after the last the same line is read again, without one."),
        Check::new("a_length_is_a_claim", limits::a_length_is_a_claim)
            .points(2)
            .must("a length of more than 2^32 is neither shortened nor set aside: what came is taken, and the rest is missing")
            .why("A number from a server costs the server nothing. Memory for it is paid by the client."),
        Check::new("framing_in_disguise_is_seen_through", disguises::framing_in_disguise_is_seen_through)
            .points(2)
            .must("only the exact name, coding and digits are framing; what looks like them is refused, or another field")
            .why("Where two programs on the way see two ends, one of them takes the second half for a response of its own."),
        Check::new("no_response_breaks_the_client", garbage::no_response_breaks_the_client)
            .points(2)
            .must("whatever a server sends comes to a response or to a failure with its kind")
            .why("A crash is a bug that a stranger can call, and the loudest of those that they can."),
        Check::new("proxies_are_not_asked", proxies::proxies_are_not_asked)
            .must("`http_proxy` and its kin change nothing")
            .why("Where a program connects to should be known from how it was called."),
    ],
};
