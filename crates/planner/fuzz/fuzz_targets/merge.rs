//! Our statements into any document, and out again.
#![no_main]

use everseal_planner as planner;
use libfuzzer_sys::fuzz_target;

#[path = "../bodies.rs"]
mod bodies;

fuzz_target!(|text: &str| bodies::merge(text));
