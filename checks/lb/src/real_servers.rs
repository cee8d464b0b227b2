//! Stage 8, with Docker: the balancer before three real web servers, one of which is stopped and started again. Nothing
//! is asked for that an earlier stage has not asked for; here it is asked of somebody who was not written for it.

#[cfg(feature = "docker")]
mod site;
#[cfg(feature = "docker")]
mod stops;
#[cfg(feature = "docker")]
mod traffic;

#[cfg(not(feature = "docker"))]
use harness::docker::{
    left_out as a_server_that_is_started_again_has_its_share,
    left_out as a_stopped_server_costs_nobody_an_answer,
    left_out as a_stopped_server_ends_its_own_connections_alone, left_out as large_files_arrive_whole,
    left_out as real_servers_take_turns,
};
use harness::{Check, Stage};
#[cfg(feature = "docker")]
use stops::{
    a_server_that_is_started_again_has_its_share, a_stopped_server_costs_nobody_an_answer,
    a_stopped_server_ends_its_own_connections_alone,
};
#[cfg(feature = "docker")]
use traffic::{large_files_arrive_whole, real_servers_take_turns};

pub(crate) const STAGE: Stage = Stage {
    number: 8,
    slug: "real-servers",
    bonus: true,
    checks: &[
        Check::new("real_servers_take_turns", real_servers_take_turns)
            .points(3)
            .must("three nginx behind the balancer answer connection after connection in turn")
            .why("A server of a test does what its author thought of. This one serves a third of the web."),
        Check::new("large_files_arrive_whole", large_files_arrive_whole)
            .points(3)
            .must("three clients at once get a file of 32 MiB each, byte by byte as it is, and then the end of the stream")
            .why("A real server writes as fast as the kernel takes it, and closes as soon as it has written."),
        Check::new("a_stopped_server_costs_nobody_an_answer", a_stopped_server_costs_nobody_an_answer)
            .points(4)
            .must("once a server is stopped, every client is answered by another")
            .why("This is what a balancer is bought for: machines are stopped every week, and nobody is to notice."),
        Check::new(
            "a_server_that_is_started_again_has_its_share",
            a_server_that_is_started_again_has_its_share,
        )
        .points(3)
        .must("a server that was down for some intervals and is started again on its port gets its turn back")
        .why("Half of an update is to take machines back, one after the other. Else the last one carries them all."),
        Check::new(
            "a_stopped_server_ends_its_own_connections_alone",
            a_stopped_server_ends_its_own_connections_alone,
        )
        .points(3)
        .must("when a server is stopped, connections to it are closed, and those to others go on")
        .why("Whose server is gone has to know it to ask again; everybody else has nothing to do with it."),
    ],
};
