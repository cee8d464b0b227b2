//! Pages, chunks, redirects, and a file of a hundred megabytes.

use harness::{
    Context, Judged,
    origin::certificate::{Authority, Leaf},
};

use super::site::{Plan, bytes, comes_whole};
use crate::client;

/// The sizes of files: none, one byte, around nginx's buffers (of 32 KiB), and many.
const SIZES: [usize; 7] = [0, 1, 4095, 32_768, 32_769, 100_000, 3_000_001];

/// A server that ends the connection after its answer: whether a client waits for that is another check's matter.
const CLOSING: &str = "keepalive_timeout 0;";

fn with_files<'c>(context: &'c Context, body: &[u8]) -> Judged<Plan<'c>> {
    let plan = Plan::new(context)?;
    SIZES.iter().try_fold(plan, |plan, &size| plan.file(&size.to_string(), &body[..size]))
}

pub(super) fn real_pages_end_where_they_end(context: &Context) -> Judged {
    let body = bytes(context, SIZES[SIZES.len() - 1]);
    let site = with_files(context, &body)?.http("keepalive_timeout 1h;")?.start()?;
    for size in SIZES {
        let url = site.url("http", "127.0.0.1", 0, &format!("/{size}"));
        comes_whole(context, &url, None, &body[..size])?;
    }
    let missing = client::get(context, &site.url("http", "127.0.0.1", 0, "/missing"))?.outcome()?;
    let told = missing.told.clone();
    let page = missing.response()?;
    let text = String::from_utf8_lossy(&page.body).into_owned();
    if page.status == 404 && text.contains("404 Not Found") && text.trim_end().ends_with("</html>") {
        return Ok(());
    }
    let got = format!("status {} and {}", page.status, crate::bytes::shown(&page.body));
    Err(harness::Halt::fail("status 404 and all of nginx's own page for it", got).did(told))
}

pub(super) fn real_chunks_are_read(context: &Context) -> Judged {
    let body = bytes(context, SIZES[SIZES.len() - 1]);
    let site = with_files(context, &body)?.http("keepalive_timeout 1h;")?.start()?;
    SIZES.iter().try_for_each(|&size| {
        let url = site.url("http", "127.0.0.1", 0, &format!("/chunked/{size}"));
        comes_whole(context, &url, None, &body[..size])
    })
}

pub(super) fn real_redirects_are_followed(context: &Context) -> Judged {
    let plan = Plan::new(context)?.file("folder/index.html", b"the page of the folder")?.http(CLOSING)?;
    let other = plan.address(0);
    let more = format!(
        "{CLOSING} location = /path {{ absolute_redirect off; return 302 /folder/; }}\n\
         location = /port {{ return 301 http://{other}/folder/; }}\n\
         location = /twice {{ return 302 /path; }}\n\
         location = /loop {{ return 302 /loop; }}"
    );
    let site = plan.http(&more)?.start()?;
    for path in ["/folder", "/path", "/port", "/twice"] {
        let url = site.url("http", "127.0.0.1", 1, path);
        comes_whole(context, &url, None, b"the page of the folder")?;
    }
    let run = client::get(context, &site.url("http", "127.0.0.1", 1, "/loop"))?;
    run.outcome()?.fails_as(&["too-many-redirects"]).map(drop)
}

pub(super) fn a_hundred_megabytes_come_through(context: &Context) -> Judged {
    const BYTES: usize = 100_000_000;
    let body = bytes(context, BYTES);
    let mut root = Authority::root("Groundwork real root")?;
    let identity = root.issue(&Leaf::new(&["localhost"]))?;
    let plan = Plan::new(context)?.file("large", &body)?.http(CLOSING)?;
    let site = plan.https(&identity, "TLSv1.2 TLSv1.3")?.start()?;
    comes_whole(context, &site.url("http", "127.0.0.1", 0, "/large"), None, &body)?;
    comes_whole(context, &site.url("http", "127.0.0.1", 0, "/chunked/large"), None, &body)?;
    comes_whole(context, &site.url("https", "localhost", 1, "/large"), Some(&root), &body)
}
