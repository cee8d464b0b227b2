//! Builds the probe, which the suite carries within it: a program of no dependencies that runs in an empty root file
//! system, so it is linked to libc statically. One call of the compiler, since a second cargo would wait for this one.

use std::{
    env,
    path::Path,
    process::{Command, ExitCode},
};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=probe");
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let probe = Path::new(&variable("OUT_DIR")).join("probe");
    let built = Command::new(variable("RUSTC"))
        .args(["--edition", "2024", "--crate-name", "probe", "--crate-type", "bin", "-O"])
        .args(["-C", "target-feature=+crt-static", "-C", "panic=abort", "-C", "strip=symbols"])
        .args(["--target", &variable("TARGET"), "-o"])
        .arg(&probe)
        .arg("probe/main.rs")
        .status();
    match built {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => {
            println!(
                "cargo::error=the probe was not built; it needs a static libc: try apt-get install libc6-dev"
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("cargo::error=the compiler cannot be started: {error}");
            ExitCode::FAILURE
        }
    }
}
