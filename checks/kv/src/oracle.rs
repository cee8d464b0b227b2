//! What may be found after a crash: the state after some prefix of the operations that includes every acknowledged
//! one. The whole map is compared; sampled keys or latest values alone would miss a hole (RocksDB's fuzzer learnt
//! this in 2022).

use std::collections::{BTreeMap, BTreeSet};

use harness::{
    Context, Halt, Judged,
    crash::{self, Change, Then, Traced},
    process::Exit,
};

use crate::{
    disk::{self, Files},
    model,
    step::{Step, quoted, told, value_or_null},
    store::{Reply, STORE, Store},
};

/// Compares what a reopened store holds with every state that is allowed: after at least `acknowledged` of `steps`.
/// An error reply says nothing about its key; whether errors are allowed is the caller's to say.
#[track_caller]
pub(crate) fn is_a_prefix(
    store: &mut Store<'_>,
    steps: &[Step],
    acknowledged: usize,
    errors: Errors,
) -> Judged {
    let keys: BTreeSet<&String> = steps.iter().filter_map(changed_key).collect();
    let gets: Vec<_> = keys.iter().map(|key| Step::Get((*key).clone())).collect();
    let replies = store.ask_all(&gets)?;
    let found: BTreeMap<&String, Reply> = keys.into_iter().zip(replies).collect();
    if errors == Errors::Refused
        && let Some((key, Reply::Error(message))) =
            found.iter().find(|(_, reply)| matches!(reply, Reply::Error(_)))
    {
        store.say(format!("get {}", quoted(key)));
        let halt = Halt::fail("a value or null", format!("the error {message:?}"));
        return Err(store.tell(halt));
    }

    let mut state = model::after(&steps[..acknowledged]);
    let first_difference = difference(&state, &found);
    let Some((key, expected, got)) = first_difference else { return Ok(()) };
    for step in &steps[acknowledged..] {
        model::apply(&mut state, step);
        if difference(&state, &found).is_none() {
            return Ok(());
        }
    }
    store.say(format!("get {}", quoted(&key)));
    let after = match steps.get(acknowledged) {
        Some(next) => format!(
            "{expected}, or what the {} steps after that, from {next} on, leave",
            steps.len() - acknowledged
        ),
        None => expected,
    };
    let halt = Halt::fail(
        format!("the state after a prefix of the {acknowledged} acknowledged steps or more: {after}"),
        got,
    );
    Err(store.tell(halt))
}

/// Whether a get may answer with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errors {
    /// Nothing is damaged, so there is nothing to refuse.
    Refused,
    /// What a damaged file held may be answered by an error.
    Allowed,
}

fn changed_key(step: &Step) -> Option<&String> {
    match step {
        Step::Put(key, _) | Step::Delete(key) => Some(key),
        _ => None,
    }
}

/// The first key that is not as in `state`: the key, what it should be, what it is.
fn difference(
    state: &BTreeMap<String, String>,
    found: &BTreeMap<&String, Reply>,
) -> Option<(String, String, String)> {
    found.iter().find_map(|(key, reply)| {
        let Reply::Value(got) = reply else { return None };
        let expected = state.get(*key);
        (got.as_ref() != expected).then(|| {
            let show = |value: Option<&String>| value_or_null(value.map(String::as_str));
            ((*key).clone(), show(expected), show(got.as_ref()))
        })
    })
}

/// Steps from words: `a` puts that key, `-a` deletes it, `flush` and `compact` are themselves. What is done is the same
/// for every seed, so that what a script can show does not depend on luck; values are random, and long enough that half
/// of a record is not only its header.
pub(crate) fn script(rng: &mut fastrand::Rng, words: &str) -> Vec<Step> {
    let step = |word: &str| match (word, word.strip_prefix('-')) {
        ("flush", _) => Step::Flush,
        ("compact", _) => Step::Compact,
        (_, Some(key)) => Step::Delete(key.to_owned()),
        (key, None) => {
            let bytes = rng.usize(32..64);
            Step::Put(key.to_owned(), model::value(rng, bytes))
        }
    };
    words.split(' ').map(step).collect()
}

/// Where a script is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crashes {
    /// Before every change of a file.
    BetweenChanges,
    /// The same, and in the middle of every write.
    AndWithinWrites,
}

