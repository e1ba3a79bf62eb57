//! Whatever bytes a server answers with.
#![no_main]

use everseal_database as database;
use libfuzzer_sys::fuzz_target;

#[path = "../bodies.rs"]
mod bodies;

fuzz_target!(|bytes: &[u8]| bodies::answers(bytes));
