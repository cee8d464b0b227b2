//! What this machine offers to checks, each found by trying it to the end rather than by looking for files.

use std::{fs, io::Write, net::Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::{Judged, crash, docker, names, small_disk::SmallDisk, workspace::Workspace};
use crate::verdict::Verdict;

/// Something that a machine may or may not offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facility {
    /// What it is.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// Why it is not to be had, and what would help; `None` when it is.
    pub missing: Option<String>,
}

/// Every facility that the harness knows.
pub fn all() -> Vec<Facility> {
    vec![
        facility("a folder to work in", "every check runs its subject in a folder of its own", workspace()),
        facility(
            "tracing of system calls",
            "kills a subject at every change of its files",
            crash::can_trace(),
        ),
        facility("a disk that fills up", "shows what a subject does when space runs out", disk_fills_up()),
        facility("names of a check's own", "host names with the addresses that a check chose", own_names()),
        facility("containers", "real servers (check --with docker)", docker::Engine::find().map(drop)),
    ]
}

fn facility(name: &str, purpose: &str, trial: Judged) -> Facility {
    let missing = trial.err().map(|halt| match halt.verdict {
        Verdict::Skip { reason } => reason,
        Verdict::Fault { detail } => detail,
        other => other.word().to_owned(),
    });
    Facility { name: name.to_owned(), purpose: purpose.to_owned(), missing }
}

fn workspace() -> Judged {
    let workspace = Workspace::create()?;
    Ok(fs::write(workspace.path().join("trial"), b"written")?)
}

fn own_names() -> Judged {
    let workspace = Workspace::create()?;
    let names = names::Names::in_folder(workspace.path(), &[("a.test", Ipv4Addr::LOCALHOST.into())])?;
    let hosts = fs::read_to_string(names.hosts_from_outside())?;
    if hosts.contains("a.test") {
        Ok(())
    } else {
        Err(super::Halt::fault(format!("/etc/hosts is {hosts:?}")))
    }
}

fn disk_fills_up() -> Judged {
    let workspace = Workspace::create()?;
    let disk = SmallDisk::mount(workspace.path(), 64 << 10)?;
    let mut file = fs::File::create(disk.seen_from_outside().join("trial"))?;
    match file.write_all(&[1; 128 << 10]) {
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Ok(()),
        other => Err(super::Halt::fault(format!("128 KiB fitted on a disk of 64: {other:?}"))),
    }
}
