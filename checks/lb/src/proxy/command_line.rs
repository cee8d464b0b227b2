//! The program from the outside: its options, its first line, and how it refuses.

use std::{net::TcpListener, path::Path, sync::Arc};

use harness::{
    Context, Halt, Judged,
    names::Names,
    process::{Ending, Exit, Launch},
};

use crate::{
    balancer,
    bytes::shown,
    scene::{Behaviour, Scene},
};

pub(super) fn the_first_line_says_where_it_listens(context: &Context) -> Judged {
    for name in ["127.0.0.1:0", "localhost:0"] {
        Scene::play(context, |scene| {
            let backend = scene.backend("a", Behaviour::Echo)?;
            let lb = scene.balancer(&[backend]).listen(name).start()?;
            // At once: the line says that clients can connect.
            let client = lb.client()?;
            client.send(b"hello");
            client.receives(b"hello")
        })?;
    }
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        // A port of our own: reserved, and not listening any more.
        let place = scene.backend("the port to listen on", Behaviour::Echo)?;
        place.stops_listening();
        let address = place.address().to_string();
        let mut setup = scene.balancer(&[backend]).listen(&address);
        if let Some(names) = balancer::names(context, "a.test")? {
            setup = setup.backends(&[format!("a.test:{}", backend.address().port())]).knowing(&names);
        }
        let lb = setup.start()?;
        if lb.address() != place.address() {
            return Err(Halt::fail(
                format!("listening on {address}"),
                format!("listening on {}", lb.address()),
            ));
        }
        let client = lb.client()?;
        client.send(b"hello");
        client.receives(b"hello")
    })?;
    options_in_any_order(context)
}

fn options_in_any_order(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        let address = backend.address().to_string();
        let folder = context.folder()?;
        let log = folder.path().join("log").to_string_lossy().into_owned();
        let args = [
            "--log",
            &log,
            "--connect-timeout",
            "60m",
            "--backend",
            &address,
            "--health-interval",
            "60m",
            "--listen",
            "127.0.0.1:0",
        ];
        scene.tell(format!("start lb {}", args.join(" ")));
        let launch = args.iter().fold(context.launch(folder.path()), Launch::arg);
        let mut process = launch.start()?;
        let line = process.read_line("the line `listening on ADDR` on stdout")?;
        match line.strip_prefix("listening on ").and_then(|address| address.parse().ok()) {
            Some(address) => scene.connect(address)?.is_accepted(),
            None => Err(Halt::fail("`listening on ADDR`", shown(line.as_bytes()))),
        }
    })
}

pub(super) fn a_bad_command_line_is_refused(context: &Context) -> Judged {
    const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];
    const BACKEND: [&str; 2] = ["--backend", "127.0.0.1:9001"];
    // What is added to a good command line, or takes a part of it away; and what stderr has to name.
    let cases: [(&[&str], &[&str], &str); 15] = [
        (&LISTEN, &[], "--backend"),
        (&BACKEND, &[], "--listen"),
        (&[], &[], "--"),
        (&LISTEN, &BACKEND[..1], "--backend"),
        (&BACKEND, &LISTEN[..1], "--listen"),
        (&LISTEN, &["--backend", "127.0.0.1:9001", "--backend", "127.0.0.1:9001"], "127.0.0.1:9001"),
        (&LISTEN, &["--backend", "nobody.invalid:80"], "nobody.invalid"),
        (&LISTEN, &["--backend", "127.0.0.1"], "127.0.0.1"),
        (&LISTEN, &["--backend", "127.0.0.1:70000"], "70000"),
        (&LISTEN, &["--backend", "127.0.0.1:http?"], "http?"),
        (&BACKEND, &["--listen", "nonsense"], "nonsense"),
        (&["--listen", "127.0.0.1:0", "--backend", "127.0.0.1:9001"], &["--colour", "blue"], "--colour"),
        (&["--listen", "127.0.0.1:0", "--backend", "127.0.0.1:9001"], &["127.0.0.1:9002"], "127.0.0.1:9002"),
        (&["--listen", "127.0.0.1:0", "--backend", "127.0.0.1:9001"], &["--log"], "--log"),
        (
            &["--listen", "127.0.0.1:0", "--backend", "127.0.0.1:9001"],
            &["--connect-timeout"],
            "--connect-timeout",
        ),
    ];
    // A good one first: who refuses everything has refused nothing.
    Scene::play(context, |scene| {
        let backend = scene.backend("a", Behaviour::Echo)?;
        scene.balancer(&[backend]).start()?.client().map(drop)
    })?;
    let names = balancer::names(context, "localhost")?;
    for (first, then, culprit) in cases {
        is_refused(context, &[first, then].concat(), culprit, names.as_ref())?;
    }
    let durations = ["0", "0s", "0ms", "10", "1.5s", "-1s", "+1s", "1h", "1 s", "s", "", "10S", "1s1s", "٣s"];
    for (number, duration) in durations.into_iter().enumerate() {
        let option = if number % 2 == 0 { "--health-interval" } else { "--connect-timeout" };
        is_refused(context, &[&LISTEN[..], &BACKEND, &[option, duration]].concat(), option, None)?;
    }
    Ok(())
}

pub(super) fn what_cannot_be_opened_is_named(context: &Context) -> Judged {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    is_refused(context, &["--listen", &address, "--backend", "127.0.0.1:9001"], &address, None)?;
    let folder = context.folder()?;
    let below_nothing = folder.path().join("missing").join("log");
    for log in [folder.path(), &below_nothing] as [&Path; 2] {
        let log = log.to_string_lossy().into_owned();
        let args = ["--listen", "127.0.0.1:0", "--backend", "127.0.0.1:9001", "--log", &log];
        is_refused(context, &args, &log, None)?;
    }
    Ok(())
}

/// The program ends with status 2, says nothing on stdout, and names the culprit on stderr.
#[track_caller]
fn is_refused(context: &Context, args: &[&str], culprit: &str, names: Option<&Arc<Names>>) -> Judged {
    let told = || [format!("run lb {}", args.join(" "))];
    match balancer::run(context, args, names) {
        Ok(ending) => match judge(&ending, culprit) {
            Ok(()) => Ok(()),
            Err(halt) => Err(halt.did(told())),
        },
        Err(halt) => Err(halt.did(told())),
    }
}

#[track_caller]
fn judge(ending: &Ending, culprit: &str) -> Judged {
    let expected = format!("exit status 2, nothing on stdout, and a sentence on stderr that names {culprit}");
    if ending.exit != Exit::Status(2) {
        return Err(ending.halt(&expected));
    }
    if let Some(line) = ending.unread.first() {
        return Err(Halt::fail(expected, format!("{} on stdout", shown(line.as_bytes()))));
    }
    if !ending.stderr.contains(culprit) {
        return Err(Halt::fail(expected, format!("{} on stderr", shown(ending.stderr.as_bytes()))));
    }
    Ok(())
}
