//! A real server behind TLS: OpenSSL's, not the one that most clients of this course are linked with.

use harness::{
    Context, Judged,
    origin::certificate::{Authority, Leaf, Validity},
};

use super::site::{Plan, comes_whole};
use crate::client;

pub(super) fn a_real_server_proves_who_it_is(context: &Context) -> Judged {
    const PAGE: &[u8] = b"a secret";
    let mut root = Authority::root("Groundwork real root")?;
    let stranger = Authority::root("Groundwork strange root")?;
    let mut between = root.intermediate("Groundwork real intermediate")?;
    let good = between.issue(&Leaf::new(&["localhost"]))?;
    let elsewhere = between.issue(&Leaf::new(&["elsewhere.test"]))?;
    let expired = root.issue(&Leaf::new(&["localhost"]).valid(Validity::Expired))?;
    let site = Plan::new(context)?
        .file("page", PAGE)?
        .https(&good, "TLSv1.2")?
        .https(&good, "TLSv1.3")?
        .https(&elsewhere, "TLSv1.2 TLSv1.3")?
        .https(&expired, "TLSv1.2 TLSv1.3")?
        .start()?;
    let url = |server| site.url("https", "localhost", server, "/page");
    for server in [0, 1] {
        comes_whole(context, &url(server), Some(&root), PAGE)?;
        comes_whole(context, &site.url("https", "localhost", server, "/chunked/page"), Some(&root), PAGE)?;
    }
    for (server, trusted, what) in [
        (0, &stranger, "shows a certificate by an authority that is not trusted"),
        (2, &root, "shows a certificate for elsewhere.test"),
        (3, &root, "shows a certificate that has expired"),
    ] {
        let run = client::get(context, &url(server))?.trusting(trusted)?;
        run.against([format!("nginx {what}")]).outcome()?.fails_as(&["tls"])?;
    }
    Ok(())
}
