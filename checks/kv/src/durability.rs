//! Stage 5: crashes at the worst moment, damaged files, a full disk.

use std::{collections::BTreeMap, iter};

use harness::{Check, Context, Halt, Judged, Stage};

use crate::{
    disk::{self, Files},
    model,
    oracle::{self, Crashes, Errors},
    step::{Step, quoted, value_or_null},
    store::{Reply, Store},
};

mod damage;

pub(crate) const STAGE: Stage = Stage {
    number: 5,
    slug: "durability",
    bonus: true,
    checks: &[
        Check::new("a_crash_within_a_put_keeps_a_prefix", a_crash_within_a_put_keeps_a_prefix)
            .points(3)
            .must("killed at any change on disk, even half-way through a write, the store reopens with a prefix of what was done, nothing acknowledged missing")
            .why("A crash does not wait for the end of a record."),
        Check::new("a_crash_within_a_flush_keeps_a_prefix", a_crash_within_a_flush_keeps_a_prefix)
            .points(3)
            .must("the same for a crash anywhere in a flush")
            .why("A half-written table must not be taken for a whole one, nor its log be gone already."),
        Check::new("a_crash_within_a_compaction_keeps_a_prefix", a_crash_within_a_compaction_keeps_a_prefix)
            .points(4)
            .must("the same for a crash anywhere in a compaction")
            .why("Between the new table and the last of the old ones there is always a moment when both or neither exist."),
        Check::new("a_torn_tail_is_dropped", a_torn_tail_is_dropped)
            .points(4)
            .must("a log that ends in the middle of a record opens, keeps all before it, and takes further writes")
            .why("This is what a crash leaves. Refusing it locks users out; appending behind it loses what comes next."),
        Check::new("a_damaged_log_shows_no_state_that_never_was", a_damaged_log_shows_no_state_that_never_was)
            .points(4)
            .must("with any byte of the log changed, or its end cut off, the store refuses to open, answers errors, or holds the state after a prefix")
            .why("Leaving out one record and applying the next makes up a history that nobody wrote."),
        Check::new("a_damaged_table_gives_no_wrong_value", a_damaged_table_gives_no_wrong_value)
            .points(4)
            .must("with any byte of any file changed, or its end cut off, a get returns the right value, nothing, or an error: never a wrong one")
            .why("Disks lie now and then. A checksum turns a lie into an error, and an older version of a key is a lie too."),
        Check::new("a_full_disk_stops_a_flush_and_loses_nothing", a_full_disk_stops_a_flush_and_loses_nothing)
            .points(4)
            .must("a flush or compaction that finds no room loses nothing and leaves nothing lying about; with room again it works")
            .why("Whoever runs out of space tries again, and again: what each try leaves behind is what fills the disk for good."),
        Check::new("a_full_disk_is_an_error_and_loses_nothing", a_full_disk_is_an_error_and_loses_nothing)
            .points(4)
            .must("when the disk is full a put gets an error reply; nothing acknowledged is lost; with room again puts work again")
            .why("A full disk cuts records short like a crash does, but the program goes on, and writes behind the stump."),
    ],
};

fn a_crash_within_a_put_keeps_a_prefix(context: &Context) -> Judged {
    let steps = oracle::script(&mut context.rng(), "a b c -b d a -a c b a -c d");
    oracle::survives_crashes(context, &Files::new(), &[], &steps, Crashes::AndWithinWrites)
}

fn a_crash_within_a_flush_keeps_a_prefix(context: &Context) -> Judged {
    let steps = oracle::script(&mut context.rng(), "a b c d flush a -b e flush -c a");
    oracle::survives_crashes(context, &Files::new(), &[], &steps, Crashes::AndWithinWrites)
}

fn a_crash_within_a_compaction_keeps_a_prefix(context: &Context) -> Judged {
    let mut rng = context.rng();
    // Tables of very different sizes, which a store that merges by itself leaves alone until it is asked.
    let mut before = Vec::new();
    for (fillers, words) in [(100, "a b c d flush"), (20, "a -b e flush"), (0, "-c f b flush")] {
        before.extend(model::puts(&mut rng, 0..fillers, 20));
        before.extend(oracle::script(&mut rng, words));
    }
    let mut store = Store::open(context)?;
    store.all_acknowledged(&before)?;
    store.close()?;
    let files = disk::read_all(&store.dir())?;
    let steps = oracle::script(&mut rng, "g -d a compact b e");
    oracle::survives_crashes(context, &files, &before, &steps, Crashes::AndWithinWrites)
}

