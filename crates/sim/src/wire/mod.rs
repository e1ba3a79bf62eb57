//! The protocols: from bytes to an operation with its input, and from an output or error to bytes.

pub mod cbor;
pub mod json;
pub mod query;
mod route;
pub mod xml;

pub use route::{Protocol, Route, route};

use crate::error::ApiError;
use crate::http::Reply;

/// An error in the protocol that the call came in.
pub fn error_reply(route: &Route, error: &ApiError) -> Reply {
    match route.protocol {
        Protocol::Json10 | Protocol::Json11 => json::error(error),
        Protocol::Query => query::error(error),
        Protocol::Cbor => cbor::error(error),
        Protocol::RestXml => xml::error(error),
    }
}
