//! The guests of one command: which kind they are, found out by the first that is needed.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, bail};
use harness::event::{Contract, Request, Subject, VERSION};

use super::{
    Each, LOG,
    guest::Ended,
    log::Log,
    qemu,
    station::{Kind, Station},
};
use crate::{house::House, interrupt, suite::Suite};

/// Guests of the first kind that works.
#[derive(Debug)]
pub(crate) struct Guests {
    /// Where the grader keeps what guests need.
    folder: PathBuf,
    /// Folders besides those of the subject's files that a guest has to see.
    keep: Vec<PathBuf>,
    choice: Mutex<Choice>,
}

/// What is known about the kinds so far. The first guest that a run needs is also the trial of its kind.
#[derive(Debug)]
struct Choice {
    /// Kinds that were not tried, the quickest first.
    left: VecDeque<Kind>,
    current: Option<Arc<Station>>,
    /// Why each of the others does not work.
    reasons: Vec<(Kind, String)>,
    /// Kinds that are not here, and could not be fetched.
    missing: Vec<Kind>,
}

/// How a reason begins that installing something does away with.
const MISSING: &str = "there is no ";

/// Every kind, the quickest first.
pub(super) const ALL: [Kind; 3] = [Kind::Uml, Kind::Kvm, Kind::Qemu];

impl Guests {
    /// Of the first of these kinds that works. They see the checkout, wherever it lies.
    pub(super) fn of(kinds: impl IntoIterator<Item = Kind>, house: &House) -> Self {
        let choice =
            Choice { left: kinds.into_iter().collect(), current: None, reasons: vec![], missing: vec![] };
        Self { folder: folder(house), keep: vec![house.root().to_owned()], choice: Mutex::new(choice) }
    }

    /// Has them see a folder, wherever it lies.
    pub(super) fn show(&mut self, place: &Path) {
        self.keep.push(place.to_owned());
    }

    /// Runs the suite in a guest of the first kind that works. Where others came up, one that does not is followed by
    /// another: it has judged nothing, and an emulated processor at times resets itself before its kernel is up.
    pub(super) fn boot(
        &self,
        suite: &Suite,
        request: &Request,
        log: &mut Log,
        each: &mut Each<'_>,
    ) -> anyhow::Result<Ended> {
        let mut is_second = false;
        while !interrupt::happened() {
            let Some(station) = self.current() else { return Ok(Ended::Unfit(self.reason())) };
            match station.run(suite.program(), request, &self.keep, log, each)? {
                Ended::Unfit(_) if station.is_proven() && !is_second => is_second = true,
                Ended::Unfit(reason) if station.is_proven() => {
                    bail!("guests could not be set up, although others were: {reason}")
                }
                Ended::Unfit(reason) => self.discard(&station, &reason),
                ended => return Ok(ended),
            }
        }
        Ok(Ended::Interrupted)
    }

    /// The kind in use, or the next that has what it needs.
    fn current(&self) -> Option<Arc<Station>> {
        let mut choice = self.choice();
        while choice.current.is_none() {
            let kind = choice.left.pop_front()?;
            match Station::open(kind, &self.folder) {
                Ok(station) => choice.current = Some(Arc::new(station)),
                Err(reason) => {
                    if reason.starts_with(MISSING) {
                        choice.missing.push(kind);
                    }
                    choice.reasons.push((kind, reason));
                }
            }
        }
        choice.current.clone()
    }

    /// Goes on to the next kind, unless somebody has already.
    fn discard(&self, station: &Arc<Station>, reason: &str) {
        if station.kind() == Kind::Kvm {
            qemu::kvm::does_not_work(&self.folder);
        }
        let mut choice = self.choice();
        if choice.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, station)) {
            choice.current = None;
            choice.reasons.push((station.kind(), reason.to_owned()));
        }
    }

    /// Why nothing works, and the one command that would help most, if there is one.
    fn reason(&self) -> String {
        let choice = self.choice();
        let mut reasons = choice.reasons.clone();
        // Kinds that need the same miss the same.
        reasons.dedup_by(|(_, later), (_, earlier)| later == earlier);
        let each: Vec<_> =
            reasons.iter().map(|(kind, reason)| format!("{}: {reason}", kind.name())).collect();
        let helps = choice.missing.iter().find_map(|kind| kind.install());
        let helps = helps.map(|command| format!("; try: {command}")).unwrap_or_default();
        format!("no throw-away kernel starts here ({}){helps}", each.join("; "))
    }

    fn choice(&self) -> MutexGuard<'_, Choice> {
        self.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the grader keeps what guests need.
pub(super) fn folder(house: &House) -> PathBuf {
    house.own().join("lab")
}

/// Starts a guest in which a suite has nothing to do: what kind it was, or why there was none.
pub(crate) fn try_out(house: &House, suite: &Suite) -> anyhow::Result<Result<&'static str, String>> {
    let guests = Guests::of(ALL, house);
    let output = guests.folder.join("trial");
    fs::create_dir_all(&output).with_context(|| format!("cannot write to {}", output.display()))?;
    let subject = match suite.catalogue()?.contract {
        Contract::Program => Subject::Run(vec!["true".to_owned()]),
        Contract::Library => Subject::Library("none".into()),
    };
    let mut log = Log::begin(&output.join(LOG))?;
    let request = Request {
        v: VERSION,
        subject,
        stages: Vec::new(),
        checks: Vec::new(),
        seed: 1,
        jobs: 1,
        keep_going: false,
        output,
        file: None,
        announce: false,
    };
    Ok(match guests.boot(suite, &request, &mut log, &mut |_, _| Ok(()))? {
        Ended::InOrder => Ok(guests.current().map_or("none", |station| station.kind().name())),
        Ended::Unfit(reason) => Err(reason),
        Ended::Died(death) => Err(format!("a guest ended: {}", death.how)),
        Ended::Interrupted => Err("interrupted".to_owned()),
    })
}
