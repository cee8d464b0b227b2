//! What is no URL, and has to be refused before anything is sent anywhere.

use harness::{Context, Halt, Judged};

use crate::{bytes::shown, client, server};

pub(super) fn what_is_no_url_is_refused(context: &Context) -> Judged {
    let origin = server::closing("hello").serve(context)?;
    let port = origin.port();
    let cases = [
        (String::new(), &["bad-url", "unsupported"][..]),
        ("/only/a/path".to_owned(), &["bad-url", "unsupported"]),
        (format!("127.0.0.1:{port}/"), &["bad-url", "unsupported"]),
        ("http://".to_owned(), &["bad-url"]),
        ("http:///path".to_owned(), &["bad-url"]),
        (format!("http://:{port}/"), &["bad-url"]),
        (format!("http:/127.0.0.1:{port}/"), &["bad-url", "unsupported"]),
        (format!("http//127.0.0.1:{port}/"), &["bad-url", "unsupported"]),
        ("http://127.0.0.1:65536/".to_owned(), &["bad-url"]),
        (format!("http://127.0.0.1:{}/", u64::from(port) + (1 << 16)), &["bad-url"]),
        (format!("http://127.0.0.1:+{port}/"), &["bad-url"]),
        (format!("http://127.0.0.1:-{port}/"), &["bad-url"]),
        (format!("http://127.0.0.1:{port}x/"), &["bad-url"]),
        (format!("http://127.0.0.1:{port}:{port}/"), &["bad-url"]),
        ("http://127.0.0.1:0/".to_owned(), &["bad-url"]),
        ("http://127.0.0.1:99999999999999999999/".to_owned(), &["bad-url"]),
        ("http://?q".to_owned(), &["bad-url"]),
        (format!("http://[::1:{port}/"), &["bad-url"]),
        (format!("http://::1:{port}/"), &["bad-url"]),
        (format!("http://[127.0.0.1.example]:{port}/"), &["bad-url"]),
        (format!("http://[]:{port}/"), &["bad-url"]),
        (format!("http://[::1]x:{port}/"), &["bad-url"]),
        (format!("ftp://127.0.0.1:{port}/"), &["unsupported", "bad-url"]),
        (format!("file://127.0.0.1:{port}/etc/passwd"), &["unsupported", "bad-url"]),
    ];
    for (url, kinds) in cases {
        refused(context, &url, kinds)?;
        if let Some(record) = server::first(&origin) {
            let got = format!("a connection, and {} on it", shown(&record.received));
            let halt = Halt::fail("nobody is connected to for a URL that is refused", got);
            return Err(halt.did([format!("run http get {}", shown(url.as_bytes()))]));
        }
    }
    Ok(())
}

pub(super) fn no_byte_of_a_url_ends_a_line(context: &Context) -> Judged {
    let origin = server::closing("hello").serve(context)?;
    let port = origin.port();
    // An argument cannot hold a NUL. What lies above ASCII may be refused, or escaped.
    let controls = (1..=0x20).chain([0x7f]).map(char::from);
    for control in controls {
        // One place for most, every place for those that end lines or words.
        let places = if "\r\n\t ".contains(control) { 6 } else { 1 };
        let urls = [
            format!("http://127.0.0.1:{port}/a{control}b"),
            format!("http://127.0.0.1:{port}/a?b{control}c"),
            format!("http://127.0.0.1:{port}{control}/"),
            format!("http://127.0.0.1{control}:{port}/"),
            format!("{control}http://127.0.0.1:{port}/"),
            format!("http://127.0.0.1:{port}/{control}"),
        ];
        for url in &urls[..places] {
            harmless(context, url, control)?;
        }
        if let Some(record) = server::first(&origin)
            && control != '\t'
        {
            let got = format!("the server received {}", shown(&record.received));
            let halt = Halt::fail(format!("a URL with {control:?} in it is refused"), got);
            return Err(halt.likely("the URL is written into the request as it came"));
        }
    }
    Ok(())
}

/// A URL with a control character: refused. What browsers repair, a tab, may be repaired, and is then not sent.
#[track_caller]
fn harmless(context: &Context, url: &str, control: char) -> Judged {
    let outcome = client::get(context, url)?.outcome()?;
    if control == '\t' && outcome.result.is_ok() {
        return Ok(());
    }
    outcome.fails_as(&["bad-url"]).map(drop)
}

#[track_caller]
fn refused(context: &Context, url: &str, kinds: &[&str]) -> Judged {
    client::get(context, url)?.outcome()?.fails_as(kinds).map(drop)
}
