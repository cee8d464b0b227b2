//! A network of its own is born with one interface, `lo`, and that is down.
//!
//! What must hold: 127.0.0.1 works inside, and is nobody else's. netdevice(7) has the request.

/// Brings up `lo`, in the calling process's network namespace.
pub fn raise_loopback() -> nix::Result<()> {
    todo!("stage 7: its flags say that it is up")
}
