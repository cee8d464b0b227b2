//! `cargo xtask list` and `cargo xtask explain`: what a suite says about itself.

use std::fmt::Write;

use harness::event::{Catalogue, StageEntry};

use crate::{
    exit::{self, Exit},
    house::House,
    report::style::{DIM, STRONG, styled},
    select, stdout,
    suite::Suite,
};

/// Lists the projects, or the stages and checks of one.
pub(crate) fn list(house: &House, project: Option<&str>) -> anyhow::Result<Exit> {
    let mut text = String::new();
    for project_found in house.named_or_all(project)? {
        let catalogue = Suite::build(&project_found, &[])?.catalogue()?;
        text.push_str(&if project.is_some() { in_full(&catalogue) } else { in_brief(&catalogue) });
    }
    print(&text)
}

/// Explains one check.
pub(crate) fn explain(house: &House, id: &str) -> anyhow::Result<Exit> {
    let Some((name, _)) = id.split_once('/') else {
        return Err(exit::usage(format!("{id:?} is no check id: one looks like kv/3/newest_table_wins")));
    };
    let project = house.project(name)?;
    let catalogue = Suite::build(&project, &[])?.catalogue()?;
    let (stage, check) = select::find_check(&catalogue, id)?;
    let points = if check.points == 1 { "1 point".to_owned() } else { format!("{} points", check.points) };
    print(&format!(
        "{}  {}\n\n  must  {}\n  why   {}\n  page  {}\n  run   cargo xtask check {} --check {}{}\n",
        styled(STRONG, &check.id),
        styled(DIM, points),
        check.must,
        check.why,
        project.page(stage.number, &stage.slug),
        project.name,
        check.id,
        stage.with.as_ref().map(|feature| format!(" --with {feature}")).unwrap_or_default()
    ))
}

fn in_brief(catalogue: &Catalogue) -> String {
    let mut text = format!("{}\n", styled(STRONG, &catalogue.project));
    for stage in &catalogue.stages {
        let _ = writeln!(text, "  {}", stage_line(stage));
    }
    text
}

fn in_full(catalogue: &Catalogue) -> String {
    let mut text = String::new();
    for stage in &catalogue.stages {
        let _ = writeln!(text, "{}", styled(STRONG, stage_line(stage)));
        for check in &stage.checks {
            let _ = writeln!(text, "  {:>2}  {}", check.points, check.id);
            let _ = writeln!(text, "      {}", styled(DIM, &check.must));
        }
    }
    text
}

fn stage_line(stage: &StageEntry) -> String {
    let points: u32 = stage.checks.iter().map(|check| check.points).sum();
    let bonus = if stage.bonus { ", bonus" } else { "" };
    let with = stage.with.as_ref().map(|feature| format!(", --with {feature}")).unwrap_or_default();
    format!(
        "{} {:<12} {:>2} checks, {points:>2} points{bonus}{with}",
        stage.number,
        stage.slug,
        stage.checks.len()
    )
}

fn print(text: &str) -> anyhow::Result<Exit> {
    stdout::write(text)?;
    Ok(Exit::Passed)
}
