//! What is found in tables: the newest of several, each key at the edges of each, and nothing that is in none.

use std::collections::BTreeMap;

use harness::{Context, Judged};

use crate::{
    disk,
    model::{self, key},
    store::Store,
};

pub(super) fn newest_table_wins(context: &Context) -> Judged {
    // More than ten tables: a name with a bare number sorts 10 before 9.
    const TABLES: usize = 13;
    let mut store = Store::open(context)?;
    for table in 1..=TABLES {
        let value = format!("{table}");
        store.put("a", &value)?;
        store.put(&format!("only-{table:02}"), &value)?;
        store.flush()?;
        store.expect("a", Some(&value))?;
    }
    store.restart()?;
    store.expect("a", Some(&TABLES.to_string())).map_err(|halt| {
        halt.likely("tables are taken in the order of their names as text, where 10 comes before 9")
    })?;
    for table in 1..=TABLES {
        store.expect(&format!("only-{table:02}"), Some(&table.to_string()))?;
    }
    store.close()?;
    let mut copy = Store::open_on_copy(context, &disk::read_all(&store.dir())?)?;
    copy.retell(store.steps());
    copy.say("copy DIR elsewhere, and start there");
    copy.expect("a", Some(&TABLES.to_string())).map_err(|halt| {
        halt.likely("tables are taken in the order of their times, which a copy does not keep")
    })?;
    copy.close()
}

/// Even-numbered keys in a few tables, with values of many sizes, so that blocks end in many ways.
fn even_keys(context: &Context) -> Judged<(Store<'_>, BTreeMap<String, String>)> {
    const KEYS: usize = 2_500;
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let steps: Vec<_> = (0..KEYS)
        .flat_map(|number| {
            let bytes = if number % 50 == 0 { rng.usize(3_000..9_000) } else { rng.usize(0..200) };
            model::puts(&mut rng, [2 * number], bytes)
        })
        .collect();
    store.all_acknowledged(&steps)?;
    store.flush()?;
    Ok((store, model::after(&steps)))
}

pub(super) fn every_key_of_every_table_is_found(context: &Context) -> Judged {
    let (mut store, model) = even_keys(context)?;
    store.expect_all(&model, [])?;
    store.restart()?;
    store.expect_all(&model, [])?;
    store.close()
}

pub(super) fn tables_take_any_text_of_any_size(context: &Context) -> Judged {
    // Two tables: an absent key is then asked for in both.
    for entries in &[model::texts(), model::entries_of_all_sizes(&mut context.rng())] {
        let mut store = Store::open(context)?;
        store.put("in an older table", "1")?;
        store.flush()?;
        for (key, value) in entries {
            store.put(key, value)?;
        }
        store.flush()?;
        let absent = ["no such key".to_owned(), "line".to_owned(), "0".to_owned()];
        store.expect_all(entries, &absent)?;
        store.restart()?;
        store.expect_all(entries, &absent)?;
        store.expect("in an older table", Some("1"))?;
        store.close()?;
    }
    Ok(())
}

pub(super) fn keys_between_neighbours_are_absent(context: &Context) -> Judged {
    let (mut store, model) = even_keys(context)?;
    let absent: Vec<_> = (0..model.len()).map(|number| key(2 * number + 1)).collect();
    let outside = ["a".to_owned(), "k".to_owned(), "l".to_owned(), format!("{}0", key(0))];
    store.expect_all(&BTreeMap::new(), absent.iter().chain(&outside))?;
    store.close()
}

pub(super) fn a_delete_hides_older_tables(context: &Context) -> Judged {
    let mut store = Store::open(context)?;
    store.put("a", "1")?;
    store.put("b", "2")?;
    store.flush()?;
    store.delete("a")?;
    store.expect("a", None)?;
    store.flush()?;
    store.expect("a", None)?;
    store.expect("b", Some("2"))?;
    store.restart()?;
    store.expect("a", None)?;
    store.put("a", "3")?;
    store.expect("a", Some("3"))?;
    store.close()
}
