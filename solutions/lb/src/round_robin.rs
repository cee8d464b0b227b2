//! Stage 2: whose turn it is.
//!
//! ```text
//!   A  B  C  A  B  C  …        all up
//!   A  -  C  A  -  C  …        B is down: its turns go to nobody, the others keep their order
//!            └ next: a place in the list of all backends, not in a list of those that are up
//! ```
//!
//! A place in the shorter list would mean another backend whenever somebody goes down or comes back, and
//! `i % 0` when nobody is left. A connection has one pick, even if the backend then refuses it: see
//! `failures.rs` for what follows.

/// The turn of the next connection.
#[derive(Debug)]
pub struct Rotation {
    backends: usize,
    next: usize,
}

impl Rotation {
    /// The cycle of so many backends, which begins with the first.
    pub fn new(backends: usize) -> Rotation {
        Rotation { backends, next: 0 }
    }

    /// The backend whose turn it is among those that are up; none if nobody is.
    pub fn pick(&mut self, is_up: impl Fn(usize) -> bool) -> Option<usize> {
        let turns = (0..self.backends).map(|offset| (self.next + offset) % self.backends);
        let picked = turns.into_iter().find(|&backend| is_up(backend))?;
        self.next = (picked + 1) % self.backends;
        Some(picked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_in_turn() {
        let mut rotation = Rotation::new(3);
        let picks: Vec<_> = (0..7).map(|_| rotation.pick(|_| true).unwrap()).collect();
        assert_eq!(picks, [0, 1, 2, 0, 1, 2, 0]);
    }

    /// The trap: an index into those that are up points to somebody else when one of them goes down.
    #[test]
    fn the_order_survives_a_backend_that_goes_down_and_comes_back() {
        let mut rotation = Rotation::new(4);
        assert_eq!(rotation.pick(|_| true), Some(0));
        let picks: Vec<_> = (0..6).map(|_| rotation.pick(|backend| backend != 1).unwrap()).collect();
        assert_eq!(picks, [2, 3, 0, 2, 3, 0]);
        assert_eq!((rotation.pick(|_| true), rotation.pick(|_| true)), (Some(1), Some(2)));
    }

    #[test]
    fn nobody_is_left_and_then_somebody_is() {
        let mut rotation = Rotation::new(2);
        assert_eq!(rotation.pick(|_| false), None);
        assert_eq!(rotation.pick(|backend| backend == 1), Some(1));
        assert_eq!(rotation.pick(|_| true), Some(0));
    }
}
