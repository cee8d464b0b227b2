//! Field lines: what they say, what they may look like, and what is none.

use harness::{Context, Halt, Judged};

use super::hello_after;
use crate::{
    bytes::{difference, shown},
    outcome::Response,
};

/// The fields have to be these, in their order as far as they have one name. What is free is left out: the case of
/// names, the order of different names, and whether repeated ones are joined.
#[track_caller]
pub(crate) fn are(response: &Response, expected: &[(&str, &str)]) -> Judged {
    let expected: Vec<_> =
        expected.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut names: Vec<_> = expected.iter().chain(&response.headers).map(|field| lower(&field.0)).collect();
    let mut seen = Vec::new();
    names.retain(|name| !seen.contains(name) && (seen.push(name.clone()), true).1);
    let (expected, got) = (told(&expected, &names), told(&response.headers, &names));
    if expected == got {
        return Ok(());
    }
    let halt = Halt::fail(format!("the fields {}", shown(expected.as_bytes())), shown(got.as_bytes()));
    Err(halt.drawn(difference(expected.as_bytes(), got.as_bytes())))
}

/// Fields as text, by name in this order.
fn told(fields: &[(String, String)], names: &[String]) -> String {
    let line = |name: &String| {
        let values: Vec<_> =
            fields.iter().filter(|field| lower(&field.0) == *name).map(|field| field.1.as_str()).collect();
        match &values[..] {
            [] => String::new(),
            // A list may be one field or several; a cookie may hold a comma, so that these are never a list.
            _ if name == "set-cookie" => values.iter().map(|value| format!("{name}: {value}\n")).collect(),
            _ => format!("{name}: {}\n", values.join(", ")),
        }
    };
    names.iter().map(line).collect()
}

fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}

pub(super) fn fields_are_names_and_values(context: &Context) -> Judged {
    let long = "v".repeat(8000);
    let long_line = format!("X-Long: {long}");
    // A line, and what it may be reported as: bytes of 128 and more in one of two ways.
    let cases: [(&[u8], &str, &[&str]); 16] = [
        (b"X-Plain: value", "X-Plain", &["value"]),
        (b"X-Nothing:value", "X-Nothing", &["value"]),
        (b"X-Much: \t  value \t ", "X-Much", &["value"]),
        (b"X-Empty:", "X-Empty", &[""]),
        (b"X-Blank: \t ", "X-Blank", &[""]),
        (b"X-Colons: a:b: c", "X-Colons", &["a:b: c"]),
        (b"X-Colon::", "X-Colon", &[":"]),
        (b"X-Inner: a  b", "X-Inner", &["a  b"]),
        (b"X-Quoted: \"a, b\"; c='d\\'", "X-Quoted", &["\"a, b\"; c='d\\'"]),
        (b"x-lower: Value", "x-lower", &["Value"]),
        (b"X-UPPER: VALUE", "X-UPPER", &["VALUE"]),
        (b"!#$%&'*+-.^_`|~09azAZ: token", "!#$%&'*+-.^_`|~09azAZ", &["token"]),
        ("X-Utf8: é中".as_bytes(), "X-Utf8", &["é中", "Ã©ä¸\u{ad}"]),
        (b"X-Latin: caf\xe9 \xff!", "X-Latin", &["caf\u{fffd} \u{fffd}!", "café ÿ!"]),
        (b"Content-Encoding: gzip", "Content-Encoding", &["gzip"]),
        (long_line.as_bytes(), "X-Long", &[&long]),
    ];
    for (line, name, values) in cases {
        let outcome = hello_after(&[b"HTTP/1.1 200 OK\r\n", line].concat()).outcome(context)?;
        let told = outcome.told.clone();
        let response = outcome.is(200, b"hello")?;
        if let Err(halt) = one_of(&response, name, values) {
            return Err(halt.did(told));
        }
    }
    Ok(())
}

