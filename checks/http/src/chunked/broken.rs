//! Streams that are broken: in a size, behind the data, and anywhere.

use harness::{Context, Judged};

use super::{
    chunked, expect,
    reading::{End, read},
    stream::Stream,
};
use crate::bytes::difference;

pub(super) fn what_is_no_size_is_refused(context: &Context) -> Judged {
    let sizes = [
        "",
        ";a=b",
        "+2",
        "-2",
        "-0",
        "0x2",
        "0X2",
        "x2",
        "2x",
        "2h",
        "2_0",
        "0_2",
        "2,0",
        "2.0",
        "2 0",
        "0 2",
        "2\t2",
        "\"2\"",
        "g",
        "two",
        "٢",
        "2:",
        "2=",
        "#2",
        "10000000000000000",
        "10000000000000002",
        "fffffffffffffffff",
        "123456789abcdef012",
    ];
    for size in sizes {
        // As the first, where nothing is on stdout, and behind a good one; the data is what a guess would want.
        for before in ["", "3\r\nabc\r\n"] {
            let stream = format!("{before}{size}\r\nhi\r\n0\r\n\r\n");
            let body = if before.is_empty() { &b""[..] } else { b"abc" };
            chunked(stream).outcome(context)?.fails_within(&["bad-response"], body)?;
        }
    }
    // What would end the body, were it a size: the sign, the prefix, or the wrap of 64 bits would be believed.
    for last in ["-0", "+0", "0x0", "", " ", "10000000000000000", "O"] {
        chunked(format!("2\r\nhi\r\n{last}\r\n\r\n"))
            .outcome(context)?
            .fails_within(&["bad-response"], b"hi")?;
    }
    // The largest sizes there are, of which the beginning comes: nothing is set aside for the rest, and nothing
    // overflows.
    for size in ["7fffffffffffffff", "7FFFFFFFFFFFFFFE"] {
        let stream = format!("3\r\nabc\r\n{size}\r\nhi");
        chunked(stream).outcome(context)?.fails_within(&["truncated"], b"abchi")?;
    }
    for size in ["8000000000000000", "ffffffffffffffff", "fffffffffffffffe"] {
        let kinds = ["truncated", "bad-response", "too-large", "unsupported"];
        chunked(format!("3\r\nabc\r\n{size}\r\nhi")).outcome(context)?.fails_within(&kinds, b"abchi")?;
    }
    Ok(())
}

pub(super) fn data_is_followed_by_a_line_end(context: &Context) -> Judged {
    // What stands between two chunks, and whether it is one of the things that may be taken for a line's end.
    for (between, is_either) in [
        ("", false),
        ("\r", false),
        ("X", false),
        ("XX", false),
        ("X\r\n", false),
        ("\rX", false),
        ("X\n", false),
        (" \r\n", false),
        ("\r\r\n", false),
        (";a=b\r\n", false),
        ("\n\n", false),
        ("\r\n\r\n", false),
        ("\n", true),
    ] {
        for rest in ["2\r\n, \r\n5\r\nworld\r\n0\r\n\r\n", "0\r\n\r\n"] {
            let outcome = chunked(format!("5\r\nhello{between}{rest}")).outcome(context)?;
            let body = if rest.starts_with('0') { &b"hello"[..] } else { b"hello, world" };
            if is_either {
                outcome.may_be(200, body)?;
            } else {
                outcome.fails_within(&["bad-response"], body)?;
            }
        }
    }
    Ok(())
}

pub(super) fn one_wrong_byte_is_never_another_body(context: &Context) -> Judged {
    let stream = Stream::short();
    let whole = stream.bytes();
    for at in stream.framing() {
        let (before, byte, behind) = (&whole[..at], whole[at], &whole[at + 1..]);
        let mut damages = vec![vec![], vec![byte, byte]];
        damages.extend(b"X0\n\r -".map(|other| vec![other]));
        damages.extend(b"1 ".map(|other| vec![other, byte]));
        for damage in damages {
            let damaged = [before, &damage, behind].concat();
            if let Err(halt) = reads_right(context, &damaged) {
                return Err(halt.drawn(damage_shown(&whole, &damaged)));
            }
        }
    }
    Ok(())
}

/// A stream that may be broken: has to be read as the specification says, or refused where it lets the client choose.
fn reads_right(context: &Context, stream: &[u8]) -> Judged {
    let reading = read(stream);
    let outcome = chunked(stream).outcome(context)?;
    match (reading.end, reading.is_strict) {
        (End::Complete, true) => expect(outcome, &reading.body),
        (End::Complete, false) => outcome.may_be(200, &reading.body),
        (End::Broken, _) => outcome.fails_within(&["bad-response", "truncated", "too-large"], &reading.body),
    }
}

/// The stream as it was and as it is, with a caret at the damage.
fn damage_shown(whole: &[u8], damaged: &[u8]) -> Vec<String> {
    let mut rows = difference(whole, damaged);
    for (row, name) in rows.iter_mut().zip(["whole     ", "sent      ", "          "]) {
        row.replace_range(..name.len(), name);
    }
    if let Some((caret, at)) = rows.last_mut().and_then(|row| Some((row.find('^')?, row))) {
        at.truncate(caret + 1);
        at.push_str(" the damage");
    }
    rows
}
