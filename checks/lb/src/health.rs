//! Stage 3: backends that go and come back. Judged by what backends accept, and in which order.

mod blackholes;
mod coming;
mod going;
mod pace;
mod property;
mod visits;

use harness::{Check, Stage};

pub(crate) const STAGE: Stage = Stage {
    number: 3,
    slug: "health",
    bonus: false,
    checks: &[
        Check::new("checks_come_once_an_interval", visits::checks_come_once_an_interval)
            .points(2)
            .must("each backend is checked every interval, by a connection: not more seldom, and not much more often")
            .why("What is checked too seldom is found dead too late, and a backend that is asked all the time works for that alone."),
        Check::new("checks_connect_and_close", visits::checks_connect_and_close)
            .points(2)
            .must("a check connects and closes, soon and without sending anything")
            .why("A backend has to understand whatever is sent to it, and keeps a place for whoever stays."),
        Check::new("checks_have_no_place_in_the_rotation", visits::checks_have_no_place_in_the_rotation)
            .points(2)
            .must("the rotation is the same, however many checks there are between two connections")
            .why("A check that takes a turn takes it from a client, and always from the same one if the rhythms agree."),
        Check::new("checks_leave_no_descriptor_behind", visits::checks_leave_no_descriptor_behind)
            .points(2)
            .must("checks that succeed, are refused or get no answer leave no descriptor behind")
            .why("One an interval is 8,640 a day: the balancer dies in its first night, of nothing but caution."),
        Check::new("a_dead_backend_gets_no_connection", going::a_dead_backend_gets_no_connection)
            .points(4)
            .must("a backend that refuses is out three intervals and a connect timeout later, until a check of it succeeds")
            .why("Each client that is sent to it waits for nothing, and is refused or sent on."),
        Check::new("a_check_that_fails_ends_no_connection", going::a_check_that_fails_ends_no_connection)
            .points(2)
            .must("connections to a backend that goes down or comes back go on")
            .why("A backend with a full queue fails a check while it serves hundreds. To cut them makes it worse."),
        Check::new("a_backend_that_is_back_has_its_share", coming::a_backend_that_is_back_has_its_share)
            .points(4)
            .must("a backend that is alive again has its old share, as soon as three checks have succeeded")
            .why("Machines restart every week. Who is not taken back is lost to all but its owner's bill."),
        Check::new("it_comes_back_however_long_it_was_away", coming::it_comes_back_however_long_it_was_away)
            .points(2)
            .must("a backend that was down for long is checked as often as others, and is back as soon")
            .why("Nobody knows when it is repaired, and what was put off for longer and longer is found last."),
        Check::new("a_backend_may_come_later", coming::a_backend_may_come_later)
            .points(2)
            .must("a backend that is not there at the start is left out, and gets its share when it comes")
            .why("After a power cut the machines start in any order, and the balancer is often the first."),
        Check::new("all_may_go_and_come_back", coming::all_may_go_and_come_back)
            .points(3)
            .must("with all backends down the program goes on, and serves as before when they are back")
            .why("It is the night when it matters most, and the one that divides by zero."),
        Check::new("a_blackhole_delays_nobody", blackholes::a_blackhole_delays_nobody)
            .points(3)
            .must("a check that gets no answer delays no client, and no check of another backend")
            .why("A machine without power does not refuse. A loop that waits for it serves nobody meanwhile."),
        Check::new("a_blackhole_is_taken_out", blackholes::a_blackhole_is_taken_out)
            .points(3)
            .must("a check that gets no answer within the connect timeout has failed, and the backend is out")
            .why("Silence is the worst answer: each client that is sent there waits for all of its timeout."),
        Check::new("any_ups_and_downs_are_followed", property::any_ups_and_downs_are_followed)
            .points(4)
            .must("whichever backends go and come, in whatever order: those that are up are served in turn, and no other")
            .why("An index into a list that changes its length is right for each change alone, and wrong after two."),
    ],
};
