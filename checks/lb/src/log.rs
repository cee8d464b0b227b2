//! A line of the log, as the specification has it:
//!
//! ```text
//!   2026-11-22T10:00:00.123Z client=127.0.0.1:51234 backend=127.0.0.1:9001 sent=1234 received=5678 status=ok
//!   timestamp (UTC)          its address            or -                   bytes each way           a word
//! ```
//!
//! More ` name=value` fields may follow.

use std::{net::SocketAddr, str::FromStr};

use harness::{Halt, Judged};

use crate::bytes::shown;

/// The words that a status can be.
const STATUSES: [&str; 4] = ["ok", "no-backend", "backend-error", "client-error"];

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The end of the connection, in milliseconds since 1970.
    pub(crate) time_ms: u64,
    pub(crate) client: SocketAddr,
    /// None when none could be had.
    pub(crate) backend: Option<SocketAddr>,
    /// Bytes of the client delivered to the backend.
    pub(crate) sent: u64,
    /// Bytes of the backend delivered to the client.
    pub(crate) received: u64,
    pub(crate) status: String,
    /// The line itself.
    pub(crate) text: String,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is not what the specification says.
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Judged<Self> {
        match Self::read(text) {
            Some(line) => Ok(line),
            None => Err(Halt::fail(
                "a line in the log like `2026-11-22T10:00:00.123Z client=127.0.0.1:51234 backend=127.0.0.1:9001 \
                 sent=1234 received=5678 status=ok`",
                shown_whole(text),
            )),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let time_ms = milliseconds(words.next()?)?;
        let client = field(words.next()?, "client")?;
        let backend = words.next()?;
        let backend = if backend == "backend=-" { None } else { Some(field(backend, "backend")?) };
        let sent = number(words.next()?, "sent")?;
        let received = number(words.next()?, "received")?;
        let status: String = field(words.next()?, "status")?;
        let is_known = STATUSES.contains(&status.as_str());
        let more_are_fields =
            words.all(|word| word.split_once('=').is_some_and(|(name, _)| !name.is_empty()));
        let text = text.to_owned();
        (is_known && more_are_fields).then_some(Self {
            time_ms,
            client,
            backend,
            sent,
            received,
            status,
            text,
        })
    }
}

fn field<T: FromStr>(word: &str, name: &str) -> Option<T> {
    word.strip_prefix(name)?.strip_prefix('=')?.parse().ok()
}

/// A number in digits alone.
fn number(word: &str, name: &str) -> Option<u64> {
    field::<u64>(word, name).filter(|_| !word.contains('+'))
}

/// An RFC 3339 timestamp in UTC, to the millisecond at least, as milliseconds since 1970.
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00"))?;
    let (date, time) = text.split_once('T')?;
    let numbers = |text: &str, by: char, widths: [usize; 3]| -> Option<[u64; 3]> {
        let parts: Vec<_> = text.split(by).collect();
        let parts: [&str; 3] = parts.try_into().ok()?;
        let mut numbers = [0; 3];
        for ((number, part), width) in numbers.iter_mut().zip(parts).zip(widths) {
            let is_right = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
            *number = part.parse().ok().filter(|_| is_right)?;
        }
        Some(numbers)
    };
    let (time, fraction) = time.split_once('.')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let is_fraction = (3..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = (1970..).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !is_fraction || !is_time {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(seconds * 1_000 + fraction[..3].parse::<u64>().ok()?)
}

/// Days since 1970-01-01. A year is counted from March, so that a leap day is its last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    const BEFORE_1970: u64 = 719_468;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_years = year * 365 + year / 4 - year / 100 + year / 400;
    of_years + (month * 153 + 2) / 5 + day - 1 - BEFORE_1970
}

fn shown_whole(text: &str) -> String {
    if text.len() < 300 { format!("`{text}`") } else { shown(text.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "2026-11-22T10:00:00.123Z client=127.0.0.1:51234 backend=127.0.0.1:9001 sent=1234 received=5678 status=ok";

    #[test]
    fn a_line_is_read() {
        let line = Line::read(LINE).expect("the specification's own example");
        assert_eq!((line.client.port(), line.backend.map(|backend| backend.port())), (51234, Some(9001)));
        assert_eq!((line.sent, line.received, line.status.as_str()), (1234, 5678, "ok"));
        // `date -u -d 2026-11-22T10:00:00 +%s`
        assert_eq!(line.time_ms, 1_795_341_600_123);
        assert_eq!(milliseconds("1970-01-01T00:00:00.000Z"), Some(0));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        let wrong = [
            ("T10", " 10"),
            (".123Z", "Z"),
            ("client=127.0.0.1:51234", "client=127.0.0.1"),
            ("sent=1234", "sent=+1"),
            ("status=ok", "status=fine"),
            ("status=ok", "status=ok more"),
            (" received=5678", ""),
        ];
        for (from, to) in wrong {
            assert_eq!(Line::read(&LINE.replace(from, to)), None, "{to} instead of {from}");
        }
        assert!(Line::read(&format!("{LINE} took_ms=5")).is_some(), "more fields may follow");
        assert!(Line::read(&LINE.replace("127.0.0.1:9001", "-")).is_some(), "no backend could be had");
    }
}
