//! firehose: delivery streams, judged at four places: their own encryption, what they deliver, whether Firehose
//! can use its key now, and whether producers will still get through.
//!
//! A stream is never set back to no encryption, and a call that Firehose counts is never made twice in a row: at 25 a
//! day the stream can't be changed any more.

mod desired;
mod destination;
mod encryption;
mod errors;
mod known_producers;
pub mod observed;
pub(crate) mod plan;
pub(crate) mod producers;
#[cfg(test)]
mod tests;
