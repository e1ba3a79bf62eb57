//! Whole-program tests: golden scenarios, and the real binary against real servers.

#![allow(clippy::unwrap_used)]

mod committed;
mod daemon;
mod differential;
mod emulators;
mod errors;
mod estate;
mod faults;
mod migration;
mod pass;
mod paths;
mod promise;
mod scenarios;
mod simulated;
mod simulator;
mod soak;
