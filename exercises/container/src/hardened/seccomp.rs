//! System calls that the command cannot make: a program for the kernel, run before each call.
//!
//! What must hold: what is refused is refused by every number that it has, and by no other door; all else
//! works. The filter stays for good.
//!
//! seccomp(2) shows what a filter sees of a call, and has an example. What does a number mean without its
//! architecture? Which arguments can a filter look at, and which half of them does the kernel read? A filter
//! is plain data: a little machine in a test can run it.

/// A filter that is ready to be installed.
#[derive(Debug)]
pub struct Filter {
    // Your fields.
}

impl Filter {
    /// The filter for this architecture.
    #[expect(clippy::new_without_default, reason = "a filter that nobody asked for is a surprise")]
    pub fn new() -> Filter {
        todo!("stage 7: instructions, of the kind that the kernel's little machine knows")
    }

    /// Puts the calling thread under it.
    pub fn install(&self) -> nix::Result<()> {
        todo!("stage 7: and what does the kernel ask for first?")
    }
}
