//! Which stages and checks a command line means.

use std::path::PathBuf;

use harness::event::{Catalogue, CheckEntry, FILE_STAGE, StageEntry};

use crate::{cli::CheckArgs, exit, nearest};

/// Stages and checks that were selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) stages: Vec<u32>,
    /// Ids; empty for all checks of the stages.
    pub(crate) checks: Vec<String>,
    /// The student's file to play instead.
    pub(crate) file: Option<PathBuf>,
}

/// The selection that `args` ask for. A file to play becomes a stage of its own in the catalogue.
pub(crate) fn select(catalogue: &mut Catalogue, args: &CheckArgs) -> anyhow::Result<Selection> {
    if let Some(file) = &args.trace {
        let Some(check) = catalogue.on_file.take() else {
            return Err(exit::usage(format!("{} has no traces to play", catalogue.project)));
        };
        let slug = check.id.rsplit('/').next().unwrap_or_default().to_owned();
        catalogue.stages =
            vec![StageEntry { number: FILE_STAGE, slug, bonus: false, with: None, checks: vec![check] }];
        let file = std::path::absolute(file)?;
        if !file.is_file() {
            return Err(exit::usage(format!("there is no file {}", file.display())));
        }
        return Ok(Selection { file: Some(file), ..Selection::default() });
    }
    if let Some(wanted) = &args.check {
        let (stage, check) = find_check(catalogue, wanted)?;
        can_run(stage, args)?;
        return Ok(Selection { stages: vec![stage.number], checks: vec![check.id.clone()], file: None });
    }
    if let Some(number) = args.stage {
        let Some(last) = catalogue.stages.iter().find(|stage| stage.number == number) else {
            let last = catalogue.stages.last().map_or(0, |stage| stage.number);
            let project = &catalogue.project;
            return Err(exit::usage(format!(
                "{project} has no stage {number}: it has 1 to {last} (`cargo xtask list {project}`)"
            )));
        };
        can_run(last, args)?;
    }
    // What was asked for by its feature is run whatever the number of the last stage.
    let chosen = |stage: &&StageEntry| match (&stage.with, args.stage) {
        (Some(feature), _) => args.with.contains(feature),
        (None, None) => true,
        (None, Some(number)) if args.only => stage.number == number,
        (None, Some(number)) => stage.number <= number,
    };
    let stages = catalogue.stages.iter().filter(chosen).map(|stage| stage.number).collect();
    Ok(Selection { stages, ..Selection::default() })
}

/// Refuses a stage that the suite was not built for.
fn can_run(stage: &StageEntry, args: &CheckArgs) -> anyhow::Result<()> {
    match &stage.with {
        Some(feature) if !args.with.contains(feature) => Err(exit::usage(format!(
            "stage {} {} needs {feature}; add --with {feature} (`cargo xtask doctor` says whether it is here)",
            stage.number, stage.slug
        ))),
        _ => Ok(()),
    }
}

/// A check by its id, or by its name alone.
pub(crate) fn find_check<'c>(
    catalogue: &'c Catalogue,
    wanted: &str,
) -> anyhow::Result<(&'c StageEntry, &'c CheckEntry)> {
    let all =
        || catalogue.stages.iter().flat_map(|stage| stage.checks.iter().map(move |check| (stage, check)));
    let named = |id: &str| id == wanted || id.rsplit('/').next() == Some(wanted);
    all().find(|(_, check)| named(&check.id)).ok_or_else(|| {
        let ids = all().map(|(_, check)| check.id.as_str());
        let names = all().map(|(_, check)| check.id.rsplit('/').next().unwrap_or_default());
        let suggestion = nearest::suggestion(wanted, ids.chain(names));
        let project = &catalogue.project;
        exit::usage(format!(
            "there is no check {wanted:?}{suggestion} (`cargo xtask list {project}` shows them all)"
        ))
    })
}
