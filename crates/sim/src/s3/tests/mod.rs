//! The tests of S3.
