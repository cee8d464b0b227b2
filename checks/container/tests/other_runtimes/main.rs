//! The suite on runtimes other than the solution: those that the world uses, and one of another design.

mod another_design;
mod front_desk;
mod known;
