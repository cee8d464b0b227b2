//! How a chunked stream reads that may be broken anywhere: the specification's tables, as one function. What they
//! leave to the client is read in the only way in which it may be accepted.

/// What a stream comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The body, as far as it goes.
    pub(super) body: Vec<u8>,
    pub(super) end: End,
    /// Nothing in it may be refused.
    pub(super) is_strict: bool,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With the last chunk.
    Complete,
    /// Before it: the stream is over, or broken.
    Broken,
}

/// Reads a stream, after which the connection ends.
pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut reading = Reading { body: Vec::new(), end: End::Broken, is_strict: true };
    if reading.chunks(bytes).is_some() {
        reading.end = End::Complete;
    }
    reading
}

impl Reading {
    /// Nothing when it breaks.
    fn chunks(&mut self, mut rest: &[u8]) -> Option<()> {
        loop {
            let line = self.line(&mut rest)?;
            let size = self.size(line)?;
            if size == 0 {
                self.trailers(rest);
                return Some(());
            }
            let held = usize::try_from(size).unwrap_or(usize::MAX).min(rest.len());
            self.body.extend_from_slice(&rest[..held]);
            rest = &rest[held..];
            // Anything before the line's end is something else than a line's end.
            self.line(&mut rest).filter(|line| line.is_empty())?;
        }
    }

    /// The next line, without its end.
    fn line<'b>(&mut self, rest: &mut &'b [u8]) -> Option<&'b [u8]> {
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let line = &rest[..end];
        *rest = &rest[end + 1..];
        let bare = line.strip_suffix(b"\r");
        self.is_strict &= bare.is_some();
        Some(bare.unwrap_or(line))
    }

    fn size(&mut self, line: &[u8]) -> Option<u64> {
        let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
        let trimmed = digits.trim_ascii_start().trim_ascii_end();
        self.is_strict &= trimmed.len() == digits.len() && trimmed.len() <= 16;
        self.is_strict &= is_well_formed(&line[digits.len()..]);
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        if !digits.iter().all(|byte| byte.is_ascii_hexdigit() || is_blank(byte)) {
            return None;
        }
        // Empty, with a space inside, or of more than 64 bits: no number either.
        u64::from_str_radix(str::from_utf8(trimmed).ok()?, 16).ok()
    }

    /// What follows the last chunk: it may end anywhere, since the body is there.
    fn trailers(&mut self, mut rest: &[u8]) {
        loop {
            match self.line(&mut rest) {
                Some(b"") => return,
                Some(line) => self.is_strict &= is_field(line),
                None => return self.is_strict = false,
            }
        }
    }
}

/// Whether these are extensions as the standard has them: `;name`, `;name=token`, `;name="quoted"`.
fn is_well_formed(mut extensions: &[u8]) -> bool {
    while let [b';', after @ ..] = extensions {
        let name = token(after);
        extensions = &after[name..];
        if name == 0 {
            return false;
        }
        if let [b'=', value @ ..] = extensions {
            let length = if value.starts_with(b"\"") { quoted(value) } else { token(value) };
            extensions = &value[length..];
            if length == 0 {
                return false;
            }
        }
    }
    extensions.is_empty()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// How many bytes at the beginning are of a token.
fn token(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| is_token(byte)).count()
}

/// How many bytes the quoted string at the beginning has, with its quotes; 0 if it does not end.
fn quoted(bytes: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match bytes.get(at..) {
            Some([b'"', ..]) => return at + 1,
            Some([b'\\', b' '..=b'~', ..]) => at += 2,
            Some([b' '..=b'~', ..]) => at += 1,
            _ => return 0,
        }
    }
}

fn is_field(line: &[u8]) -> bool {
    let name = token(line);
    name > 0 && line.get(name) == Some(&b':') && line[name..].iter().all(|byte| (b' '..=b'~').contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(bytes: &[u8]) -> (String, End, bool) {
        let reading = read(bytes);
        (String::from_utf8_lossy(&reading.body).into_owned(), reading.end, reading.is_strict)
    }

    #[test]
    fn what_is_right_is_read() {
        for stream in
            ["5\r\nhello\r\n0\r\n\r\n", "02;a;b=\"c;\\\"\"\r\nhe\r\n3\r\nllo\r\n00;z\r\nA: b\r\n\r\nmore"]
        {
            assert_eq!(reading(stream.as_bytes()), ("hello".to_owned(), End::Complete, true), "{stream:?}");
        }
    }

    #[test]
    fn what_is_broken_is_broken() {
        let streams = [
            "",
            "5",
            "5\r\n",
            "5\r\nhello",
            "5\r\nhello\r\n",
            "\r\nhello\r\n0\r\n\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "4\r\nhello\r\n0\r\n\r\n",
            "7\r\nhello\r\n0\r\n\r\n",
            "1 2\r\nhello\r\n0\r\n\r\n",
            "10000000000000005\r\nhello\r\n0\r\n\r\n",
        ];
        for stream in streams {
            assert_eq!(read(stream.as_bytes()).end, End::Broken, "{stream:?}");
        }
    }

    #[test]
    fn what_is_left_to_the_client_is_not_strict() {
        let streams = [
            "5\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            "5;\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello\r\n0\r\n",
            "5\r\nhello\r\n0\r\nno field\r\n\r\n",
            "00000000000000005\r\nhello\r\n0\r\n\r\n",
            "5;a=\"\r\nhello\r\n0\r\n\r\n",
        ];
        for stream in streams {
            assert_eq!(reading(stream.as_bytes()), ("hello".to_owned(), End::Complete, false), "{stream:?}");
        }
    }
}
