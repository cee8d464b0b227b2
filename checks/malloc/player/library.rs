//! The subject: a shared library, loaded for good, and what it exports.

use std::{
    ffi::{CStr, CString, c_int, c_void},
    mem,
};

use crate::{borrowed, kernel};

type Malloc = unsafe extern "C" fn(usize) -> *mut u8;
type Free = unsafe extern "C" fn(*mut u8);
type Calloc = unsafe extern "C" fn(usize, usize) -> *mut u8;
type Realloc = unsafe extern "C" fn(*mut u8, usize) -> *mut u8;

/// What a subject exports.
pub(crate) const NAMES: [&CStr; 4] = [c"my_malloc", c"my_free", c"my_calloc", c"my_realloc"];

/// The same functions of an allocator that takes the place of libc's.
pub(crate) const STANDARD_NAMES: [&CStr; 4] = [c"malloc", c"free", c"calloc", c"realloc"];

/// In the place of a library's path: libc's own allocator, to compare with.
pub(crate) const LIBC: &str = "libc";

/// The library's functions; it need not have all of them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Library {
    pub(crate) malloc: Option<Malloc>,
    pub(crate) free: Option<Free>,
    pub(crate) calloc: Option<Calloc>,
    pub(crate) realloc: Option<Realloc>,
}

impl Library {
    /// Loads the library at `path`; its constructors run. The error is the loader's own message. libc is there already.
    pub(crate) fn load(path: &str) -> Result<Self, String> {
        if path == LIBC {
            return Ok(Self::from_handle(libc::RTLD_NEXT, STANDARD_NAMES));
        }
        let name = CString::new(path).map_err(|error| error.to_string())?;
        let open = || {
            // SAFETY: `name` is a C string. Foreign code runs here, and may do as it likes: what it breaks is this process.
            unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) }
        };
        let handle = borrowed::while_loading(|| kernel::inside(open));
        if handle.is_null() {
            return Err(last_error());
        }
        Ok(Self::from_handle(handle, NAMES))
    }

    /// The functions under these names, in the order of the fields.
    pub(crate) fn from_handle(handle: *mut c_void, names: [&CStr; 4]) -> Self {
        let [malloc, free, calloc, realloc] = names.map(|name| symbol(handle, name));
        Self {
            // SAFETY: the contract gives the function of this name this type; null becomes None.
            malloc: unsafe { mem::transmute::<*mut c_void, Option<Malloc>>(malloc) },
            // SAFETY: as above.
            free: unsafe { mem::transmute::<*mut c_void, Option<Free>>(free) },
            // SAFETY: as above.
            calloc: unsafe { mem::transmute::<*mut c_void, Option<Calloc>>(calloc) },
            // SAFETY: as above.
            realloc: unsafe { mem::transmute::<*mut c_void, Option<Realloc>>(realloc) },
        }
    }

    /// The names of the functions that it has.
    pub(crate) fn has(&self) -> Vec<&'static str> {
        let known = [
            ("my_malloc", self.malloc.is_some()),
            ("my_free", self.free.is_some()),
            ("my_calloc", self.calloc.is_some()),
            ("my_realloc", self.realloc.is_some()),
        ];
        known.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
    }
}

fn symbol(handle: *mut c_void, name: &CStr) -> *mut c_void {
    // SAFETY: `name` is a C string, `handle` came from dlopen or is one of dlsym's own.
    unsafe { libc::dlsym(handle, name.as_ptr()) }
}

/// Why the last call for the loader failed.
pub(crate) fn last_error() -> String {
    // SAFETY: dlerror returns null or a string that stands until the next call for the loader.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "the loader gave no reason".to_owned();
    }
    // SAFETY: as above.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// A loaded object: the player, a library.
pub(crate) struct Object {
    /// Where its segments lie: code, constants, variables.
    pub(crate) segments: Vec<(usize, usize)>,
}

/// All objects that are loaded, the player itself first.
pub(crate) fn objects() -> Vec<Object> {
    let mut objects: Vec<Object> = Vec::new();
    // SAFETY: `note` is called back before this returns, with the very pointer that is given here.
    unsafe { libc::dl_iterate_phdr(Some(note), (&raw mut objects).cast()) };
    objects
}

extern "C" fn note(info: *mut libc::dl_phdr_info, _size: usize, objects: *mut c_void) -> c_int {
    // SAFETY: `objects` is the vector that `objects()` waits with, and this is its only user meanwhile.
    let objects = unsafe { &mut *objects.cast::<Vec<Object>>() };
    // SAFETY: the loader hands over a filled structure.
    let info = unsafe { &*info };
    // SAFETY: the loader's own count of headers, which it keeps as long as the object is loaded.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let load = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    let segments = load.map(|header| {
        let start = (info.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
        (start, start.wrapping_add(header.p_memsz as usize))
    });
    objects.push(Object { segments: segments.collect() });
    0
}
