//! Stage 1: a map that survives. Everything that a store has to do before it is fast.

use std::collections::BTreeMap;

use harness::{Check, Context, Halt, Judged, Stage};

use crate::{
    model::{self, KEY_BYTES, Mix, VALUE_BYTES, behaves_like_a_map},
    step::Step,
    store::{Reply, Store},
};

pub(crate) const STAGE: Stage = Stage {
    number: 1,
    slug: "append-log",
    bonus: false,
    checks: &[
        Check::new("put_then_get_returns_the_value", put_then_get_returns_the_value)
            .points(2)
            .must("a get returns the value that was put under its key")
            .why("It is what the store is for."),
        Check::new("absent_key_is_null", absent_key_is_null)
            .must("a get of a key that was never put returns null")
            .why("A caller has to tell an absent value from an empty one, and from a failure."),
        Check::new("overwrite_replaces_the_value", overwrite_replaces_the_value)
            .points(2)
            .must("the last put of a key wins")
            .why("A log holds every version of a key; a store shows the newest."),
        Check::new("deleted_key_is_null", deleted_key_is_null)
            .points(2)
            .must("a deleted key is absent until it is put again; deleting an absent key is no error")
            .why("In a log that only grows, a delete is one more thing to write down."),
        Check::new("any_text_comes_back_unchanged", any_text_comes_back_unchanged)
            .points(2)
            .must("keys and values come back byte for byte, before and after a restart, whatever characters they hold")
            .why("A format with separators needs escaping; one with lengths does not. Data always holds the separator."),
        Check::new("sizes_up_to_the_limits_work", sizes_up_to_the_limits_work)
            .must("keys of 1 byte to 64 KiB and values of 0 bytes to 1 MiB work, before and after a restart")
            .why("A length that was stored in too few bytes, or a buffer of fixed size, shows at the limits."),
        Check::new("sizes_beyond_the_limits_are_refused", sizes_beyond_the_limits_are_refused)
            .must("an empty key, a key above 64 KiB or a value above 1 MiB gets an error reply and changes nothing")
            .why("A store that states its limits can rely on them: buffers, blocks and lengths all follow."),
        Check::new("malformed_requests_get_an_error_reply", malformed_requests_get_an_error_reply)
            .must("a request that makes no sense gets an error reply, and the store goes on")
            .why("One confused client must not take the store away from the others."),
        Check::new("every_request_gets_one_reply_in_order", every_request_gets_one_reply_in_order)
            .must("pipelined requests get exactly one reply each, in order")
            .why("A client that does not wait for each reply has only their order to match them by."),
        Check::new("a_missing_directory_is_made", a_missing_directory_is_made)
            .must("DIR is created when it is missing, and holds what was put from then on")
            .why("Nobody makes a folder for a program that is about to fill it with files of its own."),
        Check::new("data_survives_restarts", data_survives_restarts)
            .points(3)
            .must("what was acknowledged is there after a restart, and after a second one")
            .why("A second restart reads what the first one wrote: a store that rewrites its log can lose it there."),
        Check::new("deletes_survive_restarts", deletes_survive_restarts)
            .points(2)
            .must("a deleted key stays deleted after a restart")
            .why("A delete that lives only in memory returns the value to whoever asks after the next start."),
        Check::new("acknowledged_writes_survive_sigkill", acknowledged_writes_survive_sigkill)
            .points(4)
            .must("what was acknowledged is there after SIGKILL right behind the reply, and the store opens again")
            .why("The reply is a promise. Bytes in a buffer of the program's own die with it; so must no lock file stay."),
        Check::new("behaves_like_a_map_across_restarts", behaves_like_a_map_across_restarts)
            .points(4)
            .must("any sequence of puts, gets, deletes, restarts and kills gives the answers of a map")
            .why("Bugs live between features: this looks where nobody thought of looking, and shows the shortest way there."),
    ],
};

fn put_then_get_returns_the_value(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let mut values = Vec::new();
    for key in ["name", "colour"] {
        let value = model::value(&mut rng, 8);
        store.put(key, &value)?;
        store.expect(key, Some(&value))?;
        values.push((key, value));
    }
    for (key, value) in &values {
        store.expect(key, Some(value))?;
    }
    store.close()
}

