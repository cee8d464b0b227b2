//! Stage 5: a line for each connection, written when it has ended: before that nobody knows what to write.
//!
//! ```text
//! 2026-11-22T10:00:00.123Z client=127.0.0.1:51234 backend=127.0.0.1:9001 sent=1234 received=5678 status=ok
//! ```
//!
//! One write a line, without a buffer behind it: lines of several programs that append to one file do not mix,
//! and nothing is held back. The write may block; that of a file on a disk hardly does.

use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Both directions ended.
    Ok,
    /// Every backend was tried, or is down.
    NoBackend,
    /// The backend's connection was reset, or otherwise broke.
    BackendError,
    /// The client's was.
    ClientError,
}

/// What is logged of a connection. Shown, it is the line, without its end.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// When it ended.
    pub at: SystemTime,
    /// The client, as `accept` saw it.
    pub client: SocketAddr,
    /// The backend that served it.
    pub backend: Option<SocketAddr>,
    /// Bytes of the client that the backend's socket took.
    pub sent: u64,
    /// Bytes of the backend that the client's socket took.
    pub received: u64,
    /// How it ended.
    pub status: Status,
}

impl Record {
    /// Writes the line, by one call of `write`.
    pub fn write_to(&self, log: &mut impl Write) -> io::Result<()> {
        log.write_all(format!("{self}\n").as_bytes())
    }
}

impl Display for Record {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Record { client, sent, received, .. } = self;
        write!(f, "{} client={client} backend=", timestamp(self.at))?;
        match self.backend {
            Some(backend) => write!(f, "{backend}")?,
            None => write!(f, "-")?,
        }
        write!(f, " sent={sent} received={received} status={}", self.status)
    }
}

impl Display for Status {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Ok => "ok",
            Status::NoBackend => "no-backend",
            Status::BackendError => "backend-error",
            Status::ClientError => "client-error",
        })
    }
}

/// RFC 3339, in UTC, with milliseconds.
fn timestamp(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (seconds, ms) = (since.as_secs(), since.subsec_millis());
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// The Gregorian date, so many days after 1970-01-01.
///
/// Counted in years that begin in March: then the day that only some years have is the last, and the months
/// before it have lengths that repeat after five, 31 30 31 30 31, which is 153 days.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // since 0000-03-01
    let (era, day) = (days / 146_097, days % 146_097); // 400 years, after which everything repeats
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_at_once_and_whole() {
        let record = Record {
            at: UNIX_EPOCH + Duration::from_millis(1_795_341_600_123),
            client: "127.0.0.1:51234".parse().unwrap(),
            backend: Some("[::1]:9001".parse().unwrap()),
            sent: 1234,
            received: 5678,
            status: Status::ClientError,
        };
        let mut log = Vec::new();
        record.write_to(&mut log).unwrap();
        Record { backend: None, sent: 0, received: 0, status: Status::NoBackend, ..record }
            .write_to(&mut log)
            .unwrap();
        let expected = "2026-11-22T10:00:00.123Z client=127.0.0.1:51234 backend=[::1]:9001 sent=1234 \
                        received=5678 status=client-error\n\
                        2026-11-22T10:00:00.123Z client=127.0.0.1:51234 backend=- sent=0 received=0 status=no-backend\n";
        assert_eq!(String::from_utf8(log).unwrap(), expected);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let day =
            |days: u64| timestamp(UNIX_EPOCH + Duration::from_secs(days * 86_400 + 86_399))[..19].to_owned();
        for (days, expected) in [
            (0, "1970-01-01T23:59:59"),
            (58, "1970-02-28T23:59:59"),
            (59, "1970-03-01T23:59:59"),
            (789, "1972-02-29T23:59:59"),
            (11_016, "2000-02-29T23:59:59"),
            (20_453, "2025-12-31T23:59:59"),
            (47_540, "2100-02-28T23:59:59"),
            (47_541, "2100-03-01T23:59:59"),
        ] {
            assert_eq!(day(days), expected, "{days} days after the first");
        }
    }
}
