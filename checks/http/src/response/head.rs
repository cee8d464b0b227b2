//! Status lines: those that are short, those before the answer, those that are none, and those about which clients
//! differ.

use harness::{Context, Halt, Judged};

use super::{closing, fields, hello_after};
use crate::bytes::shown;

pub(super) fn a_status_line_may_be_short(context: &Context) -> Judged {
    let cases: [(&[u8], u16); 14] = [
        (b"HTTP/1.1 200 OK", 200),
        (b"HTTP/1.1 200 ", 200),
        (b"HTTP/1.1 200", 200),
        (b"HTTP/1.0 200 OK", 200),
        (b"HTTP/1.0 404", 404),
        (b"HTTP/1.1 404 No page: 200 others, though", 404),
        (b"HTTP/1.1 200 Tr\xe8s bien \xff", 200),
        ("HTTP/1.1 500 Ошибка".as_bytes(), 500),
        (b"HTTP/1.1 200 a  b ", 200),
        (b"HTTP/1.1 201 Created", 201),
        (b"HTTP/1.1 299 Whatever", 299),
        (b"HTTP/1.1 300 Several", 300),
        (b"HTTP/1.1 418 I'm a teapot", 418),
        (b"HTTP/1.1 599 HTTP/1.1 200 OK", 599),
    ];
    for (line, status) in cases {
        hello_after(line).outcome(context)?.is(status, b"hello")?;
    }
    Ok(())
}

pub(super) fn interim_responses_are_skipped(context: &Context) -> Judged {
    const FINAL: &str = "HTTP/1.1 404 Not Found\r\nX-Final: yes\r\nContent-Length: 5\r\n\r\nhello";
    let continues = "HTTP/1.1 100 Continue\r\n\r\n";
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Final: no\r\n\r\n";
    let interim = [
        continues.to_owned(),
        hints.to_owned(),
        "HTTP/1.1 102 \r\nContent-Length: 3\r\n\r\n".to_owned(),
        "HTTP/1.1 199\r\n\r\n".to_owned(),
        "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
        format!("{continues}{hints}{hints}{continues}"),
        continues.repeat(16),
    ];
    for interim in interim {
        let border = interim.len();
        for cut in [0, border - 1, border, border + 1] {
            let reply = closing(format!("{interim}{FINAL}"));
            // A cut at the beginning cuts nothing.
            let reply = if cut > 0 { reply.cut_at(&[cut]) } else { reply };
            let outcome = reply.outcome(context)?;
            let told = outcome.told.clone();
            let response = outcome.is(404, b"hello")?;
            if let Err(halt) = fields::are(&response, &[("X-Final", "yes"), ("Content-Length", "5")]) {
                return Err(halt.did(told));
            }
        }
    }
    closing(continues).outcome(context)?.fails_within(&["truncated", "bad-response", "io"], b"")?;
    // Nobody knows in which protocol it goes on, whatever it looks like.
    closing(format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n{FINAL}"))
        .outcome(context)?
        .fails_within(&["bad-response", "unsupported"], b"")
}

pub(super) fn what_is_no_response_is_refused(context: &Context) -> Judged {
    let lines = [
        "SSH-2.0-OpenSSH_9.2p1",
        "220 mail.example ESMTP",
        "<html><body>hello</body></html>",
        "{\"status\":200,\"headers\":[]}",
        "ICY 200 OK",
        "HTTP 200 OK",
        "HTTPS/1.1 200 OK",
        "XHTTP/1.1 200 OK",
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 OK",
        "HTTP/1.1 OK 200",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 0200 OK",
        "HTTP/1.1 +20 OK",
        "HTTP/1.1 -20 OK",
        "HTTP/1.1 2x0 OK",
        "HTTP/1.1 0x1 OK",
        "HTTP/1.1 2.0 OK",
        "HTTP/1.1 200OK",
        "HTTP/1.1 ２００ OK",
    ];
    for line in lines {
        hello_after(line.as_bytes()).outcome(context)?.fails_within(&["bad-response"], b"")?;
    }
    for line in [
        "HTTP/0.9 200 OK",
        "HTTP/2 200",
        "HTTP/2.0 200 OK",
        "HTTP/2.1 200 OK",
        "HTTP/3 200",
        "HTTP/9.9 200 OK",
    ] {
        hello_after(line.as_bytes()).outcome(context)?.fails_within(&["bad-response", "unsupported"], b"")?;
    }
    // A page without a head, as in version 0.9.
    closing("hello").outcome(context)?.fails_within(&["bad-response", "truncated", "io"], b"")
}

pub(super) fn doubtful_heads_are_understood_or_refused(context: &Context) -> Judged {
    let cases: [(&[u8], u16); 18] = [
        (b"HTTP/1.1 099 Low", 99),
        (b"HTTP/1.1 600 High", 600),
        (b"HTTP/1.1 999 Higher", 999),
        (b"HTTP/1.1  200 OK", 200),
        (b"HTTP/1.2 200 OK", 200),
        (b"HTTP/1.9 200 OK", 200),
        (b"http/1.1 200 OK", 200),
        (b"HTTP/1.1 200 OK\r\nX(A): b", 200),
        (b"HTTP/1.1 200 OK\r\nX@A: b", 200),
        (b"HTTP/1.1 200 OK\r\nX\xe9A: b", 200),
        (b"HTTP/1.1 200 OK\r\n X-Hidden: b", 200),
        (b"HTTP/1.1 200 OK\r\nX-A: b\x01c", 200),
        (b"HTTP/1.1 200 OK\r\nX-A: b\x7fc\x0b", 200),
        (b"HTTP/1.1 200 OK\r\nX-A: b\rc", 200),
        (b"HTTP/1.1 200 OK\r\nX-A: b\rX-Hidden: c", 200),
        (b"HTTP/1.1 200 O\rK", 200),
        (b"\r\nHTTP/1.1 200 OK", 200),
        (b"\r\n\r\nHTTP/1.1 200 OK\nX-A: b", 200),
    ];
    let mut replies: Vec<_> = cases.map(|(head, status)| (hello_after(head), status)).into();
    replies.push((closing("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"), 200));
    replies.push((closing("HTTP/1.1 200 OK\nContent-Length: 5\r\n\nhello"), 200));
    for (reply, status) in replies {
        let outcome = reply.outcome(context)?;
        let (result, told) = (outcome.result.clone(), outcome.told.clone());
        outcome.may_be(status, b"hello")?;
        let Ok(response) = result else { continue };
        let told_as =
            |name: &str, value: &str| format!("the field {}", shown(format!("{name}: {value}").as_bytes()));
        if let Some(value) = response.values("x-hidden").first() {
            let halt = Halt::fail("what does not begin a line is no field", told_as("X-Hidden", value));
            return Err(halt.did(told));
        }
        if let Some((name, value)) = response.headers.iter().find(|field| field.1.contains('\r')) {
            let halt =
                Halt::fail("CR without LF is refused or replaced, and never kept", told_as(name, value));
            return Err(halt
                .did(told)
                .likely("whoever prints the field prints a line end that the server chose"));
        }
    }
    Ok(())
}
