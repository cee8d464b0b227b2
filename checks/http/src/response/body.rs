//! Bodies: what they may be made of, where they end without a length, and where there is none.

use harness::{Context, Judged};

use super::closing;

fn every_byte() -> Vec<u8> {
    (0..=255).chain((0..=255).rev()).collect()
}

pub(super) fn a_body_is_bytes(context: &Context) -> Judged {
    let mut rng = context.rng();
    let random: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(100_000).collect();
    let bodies = [
        every_byte(),
        b"\n".to_vec(),
        b"no line end".to_vec(),
        b"two lines\r\n\r\n".to_vec(),
        b"\xef\xbb\xbfbegins with a mark".to_vec(),
        b"Latin-1: caf\xe9, and half of a character: \xe2\x82".to_vec(),
        b"a\0b\x1a\x1b[31mc\x7f".to_vec(),
        b"{\"status\":500,\"headers\":[]}\n".to_vec(),
        random,
    ];
    for body in bodies {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let outcome = closing([head.as_bytes(), &body].concat()).outcome(context)?;
        // What stands there for bytes that are no UTF-8.
        let replaced = outcome.result.as_ref().is_ok_and(|response| {
            let marks = |bytes: &[u8]| bytes.windows(3).filter(|&three| three == b"\xef\xbf\xbd").count();
            marks(&response.body) > marks(&body)
        });
        match outcome.is(200, &body) {
            Ok(_) => {}
            Err(halt) if replaced => return Err(halt.likely("the body goes through a string")),
            Err(halt) => return Err(halt),
        }
    }
    Ok(())
}

pub(super) fn the_close_ends_a_body_without_a_length(context: &Context) -> Judged {
    let long = b"0123456789".repeat(30_000);
    let every_byte = every_byte();
    let heads = [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n",
    ];
    for head in heads {
        let status = if head.contains("404") { 404 } else { 200 };
        for body in [&b"hello"[..], b"", b"\r\n", b"5\r\nhello\r\n0\r\n\r\n", &every_byte, &long] {
            let whole = [head.as_bytes(), body].concat();
            closing(&*whole).outcome(context)?.is(status, body)?;
            closing(&*whole)
                .cut_at(&[head.len(), head.len() + body.len() / 2])
                .outcome(context)?
                .is(status, body)?;
        }
    }
    Ok(())
}

pub(super) fn some_responses_have_no_body(context: &Context) -> Judged {
    for status in ["204 No Content", "304 Not Modified"] {
        let code = if status.starts_with("204") { 204 } else { 304 };
        for fields in [
            "",
            "Content-Length: 5\r\n",
            "Content-Length: 0\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Connection: close\r\n",
        ] {
            // Nothing may be waited for, and nothing taken for a body.
            for behind in ["", "hello", "5\r\nhello\r\n0\r\n\r\n"] {
                let reply = closing(format!("HTTP/1.1 {status}\r\n{fields}\r\n{behind}"));
                reply.outcome(context)?.is(code, b"")?;
            }
        }
    }
    Ok(())
}
