//! Stage 8, with Docker: the client against a real web server. Nothing is asked for that an earlier stage has not asked
//! for; here it is asked of somebody who was not written for it.

#[cfg(feature = "docker")]
mod pages;
#[cfg(feature = "docker")]
mod site;
#[cfg(feature = "docker")]
mod tls;

#[cfg(not(feature = "docker"))]
use harness::docker::{
    left_out as a_hundred_megabytes_come_through, left_out as a_real_server_proves_who_it_is,
    left_out as real_chunks_are_read, left_out as real_pages_end_where_they_end,
    left_out as real_redirects_are_followed,
};
use harness::{Check, Stage};
#[cfg(feature = "docker")]
use pages::{
    a_hundred_megabytes_come_through, real_chunks_are_read, real_pages_end_where_they_end,
    real_redirects_are_followed,
};
#[cfg(feature = "docker")]
use tls::a_real_server_proves_who_it_is;

pub(crate) const STAGE: Stage = Stage {
    number: 8,
    slug: "real-servers",
    bonus: true,
    checks: &[
        Check::new("real_pages_end_where_they_end", real_pages_end_where_they_end)
            .points(2)
            .must("files of nginx, from none to many bytes, and its own page for what it does not have, come out as they are")
            .why("A server of a test does what its author thought of. This one serves a third of the web."),
        Check::new("real_chunks_are_read", real_chunks_are_read)
            .points(3)
            .must("what nginx sends in chunks, with a trailer behind them, comes out as it went in")
            .why("It cuts where its buffers end, which is where no example would."),
        Check::new("real_redirects_are_followed", real_redirects_are_followed)
            .points(3)
            .must("redirects of nginx are followed: to a folder's slash, to a path, to another port, and not for ever")
            .why("Every web server adds a slash, and half of the world's first requests are answered like this."),
        Check::new("a_real_server_proves_who_it_is", a_real_server_proves_who_it_is)
            .points(3)
            .must("over TLS 1.2 and 1.3 nginx is believed who has a certificate for the name by a trusted authority, and no other")
            .why("OpenSSL is at the other end of most connections, and cuts its records and says goodbye in its own way."),
        Check::new("a_hundred_megabytes_come_through", a_hundred_megabytes_come_through)
            .points(3)
            .must("100 MB arrive as they are: with a length, in chunks, and over TLS")
            .why("What works for a page and not for an image of a disk was never finished."),
    ],
};