/// More crash points than a sane store has; beyond that, a sample spread over all.
const POINTS: usize = 400;

/// Runs `steps` on a copy of `files` again and again, killed at every point in turn, and reopens: the state has to be
/// that after some prefix of `before` and `steps` that includes what was acknowledged.
#[track_caller]
pub(crate) fn survives_crashes(
    context: &Context,
    files: &Files,
    before: &[Step],
    steps: &[Step],
    crashes: Crashes,
) -> Judged {
    let all: Vec<_> = before.iter().chain(steps).cloned().collect();
    let folder = context.folder()?;
    let undisturbed = run(context, folder.path(), files, steps, &mut |_, _| Ok(Then::GoOn))?;
    let complete = acknowledged(&undisturbed, &all)?;
    if undisturbed.ending.exit != Exit::Status(0) || complete < steps.len() {
        let awaited = format!("{} replies and exit status 0", steps.len());
        return Err(undisturbed.ending.halt(&awaited).did(told(&all)));
    }
    let points = undisturbed.changes.len();
    let mut kills = Vec::new();
    for (point, change) in undisturbed.changes.iter().enumerate().step_by(points.div_ceil(POINTS).max(1)) {
        kills.push((point, Then::Kill));
        if crashes == Crashes::AndWithinWrites && change.can_tear {
            kills.push((point, Then::TearAndKill));
        }
    }
    for (point, then) in kills {
        let folder = context.folder()?;
        let mut at = |index: usize, _: &Change| Ok(if index == point { then } else { Then::GoOn });
        let traced = run(context, folder.path(), files, steps, &mut at)?;
        let replies = acknowledged(&traced, &all)?;
        let mut store = Store::open_in(context, folder)?;
        store.retell(&all[..before.len() + (replies + 1).min(steps.len())]);
        store.say(moment(&traced, then, replies));
        store.say("start again");
        is_a_prefix(&mut store, &all, before.len() + replies, Errors::Refused)?;
        goes_on(&mut store, &all)?;
        is_a_prefix(&mut store, &all, before.len() + replies, Errors::Refused)?;
        store.close()?;
    }
    Ok(())
}

/// A store that came back is a store: what it was asked before the crash it can still do, and it keeps the result.
/// What a crash left half done must not be in the way.
#[track_caller]
fn goes_on(store: &mut Store<'_>, steps: &[Step]) -> Judged {
    store.put("after the crash", "1")?;
    if steps.contains(&Step::Flush) {
        store.flush()?;
    }
    if steps.contains(&Step::Compact) {
        store.compact()?;
        disk::at_most(store, 1, "at most one table after compact, whatever the crash left")?;
    }
    store.restart()?;
    store.expect("after the crash", Some("1"))
}

/// Runs a script under the tracer, in a fresh copy of `files`.
#[track_caller]
fn run(
    context: &Context,
    folder: &std::path::Path,
    files: &Files,
    steps: &[Step],
    decide: &mut crash::Decide<'_>,
) -> Judged<Traced> {
    let dir = folder.join(STORE);
    disk::write_all(&dir, files)?;
    let input: String = steps.iter().filter_map(Step::request).collect();
    crash::trace(context.launch(folder).arg(&dir), folder, input.as_bytes(), decide)
        .map_err(|halt| halt.did(told(steps)))
}

/// How many steps were acknowledged; a reply that is none is the subject's mistake.
#[track_caller]
fn acknowledged(traced: &Traced, steps: &[Step]) -> Judged<usize> {
    let whole_lines = traced.stdout.rsplit_once('\n').map_or("", |(lines, _)| lines);
    let mut count = 0;
    for line in whole_lines.lines() {
        match Reply::parse(line).map_err(|halt| halt.did(told(steps)))? {
            Reply::Done => count += 1,
            other => {
                return Err(
                    Halt::fail(r#"{"ok":true} in reply to each step"#, other.to_string()).did(told(steps))
                );
            }
        }
    }
    Ok(count)
}

/// The moment of a kill, in words.
fn moment(traced: &Traced, then: Then, replies: usize) -> String {
    let Some(change) = traced.changes.last() else { return "SIGKILL".to_owned() };
    let when = if then == Then::TearAndKill { "half-way through" } else { "just before" };
    format!("SIGKILL {when}: {change} ({replies} replies so far)")
}
