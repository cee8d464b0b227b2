//! How fast the store is, and what it pays for that.
//!
//! ```text
//! cargo run --release -p kv-solution --example throughput [DIR [KV]]
//! ```
//!
//! DIR is where the data goes while it runs (if not given, the temporary directory: often memory, where a
//! sync costs nothing). KV is the program to time over the contract; if not given, the one built beside
//! this example, if it is there. 16-byte keys, 100-byte values, 100,000 of them, in random order.
//!
//! - *Write amplification*: bytes written to files for each byte of key and value that was put. The log
//!   writes each once, a flush once more, and every merge that it takes part in again.
//! - *Space amplification*: bytes in the directory for each byte of key and value that is live. Overwritten
//!   values wait there for their merge.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use kv::Store;

const ENTRIES: u64 = 100_000;
const ENTRY_BYTES: u64 = 16 + 100;
/// Fewer when each request waits for the reply to the one before.
const ONE_BY_ONE: u64 = 20_000;
/// Requests sent before their replies are read.
const PIPELINED: usize = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let parent = arguments.next().unwrap_or_else(std::env::temp_dir);
    let program = match arguments.next() {
        Some(program) => program,
        None => std::env::current_exe()?.with_file_name("../kv-solution"),
    };
    let dir = parent.join(format!("kv-throughput-{}", std::process::id()));
    println!("data in {}", dir.display());
    in_process(&dir)?;
    if program.exists() {
        over_the_contract(&dir, &program)?;
    } else {
        println!("no program at {}: build it, or name it after DIR", program.display());
    }
    Ok(())
}

fn in_process(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut store = Store::open(dir)?;
    let mut written = bytes_written();
    let mut put_all = |round: usize| -> Result<f64, kv::Error> {
        let before = Instant::now();
        for n in 0..ENTRIES {
            store.put(&key(shuffled(n, round)), &value(n))?;
        }
        Ok(per_second(ENTRIES, before))
    };
    println!("in process      put        {:>9.0} a second", put_all(0)?);
    let first = bytes_written().zip(written).map(|(now, then)| now - then);
    written = bytes_written();
    println!("in process      overwrite  {:>9.0} a second", put_all(1)?);
    let second = bytes_written().zip(written).map(|(now, then)| now - then);

    let before = Instant::now();
    for n in 0..ENTRIES {
        assert!(store.get(&key(shuffled(n, 2)))?.is_some(), "every key was put");
    }
    println!("in process      get        {:>9.0} a second", per_second(ENTRIES, before));
    let before = Instant::now();
    for n in 0..ENTRIES {
        assert!(store.get(&key(ENTRIES + n))?.is_none(), "this key was never put");
    }
    println!("in process      miss       {:>9.0} a second", per_second(ENTRIES, before));

    let live = (ENTRIES * ENTRY_BYTES) as f64;
    if let (Some(first), Some(second)) = (first, second) {
        println!(
            "write amplification {:>8.1} when put, {:.1} when overwritten",
            first as f64 / live,
            second as f64 / live
        );
    }
    println!(
        "space amplification {:>8.1} after that, in {} tables",
        bytes_in(dir)? as f64 / live,
        tables_in(dir)?
    );
    let before = Instant::now();
    store.compact()?;
    println!(
        "                    {:>8.1} after a compaction of {:.2} s",
        bytes_in(dir)? as f64 / live,
        before.elapsed().as_secs_f64()
    );
    fs::remove_dir_all(dir)?;
    Ok(())
}

fn over_the_contract(dir: &Path, program: &Path) -> io::Result<()> {
    let mut child = Command::new(program).arg(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (Some(mut requests), Some(replies)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("the program has no pipes"));
    };
    let mut replies = BufReader::new(replies);
    let put =
        |n| format!("{{\"op\":\"put\",\"key\":\"{}\",\"value\":\"{}\"}}\n", key(shuffled(n, 0)), value(n));
    let get = |n| format!("{{\"op\":\"get\",\"key\":\"{}\"}}\n", key(shuffled(n, 2)));
    for (name, request) in [("put", &put as &dyn Fn(u64) -> String), ("get", &get)] {
        for (how, count, batch) in [("one by one", ONE_BY_ONE, 1), ("pipelined", ENTRIES, PIPELINED)] {
            let sent: Vec<String> = (0..count).map(request).collect();
            let before = Instant::now();
            for batch in sent.chunks(batch) {
                exchange(&mut requests, &mut replies, batch)?;
            }
            println!("{how:<15} {name:<10} {:>9.0} a second", per_second(count, before));
        }
    }
    drop(requests);
    child.wait()?;
    fs::remove_dir_all(dir)
}

fn exchange(
    requests: &mut ChildStdin,
    replies: &mut BufReader<ChildStdout>,
    batch: &[String],
) -> io::Result<()> {
    requests.write_all(batch.concat().as_bytes())?;
    for _ in batch {
        let mut reply = String::new();
        replies.read_line(&mut reply)?;
        assert!(reply.starts_with("{\"ok\"") || reply.starts_with("{\"value\":\""), "got {reply:?}");
    }
    Ok(())
}

fn key(n: u64) -> String {
    format!("key{n:013}")
}

fn value(n: u64) -> String {
    format!("{n:0100}")
}

/// The n-th of the numbers below ENTRIES, in an order that looks random and differs by round: each step is
/// prime to ENTRIES, so none comes twice.
fn shuffled(n: u64, round: usize) -> u64 {
    n * [61_803, 27_183, 31_417][round] % ENTRIES
}

fn per_second(count: u64, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}

/// What this process handed to write(2) so far; `None` where the system does not say.
fn bytes_written() -> Option<u64> {
    let io = fs::read_to_string("/proc/self/io").ok()?;
    io.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
}

fn bytes_in(dir: &Path) -> io::Result<u64> {
    fs::read_dir(dir)?.map(|file| Ok(file?.metadata()?.len())).sum()
}

fn tables_in(dir: &Path) -> io::Result<usize> {
    Ok(fs::read_dir(dir)?
        .filter_map(Result::ok)
        .filter(|file| file.file_name().to_string_lossy().ends_with(".sst"))
        .count())
}
