//! Root's powers, in pieces: which stay, and from which of the five sets the others must go.
//!
//! What must hold: after `exec` as uid 0, and after any later one, no set has more than what stays.
//!
//! capabilities(7), "Transformation of capabilities during execve()", is the formula. Put your sets into it
//! before you write a line. And prctl(2), PR_SET_PDEATHSIG: when does the kernel forget that?

/// Gives up all that does not stay, for good.
pub fn drop_most() -> nix::Result<()> {
    todo!("stage 7: five sets, in an order in which each step still has the right to be made")
}
