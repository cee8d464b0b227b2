//! Given: the program `http`, which speaks the contract and calls the library. There is nothing to do here.
//!
//! ```text
//! http get URL [--ca FILE] [--max-time SECONDS]      http post URL …  sends stdin as the body
//!
//! stdout  {"status":200,"headers":[["Content-Type","text/plain"],…]}   one line, as soon as it is known
//!         then the body, as it arrives
//! stderr  error: KIND: detail                                          one line, and exit status 1
//! ```

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::Duration;

use http::{Error, Kind, Options, Response};

const USAGE: &str =
    "usage: http get|post URL [--ca FILE] [--max-time SECONDS]    (post sends stdin as the body)";
/// As much of a body is read and written at once.
const COPY_BYTES: usize = 128 * 1024;
/// What the system divides memory into.
const PAGE_BYTES: usize = 4096;

/// What the command line asks for.
struct Call {
    method: String,
    url: String,
    options: Options,
}

fn main() -> ExitCode {
    let Some(call) = parse(std::env::args_os().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match exchange(&call).and_then(show) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, whatever a server put into it.
            let line = error.to_string().replace(char::is_control, " ");
            eprintln!("error: {line}");
            ExitCode::FAILURE
        }
    }
}

/// The command line; none if it is not one.
fn parse(mut words: impl Iterator<Item = OsString>) -> Option<Call> {
    let mut plain = Vec::new();
    let mut options = Options::default();
    while let Some(word) = words.next() {
        // What is not UTF-8 is no option, and no URL either: that is for the library to say.
        let word = word.to_string_lossy().into_owned();
        match word.as_str() {
            "--ca" => options.ca = Some(words.next()?.into()),
            "--max-time" => options.max_time = seconds(words.next()?.to_str()?)?,
            option if option.starts_with('-') => return None,
            _ => plain.push(word),
        }
    }
    let [method, url] = <[String; 2]>::try_from(plain).ok()?;
    ["get", "post"].contains(&method.as_str()).then_some(Call { method, url, options })
}

/// A decimal number of seconds, greater than zero.
fn seconds(text: &str) -> Option<Duration> {
    let decimal = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = if decimal { text.parse().ok()? } else { return None };
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero())
}

fn exchange(call: &Call) -> Result<Response, Error> {
    if call.method == "get" {
        return http::get(&call.url, &call.options);
    }
    let mut body = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut body);
    read.map_err(|error| Error::new(Kind::Io, format!("cannot read stdin: {error}")))?;
    http::post(&call.url, &body, &call.options)
}

/// Writes the head's line, then the body as it arrives.
fn show(mut response: Response) -> Result<(), Error> {
    let unwritable = |error: io::Error| Error::new(Kind::Io, format!("cannot write stdout: {error}"));
    // std's stdout looks for line ends in all that it is given, and holds back what follows the last one.
    let mut stdout = File::from(io::stdout().as_fd().try_clone_to_owned().map_err(unwritable)?);
    let headers = serde_json::to_string(&response.headers).map_err(io::Error::from)?;
    let head = format!("{{\"status\":{},\"headers\":{headers}}}\n", response.status);
    stdout.write_all(head.as_bytes()).map_err(unwritable)?;
    // From a page's edge on, where what arrives begins too. Copies between places that are a few bytes apart within
    // their pages, as malloc's often are, take some processors three times as long.
    let mut room = vec![0_u8; COPY_BYTES + PAGE_BYTES];
    let edge = room.as_ptr().align_offset(PAGE_BYTES);
    let buffer = &mut room[edge..][..COPY_BYTES];
    loop {
        match response.body.read(buffer)? {
            0 => return Ok(()),
            bytes => stdout.write_all(&buffer[..bytes]).map_err(unwritable)?,
        }
    }
}
