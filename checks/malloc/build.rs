//! The player's `sbrk`, `mmap` and `malloc` stand before libc's for every library that it loads: they have to be seen.

fn main() {
    println!("cargo::rustc-link-arg-bin=malloc-player=-rdynamic");
    println!("cargo::rerun-if-changed=build.rs");
}
