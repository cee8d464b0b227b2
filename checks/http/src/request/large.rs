//! A body that does not fit into what the system takes at once.

use std::{
    fs, io,
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use harness::{Context, Judged};

use super::{expect_body, the_request_of};
use crate::{bytes::shown, client, server};

/// More than the buffers of a connection hold whose receiver does not read.
const BODY_BYTES: usize = 6 << 20;

pub(super) fn a_large_body_is_sent_whole(context: &Context) -> Judged {
    let mut body = vec![0; BODY_BYTES];
    context.rng().fill(&mut body);
    // A transcript is kept by lines, and nobody would read these.
    body.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    let (tell, pids) = mpsc::channel::<i32>();
    let pids = Mutex::new(pids);
    let reply = server::closing("hello");
    let origin = context.origin().play(move |connection| {
        // Nothing is read before the client has written what it can.
        let pid = pids.lock().unwrap_or_else(PoisonError::into_inner).recv();
        wait_until_it_waits(pid.map_err(|_| io::ErrorKind::Interrupted)?);
        connection.request()?;
        reply.play(connection)
    })?;
    let url = origin.url("/");
    let run =
        client::post(context, &url, &body)?.against(["the server takes its time before it reads".to_owned()]);
    let run = run.start()?;
    let _ = tell.send(run.pid());
    let request = the_request_of(&origin, run)?;
    expect_body(&request, &body, &format!("post {url} < {}", shown(&body)))
}

/// Waits until no thread of a process is on a processor or waiting for one; a while at most, since one that spins
/// instead of waiting is no slower.
fn wait_until_it_waits(pid: i32) {
    const ENOUGH: Duration = Duration::from_secs(1);
    let began = Instant::now();
    loop {
        thread::sleep(Duration::from_millis(1));
        if !is_running(pid) || began.elapsed() > ENOUGH {
            return;
        }
    }
}

fn is_running(pid: i32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    threads.flatten().any(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The state follows the name, which may hold anything, in parentheses (proc_pid_stat(5)).
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('R'))
    })
}
