//! Very many connections: as many as the machine lets this suite have, up to ten thousand.

use std::{fs, time::Duration};

use harness::{Context, Halt, Judged, process::Limits};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::{
    backend::Backend,
    balancer::{Balancer, Setup},
    client::Peer,
    machine::{have_descriptors, most_descriptors},
    scene::{Behaviour, Scene},
};

/// So many connect at once.
const WAVE: usize = 1_000;

/// How long a wait may take in which thousands move.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many connections there can be: ten thousand, or less where the machine allows fewer descriptors.
///
/// # Errors
/// Skip when that is less than half.
pub(super) fn most_connections(context: &Context) -> Judged<usize> {
    const WANTED: usize = 10_000;
    /// Listeners, pipes and files of this suite.
    const OTHERS: usize = 80;
    let most = most_descriptors()? as usize;
    let connections = (most.saturating_sub(OTHERS) / 2).min(WANTED);
    if connections < WANTED / 2 {
        return Err(Halt::skip(format!(
            "{WANTED} connections need {} descriptors, and {most} are allowed: raise the hard limit (ulimit -Hn)",
            2 * WANTED + OTHERS
        )));
    }
    if connections < WANTED {
        context.measured(format!("{connections} connections: this machine allows {most} descriptors"));
    }
    Ok(connections)
}

/// A balancer before four backends, with as many descriptors as so many connections need. It has to ask for them.
#[track_caller]
pub(super) fn setup<'s>(scene: &'s Scene<'s>, connections: usize) -> Judged<Setup<'s>> {
    const OTHERS: usize = 48;
    let mut backends: Vec<Backend<'_>> = Vec::new();
    for name in ["a", "b", "c", "d"] {
        backends.push(scene.backend(name, Behaviour::Echo)?);
    }
    scene.set_allowance(PATIENCE);
    let open_files = (2 * connections + OTHERS) as u64;
    let limits = Limits { open_files, open_files_at_first: 1024, ..Limits::default() };
    scene.tell(format!("lb may have {open_files} descriptors, if it raises its soft limit"));
    Ok(scene.balancer(&backends).limits(limits))
}

/// So many clients more, who come in waves, and who all were answered.
#[track_caller]
pub(super) fn come<'s>(scene: &Scene<'s>, lb: &Balancer<'s>, count: usize) -> Judged<Vec<Peer<'s>>> {
    let mut all = Vec::new();
    while all.len() < count {
        let wave = scene.untold(|| lb.clients(WAVE.min(count - all.len())))?;
        are_answered(scene, &wave, 1)?;
        all.extend(wave);
    }
    scene.tell(format!("{count} clients connect in waves of {WAVE}; each is answered, and stays"));
    Ok(all)
}

/// All of them say a word, which for each is the one of this number, and get it back.
#[track_caller]
fn are_answered(scene: &Scene<'_>, clients: &[Peer<'_>], number: u64) -> Judged {
    const WORD: &[u8] = b"hello";
    scene.untold(|| clients.iter().for_each(|client| client.send(WORD)));
    let whole = number * WORD.len() as u64;
    scene.all("clients to be answered", clients, |client| {
        client.received_bytes() >= whole || client.end().is_some()
    })?;
    let wrong = clients.iter().find(|client| client.received() != WORD.repeat(number as usize));
    // What is wrong with it is said there.
    wrong.map_or(Ok(()), |client| client.receives(&WORD.repeat(number as usize)))
}

pub(super) fn ten_thousand_at_once_are_served(context: &Context) -> Judged {
    let count = most_connections(context)?;
    Scene::play(context, |scene| {
        let lb = setup(scene, count)?.start()?;
        let clients = come(scene, &lb, count)?;
        scene.tell("all of them send and are answered once more");
        for wave in clients.chunks(WAVE) {
            are_answered(scene, wave, 2)?;
        }
        scene.tell("all of them end");
        for wave in clients.chunks(WAVE) {
            scene.untold(|| wave.iter().for_each(|client| client.finish()));
            scene.all("clients to be closed", wave, |client| client.end().is_some())?;
        }
        Ok(())
    })
}

pub(super) fn a_thousand_may_come_in_one_moment(context: &Context) -> Judged {
    have_descriptors(2 * WAVE as u64 + 100)?;
    // A queue is as long as the program asks for, and not longer than this.
    let longest = fs::read_to_string("/proc/sys/net/core/somaxconn")?;
    let count = WAVE.min(longest.trim().parse().unwrap_or(WAVE));
    Scene::play(context, |scene| {
        let lb = setup(scene, WAVE)?.start()?;
        scene.set_allowance(Duration::from_secs(3));
        let group = Pid::from_raw(lb.pid());
        scene.tell("lb is stopped (SIGSTOP): the kernel accepts for it");
        killpg(group, Signal::SIGSTOP)?;
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(scene.untold(|| scene.connect(lb.address()))?);
        }
        scene.tell(format!("{count} clients connect at once"));
        let connected = || clients.iter().filter(|client| client.is_connected_yet() == Some(true)).count();
        if scene.attempt(|| (connected() == count).then_some(()))?.is_none() {
            let expected = format!("{count} connections in the queue of the listening socket");
            let halt = Halt::fail(expected, format!("{} have found a place", connected()));
            return Err(halt.likely("the backlog that `listen` was called with is shorter"));
        }
        scene.tell("lb goes on (SIGCONT)");
        killpg(group, Signal::SIGCONT)?;
        scene.set_allowance(PATIENCE);
        are_answered(scene, &clients, 1)
    })
}
