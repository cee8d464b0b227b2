//! Part 5: the three trees agree. A stage has its page, its check file and its modules; the starter has the solution's
//! files and public signatures; and nothing lies about that belongs to none of them.

mod signatures;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{Audit, Findings};

/// Looks at everything that can be compared without running it.
pub(super) fn look(audit: &Audit<'_>) -> anyhow::Result<(String, Findings)> {
    let mut findings = Findings::new();
    for stage in &audit.catalogue.stages {
        let page = audit.project.page(stage.number, &stage.slug);
        let module = stage.slug.replace('-', "_");
        let mut places = vec![page.clone(), format!("checks/{}/src/{module}.rs", audit.project.name)];
        match &stage.with {
            None => places.push(format!("solutions/{}/src/{module}.rs", audit.project.name)),
            // It tries in earnest what other stages ask for, and asks for nothing new.
            Some(feature) if audit.project.features()?.contains(feature) => {}
            Some(feature) => findings.push(format!(
                "stage {} {} needs the feature {feature}, which checks/{}/Cargo.toml does not declare",
                stage.number, stage.slug, audit.project.name
            )),
        }
        for place in places.iter().filter(|place| !audit.house.root().join(place).is_file()) {
            findings.push(format!("stage {} {} has no {place}", stage.number, stage.slug));
        }
        for check in stage.checks.iter().filter(|check| check.must.is_empty() || check.why.is_empty()) {
            findings.push(format!("{} does not say what must hold, or why", check.id));
        }
    }
    stray_pages(audit, &mut findings)?;
    if !audit.args.without_starter {
        starter(audit, &mut findings)?;
    }
    Ok((format!("{} stages", audit.catalogue.stages.len()), findings))
}

fn stray_pages(audit: &Audit<'_>, findings: &mut Findings) -> anyhow::Result<()> {
    let pages: BTreeSet<_> = audit
        .catalogue
        .stages
        .iter()
        .map(|stage| PathBuf::from(format!("{}-{}.md", stage.number, stage.slug)))
        .collect();
    for page in files(&audit.project.exercise.join("stages"))?.difference(&pages) {
        findings.push(format!(
            "exercises/{}/stages/{} belongs to no stage",
            audit.project.name,
            page.display()
        ));
    }
    Ok(())
}

fn starter(audit: &Audit<'_>, findings: &mut Findings) -> anyhow::Result<()> {
    let (exercise, solution) = (audit.project.exercise.join("src"), audit.project.solution.join("src"));
    let (theirs, ours) = (files(&exercise)?, files(&solution)?);
    for path in ours.symmetric_difference(&theirs) {
        findings.push(format!("src/{} is in only one of starter and solution", path.display()));
    }
    for path in ours.intersection(&theirs) {
        let read = |folder: &Path| {
            fs::read_to_string(folder.join(path)).with_context(|| format!("cannot read {}", path.display()))
        };
        let (starter, solution) = (read(&exercise)?, read(&solution)?);
        let given =
            !starter.contains("todo!(") && (path == Path::new("main.rs") || starter.starts_with("//! Given"));
        if given && starter != solution {
            findings
                .push(format!("src/{} is given, so starter and solution must have the same", path.display()));
        }
        let (starter, solution) = (signatures::public(&starter), signatures::public(&solution));
        for signature in solution.symmetric_difference(&starter) {
            findings
                .push(format!("src/{}: only one of starter and solution has `{signature}`", path.display()));
        }
    }
    let known =
        |name: &str| ["Cargo.toml", "README.md", "src", "stages"].contains(&name) || name.starts_with('.');
    for entry in fs::read_dir(&audit.project.exercise)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !known(&name) {
            findings.push(format!("exercises/{}/{name} belongs to nothing", audit.project.name));
        }
    }
    Ok(())
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let entries =
            fs::read_dir(folder.join(&below)).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries.flatten() {
            let path = below.join(entry.file_name());
            if entry.path().is_dir() {
                open.push(path);
            } else {
                found.insert(path);
            }
        }
    }
    Ok(found)
}
