//! Keys of objects.
