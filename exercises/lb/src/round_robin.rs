//! Stage 2: whose turn it is.
//!
//! What must hold: strictly in turn, in the order given, among those that are up; and one that goes down or comes
//! back changes nothing about the order of the others.
//!
//! What is it that you have to remember from one pick to the next?

/// The turn of the next connection.
#[derive(Debug)]
pub struct Rotation {
    // Your fields.
}

impl Rotation {
    /// The cycle of so many backends, which begins with the first.
    pub fn new(backends: usize) -> Rotation {
        todo!("stage 2: so many backends, and where to begin")
    }

    /// The backend whose turn it is among those that are up; none if nobody is.
    pub fn pick(&mut self, is_up: impl Fn(usize) -> bool) -> Option<usize> {
        todo!("stage 2: one pick, the next in turn of those that are up")
    }
}
