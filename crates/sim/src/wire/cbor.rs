//! Smithy RPC v2 with CBOR. [Smithy: RPC v2 CBOR protocol]

use ciborium::Value;

use crate::error::ApiError;
use crate::http::{Call, Reply};

/// The input: a map, empty where the body is.
pub fn input(call: &Call) -> Result<Value, ApiError> {
    if call.body.is_empty() {
        return Ok(Value::Map(Vec::new()));
    }
    ciborium::from_reader(call.body.as_ref()).map_err(|_| ApiError::bad_request("SerializationException", "The request body is not CBOR."))
}

/// The answer of an operation.
pub fn reply(result: Result<Value, ApiError>) -> Reply {
    match result {
        Ok(output) => written(200, &output),
        Err(error) => self::error(&error),
    }
}

/// An error.
pub fn error(error: &ApiError) -> Reply {
    let member = |name: &str, value: &str| (Value::Text(name.to_owned()), Value::Text(value.to_owned()));
    written(error.status, &Value::Map(vec![member("__type", &error.code), member("message", &error.message)]))
}

fn written(status: u16, value: &Value) -> Reply {
    let mut body = Vec::new();
    // Writing to memory fails only where the value itself can't be written, and every value can.
    if ciborium::into_writer(value, &mut body).is_err() {
        body.clear();
    }
    Reply::new(status, "application/cbor", body).header("smithy-protocol", "rpc-v2-cbor")
}
