//! Everseal.
fn main() {}
