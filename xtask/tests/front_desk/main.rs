//! The front desk from outside: a command line goes in; an exit code, stdout and stderr come out. One program, so
//! that suites are built once and its parts run side by side.

mod bad_input;
mod desk;
mod interrupt;
mod lab;
mod new_project;
mod output;
mod processes;
mod rootfs;
mod two_at_once;
mod whole;
