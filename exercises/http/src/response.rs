//! Stage 2: the head of a response: status line and header fields, up to the empty line.
//!
//! What must hold: how the bytes were cut into pieces makes no difference. Not a byte after the empty line is
//! taken. A head is text, more or less; whatever else it is, it does not make this panic.

use crate::error::Error;

/// A head, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// 0 in HTTP/1.0, 1 in HTTP/1.1.
    pub minor_version: u8,
    /// 100 to 999.
    pub status: u16,
    /// Names as they came, values without the space around them, in the order in which they came.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The values of all fields of that name, in whatever case.
    pub fn values(&self, name: &str) -> Vec<&str> {
        todo!("stage 2: one for each field that has the name, in order")
    }

    /// The members of a field that is a list: `a, b` in one line means the same as `a` and `b` in two.
    pub fn list(&self, name: &str) -> Vec<&str> {
        todo!("stage 2: one for each member, without the space around it")
    }
}

/// Reads one head from pieces.
#[derive(Debug)]
pub struct HeadParser {
    // Your fields.
}

impl HeadParser {
    /// A parser that has seen nothing.
    #[expect(clippy::new_without_default, reason = "a parser is begun, not defaulted to")]
    pub fn new() -> HeadParser {
        todo!("stage 2: a parser at the first byte of a status line")
    }

    /// Takes the next piece. Says how many of its bytes belong to the head, and, if that was the last of it,
    /// what it says. Not to be called again after that, or after an error.
    pub fn push(&mut self, piece: &[u8]) -> Result<(usize, Option<Head>), Error> {
        todo!(
            "stage 2: the same head, or the same refusal, however it was cut; from stage 6 on within limits"
        )
    }
}
