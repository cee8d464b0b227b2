//! Stage 5: many connections: each has a place, found by its number, which is what an event says.
//!
//! ```text
//!   slots   [ a ][ - ][ c ][ - ][ e ]        an event for slot 2 means c: no search, no hash
//!   free      3, 1                           who comes next gets slot 1: no more slots than there
//!                                            were connections at once, however many there have been
//! ```
//!
//! A slot's next owner may get an event that was meant for the last one. That is harmless here: connections
//! come only after all events of a round have been looked at, and events are only ever hints.

/// Values that are numbered, by numbers that are used again.
#[derive(Debug)]
pub struct Table<T> {
    slots: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Table<T> {
    /// An empty table.
    pub fn new() -> Table<T> {
        Table { slots: Vec::new(), free: Vec::new() }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts in a value that is made for its number; that number.
    pub fn insert(&mut self, make: impl FnOnce(usize) -> T) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(make(slot));
        slot
    }

    /// The value with this number; none if there is none any more.
    pub fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.slots.get_mut(slot)?.as_mut()
    }

    /// Takes a value out. Its number is free from now on.
    pub fn remove(&mut self, slot: usize) -> Option<T> {
        let value = self.slots.get_mut(slot)?.take()?;
        self.free.push(slot);
        Some(value)
    }
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again() {
        let mut table = Table::new();
        let numbers: Vec<_> = ["a", "b", "c"].map(|value| table.insert(|_| value)).into();
        assert_eq!(numbers, [0, 1, 2]);
        assert_eq!((table.remove(1), table.len()), (Some("b"), 2));
        assert_eq!((table.remove(1), table.len()), (None, 2), "a number is not freed twice");
        assert_eq!((table.insert(|_| "d"), table.insert(|_| "e")), (1, 3));
        assert_eq!(table.get_mut(1), Some(&mut "d"));
        assert_eq!(table.get_mut(9), None);
    }

    #[test]
    fn a_table_does_not_grow_with_time() {
        let mut table = Table::new();
        for round in 0..1000 {
            let number = table.insert(|_| round);
            table.remove(number);
        }
        assert!(table.is_empty() && table.slots.len() == 1);
    }
}
