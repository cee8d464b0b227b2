//! The probe: the program that runs inside a container and tells what it sees there.
//!
//! ```text
//!   probe serve NONCE           answers each line of stdin by a line of JSON, until there are no more
//!   probe words NONCE ARG…      one line of JSON: its arguments, environment and folder
//!   probe copy  NONCE           stdin to stdout, byte for byte
//!   probe exit  NONCE STATUS    ends with this status
//!   probe attempt NONCE CALL    tries a system call, and says what came of it
//!   probe die   NONCE SIGNAL    dies of this signal, of a real fault where it is one
//! ```
//!
//! The nonce is for those outside, who look for the process that has it. The probe judges nothing: it says what the
//! kernel said, and the suite knows what that should have been. It has no dependencies, and needs no file but itself.

mod answer;
mod attempts;
mod deeds;
mod escapes;
mod everyday;
mod look;
mod network;
mod rights;
mod sys;

use std::{
    env,
    io::{self, BufRead, Write},
    os::unix::ffi::OsStringExt,
    process::exit,
};

use answer::Answer;

fn main() {
    let words: Vec<Vec<u8>> = env::args_os().map(OsStringExt::into_vec).collect();
    let word = |index: usize| words.get(index).map_or("", |word| str::from_utf8(word).unwrap_or_default());
    match word(1) {
        "serve" => serve(word(2)),
        "words" => say(&look::words(&words)),
        "copy" => {
            let copied = io::copy(&mut io::stdin().lock(), &mut io::stdout().lock());
            exit(i32::from(copied.is_err()));
        }
        "exit" => exit(word(3).parse().unwrap_or(99)),
        "attempt" => match attempts::attempt(word(3), "") {
            Ok(answer) => say(&answer),
            Err(error) => eprintln!("probe: {error}"),
        },
        "die" => deeds::die_of(word(3).parse().unwrap_or(0)),
        other => {
            eprintln!("probe: there is no verb {other:?}");
            exit(98);
        }
    }
}

/// Answers until the end of its input.
fn serve(nonce: &str) {
    say(&Answer::object([
        ("nonce", Answer::text(nonce.as_bytes())),
        ("pid", Answer::Number(i64::from(sys::pid()))),
        // Before anything else is done: this is how it was at its first instruction, or a few later.
        ("hostname", look::hostname().unwrap_or(Answer::Nothing)),
    ]));
    let mut state = deeds::State::default();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let words: Vec<_> = line.split(' ').collect();
        let result = respond(&words, &mut state);
        say(&match result {
            Ok(answer) => Answer::object([("ok", answer)]),
            Err(error) => {
                Answer::object([("errno", Answer::Number(error.raw_os_error().unwrap_or(0).into()))])
            }
        });
    }
    exit(state.status);
}

/// One line of JSON, written at once.
fn say(answer: &Answer) {
    let mut line = answer.to_json();
    line.push('\n');
    if io::stdout().lock().write_all(line.as_bytes()).is_err() {
        exit(97);
    }
}

/// Does one thing, and says what came of it.
fn respond(words: &[&str], state: &mut deeds::State) -> io::Result<Answer> {
    let number = |index: usize| {
        let text = words.get(index).copied().unwrap_or_default();
        text.parse::<i64>().map_err(|_| io::Error::from_raw_os_error(sys::EINVAL))
    };
    let word = |index: usize| words.get(index).copied().unwrap_or_default();
    match words[0] {
        "who" => Ok(look::who()),
        "hostname" => look::hostname(),
        "folder" => look::folder(),
        "read" => look::read(word(1)),
        "list" => look::list(word(1)),
        "stat" => look::stat(word(1)),
        "signals" => look::signals(),
        "environment" => Ok(look::environment()),
        "write" => look::write(word(1), word(2)),
        "make-folder" => look::make_folder(word(1)),
        "fork" => deeds::fork_once(),
        "kill" => deeds::kill(number(1)?, number(2)?),
        "leave" => deeds::leave(number(1)?),
        "stay" => deeds::stay(),
        "eat" => deeds::eat(number(1)?, state),
        "eat-apart" => deeds::eat_apart(number(1)?),
        "reap" => deeds::reap(),
        "catch" => deeds::catch(number(1)?),
        "caught" => Ok(deeds::caught()),
        "status" => {
            state.status = number(1)? as i32;
            Ok(Answer::Nothing)
        }
        "rename" => deeds::rename(word(1)),
        "mount-tmpfs" => deeds::mount_tmpfs(word(1)),
        "unmount" => deeds::unmount(word(1)),
        "escape" => escapes::escape(word(1)),
        "attempt" => attempts::attempt(word(1), word(2)),
        "attempt-after-exec" => everyday::attempt_after_exec(word(1)),
        "everyday" => Ok(everyday::everything()),
        "give" => rights::give(word(1), number(2)?),
        "kill-as-another" => rights::kill_as_another(number(1)?),
        "open-device" => rights::open_device(word(1), word(2), word(3), (number(4)?, number(5)?)),
        "writable" => rights::writable(word(1)),
        "loopback" => network::loopback(),
        "connect" => network::connect(number(1)?),
        "connect-abstract" => network::connect_abstract(word(1)),
        "shared-memory" => network::shared_memory(number(1)?),
        _ => Err(io::Error::from_raw_os_error(sys::EINVAL)),
    }
}
