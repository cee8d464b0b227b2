//! Stage 6: many threads on one heap, and programs that know nothing of it.
//!
//! ```text
//!   thread 1 ─► cache ─┐                  a cache: for each small size, a stack of blocks that look in use
//!   thread 2 ─► cache ─┼─► lock ─► heap            32 │ 48 │ 64 │ … │ 1024
//!   thread 3 ─► cache ─┘                              ▼    ▼
//! ```
//!
//! A cache is a block of the heap, which its thread finds by a pthread key, and the key's destructor empties
//! when the thread ends. The rival is `thread_local!`: faster by a call, but in a library that is loaded late
//! a thread's first look at it makes libc call malloc, which may be us.
//!
//! Invariants: (R1) the heap is touched only with the lock held, and nothing that is called meanwhile
//! allocates. (R2) A cache is touched by its thread alone. Left out: what other threads cached when a process
//! forks is lost to the child.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use crate::block::{ALIGN, Block};
use crate::edges;
use crate::heap::{HEAP, Heap};
use crate::os;

/// A value that one thread at a time may use. (`std`'s mutex cannot be held across a fork.)
pub struct Lock<T> {
    state: AtomicU32,
    value: UnsafeCell<T>,
}

/// The states of a lock: nobody has it; somebody has; and somebody else may be waiting for it.
const OPEN: u32 = 0;
const HELD: u32 = 1;
const AWAITED: u32 = 2;

// SAFETY: the state sees to it that one thread at a time reaches the value.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// Puts a value under a lock of its own.
    pub const fn new(value: T) -> Lock<T> {
        Lock { state: AtomicU32::new(OPEN), value: UnsafeCell::new(value) }
    }

    /// Waits for the lock, and holds it while `act` uses the value. Not to be nested.
    pub fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        self.acquire();
        // SAFETY: whoever holds the lock is alone with the value.
        let result = act(unsafe { &mut *self.value.get() });
        self.release();
        result
    }

    // An atomic read and write costs as much as the rest of a short malloc, and most programs have one thread.

    fn acquire(&self) {
        if os::is_single_threaded() {
            // Said all the same: by the time of its release a fork may have made this a thread of another process.
            self.state.store(HELD, Relaxed);
        } else if self.state.compare_exchange(OPEN, HELD, Acquire, Relaxed).is_err() {
            // Who waits says so, and goes on saying so with the lock in hand: there may be others who do.
            while self.state.swap(AWAITED, Acquire) != OPEN {
                self.futex(libc::FUTEX_WAIT, AWAITED);
            }
        }
    }

    fn release(&self) {
        if os::is_single_threaded() {
            self.state.store(OPEN, Relaxed);
        } else if self.state.swap(OPEN, Release) == AWAITED {
            self.futex(libc::FUTEX_WAKE, 1);
        }
    }

    /// Sleeps while the state is `value`; or wakes that many who sleep.
    fn futex(&self, operation: c_int, value: u32) {
        let (number, operation) = (libc::SYS_futex, operation | libc::FUTEX_PRIVATE_FLAG);
        // SAFETY: the state outlives the call, and the kernel only reads it.
        unsafe { libc::syscall(number, self.state.as_ptr(), operation, value, ptr::null::<c_void>()) };
    }
}

/// Larger blocks are not cached: they are asked for less often, and cost more memory.
const LARGEST_CACHED: usize = 1024;
/// How many blocks of a size are cached at most,
const STACK_BLOCKS: usize = 32;
/// and how many bytes: what is cached cannot merge, and of large blocks that makes itself felt.
const STACK_BYTES: usize = 4096;

/// Blocks of one size, the last freed on top.
#[derive(Clone, Copy, Debug)]
struct Stack {
    top: Option<Block>,
    height: usize,
}

/// A thread's own blocks, which it allocates and frees without the lock.
#[derive(Debug)]
pub struct Cache {
    stacks: [Stack; LARGEST_CACHED / ALIGN + 1],
}

impl Cache {
    const fn new() -> Cache {
        Cache { stacks: [Stack { top: None, height: 0 }; LARGEST_CACHED / ALIGN + 1] }
    }

