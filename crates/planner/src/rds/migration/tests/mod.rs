//! Migrations against a small AWS in which time passes: what is begun is done a while later, clients write, data is counted.
#![allow(clippy::unwrap_used)]

mod blue_green;
mod clusters;
mod gates;
mod random;
mod snapshot;
mod ways_back;
mod world;
