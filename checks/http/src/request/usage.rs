//! The command line, and what a client that only gets has no business with.

use harness::{Context, Halt, Judged};

use crate::{client, server};

pub(super) fn get_leaves_stdin_alone(context: &Context) -> Judged {
    let origin = server::closing("hello").serve(context)?;
    let run = client::get(context, &origin.url("/"))?.while_stdin_is_open(b"for whoever comes next\n");
    run.outcome()?.is(200, b"hello").map(drop).map_err(|halt| {
        halt.likely("stdin is read to its end, which does not come, although a GET sends nothing of it")
    })
}

pub(super) fn the_command_line_is_as_promised(context: &Context) -> Judged {
    let origin = server::closing("hello").serve(context)?;
    let url = origin.url("/");
    for words in [
        &["get", "--max-time", "20", &url][..],
        &["get", &url, "--max-time", "20"],
        &["get", "--max-time", "20.5", &url],
    ] {
        client::words(context, words)?.outcome()?.is(200, b"hello")?;
    }
    let accepted = server::settled_connections(&origin);
    for words in [
        &[][..],
        &["get"],
        &[&url],
        &["put", &url],
        &["get", &url, &url],
        &["get", &url, "post"],
        &["get", "--frobnicate", &url],
        &["get", &url, "--frobnicate"],
        &["get", &url, "--max-time"],
        &["get", &url, "--max-time", ""],
        &["get", &url, "--max-time", "soon"],
        &["get", &url, "--max-time", "0"],
        &["get", &url, "--max-time", "-1"],
        &["get", &url, "--max-time", "nan"],
        &["get", &url, "--ca"],
    ] {
        client::words(context, words)?.refused_as_usage()?;
        if server::settled_connections(&origin) > accepted {
            let halt = Halt::fail("no connection for a command line that is none", "one was made");
            return Err(halt.did([format!("run http {}", words.join(" "))]));
        }
    }
    Ok(())
}
