//! What leaves a bucket by itself.
