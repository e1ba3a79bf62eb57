//! What the tests share: golden scenarios, emulators, a counting proxy, and the real program.
//!
//! Nothing here may decide what is right: expectations stand in scenarios and tests, written by hand.

// A failed expectation of a test is a panic; its message is the report.
#![allow(clippy::missing_panics_doc)]

pub mod binary;
pub mod program;
pub mod proxy;
pub mod scenario;
pub mod server;
pub mod stub;
pub mod wire;
