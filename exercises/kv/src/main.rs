//! Given: the program `kv DIR`, which speaks the contract and calls [`Store`]. There is nothing to do here.
//!
//! ```text
//! stdin    one JSON request a line    {"op":"put","key":"a","value":"1"}   {"op":"get","key":"a"}   …
//! stdout   one JSON reply each        {"ok":true}                          {"value":"1"}            …
//! ```
//!
//! A reply acknowledges: whatever `Store` returned `Ok` for has to survive a SIGKILL from then on. Replies
//! come in the order of the requests, and are written out before the program waits for more of them.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use kv::Store;
use serde_json::{Value, json};

/// The longest key that has to work, in bytes. A longer one, or an empty one, is refused here.
const MAX_KEY_BYTES: usize = 64 * 1024;
/// The longest value that has to work, in bytes. A longer one is refused here; an empty one is a value.
const MAX_VALUE_BYTES: usize = 1024 * 1024;
/// As much of the input is read at once; requests that fit share one write of their replies.
const INPUT_BYTES: usize = 64 * 1024;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(dir), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: kv DIR    (reads one JSON request a line, answers each with one line)");
        return ExitCode::from(2);
    };
    let mut store = match Store::open(Path::new(&dir)) {
        Ok(store) => store,
        Err(error) => {
            eprintln!("kv: cannot open the store in {}: {error}", Path::new(&dir).display());
            return ExitCode::FAILURE;
        }
    };
    match serve(&mut store) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kv: cannot talk to the client: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers each line of the input, up to its end.
fn serve(store: &mut Store) -> io::Result<()> {
    let mut input = BufReader::with_capacity(INPUT_BYTES, io::stdin().lock());
    let mut output = BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let reply = answer(store, &line).unwrap_or_else(|problem| json!({ "error": problem }));
        serde_json::to_writer(&mut output, &reply)?;
        output.write_all(b"\n")?;
        // While a whole request is waiting, so may this reply: whoever pipelines gets them together.
        if !input.buffer().contains(&b'\n') {
            output.flush()?;
        }
        line.clear();
    }
    output.flush()
}

/// The reply to one request; `Err` says what is wrong with it, or what the store could not do.
fn answer(store: &mut Store, line: &[u8]) -> Result<Value, String> {
    let request: Value = serde_json::from_slice(line).map_err(|error| format!("not JSON: {error}"))?;
    let done = |()| json!({ "ok": true });
    let result = match field(&request, "op")? {
        "put" => store.put(key(&request)?, value(&request)?).map(done),
        "get" => store.get(key(&request)?).map(|value| json!({ "value": value })),
        "delete" => store.delete(key(&request)?).map(done),
        "flush" => store.flush().map(done),
        "compact" => store.compact().map(done),
        other => return Err(format!("unknown op {other:?}; use put, get, delete, flush or compact")),
    };
    result.map_err(|error| error.to_string())
}

fn key(request: &Value) -> Result<&str, String> {
    match field(request, "key")? {
        "" => Err("the key is empty; give it at least one byte".to_string()),
        key if key.len() > MAX_KEY_BYTES => Err(format!("the key is longer than {MAX_KEY_BYTES} bytes")),
        key => Ok(key),
    }
}

fn value(request: &Value) -> Result<&str, String> {
    match field(request, "value")? {
        value if value.len() > MAX_VALUE_BYTES => {
            Err(format!("the value is longer than {MAX_VALUE_BYTES} bytes"))
        }
        value => Ok(value),
    }
}

fn field<'a>(request: &'a Value, name: &str) -> Result<&'a str, String> {
    request[name].as_str().ok_or_else(|| format!("the request has no string {name:?}"))
}
