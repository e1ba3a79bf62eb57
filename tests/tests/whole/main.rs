//! Whole-program tests: golden scenarios, and the real binary against real servers.

#![allow(clippy::unwrap_used)]

mod scenarios;
