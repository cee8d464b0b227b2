//! Stage 7: ten thousand connections, and what one of them may cost.

mod crowd;
mod price;

use harness::{Check, Stage};

pub(crate) const STAGE: Stage = Stage {
    number: 7,
    slug: "ten-thousand",
    bonus: true,
    checks: &[
        Check::new("ten_thousand_at_once_are_served", crowd::ten_thousand_at_once_are_served)
            .points(4)
            .must("10,000 connections are open at the same time and served, with two descriptors for each and 48 more")
            .why("It was a dream in 1999, and one loop on one processor does it. Whoever can do it sees what it takes.")
            .alone(),
        Check::new("a_thousand_may_come_in_one_moment", crowd::a_thousand_may_come_in_one_moment)
            .points(2)
            .must("a thousand clients who connect in one moment find a place in the listening socket's queue")
            .why("After each restart all clients come back at once. Those without a place try again a second later, all at once."),
        Check::new("an_idle_connection_is_cheap", price::an_idle_connection_is_cheap)
            .points(3)
            .must("an idle connection takes less than 64 KiB of memory, after it has carried some bytes")
            .why("Most connections are silent most of the time, and what each of them holds is held ten thousand times.")
            .alone(),
        Check::new("the_price_is_per_connection", price::the_price_is_per_connection)
            .points(3)
            .must("a connection takes no more CPU time with 10,000 others beside it than with 100")
            .why("A loop that looks at everybody to find the one who is ready costs more for each the more there are.")
            .alone(),
    ],
};