fn absent_key_is_null(context: &Context) -> Judged {
    let mut store = Store::open(context)?;
    store.expect("a", None)?;
    store.put("b", "1")?;
    store.expect("a", None)?;
    store.put("a", "")?;
    store.expect("a", Some(""))?;
    store.close()
}

fn overwrite_replaces_the_value(context: &Context) -> Judged {
    let mut store = Store::open(context)?;
    for value in ["1", "2", "a longer value", "3"] {
        store.put("a", value)?;
        store.expect("a", Some(value))?;
    }
    store.restart()?;
    store.expect("a", Some("3"))?;
    store.close()
}

fn deleted_key_is_null(context: &Context) -> Judged {
    let mut store = Store::open(context)?;
    store.delete("a")?;
    store.put("a", "1")?;
    store.put("b", "2")?;
    store.delete("a")?;
    store.expect("a", None)?;
    store.expect("b", Some("2"))?;
    store.put("a", "3")?;
    store.expect("a", Some("3"))?;
    store.close()
}

fn any_text_comes_back_unchanged(context: &Context) -> Judged {
    for (key, text) in &model::texts() {
        let mut store = Store::open(context)?;
        store.put("before", "1")?;
        store.put(key, text)?;
        store.put("after", "2")?;
        store.expect(key, Some(text))?;
        store.restart()?;
        let read_back = store.expect(key, Some(text));
        let read_back = read_back.and_then(|()| store.expect("before", Some("1")));
        let read_back = read_back.and_then(|()| store.expect("after", Some("2")));
        read_back.map_err(|halt| match text.contains(['\n', '\r']) {
            true => halt.likely("a line break inside a key or value is taken for the end of its record"),
            false => halt,
        })?;
        store.close()?;
    }
    Ok(())
}

fn sizes_up_to_the_limits_work(context: &Context) -> Judged {
    let entries = model::entries_of_all_sizes(&mut context.rng());
    let mut store = Store::open(context)?;
    for (key, value) in &entries {
        store.put(key, value)?;
        store.expect(key, Some(value))?;
    }
    store.restart()?;
    for (key, value) in &entries {
        store.expect(key, Some(value))?;
    }
    store.close()
}

fn sizes_beyond_the_limits_are_refused(context: &Context) -> Judged {
    let mut store = Store::open(context)?;
    store.put("a", "1")?;
    let (long_key, long_value) = ("k".repeat(KEY_BYTES + 1), "v".repeat(VALUE_BYTES + 1));
    let wide_key = "é".repeat(KEY_BYTES / 2 + 1);
    let refused = [
        (Step::Put(String::new(), "2".to_owned()), "an empty key"),
        (Step::Put(long_key.clone(), "2".to_owned()), "a key of 65,537 bytes"),
        (Step::Get(long_key.clone()), "a key of 65,537 bytes"),
        (Step::Delete(long_key), "a key of 65,537 bytes"),
        (Step::Delete(String::new()), "an empty key"),
        (Step::Put(wide_key, "2".to_owned()), "a key of 65,538 bytes in 32,769 characters"),
        (Step::Put("a".to_owned(), long_value), "a value of 1,048,577 bytes"),
    ];
    for (step, what) in refused {
        let reply = store.ask(step)?;
        must_be_error(&store, &reply, what)?;
    }
    store.expect("a", Some("1"))?;
    store.restart()?;
    store.expect("a", Some("1"))?;
    store.close()
}