/// A store that was killed after `steps`: its files before the last step, and after it.
fn last_write(context: &Context, steps: &[Step]) -> Judged<(Files, Files)> {
    let mut store = Store::open(context)?;
    let (last, first) = steps.split_last().ok_or_else(|| Halt::fault("no steps"))?;
    for step in first {
        store.acknowledged(step.clone())?;
    }
    let before = disk::read_all(&store.dir())?;
    store.acknowledged(last.clone())?;
    let after = disk::read_all(&store.dir())?;
    store.close()?;
    Ok((before, after))
}

fn a_torn_tail_is_dropped(context: &Context) -> Judged {
    let steps = oracle::script(&mut context.rng(), "a b -a c b d");
    let (before, after) = last_write(context, &steps)?;
    for (path, bytes) in &after {
        let old = before.get(path).map_or(&[][..], Vec::as_slice);
        if !bytes.starts_with(old) {
            continue;
        }
        for length in old.len()..bytes.len() {
            let mut files = after.clone();
            files.insert(path.clone(), bytes[..length].to_vec());
            let mut store = Store::open_on_copy(context, &files)?;
            store.retell(&steps);
            store.say(format!(
                "cut {} to {length} of its {} bytes; start again",
                path.display(),
                bytes.len()
            ));
            oracle::is_a_prefix(&mut store, &steps, steps.len() - 1, Errors::Refused)?;
            store.put("later", "1")?;
            store.restart()?;
            store.expect("later", Some("1")).map_err(|halt| {
                halt.likely("new records are appended behind the torn one, where no replay gets to")
            })?;
            oracle::is_a_prefix(&mut store, &steps, steps.len() - 1, Errors::Refused)?;
            store.close()?;
        }
    }
    Ok(())
}

fn a_damaged_log_shows_no_state_that_never_was(context: &Context) -> Judged {
    let steps = oracle::script(&mut context.rng(), "a b -a c a -b d");
    let (_, files) = last_write(context, &steps)?;
    for damage in damage::everywhere(&files, &mut context.rng()) {
        let mut store = Store::open_on_copy(context, &damage.files)?;
        store.retell(&steps);
        store.say(format!("{}; start again", damage.what));
        if damage::opened(&mut store)? == damage::Opened::Refused {
            continue;
        }
        oracle::is_a_prefix(&mut store, &steps, 0, Errors::Allowed)?;
        if store.is_acknowledged(Step::Put("later".to_owned(), "1".to_owned()))? {
            store.restart()?;
            store.expect("later", Some("1")).map_err(|halt| {
                halt.likely("new records are appended behind the damaged one, where no replay gets to")
            })?;
        }
    }
    Ok(())
}

fn a_damaged_table_gives_no_wrong_value(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut steps = model::puts(&mut rng, 0..12, 30);
    steps.push(Step::Flush);
    steps.extend(model::puts(&mut rng, 0..5, 30));
    steps.extend((5..7).map(|number| Step::Delete(model::key(number))));
    steps.push(Step::Flush);
    let mut store = Store::open(context)?;
    store.all_acknowledged(&steps)?;
    store.close()?;
    let files = disk::read_all(&store.dir())?;
    let model = model::after(&steps);
    let gets: Vec<_> = (0..12).map(|number| Step::Get(model::key(number))).collect();
    for (number, damage) in damage::everywhere(&files, &mut rng).into_iter().enumerate() {
        let mut store = Store::open_on_copy(context, &damage.files)?;
        store.retell(&steps);
        store.say(format!("{}; start again", damage.what));
        if damage::opened(&mut store)? == damage::Opened::Refused {
            continue;
        }
        no_wrong_value(&mut store, &steps, &model, &gets)?;
        // A merge that passes over what it cannot read would make the older versions the only ones.
        if number % 4 == 0 {
            store.ask(Step::Compact)?;
            no_wrong_value(&mut store, &steps, &model, &gets)?;
        }
    }
    Ok(())
}

/// Every get is right, absent or an error.
#[track_caller]
fn no_wrong_value(
    store: &mut Store<'_>,
    steps: &[Step],
    model: &BTreeMap<String, String>,
    gets: &[Step],
) -> Judged {
    for (get, reply) in gets.iter().zip(store.ask_all(gets)?) {
        let (Step::Get(key), Reply::Value(Some(value))) = (get, reply) else { continue };
        let right = model.get(key);
        if right == Some(&value) {
            continue;
        }
        store.say(get.to_string());
        let expected = format!("{}, null or an error", value_or_null(right.map(String::as_str)));
        let older = steps.contains(&Step::Put(key.clone(), value.clone()));
        let likely = if older { "what is damaged is passed over, and an older version shows" } else { "" };
        return Err(store.tell(Halt::fail(expected, quoted(&value)).likely(likely)));
    }
    Ok(())
}

