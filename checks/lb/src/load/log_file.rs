//! Where the log goes, and how it is written.

use std::{fs, path::Path};

use harness::{Context, Halt, Judged};

use crate::{log::Line, scene::Scene};

/// Clients of each of two balancers.
const CLIENTS: usize = 200;

/// A line of an earlier run.
const EARLIER: &str =
    "2020-01-01T00:00:00.000Z client=127.0.0.1:1 backend=127.0.0.1:2 sent=0 received=0 status=ok";

pub(super) fn lines_never_mix(context: &Context) -> Judged {
    const ROUNDS: usize = 3;
    let folder = context.folder()?;
    let file = folder.path().join("log");
    fs::write(&file, format!("{EARLIER}\n"))?;
    Scene::play(context, |scene| {
        let lb = scene.balancer(&scene.echoing(1)?).logging_to(file.clone()).start()?;
        scene.tell("a second balancer has the same log");
        Scene::play(context, |other| {
            let second = other.balancer(&other.echoing(1)?).logging_to(file.clone()).start()?;
            for round in 1..=ROUNDS {
                let clients = lb.all_answered(CLIENTS)?;
                let others = second.all_answered(CLIENTS)?;
                // Resets need nobody else to move, so both programs have as much to write at the same time.
                scene.tell("the clients of both reset their connections");
                scene.untold(|| clients.iter().for_each(|client| client.reset()));
                other.untold(|| others.iter().for_each(|client| client.reset()));
                all_lines(other, &file, 1 + round * 2 * CLIENTS)?;
            }
            Ok(())
        })
    })
}

/// Waits for so many lines, of which each is one, and the first is that of the earlier run.
#[track_caller]
fn all_lines(scene: &Scene<'_>, file: &Path, count: usize) -> Judged {
    let text = || fs::read_to_string(file).unwrap_or_default();
    scene.wait(format!("{count} lines in the log of both"), || text().matches('\n').count() >= count)?;
    let text = text();
    for line in text.lines() {
        Line::parse(line)?;
    }
    match text.lines().next() {
        Some(EARLIER) => Ok(()),
        first => Err(Halt::fail("what was in the file is still there", first.unwrap_or("nothing"))),
    }
}

pub(super) fn without_a_file_the_log_is_on_stdout(context: &Context) -> Judged {
    Scene::play(context, |scene| {
        let lb = scene.balancer(&scene.echoing(1)?).logging_to_stdout().start()?;
        for words in [&b"hello"[..], b"hello again"] {
            let client = lb.client()?;
            client.send(words);
            client.receives(words)?;
            client.finish();
            client.receives_end()?;
            let awaited = format!("a line on stdout when {} has ended", client.name());
            let said = match scene.process().as_mut() {
                Some(process) => process.read_line(awaited)?,
                None => return Err(Halt::fault("a balancer that was not started")),
            };
            let line = Line::parse(&said)?;
            let length = words.len() as u64;
            if (line.client, line.sent, line.received) != (client.local(), length, length) {
                let expected = format!("client={} … sent={length} received={length}", client.local());
                return Err(Halt::fail(expected, said));
            }
        }
        Ok(())
    })
}