/// One field beside the length, its name as it came or in lower case, its value one of these.
#[track_caller]
fn one_of(response: &Response, name: &str, values: &[&str]) -> Judged {
    let got: Vec<_> =
        response.headers.iter().filter(|field| !field.0.eq_ignore_ascii_case("content-length")).collect();
    if let [(got_name, got_value)] = &got[..]
        && (got_name == name || *got_name == lower(name))
        && values.contains(&got_value.as_str())
        && response.values("content-length") == ["5"]
    {
        return Ok(());
    }
    let expected = format!("{name}: {}\nContent-Length: 5", values[0]);
    let got: Vec<_> = response.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let got = got.join("\n");
    let halt = Halt::fail(format!("the fields {}", shown(expected.as_bytes())), shown(got.as_bytes()));
    Err(halt.drawn(difference(expected.as_bytes(), got.as_bytes())))
}

pub(super) fn repeated_fields_are_all_kept(context: &Context) -> Judged {
    let lines = [
        ("X-Way", "by Bern"),
        ("Set-Cookie", "a=1; Expires=Wed, 09 Jun 2100 10:18:14 GMT"),
        ("x-way", "by Basel"),
        ("Set-Cookie", "b=2; Path=/"),
        ("X-Way", "by Bern"),
    ];
    let text: Vec<_> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let head = format!("HTTP/1.1 200 OK\r\n{}", text.join("\r\n"));
    let outcome = hello_after(head.as_bytes()).outcome(context)?;
    let told = outcome.told.clone();
    let response = outcome.is(200, b"hello")?;
    let expected: Vec<_> = lines.into_iter().chain([("Content-Length", "5")]).collect();
    match are(&response, &expected) {
        Ok(()) => Ok(()),
        Err(halt) => Err(halt.did(told)),
    }
}

pub(super) fn a_folded_line_goes_on(context: &Context) -> Judged {
    let cases = [
        ("X-Long: one\r\n two", "one two"),
        ("X-Long: one \r\n\t \t two\r\n  three", "one two three"),
        ("X-Long:\r\n one", "one"),
        ("X-Long: one\r\n Content-Length: 3", "one Content-Length: 3"),
        ("X-Long: one\r\n\ttwo:three", "one two:three"),
    ];
    // At once, and with the rest of the field when its first line was read.
    for ((lines, value), is_cut) in cases.into_iter().flat_map(|case| [(case, false), (case, true)]) {
        let head = format!("HTTP/1.1 200 OK\r\n{lines}");
        let reply = hello_after(head.as_bytes());
        let rest = head.rfind("\r\n").filter(|_| is_cut).map(|end| end + "\r\n".len());
        let outcome = reply.cut_at(rest.as_slice()).outcome(context)?;
        let told = outcome.told.clone();
        let mut response = outcome.is(200, b"hello")?;
        // A line's end and the white space around it become spaces, and how many is free.
        for (_, value) in &mut response.headers {
            *value = value.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        }
        if let Err(halt) = are(&response, &[("X-Long", value), ("Content-Length", "5")]) {
            return Err(halt.did(told));
        }
    }
    Ok(())
}

pub(super) fn what_is_no_field_is_refused(context: &Context) -> Judged {
    let lines: [&[u8]; 15] = [
        b"no colon",
        b"NoColon",
        b": value",
        b":",
        b"X-A : b",
        b"X-A\t: b",
        b"X A: b",
        b"X\tA: b",
        b"Content-Length : 5",
        b"Content-Length\t: 5",
        b"Transfer-Encoding : chunked",
        b"X-A: b\0c",
        b"X-A: \0",
        b"X\0A: b",
        b"X-A: b\r\nno colon either",
    ];
    for line in lines {
        for head in
            [[b"HTTP/1.1 200 OK\r\n", line].concat(), [b"HTTP/1.1 200 OK\r\nX-B: c\r\n", line].concat()]
        {
            hello_after(&head).outcome(context)?.fails_within(&["bad-response"], b"")?;
        }
    }
    hello_after(b"HTTP/1.1 200 O\0K").outcome(context)?.fails_within(&["bad-response"], b"")
}