fn malformed_requests_get_an_error_reply(context: &Context) -> Judged {
    let mut store = Store::open(context)?;
    store.put("a", "1")?;
    let malformed = [
        ("what is this", "a line that is no JSON"),
        (r#"{"op":"put","key":"a","value":"2""#, "a JSON object without its end"),
        (r#"["get","a"]"#, "an array"),
        (r#"{"key":"a"}"#, "a request without an op"),
        (r#"{"op":"steal","key":"a"}"#, "an unknown op"),
        (r#"{"op":"get"}"#, "a get without a key"),
        (r#"{"op":"get","key":7}"#, "a key that is no string"),
        (r#"{"op":"put","key":"a"}"#, "a put without a value"),
        (r#"{"op":"put","key":"a","value":null}"#, "a value that is no string"),
    ];
    for (line, what) in malformed {
        let reply = store.ask_raw(format!("{line}\n").as_bytes())?;
        must_be_error(&store, &reply, what)?;
        store.expect("a", Some("1"))?;
    }
    store.close()
}

#[track_caller]
fn must_be_error(store: &Store<'_>, reply: &Reply, what: &str) -> Judged {
    match reply {
        Reply::Error(_) => Ok(()),
        other => {
            Err(store.tell(Halt::fail(format!(r#"{{"error":…}} in reply to {what}"#), other.to_string())))
        }
    }
}

fn every_request_gets_one_reply_in_order(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let mut model = BTreeMap::new();
    let mut steps = Vec::new();
    let mut expected = Vec::new();
    for number in 0..400 {
        let key = format!("k{}", rng.usize(..20));
        let step = match number % 4 {
            0 | 1 => Step::Put(key, format!("{number}")),
            2 => Step::Get(key),
            _ => Step::Delete(key),
        };
        expected.push(match &step {
            Step::Get(key) => Reply::Value(model.get(key).cloned()),
            _ => Reply::Done,
        });
        model::apply(&mut model, &step);
        steps.push(step);
    }
    let replies = store.ask_all(&steps)?;
    for (number, (reply, expected)) in replies.iter().zip(&expected).enumerate() {
        if reply != expected {
            store.say(format!("400 requests without waiting; number {} was {}", number + 1, steps[number]));
            let halt = Halt::fail(format!("reply {} is {expected}", number + 1), reply.to_string());
            return Err(store.tell(halt));
        }
    }
    store.close()
}

fn a_missing_directory_is_made(context: &Context) -> Judged {
    let mut store = Store::open_without_dir(context)?;
    store.put("a", "1")?;
    store.expect("a", Some("1"))?;
    store.restart()?;
    store.expect("a", Some("1"))?;
    store.close()
}

fn data_survives_restarts(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    let mut model = BTreeMap::new();
    for round in 0..3 {
        for number in 0..20 {
            let step = Step::Put(format!("k{}", number + round * 7), model::value(&mut rng, 6));
            model::apply(&mut model, &step);
            store.acknowledged(step)?;
        }
        store.restart()?;
        store.expect_all(&model, [])?;
    }
    store.restart()?;
    store.expect_all(&model, [])?;
    store.close()
}

fn deletes_survive_restarts(context: &Context) -> Judged {
    let mut store = Store::open(context)?;
    store.put("a", "1")?;
    store.put("b", "2")?;
    store.delete("a")?;
    store.restart()?;
    store.expect("a", None)?;
    store.delete("b")?;
    store.restart()?;
    store.expect("b", None)?;
    store.put("a", "3")?;
    store.restart()?;
    store.expect("a", Some("3"))?;
    store.expect("b", None)?;
    store.close()
}

/// What it looks like when an acknowledged write is lost.
const UNWRITTEN: &str =
    "the reply came before its bytes were written; a buffer inside the program dies with it";

fn acknowledged_writes_survive_sigkill(context: &Context) -> Judged {
    let mut rng = context.rng();
    let mut store = Store::open(context)?;
    store.put("a", "1")?;
    store.kill()?;
    store.expect("a", Some("1")).map_err(|halt| halt.likely(UNWRITTEN))?;
    let mut model = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
    for _ in 0..20 {
        for _ in 0..rng.usize(1..12) {
            let key = format!("k{}", rng.usize(..8));
            let step = match rng.usize(..4) {
                0 => Step::Delete(key),
                _ => Step::Put(key, model::value(&mut rng, 5)),
            };
            model::apply(&mut model, &step);
            store.acknowledged(step)?;
        }
        store.kill()?;
        let keys: Vec<_> = (0..8).map(|number| format!("k{number}")).collect();
        let absent: Vec<_> = keys.iter().filter(|key| !model.contains_key(*key)).collect();
        store.expect_all(&model, absent).map_err(|halt| halt.likely(UNWRITTEN))?;
    }
    store.close()
}

fn behaves_like_a_map_across_restarts(context: &Context) -> Judged {
    let mix = Mix { put: 10, get: 4, delete: 4, flush: 0, compact: 0, restart: 2, kill: 1 };
    behaves_like_a_map(context, &mix, 80, 30)
}
