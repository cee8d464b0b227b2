//! What stands in the environment, and is nobody's business.

use harness::{Context, Halt, Judged};

use crate::{bytes::shown, client, server};

pub(super) fn proxies_are_not_asked(context: &Context) -> Judged {
    let proxy = server::ok("of the proxy").serve(context)?;
    let origin = server::ok("hello").serve(context)?;
    let mut run = client::get(context, &origin.url("/"))?;
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        run = run.env(name, proxy.url("").trim_end_matches('/'));
    }
    run.outcome()?.is(200, b"hello")?;
    match server::first(&proxy) {
        None => Ok(()),
        Some(record) => {
            let got = format!("the proxy was sent {}", shown(&record.received));
            Err(Halt::fail("the environment changes nothing", got))
        }
    }
}
