//! The file of a recording, a mapped window at a time.

use std::{
    ffi::{CStr, c_char},
    ptr, slice,
};

/// Bytes of a window.
const WINDOW: usize = 1 << 20;
/// Windows begin at multiples of this: whole pages on all systems.
const LARGEST_PAGE: usize = 64 << 10;
/// A line takes less than this.
const LONGEST_LINE: usize = 64;
/// The longest path of a recording, with the process's number.
const LONGEST_PATH: usize = 4096;

/// A recording that is being written.
pub(super) struct Recording {
    descriptor: i32,
    /// The window that is mapped, and where in the file it begins.
    window: *mut u8,
    start: usize,
    /// Bytes of the window that are written.
    used: usize,
}

impl Recording {
    /// Creates `path.PID`; None when that is not possible.
    pub(super) fn create(path: *const c_char) -> Option<Self> {
        // SAFETY: from the environment: a C string.
        let path = unsafe { CStr::from_ptr(path) }.to_bytes();
        let mut name = [0_u8; LONGEST_PATH];
        // Room for a dot, the number, and the zero at the end.
        let room = name.get_mut(..path.len() + 24)?;
        room[..path.len()].copy_from_slice(path);
        room[path.len()] = b'.';
        // SAFETY: asks for a number.
        let process = unsafe { libc::getpid() };
        digits(process as usize, &mut room[path.len() + 1..]);
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC | libc::O_CLOEXEC;
        // SAFETY: a C string: what lies behind the number is zero.
        let descriptor = unsafe { libc::open(name.as_ptr().cast(), flags, 0o644) };
        if descriptor == -1 {
            return None;
        }
        let mut recording = Self { descriptor, window: ptr::null_mut(), start: 0, used: 0 };
        recording.map().then_some(recording)
    }

    /// Writes a line: a letter, and numbers behind spaces.
    pub(super) fn line(&mut self, code: u8, numbers: &[usize]) {
        if (self.window.is_null() || self.used + LONGEST_LINE > WINDOW) && !self.map() {
            return;
        }
        // SAFETY: the window, which is this recording's alone.
        let window = unsafe { slice::from_raw_parts_mut(self.window, WINDOW) };
        window[self.used] = code;
        self.used += 1;
        for number in numbers {
            window[self.used] = b' ';
            self.used += 1;
            self.used += digits(*number, &mut window[self.used..]);
        }
        window[self.used] = b'\n';
        self.used += 1;
    }

    /// Ends the file behind its last line.
    pub(super) fn cut(self) {
        // SAFETY: the recording's own file.
        unsafe { libc::ftruncate(self.descriptor, (self.start + self.used) as i64) };
    }

    /// Moves the window on to the page that is to be written next; whether that was possible.
    fn map(&mut self) -> bool {
        if !self.window.is_null() {
            // SAFETY: the window, which is looked at no more.
            unsafe { libc::munmap(self.window.cast(), WINDOW) };
            self.window = ptr::null_mut();
        }
        // The last window ended anywhere in a page; the next begins with that page.
        let end = self.start + self.used;
        self.start = end / LARGEST_PAGE * LARGEST_PAGE;
        self.used = end - self.start;
        // SAFETY: the recording's own file.
        if unsafe { libc::ftruncate(self.descriptor, (self.start + WINDOW) as i64) } == -1 {
            return false;
        }
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let offset = self.start as i64;
        // SAFETY: a new mapping at a place of the kernel's choice touches nothing that exists.
        let window = unsafe {
            libc::mmap(ptr::null_mut(), WINDOW, protection, libc::MAP_SHARED, self.descriptor, offset)
        };
        if window == libc::MAP_FAILED {
            return false;
        }
        self.window = window.cast();
        true
    }
}

/// Writes a number in decimal; how many digits it has.
fn digits(number: usize, target: &mut [u8]) -> usize {
    let mut reversed = [0_u8; 20];
    let (mut rest, mut count) = (number, 0);
    loop {
        reversed[count] = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    for index in 0..count {
        target[index] = reversed[count - 1 - index];
    }
    count
}