    // Three calls on the way of nearly every request: inlined they are a fifth faster.

    /// The calling thread's cache; `None` if it has none, and can have none.
    #[inline]
    pub fn of_this_thread() -> Option<&'static mut Cache> {
        let key = KEY.load(Relaxed);
        if key == NO_KEY {
            return None;
        }
        // SAFETY: the key was created, and is never deleted.
        let cache = unsafe { libc::pthread_getspecific(key) };
        if cache.is_null() {
            return Cache::attach(key);
        }
        // SAFETY: by R2, and each function of ours asks once. A thread that is past its end has null.
        (cache != ENDED).then(|| unsafe { &mut *cache.cast::<Cache>() })
    }

    /// Takes a block of just that size.
    #[inline]
    pub fn take(&mut self, size: usize) -> Option<Block> {
        let stack = self.stacks.get_mut(size / ALIGN)?;
        let block = stack.top?;
        stack.top = block.link_next();
        stack.height -= 1;
        Some(block)
    }

    /// Puts a block in; whether it is of a size that is cached.
    #[inline]
    pub fn put(&mut self, block: Block) -> bool {
        let Some(stack) = self.stacks.get_mut(block.size() / ALIGN) else { return false };
        if stack.height == STACK_BLOCKS || stack.height * block.size() >= STACK_BYTES {
            // By half, so that a program that frees, allocates, frees at the brim needs the lock seldom.
            HEAP.with(|heap| stack.shrink(stack.height / 2, heap));
        }
        stack.push(block);
        true
    }

    /// Takes out that block, if it is here; whether it was.
    pub fn withdraw(&mut self, block: Block) -> bool {
        let Some(stack) = self.stacks.get_mut(block.size() / ALIGN) else { return false };
        let mut above = None;
        let mut at = stack.top;
        while let Some(cached) = at {
            let below = cached.link_next();
            if cached != block {
                (above, at) = (at, below);
                continue;
            }
            match above {
                None => stack.top = below,
                Some(above) => Block::set_link_next(above, below),
            }
            stack.height -= 1;
            return true;
        }
        false
    }

    /// Gives all blocks back to the heap; whether there were any.
    pub fn flush(&mut self, heap: &mut Heap) -> bool {
        let mut any = false;
        for stack in self.stacks.iter_mut().filter(|stack| stack.height > 0) {
            stack.shrink(0, heap);
            any = true;
        }
        any
    }

    /// Makes the calling thread its cache.
    fn attach(key: libc::pthread_key_t) -> Option<&'static mut Cache> {
        let size = edges::block_size(size_of::<Cache>())?;
        let block = HEAP.with(|heap| heap.allocate(size, None))?;
        let mut cache = block.payload().cast::<Cache>();
        // SAFETY: the payload is as large as was asked for, and aligned to 16.
        unsafe { cache.write(Cache::new()) };
        // SAFETY: the key was created, and is never deleted.
        if unsafe { libc::pthread_setspecific(key, cache.as_ptr().cast()) } != 0 {
            HEAP.with(|heap| heap.free(block));
            return None;
        }
        // SAFETY: written above, and by R2 this thread's alone.
        Some(unsafe { cache.as_mut() })
    }
}

impl Stack {
    fn push(&mut self, block: Block) {
        block.set_link_next(self.top);
        self.top = Some(block);
        self.height += 1;
    }

    fn shrink(&mut self, height: usize, heap: &mut Heap) {
        while self.height > height
            && let Some(block) = self.top
        {
            self.top = block.link_next();
            self.height -= 1;
            heap.free(block);
        }
    }
}

/// The key that each thread's cache is found by, once it exists.
static KEY: AtomicU32 = AtomicU32::new(NO_KEY);
const NO_KEY: u32 = u32::MAX;
/// Each thread has room for the values of so many keys; glibc allocates room for more.
const KEYS_WITHOUT_MALLOC: u32 = 32;
/// What a thread that ends has for a cache: libc frees memory in its name even after its keys' destructors.
const ENDED: *mut c_void = ptr::without_provenance_mut(1);

