//! Compaction at scale: what a store costs when it holds much, and what leaks a little at each turn.

use std::collections::BTreeMap;

use harness::{Context, Halt, Judged, process::Limits};

use super::with_history;
use crate::{
    model::{self, key},
    step::Step,
    store::Store,
};

/// Few descriptors, as the specification allows.
fn few_descriptors() -> Limits {
    Limits { open_files: 64, ..Limits::default() }
}

pub(super) fn ten_thousand_puts_and_gets_stay_correct(context: &Context) -> Judged {
    const KEYS: usize = 3_000;
    let mut rng = context.rng();
    let mut store = Store::open_with(context, few_descriptors())?;
    let mut model = BTreeMap::new();
    for round in 0..10 {
        let steps = model::writes(&mut rng, 1_000, KEYS, 5, 80);
        store.all_acknowledged(&steps)?;
        steps.iter().for_each(|step| model::apply(&mut model, step));
        match round % 4 {
            1 => store.flush()?,
            3 => store.compact()?,
            _ => {}
        }
        store.expect_all(&model, &model::absent(&model, KEYS))?;
    }
    store.close()
}

pub(super) fn a_hundred_thousand_puts_stay_correct(context: &Context) -> Judged {
    const ROUNDS: usize = 10;
    const PUTS: usize = 10_000;
    const KEYS: usize = 30_000;
    let mut rng = context.rng();
    let mut store = Store::open_with(context, few_descriptors())?;
    let mut model = BTreeMap::new();
    for _ in 0..ROUNDS {
        let numbers: Vec<_> = std::iter::repeat_with(|| rng.usize(..KEYS)).take(PUTS).collect();
        let steps = model::puts(&mut rng, numbers, 40);
        store.all_acknowledged(&steps)?;
        steps.iter().for_each(|step| model::apply(&mut model, step));
        store.compact()?;
    }
    let mut sample = model;
    sample.retain(|_, _| rng.usize(..10) == 0);
    store.expect_all(&sample, [])?;
    store.restart()?;
    store.expect_all(&sample, [])?;
    store.close()
}

pub(super) fn compaction_needs_little_memory(context: &Context) -> Judged {
    const PUTS: usize = 100_000;
    const LIMIT: u64 = 50_000_000;
    let filler = model::value(&mut context.rng(), 1 << 10);
    let mut store = Store::open_with(context, Limits { memory_bytes: LIMIT, ..Limits::default() })?;
    for batch in (0..PUTS).step_by(10_000) {
        let puts: Vec<_> =
            (batch..batch + 10_000).map(|number| Step::Put(key(number), filler.clone())).collect();
        store.ask_all(&puts)?;
    }
    store.say(format!("put {PUTS} distinct keys, 1 KiB each, with at most 50 MB of memory"));
    store.flush()?;
    store.compact()?;
    store.expect(&key(PUTS / 2), Some(&filler))?;
    store.close()
}

pub(super) fn gets_do_not_leak_descriptors(context: &Context) -> Judged {
    const GETS: usize = 1_000;
    const SLACK: u64 = 8;
    let (mut store, model) = with_history(context, 3)?;
    let gets: Vec<_> = model.keys().map(|key| Step::Get(key.clone())).cycle().take(GETS).collect();
    store.ask_all(&gets[..50])?;
    let before = store.usage()?.descriptors;
    store.ask_all(&gets)?;
    let after = store.usage()?.descriptors;
    store.say(format!("{GETS} gets"));
    if after > before + SLACK {
        let expected = format!("about as many open files as before the gets, {before}");
        return Err(store.tell(Halt::fail(expected, format!("{after}"))));
    }
    store.close()
}

pub(super) fn a_get_costs_the_same_in_a_large_store(context: &Context) -> Judged {
    const SMALL: usize = 2_000;
    const LARGE: usize = 64_000;
    const GETS: usize = 2_000;
    // Generous: a scan costs 32 times as much in the large store, a search about a third more.
    const FACTOR: u64 = 10;
    const READ_SLACK: u64 = 16 << 10;
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let mut cost = |store: &mut Store<'_>, from: usize, keys: usize| -> Judged<(u64, u64)> {
        for batch in (from..keys).step_by(8_000) {
            store.ask_all(&model::puts(&mut rng, batch..keys.min(batch + 8_000), 60))?;
            store.compact()?;
        }
        store.flush()?;
        store.compact()?;
        // Every other one of a key that is not there, between two that are.
        let one = |number| {
            if number % 2 == 0 { key(rng.usize(..keys)) } else { format!("{}-", key(rng.usize(..keys))) }
        };
        let gets: Vec<_> = (0..GETS).map(one).map(Step::Get).collect();
        store.ask_all(&gets)?;
        let before = store.usage()?;
        store.ask_all(&gets)?;
        let after = store.usage()?;
        let per_get = |now: u64, then: u64| (now - then) / GETS as u64;
        Ok((per_get(after.read_bytes, before.read_bytes), per_get(after.cpu_nanos, before.cpu_nanos)))
    };
    let (small_read, small_cpu) = cost(&mut store, 0, SMALL)?;
    let (large_read, large_cpu) = cost(&mut store, SMALL, LARGE)?;
    store.say(format!("put {SMALL} keys, compact, {GETS} gets; put {LARGE} keys, compact, {GETS} gets"));
    let likely = "a get reads or searches all of a table, or all of its index";
    if large_read > FACTOR * small_read + READ_SLACK {
        let expected = format!("about the {small_read} bytes a get that were read with {SMALL} keys");
        let halt = Halt::fail(expected, format!("{large_read} bytes a get with {LARGE} keys"));
        return Err(store.tell(halt.likely(likely)));
    }
    if large_cpu > FACTOR * small_cpu {
        let expected =
            format!("about the {} µs of processor time a get took with {SMALL} keys", small_cpu / 1_000);
        let halt = Halt::fail(expected, format!("{} µs a get with {LARGE} keys", large_cpu / 1_000));
        return Err(store.tell(halt.likely(likely)));
    }
    store.close()
}
