//! Everseal.
