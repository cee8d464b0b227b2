//! Stage 6: many threads on one heap, and programs that know nothing of it.
//!
//! What must hold: the heap is touched by one thread at a time, and nothing that is called meanwhile
//! allocates. A block may be freed by another thread than allocated it. What a thread hoards is bounded, and
//! is not lost when it ends. Nobody waits in the child of a fork for a thread that was left behind.

use std::cell::UnsafeCell;

use crate::block::Block;
use crate::heap::Heap;

/// A value that one thread at a time may use. Given as far as it goes, so that the heap can be a `static`
/// from stage 1 on: so far nobody waits for anybody.
pub struct Lock<T> {
    value: UnsafeCell<T>,
}

// SAFETY: until stage 6 there is one thread.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// Puts a value under a lock of its own.
    pub const fn new(value: T) -> Lock<T> {
        Lock { value: UnsafeCell::new(value) }
    }

    /// Waits for the lock, and holds it while `act` uses the value. Not to be nested.
    pub fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        // Stage 6: whoever comes while another thread is in `act` waits.
        // SAFETY: until stage 6 there is one thread, and calls are not nested.
        act(unsafe { &mut *self.value.get() })
    }
}

/// A thread's own blocks, which it allocates and frees without the lock.
#[derive(Debug)]
pub struct Cache {
    // Your fields.
}

impl Cache {
    /// The calling thread's cache; `None` if it has none, and can have none.
    pub fn of_this_thread() -> Option<&'static mut Cache> {
        todo!("stage 6: without a call of malloc, which may be yours")
    }

    /// Takes a block of just that size.
    pub fn take(&mut self, size: usize) -> Option<Block> {
        todo!("stage 6: one that was put in, and it is in no longer")
    }

    /// Puts a block in; whether it is of a size that is cached.
    pub fn put(&mut self, block: Block) -> bool {
        todo!("stage 6: what is too much goes to the heap")
    }

    /// Takes out that block, if it is here; whether it was.
    pub fn withdraw(&mut self, block: Block) -> bool {
        todo!("stage 6: for the neighbour that wants to grow")
    }

    /// Gives all blocks back to the heap; whether there were any.
    pub fn flush(&mut self, heap: &mut Heap) -> bool {
        todo!("stage 6: before new memory is asked for, and when the thread ends")
    }
}