/// Run by the loader, before the program. Allocations may come even earlier: they do without caches.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = start;

extern "C" fn start() {
    let mut key = NO_KEY;
    // SAFETY: it writes to `key`, and `end_thread` is a destructor for what we set.
    if unsafe { libc::pthread_key_create(&raw mut key, Some(end_thread)) } == 0 {
        if key < KEYS_WITHOUT_MALLOC {
            KEY.store(key, Relaxed);
        } else {
            // SAFETY: created above, and told to nobody.
            unsafe { libc::pthread_key_delete(key) };
        }
    }
    // A fork copies only the thread that forks. If another one holds the lock it stays locked in the child
    // for ever; so the forking thread takes it first, and both its copies let it go.
    // SAFETY: the handlers do what handlers may.
    unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(after_fork)) };
}

extern "C" fn before_fork() {
    HEAP.acquire();
}

extern "C" fn after_fork() {
    HEAP.release();
}

/// A thread ends: its blocks go back to the heap, and so does the cache itself.
unsafe extern "C" fn end_thread(cache: *mut c_void) {
    // Called again with what is set here, a few times, since each destructor might allocate.
    // SAFETY: the destructor of a key may set it.
    unsafe { libc::pthread_setspecific(KEY.load(Relaxed), ENDED) };
    let Some(payload) = NonNull::new(cache).filter(|_| cache != ENDED) else { return };
    // SAFETY: a value that is not ENDED was set by `attach`; by R2 nobody else uses it.
    let cache = unsafe { payload.cast::<Cache>().as_mut() };
    // SAFETY: `attach` made it the payload of a block in use.
    let block = unsafe { Block::of(payload.cast()) };
    HEAP.with(|heap| {
        cache.flush(heap);
        heap.free(block);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{self, HEADER};
    use crate::heap;
    use std::sync::mpsc;
    use std::thread;

    /// The trap: blocks that wait in a cache keep their neighbours apart, and nobody ever fetches them.
    #[test]
    fn a_flushed_cache_leaves_nothing_behind() {
        let mut heap = Heap::empty();
        let blocks = block::tests::row(&[64, 64, 64, 48, 48, 32, 1024]);
        let mut cache = Cache::new();
        blocks.iter().for_each(|&block| assert!(cache.put(block)));
        assert_eq!(cache.take(64), Some(blocks[2]), "the last in is the first out");
        assert!(cache.withdraw(blocks[0]) && !cache.withdraw(blocks[0]), "taken from below, once");
        heap.free(blocks[2]);
        heap.free(blocks[0]);
        assert!(cache.flush(&mut heap) && !cache.flush(&mut heap));
        assert!(!blocks[0].is_in_use());
        assert_eq!(blocks[0].size(), 3 * 64 + 2 * 48 + 32 + 1024);
    }

    #[test]
    fn blocks_may_be_freed_by_another_thread() {
        let (sender, receiver) = mpsc::sync_channel::<(usize, usize)>(64);
        let producers = (1..=4_usize).map(|seed| {
            let sender = sender.clone();
            thread::spawn(move || {
                for n in 0..5000 {
                    let bytes = (n * seed * 37) % 1500;
                    let payload = heap::malloc(bytes).unwrap();
                    // SAFETY: so many were asked for.
                    unsafe { payload.write_bytes(bytes as u8, bytes) };
                    sender.send((payload.as_ptr().expose_provenance(), bytes)).unwrap();
                }
            })
        });
        let producers: Vec<_> = producers.collect();
        drop(sender);
        for (address, bytes) in receiver {
            let payload = NonNull::new(ptr::with_exposed_provenance_mut::<u8>(address)).unwrap();
            // SAFETY: it was allocated with so many bytes, and sent to us alone.
            let slice = unsafe { std::slice::from_raw_parts(payload.as_ptr(), bytes) };
            assert!(slice.iter().all(|&byte| byte == bytes as u8), "{bytes} bytes are not as they were sent");
            // SAFETY: nobody else has it.
            unsafe { heap::free(payload) };
        }
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        assert!(size_of::<Cache>() + HEADER < 2048, "a cache is small: each thread has one");
    }
}
