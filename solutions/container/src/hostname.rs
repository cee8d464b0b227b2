//! Stage 1: a name that is seen inside, and nowhere else.
//!
//! ```text
//!   host       ── UTS namespace: "server"  ◄── every process, unless it or an ancestor has left
//!   container  ── UTS namespace: a copy of that, until sethostname
//! ```
//!
//! A namespace is nothing but that: a copy of something that used to be global. Which copy a system call
//! reads and writes depends on who calls. So the name must be set by the child, after it has its own copy; a
//! moment earlier it is the host's that changes.

use nix::sched::CloneFlags;
use nix::unistd::sethostname;

/// What the child is made with.
pub const NAMESPACE: CloneFlags = CloneFlags::CLONE_NEWUTS;

/// The longest name that the kernel keeps, in bytes (`__NEW_UTS_LEN`).
const LONGEST_BYTES: usize = 64;

/// A hostname that the kernel will take: 1 to 64 bytes of letters, digits, `-` and `.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostname(String);

impl Hostname {
    /// The hostname that `text` is, if it is one. The kernel would take any bytes, and an empty name too;
    /// what reads names (prompts, logs, mail) would not.
    pub fn parse(text: &str) -> Option<Hostname> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let valid = (1..=LONGEST_BYTES).contains(&text.len()) && text.bytes().all(allowed);
        valid.then(|| Hostname(text.to_owned()))
    }

    /// Gives the calling process's UTS namespace this name.
    pub fn set(&self) -> nix::Result<()> {
        sethostname(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_an_end_and_an_alphabet() {
        assert!(Hostname::parse("box-1.example").is_some());
        assert!(Hostname::parse(&"n".repeat(64)).is_some());
        for wrong in ["", &"n".repeat(65), "a b", "a\n", "naïve"] {
            assert_eq!(Hostname::parse(wrong), None, "{wrong:?}");
        }
    }
}