fn a_full_disk_stops_a_flush_and_loses_nothing(context: &Context) -> Judged {
    const DISK: u64 = 8 << 20;
    const LEFT: u64 = 400 << 10;
    const KEYS: usize = 1_000;
    const VALUE_BYTES: usize = 1_100;
    const TRIES: usize = 4;
    let mut rng = context.rng();
    let mut store = Store::open_on_small_disk(context, DISK)?;
    let mut steps = model::puts(&mut rng, 0..KEYS, VALUE_BYTES);
    store.all_acknowledged(&steps)?;
    store.flush()?;
    // Other values of half of the keys, and none of some: what shows when the newest table or the memtable is lost.
    let newer = model::puts(&mut rng, 0..KEYS / 2, VALUE_BYTES);
    let gone = (KEYS / 2..KEYS / 2 + 10).map(|number| Step::Delete(model::key(number)));
    steps.extend(newer.into_iter().chain(gone));
    store.all_acknowledged(&steps[KEYS..])?;
    let model = model::after(&steps);
    let absent = model::absent(&model, KEYS);

    // What a try leaves behind can take as much as was free, and shows only after several.
    for _ in 0..TRIES {
        let ballast = store.small_disk()?.fill(LEFT)?;
        store.say(format!("fill the disk until {} KiB are left", LEFT >> 10));
        for step in [Step::Flush, Step::Compact] {
            store.is_acknowledged(step)?;
            store.expect_all(&model, &absent)?;
        }
        store.small_disk()?.make_room(&ballast)?;
        store.say("make room");
    }
    store.flush()?;
    store.compact()?;
    store.expect_all(&model, &absent)?;
    disk::takes_little(&store, &model).map_err(|halt| {
        halt.likely("a table that found no room stays, half written, under a name of its own")
    })?;
    store.kill()?;
    store.expect_all(&model, &absent)?;
    store.close()
}

fn a_full_disk_is_an_error_and_loses_nothing(context: &Context) -> Judged {
    const DISK: u64 = 1 << 20;
    const LEFT: u64 = 40 << 10;
    const PUTS: usize = 900;
    const VALUE_BYTES: usize = 900;
    let mut rng = context.rng();
    let mut store = Store::open_on_small_disk(context, DISK)?;
    let mut model = BTreeMap::new();
    for step in model::puts(&mut rng, 0..20, 900) {
        model::apply(&mut model, &step);
        store.acknowledged(step)?;
    }
    let ballast = store.small_disk()?.fill(LEFT)?;
    store.say(format!("fill the disk until {} KiB are left", LEFT >> 10));

    // Keys of their own, so that an error leaves two possibilities for one key only.
    let mut refused = BTreeMap::new();
    // Far more than there is room for, even in a log that has set some aside, in letters that none packs into much less;
    // and fewer than fill a memtable.
    for number in 100..100 + PUTS {
        let value: String = iter::repeat_with(|| rng.alphanumeric()).take(VALUE_BYTES).collect();
        let is_acknowledged = store.is_acknowledged(Step::Put(model::key(number), value.clone()))?;
        let holder = if is_acknowledged { &mut model } else { &mut refused };
        holder.insert(model::key(number), value);
        if refused.len() == 5 {
            break;
        }
    }
    if refused.is_empty() {
        let got = format!("{PUTS} puts acknowledged, {} KiB", (PUTS * VALUE_BYTES) >> 10);
        return Err(store.tell(Halt::fail("an error reply when the disk is full", got)));
    }
    store.expect_all(&model, [])?;
    store.small_disk()?.make_room(&ballast)?;
    store.say("make room");
    for step in model::puts(&mut rng, 300..310, 900) {
        model::apply(&mut model, &step);
        store.acknowledged(step)?;
    }
    store.expect_all(&model, [])?;
    store.kill()?;
    store.expect_all(&model, [])?;
    for (key, value) in &refused {
        let got = store.get(key)?;
        if got.as_ref().is_some_and(|got| got != value) {
            let halt = Halt::fail(format!("{} or null", quoted(value)), value_or_null(got.as_deref()));
            return Err(store.tell(halt));
        }
    }
    store.close()
}
