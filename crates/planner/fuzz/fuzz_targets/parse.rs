//! Whatever text AWS or anybody else hands us as a document.
#![no_main]

use everseal_planner as planner;
use libfuzzer_sys::fuzz_target;

#[path = "../bodies.rs"]
mod bodies;

fuzz_target!(|text: &str| bodies::parse(text));
